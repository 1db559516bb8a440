"""The program, loaded once and forked for each command: a cold start costs 1.2 s of processor time.

Run as a module, it reads commands from its input and writes their exit codes. Its runs compute few metrics:
how the program speaks is the same for all.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import NoReturn

from tests.pipeline.conftest import FEW, computing

from pharos import cli

CHECKOUT = Path(__file__).parents[1]
STREAMS = ("stdin", "stdout", "stderr")


@dataclass(frozen=True)
class Command:
    """What to run: arguments, working folder, environment, and the folder with the files of its streams."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    streams: str


class Program:
    """A loaded program that waits for commands."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def run(
        self, *arguments: str, folder: Path, environment: Mapping[str, str], stdin: str = ""
    ) -> CompletedProcess[str]:
        """Run a command to its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with tempfile.TemporaryDirectory() as streams:
            (Path(streams) / "stdin").write_text(stdin, encoding="utf-8")
            command = Command(list(arguments), str(folder), dict(environment), streams)
            self.process.stdin.write(json.dumps(asdict(command)) + "\n")
            self.process.stdin.flush()
            code = int(self.process.stdout.readline())
            stdout, stderr = (
                (Path(streams) / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")
            )
        return CompletedProcess(list(arguments), code, stdout, stderr)


@contextmanager
def warm_program() -> Iterator[Program]:
    command = [sys.executable, "-m", "tests.warm"]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Program(process)
        assert process.stdin is not None
        process.stdin.close()


def _serve() -> None:
    with computing(*FEW):
        for line in sys.stdin:
            child = os.fork()
            if not child:
                _become(Command(**json.loads(line)))
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)


def _become(command: Command) -> NoReturn:
    """Run the command in this process, and end as it ends."""
    code = 1
    os.chdir(command.folder)
    os.environ.clear()
    os.environ.update(command.environment)
    for number, (name, mode) in enumerate(zip(STREAMS, "rww", strict=True)):
        file = (Path(command.streams) / name).open(mode, encoding="utf-8")
        os.dup2(file.fileno(), number)
        setattr(sys, name, file)
    sys.argv = ["pharos", *command.arguments]
    try:
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - told as the interpreter does
        traceback.print_exc()
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
