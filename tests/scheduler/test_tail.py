"""When the live tail reads: as soon as logs changed, seldom otherwise."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pharos.config import LogSource
from pharos.lake.logs import NoSuchLogs
from pharos.scheduler import tail
from pharos.scheduler.tail import Tail


def sources(folder: Path) -> dict[str, LogSource]:
    return {"lms": LogSource(paths=[str(folder)])}


def test_it_reads_at_first_and_whenever_a_log_grew_or_came(tmp_path: Path) -> None:
    log, tailing = tmp_path / "tracking.log", Tail(0)
    log.write_text("one\n")
    first = tailing.look(sources(tmp_path))
    assert first
    assert tailing.look(sources(tmp_path)) == first  # as nobody has read them
    tailing.read(first)
    assert tailing.look(sources(tmp_path)) is None
    with log.open("a") as file:
        file.write("two\n")
    grown = tailing.look(sources(tmp_path))
    assert grown
    assert grown != first
    tailing.read(grown)
    (tmp_path / "tracking.log-20260302").write_text("old\n")
    assert tailing.look(sources(tmp_path))


def test_what_grows_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    log, tailing = tmp_path / "tracking.log", Tail(0)
    log.write_text("one\n")
    seen = tailing.look(sources(tmp_path))
    assert seen
    log.write_text("one\ntwo\n")
    tailing.read(seen)
    assert tailing.look(sources(tmp_path))


def test_without_news_results_are_brought_to_the_present_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tracking.log").write_text("one\n")
    tailing = Tail(0)
    seen = tailing.look(sources(tmp_path))
    assert seen
    tailing.read(seen)
    assert tailing.look(sources(tmp_path)) is None
    monkeypatch.setattr(tail, "UNCHANGED_S", 0)
    assert tailing.look(sources(tmp_path)) == seen


def test_failures_make_it_patient(tmp_path: Path) -> None:
    tailing, waits = Tail(10), []
    with pytest.raises(NoSuchLogs):
        tailing.look(sources(tmp_path / "gone"))
    for _ in range(50):
        tailing.failed()
        waits.append(round(tailing.wait_s))
    assert waits[:3] == [20, 40, 80]
    assert waits[-1] == tail.LONGEST_WAIT_S


def test_it_stands_still_until_it_has_read_or_found_nothing_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    (tmp_path / "tracking.log").write_text("one\n")
    tailing = Tail(0)
    now += 30
    seen = tailing.look(sources(tmp_path))
    assert seen
    assert tailing.standing_s == 30
    tailing.failed()
    assert tailing.standing_s == 30
    tailing.read(seen)
    assert tailing.standing_s == 0
    now += 5
    assert tailing.look(sources(tmp_path)) is None
    assert tailing.standing_s == 0
