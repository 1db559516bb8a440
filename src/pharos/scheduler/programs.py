"""Runs a verb of Pharos as a separate process, so that its memory is freed when it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPORT = "pharos.report"  # logger of the line with a verb's report
STOP_S = 10.0  # between asking a program to end and ending it
LAST_LINES = 50  # of its output, with the error's message


@dataclass(frozen=True)
class Ended:
    """The outcome of a program."""

    exit_code: int
    message: str = ""
    """Why it failed; empty if it did not."""
    counts: dict[str, Any] = field(default_factory=dict)
    """What it did."""
    was_stopped: bool = False


def pharos(home: Path | None, config: Path | None) -> list[str]:
    """The command line of this Pharos with these settings, without a verb: [program, options…]."""
    named = {"--home": home, "--config": config}
    options = [part for name, path in named.items() if path is not None for part in (name, str(path))]
    return [sys.executable, "-m", "pharos", *options]


def command(program: Sequence[str], verb: str, arguments: Sequence[str]) -> list[str]:
    """The command line of a verb that writes its report as JSON."""
    interpreter, options = list(program[:3]), list(program[3:])
    return [*interpreter, *verb.split(), *options, "--log-format", "json", *arguments]


async def run(line: Sequence[str], *, stop: asyncio.Event, longest_s: float) -> Ended:
    """Run a command line to its end; end it when `stop` is set or when it takes too long."""
    process = await asyncio.create_subprocess_exec(
        *line,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C is for the scheduler, which ends it and all it has started
    )
    assert process.stdout is not None  # noqa: S101 - for the type checker
    assert process.stderr is not None  # noqa: S101
    output = asyncio.gather(_last_lines(process.stdout), _last_lines(process.stderr))
    ended, stopping = asyncio.ensure_future(process.wait()), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({ended, stopping}, timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
        took_too_long = not ended.done() and not stopping.done()
        if not ended.done():
            await _end(process, ended)
        with suppress(ProcessLookupError):  # its orphaned children would keep its output open
            os.killpg(process.pid, signal.SIGKILL)
        code, (_, told) = await ended, await output
    finally:
        stopping.cancel()
    if took_too_long:
        return Ended(code, f"took longer than {longest_s / 3600:g} hours and was ended")
    if stop.is_set() and code < 0:
        return Ended(code, "the scheduler was stopped while it ran", was_stopped=True)
    return Ended(code, _message(told, code) if code else "", _counts(told))


async def _end(process: asyncio.subprocess.Process, ended: asyncio.Future[int]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        await asyncio.wait({ended}, timeout=STOP_S)
        if ended.done():
            return


async def _last_lines(stream: asyncio.StreamReader) -> list[str]:
    kept: deque[str] = deque(maxlen=LAST_LINES)
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # a line longer than the buffer; its rest comes with the next call
            continue
        if not line:
            return list(kept)
        kept.append(line.decode(errors="replace").strip())


def _message(told: list[str], code: int) -> str:
    """The last error in the program's log, or its last line."""
    for line in reversed(told):
        entry = _object(line)
        if entry.get("level") in {"error", "critical"}:
            return str(entry.get("event", ""))
    last = next((line for line in reversed(told) if line), "")
    return last or (f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}")


def _counts(told: list[str]) -> dict[str, Any]:
    """The facts of the program's report."""
    entry = next((entry for entry in map(_object, told) if entry.get("logger") == REPORT), {})
    return {name: value for name, value in entry.items() if name not in {"time", "level", "logger", "event"}}


def _object(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
