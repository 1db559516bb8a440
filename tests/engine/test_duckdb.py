from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

WORK = """
import os, time

def tell_and_wait(_item):
    print(os.getpid(), flush=True)
    time.sleep(100)
"""
PROGRAM = """
from pathlib import Path
from work import tell_and_wait
from pharos.config import EngineSettings
from pharos.engine import open_engine

list(open_engine(EngineSettings(threads=2), Path("unused")).map(tell_and_wait, [1, 2]))
"""


def test_its_processes_end_when_it_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    (tmp_path / "work.py").write_text(WORK)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        workers = [int(program.stdout.readline()) for _ in range(2)]
        program.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while any(map(is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, workers))


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
