"""Which events are items of a learner's activity, and of which kind. `spec 03 §3.1, 5.105-110`"""

from __future__ import annotations

from tests.facts.conftest import EventsOf
from tests.lines import COURSE, enrollment, event

from pharos.engine import Engine
from pharos.facts.activity_item import activity_item

AT = "2024-03-12 09:00"


def items(engine: Engine, events_of: EventsOf, lines: list[str]) -> set[tuple[object, ...]]:
    """(user name, number, kind, entity, count)"""
    found = engine.fetch(activity_item(events_of(lines))).to_pylist()
    assert {row["course_id"] for row in found} <= {COURSE}
    return {(row["username"], row["user_id"], row["kind"], row["entity_id"], row["count"]) for row in found}


def vote(name: str, payload: dict[str, object], kind: str = "thread") -> str:
    return event(AT, f"edx.forum.{kind}.voted", username=name, event=payload)


def test_kinds_of_items(engine: Engine, events_of: EventsOf) -> None:
    check = {"problem_id": "p"}
    found = items(
        engine,
        events_of,
        [
            event(AT, f"/courses/{COURSE}/progress", username="a"),
            enrollment(AT, "activated", username="b"),
            event(AT, "pause_video", username="c", event=""),
            event(AT, "book", username="d"),
            event(AT, "book", username="d", event={"page": 2}),
            event(AT, "problem_check", username="e", event=check | {"success": "CORRECT"}),
            event(AT, "problem_check", username="f", event=check),
            event(AT, "play_video", username="g", event='{"id": " v "}', source="mobile"),
            event(AT, "edx.forum.thread.created", username="h"),
            event(AT, "edx.forum.response.created", username="i"),
            event(AT, "edx.forum.comment.created", username="j"),
            event(AT, "edx.forum.searched", username="k"),
            event(AT, "seek_video", username="anonymous", user=None),
        ],
    )
    expected = {
        "a": ("other", ""), "b": ("other", ""), "c": ("other", ""), "e": ("correct", "p"),
        "f": ("attempted", "p"), "g": ("played", "v"), "h": ("thread", ""), "i": ("response", ""),
        "j": ("comment", ""), "k": ("other", ""),
    }  # fmt: skip
    assert found == {(name, 7, *item, 1) for name, item in expected.items()} | {
        ("d", 7, "page", "", 2),
        ("anonymous", None, "other", "", 1),
    }


def test_what_is_no_item(engine: Engine, events_of: EventsOf) -> None:
    """§5.106: what a report drops is no activity."""
    lines = [
        event(AT, "problem_check", source="browser", event={"problem_id": "p"}),
        *(event(AT, "problem_check", event={"problem_id": nothing}) for nothing in (None, "")),
        *(event(AT, "play_video", event={"id": nothing}) for nothing in (None, "", " ")),
        event(AT, "seek_video", event="input_1=2"),
        event(AT, "seek_video", event="{"),
        event(AT, "seek_video", event=["a"]),
        event(AT, "seek_video", event=None),
        event(AT, "seek_video", username=" "),
        event(AT, "seek_video", course="bad id"),
        event(AT, "seek_video", event_type=None),
        *(vote("a", {"vote_value": value, "target_username": "b"}) for value in ("", "sideways", None)),
    ]
    assert items(engine, events_of, lines) == set()


def test_votes(engine: Engine, events_of: EventsOf) -> None:
    """§5.110"""
    lines = [
        vote("a", {"vote_value": "up", "target_username": "z"}),
        vote("b", {"vote_value": "down", "target_username": " z "}, "response"),
        vote("c", {"vote_value": "up", "undo_vote": True, "target_username": "y"}),
        vote("d", {"vote_value": "up", "target_username": "x"}, "comment"),
        vote("e", {"vote_value": "down", "undo_vote": False}),
        vote("f", {"vote_value": "up", "target_username": ""}),
    ]
    given = {"a": ("up given", 1), "b": ("down given", 1), "c": ("up given", -1), "d": ("other", 1),
             "e": ("down given", 1), "f": ("up given", 1)}  # fmt: skip
    received = [
        ("z", "up received", 1),
        ("z", "down received", 1),
        ("y", "up received", -1),
        ("x", "other", 1),
    ]
    assert items(engine, events_of, lines) == {
        (name, 7, kind, "", count) for name, (kind, count) in given.items()
    } | {(name, None, kind, "", count) for name, kind, count in received}


def test_subsections(engine: Engine, events_of: EventsOf) -> None:
    """§5.108"""
    new, old = f"/courses/{COURSE}/courseware", "/courses/UniX/CS1/2024/courseware"
    yes = [
        f"{new}/foo/bar/",
        f"{new}/foo/bar/10",
        f"{new}/foo/bar/jquery.js",
        f"{new}/f/b/" + "x" * 2000,
        f"{old}/foo/bar/",
    ]
    no = [f"{new}/foo/", f"{new}/foo/bar", f"{new}/", f"/courses/{COURSE}/foo/bar/baz/", f"x{new}/foo/bar/"]
    found = items(engine, events_of, [event(AT, path) for path in yes + no])
    assert {row[3] for row in found if row[2] == "subsection"} == {path[:1000] for path in yes}
    assert [row[4] for row in found if row[2] == "other"] == [len(no)]
