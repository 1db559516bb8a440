"""The pipeline as a build system: what is computed again and what is not, and that it makes no difference."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from tests import lines
from tests.pipeline.conftest import DAYS, UNTIL, WITHOUT_PARTS, Installation, day_of, few, log

from pharos.lake import identity
from pharos.lake.lake import Lake
from pharos.lake.status import lake_status
from pharos.pipeline.graph import FACTS, METRICS
from pharos.pipeline.run import RunReport, compute_only
from pharos.result_store import store

DAILY = "course_enrollment_daily"


OLD = {"course_activity_current_week", "enrollment_difference"}  # may be empty when time has passed
PUBLISHED = {name for name, metric in METRICS.items() if metric.is_published}


def reasons(report: RunReport) -> dict[str, str]:
    assert len(dict(report.why)) == len(report.why), "nothing is computed twice"
    return dict(report.why)


def test_the_first_run_computes_everything(installation: Installation) -> None:
    report = installation.run(log())
    why = reasons(report)
    assert why.keys() == {*FACTS, *METRICS} - WITHOUT_PARTS
    assert {why[fact] for fact in FACTS} == {f"{len(DAYS)} of {len(DAYS)} days: never computed"}
    assert why["course_activity"] == "2 of 2 weeks: never computed"
    assert why["course_enrollment_daily"] == "2 of 2 course runs: never computed"
    assert (report.days, report.tables) == (len(FACTS) * len(DAYS), len(METRICS) - len(WITHOUT_PARTS))
    assert set(installation.tables()) == PUBLISHED
    found = {name: len(rows) for name, rows in installation.tables().items() if rows}
    assert found == report.published
    assert report.written == sum(found.values())
    assert report.not_published == {}


@few
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
    assert facts == dict.fromkeys(FACTS, f"1 of {len(DAYS)} days: events changed")
    assert reasons(report)["total_events_daily"] == f"1 of {len(DAYS)} days: inputs changed"
    assert reasons(report)["course_activity_current_week"] == "1 of 1 weeks: never computed"
    assert "course_activity" not in reasons(report), "complete weeks are as they were"
    fresh.run(log())
    assert newest in str(installation.tables()[DAILY])
    assert installation.parts() == fresh.parts()
    assert installation.tables() == fresh.tables()


def test_a_late_event_corrects_its_day_and_nothing_else(
    installation: Installation, fresh: Installation
) -> None:
    late_day = DAYS[1]
    late = lines.enrollment(f"{late_day} 23:00", "activated", user=9)  # in a course of its own
    installation.run(log())
    before = installation.tables()
    report = installation.run([*log(), late])
    why = reasons(report)
    assert {why[fact] for fact in FACTS} == {f"1 of {len(DAYS)} days: events changed"}
    assert why["course_enrollment_daily"] == "1 of 3 course runs: inputs changed"
    assert "course_activity" not in why
    fresh.run([late, *log()])
    assert installation.parts() == fresh.parts()
    after = installation.tables()
    assert after == fresh.tables()
    courses = [row for row in after[DAILY] if lines.COURSE in row]
    assert courses == [(lines.COURSE, day, 1, 1) for day in DAYS[1:]]
    written = {name: len(set(after[name]) ^ set(before[name])) for name in after}
    # A changed row is deleted and inserted, a stamped one is updated; nothing else is written.
    assert report.written == sum(written.values())


@few
def test_a_late_event_of_no_consequence_publishes_nothing(installation: Installation) -> None:
    """An event without a person changes the day's events and their number, but not one row more."""
    installation.run(log())
    before = installation.tables()
    installation.run([*log(), lines.event(f"{DAYS[1]} 23:00", "page_close", user=None, username="")])
    after = installation.tables()
    assert after.pop("total_events_daily") != before.pop("total_events_daily")
    assert after == before


@few
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
    assert max(row[1] for row in installation.tables()[DAILY]) == DAYS[-1], "and back again"


@few
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


@few
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


@few
def test_until_before_everything_gives_empty_tables(installation: Installation) -> None:
    report = installation.run(log(), datetime(2024, 1, 1))
    assert (report.published, set(map(len, installation.tables().values()))) == ({}, {0})


@few
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


@few
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


def test_full_gives_the_same_rows(installation: Installation) -> None:
    installation.run(log())
    parts, tables = installation.parts(), installation.tables()
    report = installation.run(log(), full=True)
    assert reasons(report).keys() == {*FACTS, *METRICS} - WITHOUT_PARTS
    assert (report.published, report.written) == ({}, 0), "the same results are not published again"
    assert (installation.parts(), installation.tables()) == (parts, tables)


@few
@pytest.mark.parametrize("part", ["facts", "results"])
def test_what_was_deleted_comes_back(part: str, installation: Installation) -> None:
    installation.run(log())
    parts, tables = installation.parts(), installation.tables()
    paths = [path for path in installation.paths() if path.is_relative_to(installation.settings.lake / part)]
    for path in random.Random(1).sample(paths, len(paths) // 2):
        path.unlink()
    installation.run(log())
    assert (installation.parts(), installation.tables()) == (parts, tables)


@few
@pytest.mark.parametrize("how", ["emptied", "cut", "flipped"])
def test_what_was_damaged_is_made_anew(how: str, installation: Installation) -> None:
    installation.run(log())
    parts, tables = installation.parts(), installation.tables()
    for path in installation.paths():
        data = path.read_bytes()
        place = len(data) // 3
        flipped = data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]
        path.write_bytes({"emptied": b"", "cut": data[: len(data) // 2], "flipped": flipped}[how])
    installation.run(log())
    assert (installation.parts(), installation.tables()) == (parts, tables)


@few
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


@few
def test_a_lost_result_store_is_filled_again(installation: Installation) -> None:
    installation.run(log())
    tables = installation.tables()
    for path in installation.settings.home.glob("result_store.sqlite*"):
        path.unlink()
    report = installation.run(log())
    assert (report.why, set(report.published)) == ([], {name for name, rows in tables.items() if rows})
    assert installation.tables() == tables


@few
def test_in_pieces_as_at_once(installation: Installation, fresh: Installation) -> None:
    """However the lines arrive: out of order, a few at a time, some again, with runs between them."""
    shuffled = log()
    random.Random(2).shuffle(shuffled)
    for size in (7, 8, 40, len(shuffled)):
        installation.run(shuffled[:size])
    installation.run([*shuffled, *shuffled[:20]])
    fresh.run(log())
    assert installation.parts() == fresh.parts()
    assert installation.tables() == fresh.tables()


@few
def test_a_lake_without_events_does_not_empty_the_store(installation: Installation) -> None:
    installation.run(log())
    tables = installation.tables()
    name = installation.settings.lake / identity.NAME
    known = name.read_bytes()
    shutil.rmtree(installation.settings.lake)
    name.parent.mkdir()
    name.write_bytes(known)
    report = compute_only(installation.settings)
    assert len(report.not_published) == len(
        [name for name, rows in tables.items() if rows and name not in OLD]
    )
    assert "pharos run --accept-loss course_enrollment_daily" in str(report.not_published)
    now = installation.tables()
    assert {name: rows for name, rows in now.items() if name not in OLD} == {
        name: rows for name, rows in tables.items() if name not in OLD
    }
