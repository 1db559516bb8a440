from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse, Response
from pydantic import SecretStr

from pharos.config import LMS, EngineSettings
from pharos.demo import lms as stand_in
from pharos.demo.campus import Campus
from pharos.demo.lms_sign_in import Client
from pharos.engine import Engine, open_engine
from pharos.lake import lms_courses, lms_tables, snapshots
from pharos.lake.lake import Lake
from pharos.lake.snapshots import TableState
from pharos.lms.tables import ANSWERS

AT_ONCE = timedelta(0)


class Platform:
    """An LMS whose courses the test changes: outlines by course, as parent -> children."""

    def __init__(self) -> None:
        self.outlines: dict[str, dict[str, list[str]]] = {
            "A": {"a": ["a1", "a2"], "a1": ["ap"]},
            "B": {"b": ["b1"]},
        }
        self.listed: list[str] | None = None
        self.broken: dict[str, int] = {}  # course -> status of its outline
        self.raw: dict[str, str] = {}  # course -> outline as it is sent
        self.requests = 0
        self.app = FastAPI()
        self.app.post("/oauth2/access_token")(lambda: {"access_token": "t", "expires_in": 3600})
        self.app.get("/api/courses/v1/courses/")(self._courses)
        self.app.get("/api/courses/v1/blocks/")(self._blocks)
        self.app.get("/api/grades/v1/policy/courses/{course}/")(self._policy)

    def _courses(self) -> Any:
        self.requests += 1
        courses = [
            {
                "id": course,
                "name": f"Course  {course}",
                "start": "2026-01-01T00:00:00.5Z",
                "end": "2026-06-01T02:00:00+02:00",
                "pacing": "self",
            }
            for course in (self.outlines if self.listed is None else self.listed)
        ]
        return {"results": courses, "pagination": {"next": None}}

    def _blocks(self, course_id: str) -> Any:
        if course_id in self.raw:
            return Response(self.raw[course_id], media_type="application/json")
        if course_id in self.broken:
            return JSONResponse({}, self.broken[course_id])
        if course_id not in self.outlines:
            raise HTTPException(404)
        outline = self.outlines[course_id]
        keys = dict.fromkeys([*outline, *(child for below in outline.values() for child in below)])
        return {
            "root": next(iter(outline)),
            "blocks": {
                key: {
                    "id": key,
                    "type": "block",
                    "display_name": key.upper(),
                    "children": outline.get(key, []),
                }
                for key in keys
            },
        }

    def _policy(self, course: str) -> Any:
        if course == "B":
            raise HTTPException(404)
        return [
            {"assignment_type": "Homework", "count": 3, "dropped": 1, "weight": 0.4},
            {"assignment_type": "Exam", "count": 1, "dropped": 0, "weight": 0.6},
        ]


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def settings(platform: Platform, serve: Callable[[Any], str]) -> LMS:
    return LMS(url=serve(platform.app), client_id="service", client_secret=SecretStr("secret"))


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    lake = Lake(tmp_path / "lake")
    with lake.locked():
        yield lake


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(EngineSettings(threads=2), tmp_path / "scratch")
    yield engine
    engine.close()


def bring(lake: Lake, engine: Engine, settings: LMS, fresh: timedelta = AT_ONCE) -> dict[str, TableState]:
    states = lms_courses.import_courses(lake, engine, settings, fresh=fresh)
    return {state.table: state for state in states}


def rows(lake: Lake, engine: Engine, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = engine.fetch(lms_tables.read(engine, lake, table)).to_pylist()
    return found


def names(lake: Lake, engine: Engine) -> dict[str, tuple[str, bool]]:
    """Name and whether deleted, by block."""
    blocks = rows(lake, engine, "course_blocks")
    return {block["block_id"]: (block["display_name"], block["is_deleted"]) for block in blocks}


def test_courses_outlines_and_policies(lake: Lake, engine: Engine, settings: LMS) -> None:
    states = bring(lake, engine, settings)
    assert all(state.problem is None for state in states.values())
    course = rows(lake, engine, "course_list")[0]
    assert course["name"] == "Course A"
    assert course["start_date"].replace(tzinfo=None) == datetime(2026, 1, 1, 0, 0, 0, 500_000)
    assert course["end_date"].replace(tzinfo=None) == datetime(2026, 6, 1)  # UTC
    assert (course["pacing"], course["is_deleted"]) == ("self", False)
    blocks = [
        (row["course_id"], row["block_id"], row["sort_idx"]) for row in rows(lake, engine, "course_blocks")
    ]
    assert blocks == [
        ("A", "a", 0),
        ("A", "a1", 1),
        ("A", "ap", 2),
        ("A", "a2", 3),
        ("B", "b", 0),
        ("B", "b1", 1),
    ]
    [problem] = [row for row in rows(lake, engine, "course_blocks") if row["block_id"] == "ap"]
    assert (problem["section"], problem["subsection"], problem["position"]) == ("A1", "AP", "1.1")
    assert list(problem["ancestor_ids"]) == ["a", "a1"]
    policy = rows(lake, engine, "grading_policy")
    assert [(row["course_id"], row["number"], row["assignment_type"], row["weight"]) for row in policy] == [
        ("A", 1, "Homework", 0.4),
        ("A", 2, "Exam", 0.6),
    ]


def test_never_asked_for_they_are_empty_tables(lake: Lake, engine: Engine) -> None:
    for table in ANSWERS.values():
        found = engine.fetch(lms_tables.read(engine, lake, table.name))
        assert (found.num_rows, found.column_names) == (0, table.schema.names)


def test_a_deleted_block_keeps_its_name(
    lake: Lake, embedded: Engine, settings: LMS, platform: Platform
) -> None:
    bring(lake, embedded, settings)
    platform.outlines["A"] = {"a": ["a2"]}
    bring(lake, embedded, settings)
    assert names(lake, embedded) == {
        "a": ("A", False), "a2": ("A2", False), "a1": ("A1", True), "ap": ("AP", True),
        "b": ("B", False), "b1": ("B1", False),
    }  # fmt: skip
    platform.outlines["A"] = {"a": ["a1", "a2"]}  # and back it comes
    bring(lake, embedded, settings)
    assert names(lake, embedded)["a1"] == ("A1", False)
    assert names(lake, embedded)["ap"] == ("AP", True)


@pytest.mark.parametrize("listed", [True, False])
def test_a_deleted_course_keeps_its_names(
    lake: Lake, embedded: Engine, settings: LMS, platform: Platform, listed: bool
) -> None:
    """spec 04 §12.24: gone from the list, or gone (404) between list and outline."""
    bring(lake, embedded, settings)
    del platform.outlines["B"]
    platform.listed = ["A", "B"] if listed else ["A"]
    states = bring(lake, embedded, settings)
    assert states["course_blocks"].problem is None
    courses = {row["course_id"]: row["is_deleted"] for row in rows(lake, embedded, "course_list")}
    assert courses == {"A": False, "B": True}
    assert names(lake, embedded)["b1"] == ("B1", True)
    assert names(lake, embedded)["ap"] == ("AP", False)


def test_one_course_that_fails_does_not_hold_up_the_others(
    lake: Lake, embedded: Engine, settings: LMS, platform: Platform
) -> None:
    bring(lake, embedded, settings)
    platform.outlines["A"]["a2"] = ["new"]
    platform.outlines["B"]["b1"] = ["unseen"]
    platform.broken["B"] = 403
    states = bring(lake, embedded, settings)
    assert str(states["course_blocks"].problem).startswith("1 courses could not be read (B: ")
    assert "403" in str(states["course_blocks"].problem)
    assert states["course_list"].problem is None
    found = names(lake, embedded)
    assert "new" in found
    assert found["b1"] == ("B1", False)  # as it was
    assert "unseen" not in found


def test_an_odd_outline_is_read_as_far_as_it_goes(
    lake: Lake, embedded: Engine, settings: LMS, platform: Platform
) -> None:
    odd = r'{"type": 1, "display_name": "Half \ud83d", "children": 5, "graded": "yes", "format": []}'
    platform.raw["A"] = f'{{"root": "a", "blocks": {{"a": {odd}, "x": null, "y": {{"children": [3]}}}}}}'
    assert bring(lake, embedded, settings)["course_blocks"].problem is None
    assert {"a": ("Half ?", False), "y": ("y", False)}.items() <= names(lake, embedded).items()
    platform.raw["A"] = r'{"root": "a", "blocks": {"a": {}, "\ud83d": {}}}'  # an id that no column can hold
    states = bring(lake, embedded, settings)
    assert str(states["course_blocks"].problem).startswith("1 courses could not be read (A: ")
    assert "b1" in names(lake, embedded)


def test_no_courses_at_all_is_a_lost_right_rather_than_an_empty_platform(
    lake: Lake, embedded: Engine, settings: LMS, platform: Platform
) -> None:
    bring(lake, embedded, settings)
    platform.listed = []
    states = bring(lake, embedded, settings)
    assert "service account" in str(states["course_list"].problem)
    assert names(lake, embedded)["a"] == ("A", False)


def test_a_new_platform_without_courses_is_fine(
    lake: Lake, embedded: Engine, settings: LMS, platform: Platform
) -> None:
    platform.outlines.clear()
    states = bring(lake, embedded, settings)
    assert all(state.problem is None for state in states.values())


def test_an_lms_that_is_down_leaves_everything_as_it_is(
    lake: Lake, embedded: Engine, settings: LMS, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    before = bring(lake, embedded, settings)
    monkeypatch.setattr(lms_courses, "PATIENCE_S", 0.1)
    down = settings.model_copy(update={"url": f"http://127.0.0.1:{free_port}"})
    states = bring(lake, embedded, down)
    for table, state in states.items():
        assert f"http://127.0.0.1:{free_port}" in str(state.problem)
        assert state.snapshot == before[table].snapshot
    assert names(lake, embedded)["ap"] == ("AP", False)


def test_an_lms_that_is_too_slow_is_left_alone_in_the_end(
    lake: Lake, embedded: Engine, settings: LMS, monkeypatch: pytest.MonkeyPatch, platform: Platform
) -> None:
    bring(lake, embedded, settings)
    monkeypatch.setattr(lms_courses, "LONGEST_S", 1.0)
    platform.broken["B"] = 503  # asked again and again
    states = bring(lake, embedded, settings)
    assert "B: not read within" in str(states["course_blocks"].problem)
    assert names(lake, embedded)["b1"] == ("B1", False)


def test_a_run_does_not_ask_again_while_the_answers_are_fresh(
    lake: Lake, embedded: Engine, settings: LMS, platform: Platform
) -> None:
    bring(lake, embedded, settings)
    bring(lake, embedded, settings, fresh=lms_courses.FRESH)
    assert platform.requests == 1
    platform.broken["B"] = 403
    bring(lake, embedded, settings)
    bring(lake, embedded, settings, fresh=lms_courses.FRESH)  # what failed is asked again
    assert platform.requests == 3


def test_the_same_answers_are_the_same_snapshot(
    lake: Lake, engine: Engine, settings: LMS, platform: Platform
) -> None:
    bring(lake, engine, settings)
    before = [snapshots.fingerprint(lake, table) for table in lms_courses.COURSES]
    bring(lake, engine, settings)
    assert [snapshots.fingerprint(lake, table) for table in lms_courses.COURSES] == before
    platform.outlines["A"]["a2"] = ["new"]
    bring(lake, engine, settings)
    assert snapshots.fingerprint(lake, "course_blocks") != before[1]
    assert snapshots.fingerprint(lake, "course_list") == before[0]


def test_the_whole_campus(lake: Lake, embedded: Engine, serve: Callable[[Any], str]) -> None:
    campus = Campus(until=date(2026, 11, 23), learners=5)
    service = Client("service", "secret")
    url = serve(stand_in.create_app(campus, insights=Client("insights", "x"), service=service))
    states = bring(
        lake, embedded, LMS(url=url, client_id=service.id, client_secret=SecretStr(service.secret))
    )
    assert all(state.problem is None for state in states.values())
    found = rows(lake, embedded, "course_blocks")
    for course in campus.courses:
        in_order = [row["block_id"] for row in found if row["course_id"] == course.id]
        assert in_order == [block.id for block in course.root.walk()]
        problems = [row for row in found if row["course_id"] == course.id and row["block_type"] == "problem"]
        assert all(row["section"] and row["subsection"] and row["unit"] for row in problems)
    assert len(rows(lake, embedded, "grading_policy")) == sum(len(course.policy) for course in campus.courses)
