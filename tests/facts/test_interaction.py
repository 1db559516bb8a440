"""Which events are whose interaction with what in which course. `spec 01 §6.1, §11.99-107; 03 §2.2`"""

from __future__ import annotations

from collections import Counter
from datetime import date

from tests.facts.conftest import EventsOf
from tests.lines import COURSE, KINDS, enrollment, event

from pharos.engine import Engine
from pharos.facts.interaction import interaction
from pharos.metrics.activity import KINDS as LABELS

DAY = "2024-03-02 09:00"


def rows(engine: Engine, events_of: EventsOf, lines: list[str]) -> set[tuple[object, ...]]:
    """(course, user, label of the weekly activity, count)"""
    return {
        (course, user, label, count) for (_, course, user, label), count in counted(engine, events_of, lines)
    }


def counted(engine: Engine, events_of: EventsOf, lines: list[str]) -> list[tuple[tuple[object, ...], int]]:
    """((date, course, user, label of the weekly activity), count)"""
    found: Counter[tuple[object, ...]] = Counter()
    for row in engine.fetch(interaction(events_of(lines))).to_pylist():
        for label, (entity_type, action, sources) in LABELS.items():
            is_kind = (row["entity_type"], row["action"]) == (entity_type, action)
            if row["user_id"] is not None and is_kind and (sources is None or row["event_source"] in sources):
                found[row["date"], row["course_id"], row["user_id"], label] += row["count"]
    return list(found.items())


def test_what_is_nobodys_or_nowheres_activity(engine: Engine, events_of: EventsOf) -> None:
    """§11.99, 104"""
    left_out = [
        "garbage",
        event(DAY, "seek_video", time="this is a bogus time"),
        event(DAY, "seek_video", context=None),
        event(f"{DAY}:01", "/courses/UniX/CS1/2014/about", context=None),
        event(DAY, "no_type", event_type=None),
        *(event(DAY, "seek_video", user=user) for user in (None, "", " ", 0, "0", "ana", 1.5, [7], -7)),
        *(event(DAY, "seek_video", course=course) for course in (None, "", " ", "bad id", [COURSE])),
        event(DAY, f"/courses/{COURSE}/about", course="bad id"),  # R-COURSE step 4
        event(DAY, "seek_video", course="", source="mobile", page=f"https://h/courses/{COURSE}/x"),
        event(DAY, f"/courses/{'a' * 300}/b/c/about", course=""),  # longer than an id can be
        *(event(DAY, type_, source="task") for type_ in ("seek_video", "problem_check", "play_video")),
        *(enrollment(DAY, kind) for kind in KINDS),
        *(
            event(DAY, "edx.course.enrollment.upgrade.clicked", source=source)
            for source in ("server", "browser", "mobile")
        ),
    ]
    assert rows(engine, events_of, [*left_out, event(DAY, "seek_video", user=1)]) == {
        (COURSE, 1, "ACTIVE", 1)
    }


def test_kinds_of_activity(engine: Engine, events_of: EventsOf) -> None:
    """§11.100-105: each learner does one thing; everything is ACTIVE."""
    things = {
        1: ("server", "anything", None),
        2: ("browser", "play_video", "PLAYED_VIDEO"),
        3: ("mobile", "play_video", "PLAYED_VIDEO"),
        4: ("server", "play_video", None),
        5: ("server", "problem_check", "ATTEMPTED_PROBLEM"),
        6: ("browser", "problem_check", None),
        7: ("mobile", "problem_check", None),
        8: ("server", "edx.forum.thread.created", "POSTED_FORUM"),
        9: ("server", "edx.forum.response.created", "POSTED_FORUM"),
        10: ("server", "edx.forum.comment.created", "POSTED_FORUM"),
        11: ("server", "edx.forum.thread.voted", None),
        12: ("server", "edx.forum.searched", None),
        13: ("browser", "edx.forum.thread.created", None),
        14: ("server", f"/courses/{COURSE}/progress", None),
        15: ("server", f"/courses/{COURSE}/xblock/x/handler/xmodule_handler/problem_check", None),
        16: ("server", "edx.course.enrollmentx", None),
        17: ("", "anything", None),
    }
    lines = [event(DAY, type_, user=user, source=source) for user, (source, type_, _) in things.items()]
    expected = {(COURSE, user, "ACTIVE", 1) for user in things} | {
        (COURSE, user, kind, 1) for user, (_, _, kind) in things.items() if kind
    }
    assert rows(engine, events_of, lines) == expected


def test_the_course_is_read_from_the_address_when_the_context_has_none(
    engine: Engine, events_of: EventsOf
) -> None:
    """§11.106"""
    block = "block-v1:UniX+CS1+2024+type@vertical+block@v1"
    lines = [
        event(DAY, f"/courses/{COURSE}/progress", user=1, course=""),
        event(DAY, "play_video", user=2, course="", source="browser", page=f"https://h/xblock/{block}?x=0"),
        event(DAY, "/courses/UniX/CS1/2014/info", user=3, course=None),
        event(DAY, f"/courses/{COURSE}/info", user=4, course="UniX/CS1/2014"),
    ]
    assert rows(engine, events_of, lines) == {
        (COURSE, 1, "ACTIVE", 1),
        (COURSE, 2, "ACTIVE", 1),
        (COURSE, 2, "PLAYED_VIDEO", 1),
        ("UniX/CS1/2014", 3, "ACTIVE", 1),
        ("UniX/CS1/2014", 4, "ACTIVE", 1),
    }


def test_looks_at_the_public_page_are_told_apart(engine: Engine, events_of: EventsOf) -> None:
    """They are activity, as in the original, and marked for who asks whether the course was opened."""
    about = f"https://h/courses/{COURSE}/about"
    lines = [
        event(DAY, f"/courses/{COURSE}/about", user=1),
        event(DAY, "/courses/UniX/CS1/2014/about/", user=2, course="UniX/CS1/2014"),
        event(DAY, "page_close", user=3, source="browser", page=f"{about}?next=/"),
        event(DAY, "page_close", user=4, source="browser", page=f"{about}/team"),
        event(DAY, f"/courses/{COURSE}/wiki/CS1/about", user=5),
        event(DAY, "problem_check", user=6, page=about),
        event(DAY, f"/courses/{COURSE}/about", user=7, source="task"),
    ]
    found = engine.fetch(interaction(events_of(lines))).to_pylist()
    looked = sorted(row["user_id"] for row in found if row["action"] == "outside")
    active = sorted(row["user_id"] for row in found if row["action"] == "active")
    assert (looked, active) == ([1, 2, 3], [1, 2, 3, 4, 5, 6])


def test_events_are_counted_by_learner_course_day_and_kind(engine: Engine, events_of: EventsOf) -> None:
    """§11.107: numeric and text ids are the same learner; midnight begins a day."""
    lines = [
        event("2024-03-02 00:00", "problem_check", user=21),
        event("2024-03-02 12:00", "problem_check", user="21"),
        event("2024-03-02 23:59:59.999999", "seek_video", user=" 21\n"),
        event("2024-03-03 00:00", "seek_video", user=21),
    ]
    assert {
        (day, user, label, count) for (day, _, user, label), count in counted(engine, events_of, lines)
    } == {
        (date(2024, 3, 2), 21, "ACTIVE", 3),
        (date(2024, 3, 2), 21, "ATTEMPTED_PROBLEM", 2),
        (date(2024, 3, 3), 21, "ACTIVE", 1),
    }


def test_interactions_with_entities(engine: Engine, events_of: EventsOf) -> None:
    """§2.2: the example, with ids to be stripped or cut, and events that name no entity."""
    at = {"user": 7, "source": "server"}
    attempts = ["incorrect", "incorrect", "Correct", "correct"]
    lines = [
        *(
            event(f"{DAY}:0{number}", "problem_check", event={"problem_id": "p1", "success": success}, **at)
            for number, success in enumerate(attempts)
        ),
        *(
            event(f"{DAY}:1{number}", "play_video", user=7, source="mobile", event={"id": " v1\n"})
            for number in range(3)
        ),
        event(f"{DAY}:20", "edx.forum.thread.created", event={"commentable_id": "t" * 300}, **at),
        *(
            event(f"{DAY}:2{number}", "edx.forum.comment.created", event={"commentable_id": "t" * 300}, **at)
            for number in (1, 2)
        ),
        event(f"{DAY}:30", "edx.forum.thread.voted", event={"commentable_id": "t"}, **at),
        event(f"{DAY}:31", "problem_check", event={"success": "correct"}, **at),
        event(f"{DAY}:32", "problem_check", event={"problem_id": "p1"}, user=7, source="browser"),
    ]
    found = engine.fetch(interaction(events_of(lines))).to_pylist()
    assert {
        (row["entity_type"], row["entity_id"], row["action"], row["event_source"], row["count"])
        for row in found
        if row["entity_type"]
    } == {
        ("problem", "p1", "attempted", "server", 4),
        ("problem", "p1", "completed", "server", 2),
        ("problem", "", "attempted", "server", 1),
        ("problem", "", "completed", "server", 1),
        ("video", "v1", "viewed", "mobile", 3),
        ("discussion", "t" * 255, "contributed", "server", 3),
    }
