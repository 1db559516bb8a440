"""Rosters in memory answer as the database does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pytest
from pydantic import SecretStr

from pharos import config
from pharos.data_api import roster_kept
from pharos.data_api.privacy import Privacy
from pharos.data_api.reading import Reading, ResultStore
from pharos.data_api.roster import ORDERS, Wanted, rows_of
from pharos.result_store import contract, store, tables
from pharos.result_store.store import Publication

COURSE, OTHER = "course-v1:Ö+C'+1", "course-v1:Ö+C'+2"
ROSTER = tables.module_engagement_roster
# name, mode, cohort, segments, tried, attempts per right one
LEARNERS = (
    ("ann", "audit", "A, b", "highly_engaged,struggling", 7, 7 / 3),
    ("Bob", "verified", None, "", 7, 1.0),
    ("cid", "audit", "Ü", "inactive", 0, None),
    ("dan", "audit", None, "unenrolled,inactive", 0, None),
    ("eve", None, "A, b", "struggling", 2, None),
    ("fay", "audit", "Ü", "disengaging", 2, 7 / 3),
    ("gil", "verified", "Ü", "", 1, 1.0),
)
FILTERS: tuple[dict[str, str], ...] = (
    {}, {"segments": "inactive,struggling"}, {"ignore_segments": "inactive"}, {"cohort": "Ü"},
    {"enrollment_mode": "audit", "cohort": "A, b"}, {"cohort": "nobody's"},
)  # fmt: skip


def wanted(**query: str) -> Wanted:
    return Wanted(**(dict.fromkeys(Wanted.__dataclass_fields__, "") | query))


def learner(course: str, name: str, mode: str | None, cohort: str | None, *rest: Any) -> dict[str, Any]:
    segments, tried, ratio = rest
    return {
        "course_id": course, "username": name, "email": f"{name}@example.com", "enrollment_mode": mode,
        "cohort": cohort, "segments": segments, "problem_attempts": tried, "problems_attempted": tried,
        "problems_completed": tried // 2, "problem_attempts_per_completed": ratio,
        "attempt_ratio_order": tried if ratio else -tried, "videos_viewed": 3 - tried % 4,
        "discussion_contributions": 0,
    }  # fmt: skip


def publish(url: str, rows: list[dict[str, Any]], fingerprint: str) -> None:
    engine = store.connect(url)
    publication = Publication(
        fingerprint=fingerprint, until=datetime(2031, 3, 3, tzinfo=UTC).replace(tzinfo=None),
        last_event=None, version=1,
    )  # fmt: skip
    store.publish(engine, ROSTER, pa.Table.from_pylist(rows, contract.schema(ROSTER)), publication)
    engine.dispose()


class Asking:
    """Makes what one answer reads from."""

    def __init__(self, url: str, mode: Literal["full", "pseudonymous"] = "full") -> None:
        store.upgrade(url)
        publish(url, [learner(course, *each) for course in (COURSE, OTHER) for each in LEARNERS], "first")
        self.url, self.store = url, ResultStore(url)
        self.privacy = Privacy(config.Privacy(mode=mode, key=SecretStr("k" * 32)))

    def __call__(self) -> Reading:
        return Reading(self.store, {}, self.privacy)

    def wait(self) -> None:
        """Until what runs in the background is done."""
        self.store.background.submit(int).result()


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    found = Asking(f"sqlite:///{tmp_path / 'store.sqlite'}")
    yield found
    found.store.close()


def ids(ask: Asking, which: Wanted) -> list[int]:
    """All numbers, page by page."""
    reading = ask()
    with reading.snapshot():
        found = which.found(reading, COURSE)
        return [number for offset in range(0, found.count, 2) for number in found.ids(offset, 2)]


def kept(ask: Asking) -> bool:
    """Whether the course is in memory, once what runs in the background is done."""
    ids(ask, wanted(cohort="A, b"))
    ask.wait()
    reading = ask()
    with reading.snapshot():
        return roster_kept.roster_of(reading, COURSE, is_urgent=False) is not None


def in_database(ask: Asking, which: Wanted) -> list[int]:
    reading = ask()
    with reading.snapshot():
        found = which.found_in_database(reading, COURSE, which.order(reading.privacy))
        listed = list(found.ids(0, 100))
        assert found.count == len(listed)
        return listed


def orders(ask: Asking) -> list[Wanted]:
    hidden = {name for name in ORDERS if name == "email" and ask().privacy.hides(name)}
    return [
        wanted(order_by=order, sort_order=direction, **filters)
        for order, direction, filters in product(ORDERS, ("", "desc"), FILTERS)
        if order not in hidden
    ]


@pytest.mark.parametrize("mode", ["full", "pseudonymous"])
def test_memory_and_database_answer_the_same(store_url: str, mode: Literal["full", "pseudonymous"]) -> None:
    asking = Asking(store_url, mode)
    same_answers(asking)
    asking.store.close()


def same_answers(asking: Asking) -> None:
    assert kept(asking)
    for which in orders(asking):
        assert ids(asking, which) == in_database(asking, which), which
    reading = asking()
    with reading.snapshot():
        found = wanted(order_by="problem_attempts_per_completed", sort_order="desc").found(reading, COURSE)
        ratios = [row["attempt_ratio_order"] for row in rows_of(reading, found.ids(0, 4))]
    assert ratios == [-2, 0, 0, 2]  # those without a right answer first; of the others the worst


def test_texts_that_a_database_cuts_off_are_read_row_by_row(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_kept, "unpacked", lambda *_: None)
    same_answers(asking)


def test_what_is_kept_ends_with_the_publication(asking: Asking) -> None:
    assert kept(asking)
    assert len(ids(asking, wanted(enrollment_mode="audit"))) == 4
    publish(
        asking.url,
        [learner(COURSE, *each) for each in (*LEARNERS, ("hal", "audit", None, "", 1, 1.0))],
        "second",
    )
    assert len(ids(asking, wanted(enrollment_mode="audit"))) == 5
    assert kept(asking)
    assert len(ids(asking, wanted(enrollment_mode="audit"))) == 5


def test_courses_that_were_asked_for_last_stay(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster_kept, "MOST_LEARNERS", len(LEARNERS))
    assert kept(asking)
    reading = asking()
    with reading.snapshot():
        roster_kept.roster_of(reading, OTHER, is_urgent=True)
        asking.wait()
        assert roster_kept.roster_of(reading, OTHER, is_urgent=False) is not None
        assert roster_kept.roster_of(reading, COURSE, is_urgent=False) is None
