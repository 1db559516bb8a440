"""Runs a program and says how long it took and how much memory it and its children held at most."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Measured:
    """One or the median of several runs of a program."""

    wall_s: float
    cpu_s: float
    peak_mb: float  # of all its processes together


def run(command: list[str], *, times: int = 1, before: object = None) -> Measured:
    """The medians of several runs; `before()` is called before each."""
    runs = []
    for _ in range(times):
        if callable(before):
            before()
        runs.append(_run(command))
    return Measured(
        *(median(values) for values in zip(*((r.wall_s, r.cpu_s, r.peak_mb) for r in runs), strict=True))
    )


def _run(command: list[str]) -> Measured:
    began, cpu = time.perf_counter(), sum(os.times()[2:4])
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = _Peak(process.pid)
    peak.start()
    status = process.wait()
    wall = time.perf_counter() - began
    peak.join()
    if status:
        raise SystemExit(f"{command}: ended with status {status}")
    return Measured(wall, sum(os.times()[2:4]) - cpu, peak.mb)


class _Peak(threading.Thread):
    """Adds up the resident memory of a process and its descendants, ten times a second while it lives.

    More often would take a part of the processors from what is measured.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.mb = 0.0
        self._pid = pid

    def run(self) -> None:
        while (total := sum(map(_resident_mb, _tree(self._pid)))) > 0:
            self.mb = max(self.mb, total)
            time.sleep(0.1)


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(found for child in children for found in _tree(int(child)))]


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
