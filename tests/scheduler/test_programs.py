"""Programs run for the scheduler: how they end, what they said, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

from pharos.scheduler import programs
from pharos.scheduler.programs import Ended


def wait_for(path: Path | None) -> None:
    while path is not None and not path.exists():
        time.sleep(0.02)


def run(code: str, *, longest_s: float = 60, stop_when: Path | None = None) -> Ended:
    async def running() -> Ended:
        stop = asyncio.Event()

        async def stopping() -> None:
            await asyncio.to_thread(wait_for, stop_when)
            stop.set()

        if stop_when is not None:
            stopper = asyncio.ensure_future(stopping())
        ended = await programs.run([sys.executable, "-c", code], stop=stop, longest_s=longest_s)
        if stop_when is not None:
            await stopper
        return ended

    return asyncio.run(running())


def test_a_command_line_names_the_settings_after_the_verb() -> None:
    program = programs.pharos(Path("here"), Path("there.yaml"))
    line = programs.command(program, "run", ["--full"])
    assert line[:4] == [sys.executable, "-m", "pharos", "run"]
    assert line[4:] == ["--home", "here", "--config", "there.yaml", "--log-format", "json", "--full"]


def test_its_report_is_what_it_did() -> None:
    ended = run(
        """import sys; sys.stderr.write('noise\\n{"level": "info", "logger": "pharos.report",'
        '"event": "run ended", "events": 3}\\n')"""
    )
    assert ended == Ended(0, counts={"events": 3})


def test_its_last_error_is_the_reason() -> None:
    ended = run(
        """import sys; sys.exit(sys.stderr.write('{"level": "error", "event": "no room"}\\nbye\\n') and 1)"""
    )
    assert (ended.exit_code, ended.message) == (1, "no room")


def test_without_an_error_its_last_words_are() -> None:
    assert run("raise SystemExit('help')").message == "help"
    assert run("raise SystemExit(3)").message == "ended with exit code 3"
    assert run("import os; os.kill(os.getpid(), 9)").message == "ended by signal 9"


def test_very_long_lines_stop_nothing() -> None:
    assert run("import sys; sys.stderr.write('x' * 1_000_000 + '\\n'); sys.exit('end')").message == "end"


def test_what_takes_too_long_is_ended() -> None:
    ended = run("import time; time.sleep(600)", longest_s=0.36)
    assert ended.exit_code == -signal.SIGTERM
    assert ended.message == "took longer than 0.0001 hours and was ended"
    assert not ended.was_stopped


def test_stopping_ends_it_and_what_it_has_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    ended = run(
        f"""import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(pid)!r} + ".new", "w").write(str(child.pid))
os.rename({str(pid)!r} + ".new", {str(pid)!r})
time.sleep(600)""",
        stop_when=pid,
    )
    assert ended.was_stopped
    for _ in range(500):
        if not alive(int(pid.read_text())):
            return
        time.sleep(0.02)
    raise AssertionError("the child of the program still runs")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_ignores_the_request_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    before = programs.STOP_S
    programs.STOP_S = 0.2
    try:
        ended = run(
            f"""import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.mkdir({str(ready)!r}); time.sleep(600)""",
            stop_when=ready,
        )
    finally:
        programs.STOP_S = before
    assert (ended.exit_code, ended.was_stopped) == (-signal.SIGKILL, True)


def test_a_verb_of_two_words_is_two_words_of_the_command_line() -> None:
    line = programs.command(programs.pharos(None, None), "lake verify", ["--megabytes", "5"])
    assert line[3:] == ["lake", "verify", "--log-format", "json", "--megabytes", "5"]
