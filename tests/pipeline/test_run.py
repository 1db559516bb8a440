"""The pipeline as a build system: what is computed again and what is not, and that it makes no difference."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests import lines
from tests.pipeline.conftest import DAYS, UNTIL, Installation, Tables, day_of, log

from pharos.config import EngineSettings
from pharos.demo.campus import Campus
from pharos.demo.lms_database import write_lms_database
from pharos.demo.log_files import write_logs
from pharos.lake.lake import Lake
from pharos.lake.status import lake_status
from pharos.pipeline.graph import FACTS, METRICS
from pharos.pipeline.run import RunReport, compute_only, run_pipeline
from pharos.result_store import store
from pharos.result_store.errors import EmptyResult

DAILY = "course_enrollment_daily"
ALL_FACTS = {f"{fact} of {day}" for fact in FACTS for day in DAYS}


def of_logs(metric: str) -> bool:
    """Whether a metric stands on facts, directly or not."""
    return any(name in FACTS or (name in METRICS and of_logs(name)) for name in METRICS[metric].inputs)


FROM_LOGS = {name for name in METRICS if of_logs(name)}


PUBLISHED = {name for name, metric in METRICS.items() if metric.is_published}


def reasons(report: RunReport) -> dict[str, str]:
    assert len(dict(report.why)) == len(report.why), "nothing is computed twice"
    return dict(report.why)


def test_the_first_run_computes_everything(installation: Installation) -> None:
    report = installation.run(log())
    assert reasons(report) == dict.fromkeys(ALL_FACTS, "new day") | dict.fromkeys(METRICS, "never computed")
    assert set(report.published) == PUBLISHED == set(installation.tables())
    assert {name: len(rows) for name, rows in installation.tables().items()} == report.published


def test_a_second_run_computes_and_publishes_nothing(installation: Installation) -> None:
    installation.run(log())
    before = {path: path.stat().st_mtime_ns for path in installation.paths()}
    report = installation.run(log())
    assert (report.why, report.published, report.ingested.lines) == ([], {}, 0)
    assert {path: path.stat().st_mtime_ns for path in installation.paths()} == before


def test_a_new_day_computes_that_day(installation: Installation, fresh: Installation) -> None:
    *older, newest = DAYS
    installation.run([line for line in log() if day_of(line) in older], UNTIL - timedelta(days=1))
    report = installation.run(log())
    facts = {name: reason for name, reason in report.why if name not in METRICS}
    assert facts == {f"{fact} of {newest}": "new day" for fact in FACTS}
    assert set(reasons(report)) - set(facts) >= FROM_LOGS
    fresh.run(log())
    assert installation.files() == fresh.files()
    assert installation.tables() == fresh.tables()


def test_a_late_event_corrects_its_day_and_nothing_else(
    installation: Installation, fresh: Installation
) -> None:
    late_day = DAYS[1]
    late = lines.enrollment(f"{late_day} 23:00", "activated", user=9)  # in a course of its own
    installation.run(log())
    before = {path: path.stat().st_mtime_ns for path in installation.paths()}
    report = installation.run([*log(), late])
    facts = {name: reason for name, reason in report.why if name not in METRICS}
    assert facts == {f"{fact} of {late_day}": "events changed" for fact in FACTS}
    for path, written in before.items():
        if path.is_relative_to(installation.settings.lake / "facts") and late_day not in str(path):
            assert path.stat().st_mtime_ns == written
    fresh.run([late, *log()])
    assert installation.files() == fresh.files()
    assert installation.tables() == fresh.tables()
    courses = [row for row in installation.tables()[DAILY] if lines.COURSE in row]
    assert courses == [(lines.COURSE, day, 1, 1) for day in DAYS[1:]]


def test_a_late_event_of_no_consequence_publishes_nothing(installation: Installation) -> None:
    """An event without a person changes the day's events and their number, but not one row more."""
    installation.run(log())
    before = installation.tables()
    installation.run([*log(), lines.event(f"{DAYS[1]} 23:00", "page_close", user=None)])
    after = installation.tables()
    assert after.pop("total_events_daily") != before.pop("total_events_daily")
    assert after == before


@pytest.mark.parametrize("days", [1, 4, 9])
def test_until_a_midnight_is_what_a_run_then_would_have_said(
    days: int, installation: Installation, fresh: Installation
) -> None:
    until = datetime.fromisoformat(DAYS[days])
    installation.run(log())
    installation.run(log(), until)
    fresh.run([line for line in log() if day_of(line) < DAYS[days]], until)
    assert installation.tables() == fresh.tables()
    installation.run(log())
    assert installation.tables()[DAILY][-1][1] == DAYS[-1], "and back again"


def test_until_within_a_day_cuts_its_events(installation: Installation, fresh: Installation) -> None:
    """Half-open, to the microsecond."""
    moment = datetime(2024, 3, 5, 1)  # learner 1's enrollment event of that day
    installation.run(log())
    for until, is_seen in ((moment, False), (moment + timedelta(microseconds=1), True)):
        installation.run(log(), until)
        seen = [line for line in log() if day_of(line) < "2024-03-05"] + [
            line for line in log() if f"{moment.isoformat()}+00:00" in line and is_seen
        ]
        shutil.rmtree(fresh.folder, ignore_errors=True)
        fresh.run(seen, until)
        assert installation.tables() == fresh.tables()


@pytest.mark.parametrize("older", [False, True])
def test_the_newest_event_is_the_last_before_until(installation: Installation, older: bool) -> None:
    """Half-open as the results, whether its file holds earlier events or not."""
    moment = datetime(2024, 3, 5, 1)
    times = [moment - timedelta(hours=1)] * older + [moment - timedelta(days=1), moment]
    written = [lines.event(f"{time:%Y-%m-%d %H:%M}", "page_close") for time in times]
    for until, newest in (
        (moment, times[0] if older else moment - timedelta(days=1)),
        (moment + timedelta(microseconds=1), moment),
        (moment - timedelta(days=1), None),
    ):
        installation.run(written, until, full=True)
        published = store.published(store.connect(installation.settings.store_url))
        assert published[DAILY].last_event == newest


def test_until_before_everything_gives_empty_tables(installation: Installation) -> None:
    report = installation.run(log(), datetime(2024, 1, 1))
    assert set(report.published.values()) == {0}


def test_events_of_the_future_are_kept_and_not_counted(
    installation: Installation, fresh: Installation
) -> None:
    future = (datetime.now(UTC) + timedelta(days=10)).replace(tzinfo=None)
    odd = lines.enrollment(future.isoformat(" "), "activated", user=9)
    installation.run([*log(), odd], None)
    fresh.run(log(), None)
    assert installation.tables() == fresh.tables()
    status = lake_status(Lake(installation.settings.lake), datetime(2024, 6, 1))
    assert (status.sum.events, status.last_day) == (len(log()) + 1, future.date())
    assert [found.future for found in status.logs] == [1]


def test_events_of_clocks_that_lost_the_time_are_kept_and_not_counted(
    installation: Installation, fresh: Installation
) -> None:
    """One of them would give its course a row for every day since."""
    lost = [lines.enrollment("1970-01-01 00:00", "activated", user=99), lines.event("0001-01-01 00:00", "x")]
    report = installation.run(log() + lost)
    fresh.run(log())

    assert report.ingested.events == len(log()) + 2
    assert lake_status(Lake(installation.settings.lake), datetime(2024, 6, 1)).implausible == 2
    assert installation.tables() == fresh.tables()


def test_full_gives_the_same_bytes(installation: Installation) -> None:
    installation.run(log())
    files, tables = installation.files(), installation.tables()
    report = installation.run(log(), full=True)
    assert set(reasons(report)) == ALL_FACTS | set(METRICS)
    assert report.published == {}, "the same results are not published again"
    assert (installation.files(), installation.tables()) == (files, tables)


@pytest.mark.parametrize("part", ["facts", "results"])
def test_what_was_deleted_comes_back_byte_by_byte(part: str, installation: Installation) -> None:
    installation.run(log())
    files, tables = installation.files(), installation.tables()
    paths = [path for path in installation.paths() if path.is_relative_to(installation.settings.lake / part)]
    for path in random.Random(1).sample(paths, len(paths) // 2):
        path.unlink()
    installation.run(log())
    assert (installation.files(), installation.tables()) == (files, tables)


@pytest.mark.parametrize("part", ["facts", "results"])
def test_what_a_killed_run_left_beside_the_current_file_is_removed(
    part: str, installation: Installation
) -> None:
    installation.run(log())
    current = sorted((installation.settings.lake / part).rglob("*.parquet"))
    left = current[0].with_name("00000000-000000000000.parquet")
    left.write_bytes(current[0].read_bytes())
    installation.run(log())

    assert sorted((installation.settings.lake / part).rglob("*.parquet")) == current


def test_a_lost_result_store_is_filled_again(installation: Installation) -> None:
    installation.run(log())
    tables = installation.tables()
    for path in installation.settings.home.glob("result_store.sqlite*"):
        path.unlink()
    report = installation.run(log())
    assert (report.why, set(report.published)) == ([], PUBLISHED)
    assert installation.tables() == tables


def test_in_pieces_as_at_once(installation: Installation, fresh: Installation) -> None:
    """However the lines arrive: out of order, a few at a time, some again, with runs between them."""
    shuffled = log()
    random.Random(2).shuffle(shuffled)
    for size in (7, 8, 40, len(shuffled)):
        installation.run(shuffled[:size])
    installation.run([*shuffled, *shuffled[:20]])
    fresh.run(log())
    assert installation.files() == fresh.files()
    assert installation.tables() == fresh.tables()


def test_a_lake_without_events_does_not_empty_the_store(installation: Installation) -> None:
    installation.run(log())
    tables = installation.tables()
    shutil.rmtree(installation.settings.lake)
    with pytest.raises(EmptyResult):
        compute_only(installation.settings, until=UNTIL)
    assert installation.tables() == tables


@pytest.mark.slow
def test_a_campus_on_each_engine(engine_settings: EngineSettings, tmp_path: Path) -> None:
    """Row for row what the embedded engine says, of logs and LMS database."""
    campus = Campus(seed=3, learners=80, days=20, until=date(2026, 3, 18))
    database = tmp_path / "lms.sqlite"
    write_lms_database(database, campus, write_logs(tmp_path / "logs", campus).records)
    found: list[Tables] = []
    for engine in (EngineSettings(name="duckdb", threads=2), engine_settings):
        installation = Installation(
            tmp_path / str(len(found)), engine=engine.model_dump(), lms={"database": f"sqlite:///{database}"}
        )
        until = campus.end.replace(tzinfo=None)
        run_pipeline(installation.settings, logs=[str(tmp_path / "logs")], until=until)
        found.append(installation.tables())
    embedded, other = found
    assert set(embedded) == PUBLISHED
    without_catalog = ["course_program_metadata"]
    assert [name for name, rows in embedded.items() if not rows] == without_catalog
    for name, rows in embedded.items():
        assert other[name] == rows, name
