"""Work in processes beside the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pharos.engine.processes import Processes

PROGRAM = """
from pharos.engine.processes import Processes

print("begun")
print(list(Processes(2).map(abs, [-1, -2, 3])))
"""


def test_processes_do_not_run_the_program_that_begins_them(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, "program.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["begun", "[1, 2, 3]"]
    assert not done.stderr


def test_their_environment_is_not_that_of_the_program() -> None:
    name, before = "ARROW_DEFAULT_MEMORY_POOL", dict(os.environ)
    program = sys.modules["__main__"]
    assert name not in before
    assert list(Processes(2).map(os.getenv, [name, name])) == ["system", "system"]
    assert dict(os.environ) == before
    assert sys.modules["__main__"] is program
