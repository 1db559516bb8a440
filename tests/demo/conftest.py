"""One small campus, written once, for the tests of this room.

The files are read back line by line without any code of the package.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pharos.demo.campus import Campus
from pharos.demo.lms_database import write_lms_database
from pharos.demo.log_files import LogSummary, write_logs

PREFIXED = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO \d+ \[tracking\] "
    r"\[user (\d+|None)\] \[ip ([0-9a-f.:]+|None)\] logger\.py:41 - (\{.*\})\n"
)


class Line(NamedTuple):
    """A line of a log file; `event` is None for what is no event."""

    path: Path
    text: str
    event: dict[str, Any] | None


@pytest.fixture(scope="session")
def campus() -> Campus:
    return Campus(seed=7, learners=250, days=45, until=date(2026, 3, 16))


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="session")
def summary(campus: Campus, logs: Path) -> LogSummary:
    return write_logs(logs, campus)


@pytest.fixture(scope="session")
def database_file(campus: Campus, summary: LogSummary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lms") / "lms.sqlite"
    write_lms_database(path, campus, summary.records)
    return path


@pytest.fixture(scope="session")
def lines(summary: LogSummary, logs: Path) -> list[Line]:
    """Every line of every file."""
    assert summary.lines
    files = sorted(path for path in logs.rglob("*") if path.is_file())
    return [Line(path, text, _event_of(text)) for path in files for text in _lines_of(path)]


@pytest.fixture(scope="session")
def events(lines: list[Line]) -> list[dict[str, Any]]:
    """Every event once."""
    return list({line.text: line.event for line in lines if line.event is not None}.values())


def _lines_of(path: Path) -> Iterator[str]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("ascii")
    yield from text.splitlines(keepends=True)


def _event_of(text: str) -> dict[str, Any] | None:
    found = PREFIXED.fullmatch(text)
    if found is None:
        return None
    try:
        value = json.loads(found[3])
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
