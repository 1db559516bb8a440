from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse, Response
from pydantic import SecretStr
from tests import edxapp
from tests.edxapp import BEGIN

from pharos.config import LMS, EngineSettings
from pharos.database_addresses import database_address
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
        self.asked: list[str] = []  # courses whose outline was asked for
        self.app = FastAPI()
        self.app.post("/oauth2/access_token")(lambda: {"access_token": "t", "expires_in": 3600})
        self.app.get("/api/user/v1/me")(lambda: {"username": "pharos"})
        self.app.get("/api/courses/v1/courses/")(self._courses)
        self.app.get("/api/courses/v1/blocks/")(self._blocks)
        self.app.get("/api/grades/v1/policy/courses/{course}/")(self._policy)

    def _courses(self, username: str) -> Any:
        assert username == "pharos"
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
        self.asked.append(course_id)
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
    before = [snapshots.fingerprint(lake, table) for table in lms_courses.COURSES[:3]]
    bring(lake, engine, settings)
    assert [snapshots.fingerprint(lake, table) for table in lms_courses.COURSES[:3]] == before
    platform.outlines["A"]["a2"] = ["new"]
    bring(lake, engine, settings)
    assert snapshots.fingerprint(lake, "course_blocks") != before[1]
    assert snapshots.fingerprint(lake, "course_list") == before[0]


# --- With the LMS's database -----------------------------------------------------------------------------


class Database:
    """An LMS database with the courses A and B of the platform, published at midnight."""

    def __init__(self, lake: Lake, engine: Engine, store: str) -> None:
        self._lake, self._engine, self.store = lake, engine, store
        edxapp.create(store)
        overviews, contexts = (
            edxapp.course_overviews_courseoverview,
            edxapp.learning_sequences_learningcontext,
        )
        rows = [
            overviews.insert().values(edxapp.harmless_row(overviews, id=name, display_name=f"Run {name}"))
            for name in ("A", "B")
        ]
        rows += [
            contexts.insert().values(
                edxapp.harmless_row(contexts, id=number, context_key=name, published_at=BEGIN)
            )
            for number, name in enumerate(("A", "B"), start=1)
        ]
        edxapp.change(store, overviews.delete(), contexts.delete(), *rows)

    def bring(self, settings: LMS, fresh: timedelta = AT_ONCE) -> dict[str, TableState]:
        lms_tables.import_tables(self._lake, self._engine, database_address(self.store.partition("?")[0]))
        states = lms_courses.import_courses(
            self._lake, self._engine, settings, fresh=fresh, has_database=True
        )
        return {state.table: state for state in states}

    def publish(self, course: str) -> None:
        contexts = edxapp.learning_sequences_learningcontext
        later = contexts.update().where(contexts.c.context_key == course)
        edxapp.change(self.store, later.values(published_at=BEGIN + timedelta(days=1)))


@pytest.fixture
def database(lake: Lake, embedded: Engine, tmp_path: Path) -> Database:
    return Database(lake, embedded, f"sqlite:///{tmp_path / 'lms.sqlite'}")


NOBODY = LMS()


def test_course_runs_are_those_of_the_database_and_the_list_is_not_asked_for(
    lake: Lake, embedded: Engine, settings: LMS, platform: Platform, database: Database
) -> None:
    platform.listed = []  # to an account without the right it looks so
    states = database.bring(settings)
    assert all(state.problem is None for state in states.values())
    assert [(row["course_id"], row["name"]) for row in rows(lake, embedded, "course_list")] == [
        ("A", "Run A"), ("B", "Run B"),
    ]  # fmt: skip
    assert platform.requests == 0
    assert names(lake, embedded)["ap"] == ("AP", False)


def test_an_outline_is_asked_for_again_when_its_course_was_published(
    lake: Lake, embedded: Engine, settings: LMS, platform: Platform, database: Database
) -> None:
    database.bring(settings)
    platform.asked.clear()
    database.bring(settings)
    assert platform.asked == []
    before = snapshots.state(lake, "course_list").snapshot
    platform.outlines["A"]["a2"] = ["new"]
    database.publish("A")
    database.bring(settings)
    assert platform.asked == ["A"]
    assert names(lake, embedded)["new"] == ("NEW", False)
    assert names(lake, embedded)["b1"] == ("B1", False)
    after = snapshots.state(lake, "course_list").snapshot
    assert before
    assert after
    assert before.digest == after.digest  # what stands on the list is not computed again


def test_an_outline_is_asked_for_again_after_a_week(
    settings: LMS, platform: Platform, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.bring(settings)
    platform.asked.clear()
    monkeypatch.setattr(lms_courses, "READ_AGAIN", timedelta(0))
    database.bring(settings)
    assert sorted(platform.asked) == ["A", "B"]


def test_a_course_that_is_gone_from_the_database_keeps_its_names(
    lake: Lake, embedded: Engine, settings: LMS, database: Database
) -> None:
    database.bring(settings)
    edxapp.change(database.store, "DELETE FROM course_overviews_courseoverview WHERE id = 'A'")
    states = database.bring(settings)
    assert "1 courses are not in the LMS any more (A)" in str(states["course_list"].snapshot)
    assert names(lake, embedded)["ap"] == ("AP", True)
    assert names(lake, embedded)["b1"] == ("B1", False)
    edxapp.change(database.store, "DELETE FROM course_overviews_courseoverview")
    states = database.bring(settings)
    assert "lists no course any more" in str(states["course_list"].problem)
    assert names(lake, embedded)["b1"] == ("B1", False)


def test_rest_apis_that_are_down_cost_what_only_they_know(
    lake: Lake,
    embedded: Engine,
    settings: LMS,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    free_port: int,
) -> None:
    database.bring(settings)
    database.publish("A")
    edxapp.change(database.store, "UPDATE course_overviews_courseoverview SET display_name = 'New name'")
    monkeypatch.setattr(lms_courses, "PATIENCE_S", 0.1)
    down = settings.model_copy(update={"url": f"http://127.0.0.1:{free_port}"})
    database.bring(down)
    assert {row["name"] for row in rows(lake, embedded, "course_list")} == {"New name"}
    state = snapshots.state(lake, "course_blocks")
    assert f"http://127.0.0.1:{free_port}" in str(state.problem)
    assert names(lake, embedded)["ap"] == ("AP", False)


def test_without_rest_apis_sections_and_subsections_come_from_the_database(
    lake: Lake, embedded: Engine, store_url: str
) -> None:
    edxapp.create(store_url)
    lms_tables.import_tables(lake, embedded, database_address(store_url.partition("?")[0]))
    states = lms_courses.import_courses(lake, embedded, NOBODY, has_database=True)
    assert all(state.problem is None for state in states)
    [course] = rows(lake, embedded, "course_list")
    assert (course["course_id"], course["name"], course["pacing"]) == (edxapp.COURSE, "Zoë's Course", "self")
    assert (course["org"], course["number"], course["start_date"]) == ("UniX", "Zoë101", BEGIN)
    found = [
        (row["block_id"], row["block_type"], row["display_name"], row["position"], row["subsection"])
        for row in rows(lake, embedded, "course_blocks")
    ]
    usage = edxapp.usage
    assert found == [
        (usage("course", "course"), "course", "Zoë's Course", None, None),
        (usage("chapter", "one"), "chapter", "Section one", "1", None),
        (usage("chapter", "two"), "chapter", "Section two", "2", None),
        (usage("sequential", "lecture"), "sequential", "lecture", "2.1", "lecture"),
        (usage("sequential", "test"), "sequential", "test", "2.2", "test"),
    ]


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
        assert in_order == [block.id for block in course.root.walk() if block.type != "discussion"]
        videos = {row["block_id"]: row for row in found if row["block_type"] == "video"}
        for block in course.root.walk():
            if block.video is not None:
                assert videos[block.id]["video_seconds"] == block.video.duration_s
                assert "en" in videos[block.id]["transcript_languages"]
            if block.due is not None and block.id in in_order:
                row = next(row for row in found if row["block_id"] == block.id)
                assert row["due"] == block.due.replace(tzinfo=None)
        problems = [row for row in found if row["course_id"] == course.id and row["block_type"] == "problem"]
        assert all(row["section"] and row["subsection"] and row["unit"] for row in problems)
    assert len(rows(lake, embedded, "grading_policy")) == sum(len(course.policy) for course in campus.courses)
