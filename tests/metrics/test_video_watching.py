"""When and how videos are watched, and what learners do next: by hand, and counted a second time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lines import COURSE
from tests.metrics.conftest import Compute, Rows, columns, computed
from tests.metrics.naive_videos import by_week, viewings, watching
from tests.metrics.test_viewings import EVENTS, UNTIL, embedded
from tests.videos import Event, moves

__all__ = ["embedded"]


def submitted(user: int, time: str, problem: str) -> dict[str, Any]:
    """A row of the fact `problem_submission`, as far as it matters here."""
    moment = datetime.fromisoformat(f"2024-03-05 {time}")
    return {
        "course_id": COURSE,
        "user_id": user,
        "time": moment,
        "problem_id": problem,
        "date": moment.date(),
    }


def enrolled(user: int, mode: str) -> dict[str, Any]:
    return {"course_id": COURSE, "user_id": user, "current_enrollment_mode": mode}


def cohorts_with(members: dict[int, str]) -> dict[str, list[dict[str, Any]]]:
    """Rows of the LMS's tables of cohorts, by learner the name of the cohort."""
    numbers = {name: number for number, name in enumerate(sorted(set(members.values())), 1)}
    return {
        "course_groups_courseusergroup": [
            {"id": number, "course_id": COURSE, "name": name, "group_type": "cohort"}
            for name, number in numbers.items()
        ],
        "course_groups_cohortmembership": [
            {"id": user, "course_id": COURSE, "user_id": user, "course_user_group_id": numbers[name]}
            for user, name in members.items()
        ],
    }


def showed(user: int, video: str = "v") -> dict[str, Any]:
    return {"course_id": COURSE, "user_id": user, "video": video, "count": 2, "date": date(2024, 3, 5)}


def told(compute: Compute, kind: str, events: list[Event], **more: Any) -> dict[str, tuple[int, int | None]]:
    """Learners and seconds of video v by the value."""
    rows = compute("video_watching", UNTIL, video_event=events, **more)
    names = ("encoded_module_id", "kind", "value", "num_users", "watched_seconds")
    found = columns(rows, "video_watching", *names)
    return {row[2]: row[3:] for row in found if row[:2] == ("v", kind)}


def test_learners_and_seconds_by_week(compute: Compute) -> None:
    """A viewing is of the week in which it began: here the last minute of a Sunday, and the Monday after."""
    events = [
        *moves(1, "23:59:30 play 0 · 23:59:40 pause 10.4", "2024-03-03"),
        *moves(2, "23:59:30 play 0 · 23:59:40 pause 10", "2024-03-03"),
        *moves(1, "00:00:00 play 0 · 00:00:20 pause 20.3", "2024-03-04"),
        *moves(1, "10:00:00 play 0 · 10:00:20 pause 20.3", "2024-03-08"),
        *moves(1, "11:00:00 play 0 · 11:00:00.1 pause 0.1", "2024-03-09"),  # too short
    ]
    rows = compute("video_week", UNTIL, video_event=events)
    assert rows == [
        (f"{COURSE}|v", COURSE, "v", date(2024, 2, 26), 2, 20),
        (f"{COURSE}|v", COURSE, "v", date(2024, 3, 4), 1, 41),
    ]


def test_speed_is_what_the_clock_tells(compute: Compute) -> None:
    """Learners 4 to 7 tell none: too short, too slow, too fast, estimated."""
    events = [
        *moves(1, "10:00:00 play 0 · 10:01:00 pause 90"),
        *moves(2, "10:00:00 play 0 · 10:01:00 pause 60 · 11:00:00 play 60 · 11:00:20 pause 90"),
        *moves(3, "10:00:00 play 0 · 10:00:10 pause 10"),
        *moves(4, "10:00:00 play 0 · 10:00:10 pause 9.9"),
        *moves(5, "10:00:00 play 0 · 10:01:00 pause 23"),
        *moves(6, "10:00:00 play 0 · 10:00:10 pause 26"),
        *moves(7, "10:00:00 play 0 /90 · 10:00:40 play 40 /90", video="w"),
        *moves(8, "10:00:00 play 0 · 10:00:40 pause 70", is_mobile=True),
    ]
    assert told(compute, "speed", events) == {"1": (2, 70), "1.5": (2, 120), "2": (1, 70)}


def test_devices_tracks_and_captions(compute: Compute) -> None:
    """Learner 3 has no enrollment; who shows captions of a video without watching it does not count."""
    events = [
        *moves(1, "10:00:00 play 0 · 10:01:00 pause 60"),
        *moves(1, "11:00:00 play 0 · 11:01:00 pause 30", is_mobile=True),
        *moves(2, "10:00:00 play 0 · 10:01:00 pause 60"),
        *moves(3, "10:00:00 play 0 · 10:01:00 pause 60"),
    ]
    more = {
        "course_enrollment_summary": [enrolled(1, "verified"), enrolled(2, "audit"), enrolled(9, "audit")],
        "video_caption": [showed(1), showed(9), showed(2, "w")],
        **cohorts_with({1: "A", 3: "A", 2: "B", 9: "C"}),
    }
    assert told(compute, "cohort", events, **more) == {"A": (2, 150), "B": (1, 60)}
    assert told(compute, "device", events, **more) == {"browser": (3, 180), "mobile": (1, 30)}
    assert told(compute, "track", events, **more) == {"audit": (1, 60), "verified": (1, 90)}
    assert told(compute, "captions", events, **more) == {"shown": (1, None)}


def test_what_learners_do_next(compute: Compute) -> None:
    """1 solves a problem at once, 2 does after half an hour and a second, 3 plays w, 4 comes back and then
    plays w, 5 plays v at last, 6 closes the window and goes on before half an hour after its end is over,
    7 does nothing after the last of two plays.
    """
    events = [
        *moves(1, "10:00:00 play 0 · 10:01:00 pause 60"),
        *moves(2, "10:00:00 play 0 · 10:01:00 pause 60"),
        *moves(3, "10:00:00 play 0 · 10:01:00 pause 60"),
        *moves(3, "10:31:00 play 0", video="w"),
        *moves(4, "10:00:00 play 0 · 10:01:00 pause 60 · 10:05:00 play 0 · 10:06:00 pause 60"),
        *moves(4, "10:03:00 play 0 · 10:04:00 pause 60 · 10:07:00 play 60 · 10:08:00 pause 90", video="w"),
        *moves(5, "10:00:00 play 0 · 10:01:00 pause 60", video="w"),
        *moves(5, "10:01:30 play 0 · 10:02:00 pause 30"),
        *moves(6, "10:00:00 play 0 /3000"),
        *moves(7, "08:00:00 play 0 · 08:01:00 pause 60 · 12:00:00 play 0 · 12:01:00 pause 60"),
    ]
    tries = [submitted(1, "10:01:01", "p"), submitted(1, "10:01:01", "p"), submitted(1, "10:02:00", "q")]
    tries += [submitted(2, "10:31:01", "p"), submitted(6, "11:19:00", "q"), submitted(7, "08:02:00", "p")]
    refused = submitted(5, "10:03:00", "p") | {"refused": "no valid course"}
    more = {"problem_submission": [*tries, refused]}
    assert told(compute, "next", events, **more) == {
        "nothing": (3, None), "problem": (2, None), "video": (2, None),
    }  # fmt: skip
    assert told(compute, "next_video", events, **more) == {"w": (2, None)}
    assert told(compute, "next_problem", events, **more) == {"p": (1, None), "q": (1, None)}


def test_the_three_that_most_go_to(compute: Compute) -> None:
    """Of equal ones the first by id."""
    events = [row for user in range(9) for row in moves(user + 1, "10:00:00 play 0 · 10:01:00 pause 60")]
    tries = [submitted(user + 1, "10:02:00", problem) for user, problem in enumerate("ddcbbbaef")]
    found = told(compute, "next_problem", events, problem_submission=tries)
    assert found == {"b": (3, None), "d": (2, None), "a": (1, None)}


def test_nobody(compute: Compute) -> None:
    assert compute("video_week", UNTIL) == []
    assert compute("video_watching", UNTIL, problem_submission=[submitted(1, "10:00:00", "p")]) == []


TRIES = st.tuples(st.integers(1, 2), st.integers(0, 59), st.sampled_from("pqrs"))


@settings(max_examples=25)
@given(
    st.lists(EVENTS, max_size=40),
    st.lists(TRIES, max_size=6, unique=True),
    st.sets(st.tuples(st.sampled_from(["v", "w"]), st.integers(1, 2))),
    st.sampled_from([{}, {1: "audit"}, {1: "audit", 2: "verified"}]),
    st.sampled_from([{}, {1: "A"}, {1: "B", 2: "B"}]),
)
def test_both_tables_are_those_of_a_naive_count(
    embedded: Any,
    events: list[Event],
    tries: list[tuple[int, int, str]],
    captions: set[tuple[str, int]],
    modes: dict[int, str],
    cohorts: dict[int, str],
) -> None:
    once = list({tuple(row.items()): row for row in events}.values())
    rows: dict[str, Any] = {
        "video_event": once,
        "problem_submission": [
            submitted(user, f"10:{minute:02}:30", problem) for user, minute, problem in tries
        ],
        "video_caption": [showed(user, video) for video, user in captions],
        "course_enrollment_summary": [enrolled(user, mode) for user, mode in modes.items()],
        **cohorts_with(cohorts),
    }
    found = viewings(once, compat=False)
    weeks: Rows = [(*week, *counts) for week, counts in by_week(found).items()]
    assert [row[2:] for row in computed(embedded, "video_week", UNTIL, rows)] == sorted(weeks)
    moments = [(row["user_id"], row["time"], row["problem_id"]) for row in rows["problem_submission"]]
    expected = watching(found, captions, moments, modes, cohorts)
    names = ("encoded_module_id", "kind", "value", "num_users", "watched_seconds")
    told = columns(computed(embedded, "video_watching", UNTIL, rows), "video_watching", *names)
    assert {row[:3]: row[3:] for row in told} == expected
