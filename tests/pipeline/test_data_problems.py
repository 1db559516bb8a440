"""Nothing that is wrong stays silent: each fault of logs and imports is found and named."""

from __future__ import annotations

import gzip
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests import lines
from tests.lines import event
from tests.pipeline.conftest import few

from pharos import config
from pharos.config import AlertSettings, Settings
from pharos.lake.lake import Lake
from pharos.lake.snapshots import states
from pharos.lake.status import lake_status
from pharos.pipeline import care
from pharos.pipeline.data_problems import data_problems
from pharos.pipeline.run import RunReport, import_only, run_pipeline
from pharos.result_store import data_problems as recorded
from pharos.result_store import store
from pharos.result_store.data_problems import KINDS, OLD_EVENTS, DataProblem

pytestmark = few

NOW = datetime.now(UTC).replace(tzinfo=None)


def ago(**time: float) -> str:
    return (NOW - timedelta(**time)).strftime("%Y-%m-%d %H:%M:%S")


LOG = [event(ago(hours=hours), "page_close") for hours in range(1, 30)]


class Place:
    """An installation with one configured log source."""

    def __init__(self, folder: Path) -> None:
        self.logs = folder / "logs"
        self.home = folder / "home"
        self.log = self.logs / "tracking.log"
        lines.write(self.log, LOG)

    def settings(self, **sections: object) -> Settings:
        sources = {"logs": {"sources": {"lms": {"paths": [str(self.logs)]}}}}
        return config.load(self.home, **{**sources, **sections})  # type: ignore[arg-type]

    def run(self, **sections: object) -> RunReport:
        return run_pipeline(self.settings(**sections))

    def recorded(self) -> list[DataProblem]:
        engine = store.connect(self.settings().store_url)
        try:
            return recorded.read(engine)[0]
        finally:
            engine.dispose()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def texts(found: list[DataProblem]) -> dict[str, str]:
    assert {problem.kind for problem in found} <= set(KINDS)
    return {problem.name: problem.text for problem in found}


def test_a_sound_installation_has_no_problem(place: Place) -> None:
    assert place.run().problems == place.recorded() == []


def test_a_source_whose_logs_are_gone_or_have_other_names(place: Place) -> None:
    place.run()
    place.log.rename(place.logs / "events.json")
    told = texts(place.run().problems)
    assert "logs.sources.lms.pattern (.*tracking\\.log.*)" in told["no logs: lms"]
    assert f"1 other file passed over, such as {place.logs}/events.json" in told["no logs: lms"]
    assert texts(place.recorded()) == told
    (place.logs / "events.json").rename(place.log)
    assert place.run().problems == place.recorded() == []


def test_a_log_that_cannot_be_read(place: Place) -> None:
    packed = gzip.compress("\n".join(LOG).encode())
    (place.logs / "tracking.log-1.gz").write_bytes(packed[: len(packed) // 2])
    assert "tracking.log-1.gz: " in texts(place.run().problems)["unreadable logs"]


def test_lines_that_are_no_events(place: Place) -> None:
    lines.write(place.log, [*LOG * 3, "not an event"])  # 1 of 88 lines
    assert "1 of 88 lines are no events" in texts(place.run().problems)["quarantine: lms"]


def test_a_clock_that_runs_ahead(place: Place) -> None:
    # NOW is when the tests began, which may be long ago.
    lines.write(place.log, [*LOG, event(ago(hours=-5), "page_close")])
    assert "in the future" in texts(place.run().problems)["clock skew: lms"]
    lines.write(place.log, [*LOG, event(ago(hours=-5), "page_close")])
    status = lake_status(Lake(place.settings().lake), NOW + timedelta(hours=6))
    later = data_problems(place.settings(), status, [], NOW + timedelta(hours=6))
    assert later == []  # its time has come


def test_whole_days_without_events(place: Place) -> None:
    lines.write(place.log, [event(ago(days=6), "page_close"), event(ago(days=5), "play_video"), *LOG])
    first, last = (NOW - timedelta(days=4)).date(), (NOW - timedelta(days=3)).date()
    told = texts(place.run().problems)["missing days"]
    assert f"{first} to {last}" in told or f"{first} to {last + timedelta(days=1)}" in told


def test_a_source_that_went_silent_though_results_go_on(place: Place) -> None:
    place.run()
    lake = Lake(place.settings().lake)
    later = NOW + timedelta(hours=72)
    (problem,) = data_problems(place.settings(), lake_status(lake, later), states(lake), later)
    assert (problem.kind, problem.about) == (OLD_EVENTS, "lms")
    never = place.settings().model_copy(update={"alerts": AlertSettings(silent_hours=None)})
    assert data_problems(never, lake_status(lake, later), states(lake), later) == []


def test_an_import_that_failed_in_part_is_told_with_its_reason(place: Place, tmp_path: Path) -> None:
    database = tmp_path / "lms.sqlite"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE auth_user (id INTEGER, username TEXT)")
    connection.close()
    lms = {"database": f"sqlite:///{database}"}
    told = texts(place.run(lms=lms).problems)["LMS import"]
    assert "not imported" in told
    assert "auth_userprofile" in told
    assert "does not exist" in told
    report = import_only(place.settings(lms=lms))
    assert texts(report.problems)["LMS import"] == told == texts(place.recorded())["LMS import"]


def test_a_sum_that_does_not_close() -> None:
    status = lake_status(Lake(Path("/nowhere")), NOW)
    broken = replace(status, sum=replace(status.sum, lines=1))
    assert texts(data_problems(Settings(), status, [], NOW)) == {}
    assert "report" in texts(data_problems(Settings(), broken, [], NOW))["unaccounted lines"]


def test_a_store_that_is_away_keeps_no_run_from_its_end(place: Place) -> None:
    """An import needs no Result Store."""
    missing = place.home / "no" / "store"
    settings = place.settings(
        lms={"database": "sqlite:////nowhere"}, result_store={"url": f"sqlite:///{missing}"}
    )
    assert "LMS import" in texts(import_only(settings).problems)


def test_damage_losses_and_files_set_aside_are_told(place: Place) -> None:
    place.run()
    lake = Lake(place.settings().lake)
    events = lake.events()
    events[0].write_bytes(b"")
    events[-1].write_bytes(bytes(events[-1].stat().st_size))
    care.verify_lake(place.settings())
    found = now_told(place)
    assert f"2 files of the lake: {events[0].relative_to(lake.root)} is empty; " in found["damaged files"]
    assert "does not fit its checksum" in found["damaged files"]
    place.log.unlink()
    lines.write(place.log, LOG[:20])
    lost = care.repair_lake(place.settings(), accept_loss=True)
    number = sum(loss.events for loss in lost.lost)
    assert number > 0
    found = now_told(place)
    assert "damaged files" not in found
    assert f"{number} events of " in found["lost events"]
    assert "2 files in .set-aside" in found["files set aside"]


def now_told(place: Place) -> dict[str, str]:
    lake = Lake(place.settings().lake)
    return texts(data_problems(place.settings(), lake_status(lake, NOW), states(lake), NOW))
