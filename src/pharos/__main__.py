"""`python -m pharos` is `pharos`."""

from pharos.cli import main

if __name__ == "__main__":
    main()
