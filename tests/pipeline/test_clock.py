"""Clocks that are set back or run ahead, by files in the place of the machine's own."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests import lines

from pharos.config import Settings
from pharos.lake.lake import Lake
from pharos.lake.ledger import Commit
from pharos.pipeline import clock
from pharos.pipeline.clock import ClockWrong, believe, check
from pharos.pipeline.ingestion import ingest_only
from pharos.pipeline.run import run_pipeline
from pharos.result_store import store

NOW = datetime(2024, 11, 28, 9)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Machine:
    """What the system tells of how long it has been running."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        folder.mkdir()
        for name in ("_UPTIME", "_BOOT", "_FIRST_PROCESS"):
            monkeypatch.setattr(clock, name, folder / name)
        self.start("a")

    def start(self, boot: str, first_process: int = 17) -> None:
        (self._folder / "_BOOT").write_text(f"{boot}\n")
        (self._folder / "_FIRST_PROCESS").write_text(f"1 (in it) S 0 1 1 {'0 ' * 15}{first_process} 9 9\n")
        self.runs_for(timedelta(0))

    def runs_for(self, time: timedelta) -> None:
        (self._folder / "_UPTIME").write_text(f"{time.total_seconds()} 12.5\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path / "proc", monkeypatch)


@pytest.fixture
def lake(tmp_path: Path, machine: Machine) -> Lake:  # noqa: ARG001 - no test asks the real one
    lake = Lake(tmp_path / "lake")
    with lake.locked():
        lake.ledger.commit(lake.state, Commit(number=1, at=NOW))
    return lake


def test_a_clock_before_the_newest_commit_or_publication_is_refused(lake: Lake) -> None:
    check(lake, NOW)
    check(lake, NOW + 900 * DAY)  # a home that nobody used for long
    for wrong in (datetime(2016, 1, 1), NOW - HOUR):
        with pytest.raises(ClockWrong, match="lake was written at 2024-11-28 09:00 UTC"):
            check(lake, wrong)
    with pytest.raises(ClockWrong, match="results were published at 2024-11-28 11:00"):
        check(lake, NOW + HOUR, published=[None, NOW, NOW + 2 * HOUR])
    check(lake, NOW - timedelta(minutes=4))  # the clock of another host


def test_a_clock_before_the_last_run_is_refused_until_a_person_confirms_it(lake: Lake) -> None:
    believe(lake, NOW + 5 * DAY)
    with pytest.raises(ClockWrong, match="last run was at 2024-12-03 09:00"):
        check(lake, NOW + DAY)
    believe(lake, NOW + DAY)
    check(lake, NOW + DAY, published=[NOW + 5 * DAY])  # which was published by the wrong clock
    with pytest.raises(ClockWrong, match="2024-11-29"):
        check(lake, NOW)
    with pytest.raises(ClockWrong, match="results were published at 2024-11-29 12:00"):  # by that run's end
        check(lake, NOW + DAY + HOUR, published=[NOW + DAY + 3 * HOUR])


def test_a_clock_that_jumps_ahead_of_the_running_machine_is_refused(lake: Lake, machine: Machine) -> None:
    believe(lake, NOW)
    machine.runs_for(3 * HOUR)
    check(lake, NOW + 3 * HOUR)
    check(lake, NOW + DAY + 2 * HOUR)  # a correction
    with pytest.raises(ClockWrong, match="been running for 3:00:00 hours"):
        check(lake, NOW + DAY + 4 * HOUR)
    machine.runs_for(9 * DAY)
    check(lake, NOW + 9 * DAY)


def test_nothing_is_known_of_the_time_a_machine_or_container_was_off(lake: Lake, machine: Machine) -> None:
    believe(lake, NOW)
    machine.start("b")
    check(lake, NOW + 9 * DAY)
    machine.start("a", first_process=99)  # a container of the same host
    check(lake, NOW + 9 * DAY)


def test_a_server_has_a_clock_of_its_own(lake: Lake, machine: Machine) -> None:
    believe(lake, NOW)
    with pytest.raises(ClockWrong, match="Result Store's server says 2024-11-28 12:00"):
        check(lake, NOW + 9 * DAY, server=NOW + 3 * HOUR)
    with pytest.raises(ClockWrong, match="server"):
        check(lake, NOW, server=NOW + 9 * DAY)
    machine.runs_for(HOUR)  # a machine that was halted, and has got its time again
    check(lake, NOW + 9 * DAY, server=NOW + 9 * DAY)


def test_without_what_linux_tells_or_with_a_damaged_record_the_lake_is_proof(
    lake: Lake, machine: Machine
) -> None:
    believe(lake, NOW + DAY)
    (lake.root / clock.NAME).write_bytes(b"\0\0")
    check(lake, NOW)
    with pytest.raises(ClockWrong, match="lake was written"):
        check(lake, NOW - DAY)
    for file in machine._folder.iterdir():  # noqa: SLF001
        file.unlink()
    believe(lake, NOW)
    check(lake, NOW + 9 * DAY)


def test_a_run_by_a_wrong_clock_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    lines.write(tmp_path / "tracking.log", [lines.enrollment("2024-03-02 09:00", "activated", user=1)])
    settings = Settings(home=tmp_path / "home")
    moment = NOW

    def run(until: datetime | None = None) -> dict[str, tuple[datetime, int]]:
        run_pipeline(settings, logs=[str(tmp_path / "tracking.log")], until=until)
        return published()

    def published() -> dict[str, tuple[datetime, int]]:
        engine = store.connect(settings.store_url)
        try:
            return {name: (p.until, p.row_count) for name, p in store.published(engine).items()}
        finally:
            engine.dispose()

    for module in ("run", "ingestion"):
        monkeypatch.setattr(f"pharos.pipeline.{module}.now", lambda: moment)
    good = run()
    assert good["course_enrollment_daily"] == (NOW, 272)
    for wrong in (datetime(2016, 1, 1), NOW + 2 * DAY):
        moment = wrong
        with pytest.raises(ClockWrong):
            run()
        with pytest.raises(ClockWrong):
            ingest_only(settings, logs=[str(tmp_path / "tracking.log")])
        assert published() == good
    moment = NOW + 2 * DAY
    assert run(until=moment)["course_enrollment_daily"][0] == moment  # a person says that it is right
    moment += HOUR
    machine.runs_for(HOUR)
    assert run()["course_enrollment_daily"][0] == moment
