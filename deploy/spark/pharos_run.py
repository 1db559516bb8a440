"""What spark-submit starts: `pharos`, with the arguments that follow this file's name."""  # noqa: INP001 - a script

from pharos.cli import main

if __name__ == "__main__":
    main()
