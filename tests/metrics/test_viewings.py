"""What learners watched, and why some of it does not count. `spec 03 §1.4, 4.1, 5`"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lines import COURSE
from tests.metrics.conftest import Compute, Rows, columns, computed
from tests.metrics.naive_videos import viewings
from tests.videos import Event, moves

from pharos.config import EngineSettings
from pharos.engine import open_engine

UNTIL = datetime(2024, 3, 10)
OUTLINE = "block-v1:UniX+CS1+2024+type@video+block@v"


def watched(compute: Compute, events: list[Event], *names: str, **more: Any) -> Rows:
    """These columns of the viewings, in the order of their start."""
    names = names or ("start_offset", "end_offset", "reason", "dropped")
    found = compute("viewing", UNTIL, video_event=events, **more)
    in_order = sorted(found, key=lambda row: columns([row], "viewing", "start_time", "user_id"))
    return columns(in_order, "viewing", *names)


def counted(compute: Compute, events: list[Event], **more: Any) -> Rows:
    """(start, end) of the viewings that count."""
    return [row[1:] for row in of_videos(compute, events, **more)]


def of_videos(compute: Compute, events: list[Event], **more: Any) -> Rows:
    """(video, start, end) of the viewings that count."""
    names = ("encoded_module_id", "start_offset", "end_offset", "dropped", "is_estimated")
    return [row[:3] for row in watched(compute, events, *names, **more) if row[3:] == ("", False)]


def both(compute: Compute, *texts: str) -> tuple[list[Rows], list[Rows]]:
    """Of each text, done with a video of its own: the (start, end) of the viewings that count.

    By the original's rules and by ours; a text costs no query of its own.
    """
    videos = {f"v{number}": text for number, text in enumerate(texts)}
    events = [row for video, text in videos.items() for row in moves(1, text, video=video)]
    compat, better = of_videos(compute, events, video_compat=True), of_videos(compute, events)
    return [rows_of(compat, video) for video in videos], [rows_of(better, video) for video in videos]


def rows_of(rows: Rows, video: str) -> Rows:
    return [row[1:] for row in rows if row[0] == video]


def test_every_column(compute: Compute) -> None:
    """§5-15: start, end, reason, and the time of the play."""
    events = moves(1, "10:00:00 play 0 /60 · 10:00:03 pause 3", session="s", is_mobile=True)
    assert compute("viewing", UNTIL, video_event=events) == [
        (
            COURSE, "v", 1, "s", True, 0, datetime(2024, 3, 5, 10), 0.0, 3.0, "pause_video", 3.0, False,
            60.0, "",
        )
    ]  # fmt: skip


ALIKE = [
    ("10:00:00 play 0 · 10:00:03 pause 3 · 10:01:00 play 3 · 10:01:05 stop 8", [(0, 3), (3, 8)]),  # 17
    ("10:00:00 play 20 · 10:00:09 seek 29>5 · 10:00:09.2 play 29 · 10:00:12 pause 8", [(20, 29), (5, 8)]),
    ("10:00:00 play 0 · 10:00:09 seek 9>30 · 10:00:10 play 9 · 10:00:16 pause 36", [(0, 9), (30, 36)]),
    ("10:00:00 play 7 · 10:00:00.1 play 1 · 10:00:00.2 play 0 · 10:00:05 pause 5", [(0, 5)]),  # 20
    ("10:00:00 pause 0 · 10:00:01 play 1 · 10:00:05 pause 5 · 10:00:06 pause 5", [(1, 5)]),  # 21
    ("10:00:00 play 0", []),  # 23
    ("10:00:00 play 3 · 10:00:01 pause 3.1 · 10:00:02 play 3 · 10:00:03 pause 3.25", [(3, 3.25)]),  # 25
    ("10:00:00 play 20 · 10:00:01 pause 12 · 10:00:02 play 12 · 10:00:04 pause 14", [(12, 14)]),  # 26
    ("10:00:00 play 0 · 10:01:00 pause 62.9 · 10:02:00 play 0", [(0, 62.9)]),  # 28
    ("10:00:00 play 0 /62 · 10:01:10 pause 66", []),  # 27
    ("10:00:00 play 0 /62 · 10:01:10 pause 63", [(0, 63)]),
    ("10:00:00 play 0 /62 · 10:01:10 pause 63.1", []),
    # 29, 32: a viewing that is dropped hands on where its seek led
    ("10:00:00 play 5 · 10:00:01 seek 5.1>40 · 10:00:02 play 5.1 · 10:00:05 pause 43", [(40, 43)]),
    ("10:00:00 play 0 · 10:00:05 play 5 · 10:00:05 pause 5", [(0, 5)]),  # 33: the pause comes first
]  # fmt: skip
DIFFERENT = [
    # §5-22: a seek outside a viewing
    (
        "10:00:00 play 0 · 10:00:05 pause 5 · 10:00:06 seek 5>30 · 10:00:07 play 5 · 10:00:10 pause 33",
        [(0, 5), (5, 33)], [(0, 5), (30, 33)],
    ),
    (
        "10:00:00 seek 0>30 · 10:00:01 play 2 · 10:00:05 pause 34",
        [(2, 34)], [(30, 34)],
    ),
    # §4.1-2: two seeks in a row
    (
        ("10:00:00 play 0 · 10:00:10 seek 10>100 · 10:00:12 seek 100>200 · 10:00:13 play 200 · "
        "10:00:23 pause 210"),
        [(0, 10), (100, 210)], [(0, 10), (200, 210)],
    ),
    # §5-34: a play that is repeated after a seek
    (
        "10:00:00 play 0 · 10:00:03 seek 3>8 · 10:00:03.1 play 3 · 10:00:03.2 play 3 · 10:00:06 pause 11",
        [(0, 3), (3, 11)], [(0, 3), (8, 11)],
    ),
    # §4.1-3: a seek of the last visit
    (
        "10:00:00 play 0 · 10:00:03 seek 3>100 · 11:00:00 play 0 · 11:00:50 pause 50",
        [(0, 3)], [(0, 3), (0, 50)],
    ),
    (
        "10:00:00 play 0 · 10:00:03 seek 3>100 · 10:00:13 play 0 · 10:00:20 pause 107",
        [(0, 3), (100, 107)], [(0, 3), (100, 107)],
    ),
    (
        "10:00:00 play 0 · 10:00:03 seek 3>100 · 10:00:13.000001 play 0 · 10:00:20 pause 7",
        [(0, 3)], [(0, 3), (0, 7)],
    ),
    # what was watched since makes a seek old
    (
        ("10:00:00 play 0 · 10:00:03 seek 3>8 · 10:00:03.1 play 3 · 10:00:05 pause 10 · "
        "10:00:06 play 20 · 10:00:09 pause 23"),
        [(0, 3), (8, 10), (20, 23)], [(0, 3), (8, 10), (20, 23)],
    ),
    # §4.1-5: four times the clock and 30 seconds are possible, more is not
    (
        "10:00:00 play 0 · 10:00:10 pause 70 · 10:01:00 play 0 · 10:01:10 pause 70.1",
        [(0, 70), (0, 70.1)], [(0, 70)],
    ),
]  # fmt: skip


def test_viewings_alike_by_both_rules(compute: Compute) -> None:
    """§5-17 to 33: with and without the original's rules; each example has a video."""
    for found in both(compute, *(text for text, _ in ALIKE)):
        assert found == [expected for _, expected in ALIKE]


def test_viewings_that_differ(compute: Compute) -> None:
    compat, better = both(compute, *(text for text, _, _ in DIFFERENT))
    assert compat == [expected for _, expected, _ in DIFFERENT]
    assert better == [expected for _, _, expected in DIFFERENT]


def test_ends_that_are_estimated(compute: Compute) -> None:
    """§4.1-4: a viewing without an end, as far as the clock and the video go; §4.1-5: one that is cut."""
    events = moves(
        1,
        "10:00:00 play 0 /60 · 10:00:20 play 20 /60 · 11:00:00 play 0 /60 · 11:00:00.2 play 0 /60 · "
        "11:00:05 pause 55 · 11:30:00 play 5 /60",
    )
    names = ("start_offset", "end_offset", "reason", "is_estimated", "dropped")
    assert watched(compute, events, *names) == [
        (0, 20, "play_video", True, ""),
        (20, 60, "play_video", True, ""),
        (0, 0.2, "play_video", True, "too short"),
        (0, pytest.approx(49.2), "pause_video", True, ""),
        (5, None, "", False, "never ended"),
    ]
    assert [row[-1] for row in watched(compute, events, *names, video_compat=True)] == [
        "played again before it ended", "played again before it ended", "played again before it ended", "",
        "never ended",
    ]  # fmt: skip


def test_without_a_length_nothing_is_estimated(compute: Compute) -> None:
    found = watched(compute, moves(1, "10:00:00 play 0 · 10:00:20 play 20 · 10:00:30 pause 30"))
    assert found == [(0, None, "play_video", "played again before it ended"), (20, 30, "pause_video", "")]


def test_what_is_dropped_has_a_reason(compute: Compute) -> None:
    """§1.4-3, in this order."""
    text = (
        "10:00:00 play 90 /60 · 10:00:01 pause 70 · 10:00:02 play 20 · 10:00:03 pause 12 · 10:00:04 play 1 · "
        "10:00:05 stop 1.2"
    )
    for compat in (True, False):
        found = watched(compute, moves(1, text), "dropped", video_compat=compat)
        assert found == [("ends after the video",), ("ends before it starts",), ("too short",)]


def test_sessions_and_devices_are_kept_apart(compute: Compute) -> None:
    """§4.1-6: what one tab does ends nothing in another one."""
    events = [
        *moves(1, "10:00:00 play 0 · 10:00:30 pause 30", session="a"),
        *moves(1, "10:00:10 play 100 · 10:00:25 pause 115", session="b"),
        *moves(1, "10:00:12 play 200 · 10:00:20 stop 208", session="b", is_mobile=True),
    ]
    assert counted(compute, events) == [(0, 30), (100, 115), (200, 208)]
    assert counted(compute, events, video_compat=True) == [(200, 208)]


def test_learners_videos_and_courses_do_not_mix(compute: Compute) -> None:
    """§5-35"""
    events = [
        *moves(1, "10:00:00 play 0"),
        *moves(2, "10:00:05 pause 5"),
        *moves(1, "10:00:06 pause 6", video="w"),
        *moves(1, "10:00:07 pause 7", course_id="course-v1:UniX+CS1+2025"),
    ]
    assert both(compute, "10:00:00 play 0 · 10:00:05 pause 5") == ([[(0, 5)]], [[(0, 5)]])
    for compat in (True, False):
        assert watched(compute, events, "reason", video_compat=compat) == [("",)]


def block(block_id: str, seconds: float | None) -> dict[str, Any]:
    """A video of the outline of the LMS."""
    truths = ("is_root", "is_orphan", "is_dag", "is_deleted", "graded")
    return dict.fromkeys(truths, False) | {
        "course_id": COURSE, "block_id": block_id, "block_type": "video", "display_name": "V", "sort_idx": 1,
        "video_seconds": seconds,
    }  # fmt: skip


def test_how_long_a_video_is(compute: Compute) -> None:
    """§4.1-1, 11: as the LMS says, else as most plays say; of several the greatest, up to ten hours."""
    plays = moves(
        1,
        "10:00:00 play 0 /60 · 10:00:01 pause 1 · 10:01:00 play 0 /50 · 10:01:01 pause 1 · "
        "10:02:00 play 0 · 10:02:01 pause 1 · 10:03:00 play 0 /99999 · 10:03:01 pause 1 · "
        "10:04:00 play 0 /99999 · 10:04:01 pause 1",
    )
    for seconds, length in ((75.0, 75.0), (0.0, 60.0), (36_001.0, 60.0), (None, 60.0)):
        found = watched(compute, plays, "duration", course_blocks=[block(OUTLINE, seconds)])
        assert set(found) == {(length,)}
    known = [block(OUTLINE, 75.0)]
    own = watched(compute, plays, "duration", course_blocks=known, video_compat=True)
    assert own == [(60.0,), (50.0,), (None,), (99999.0,), (99999.0,)]


def test_blocks_of_old_course_runs_are_found(compute: Compute) -> None:
    plays = moves(1, "10:00:00 play 0 · 10:00:01 pause 1", video="i4x-UniX-CS1-video-v1")
    known = [block("i4x://UniX/CS1/video/v1", 75.0)]
    assert watched(compute, plays, "duration", course_blocks=known) == [(75.0,)]


SECONDS = st.sampled_from([0.0, 0.25, 4.99, 5.0, 9.4, 12.0, 30.0, 61.0, 200.0])
EVENTS = st.builds(
    lambda kind, second, at, old, duration, **rest: {
        "event_type": kind, "position": at, "old_position": old if kind == "seek_video" else None,
        "duration": None if kind == "seek_video" else duration,
        "time": datetime(2024, 3, 5, 10, second // 60, second % 60),
        "date": datetime(2024, 3, 5).date(), "course_id": COURSE, "unused": None, "count": 1, **rest,
    },
    st.sampled_from(["play_video", "play_video", "pause_video", "stop_video", "seek_video"]),
    st.integers(0, 90), SECONDS, SECONDS, st.sampled_from([None, 60.0, 12.0]),
    user_id=st.integers(1, 2), video=st.sampled_from(["v", "w"]), session=st.sampled_from(["a", "a", "b"]),
    is_mobile=st.booleans(),
)  # fmt: skip


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    engine = open_engine(EngineSettings(name="duckdb", threads=2), tmp_path_factory.mktemp("scratch"))
    yield engine
    engine.close()


@settings(max_examples=30)
@given(st.lists(EVENTS, max_size=40), st.randoms(use_true_random=False), st.booleans())
def test_viewings_are_those_of_one_state_per_learner(
    embedded: Any, events: list[Event], chance: random.Random, compat: bool
) -> None:
    """In whatever order the events come; the naive reading of the rules goes through them one by one."""
    once = list({tuple(row.items()): row for row in events}.values())
    shuffled = chance.sample(once, len(once))
    rows: dict[str, Any] = {"video_event": shuffled, "video_compat": compat}
    found = columns(
        computed(embedded, "viewing", UNTIL, rows), "viewing", "encoded_module_id", "user_id", "start_time",
        "start_offset", "end_offset", "reason", "is_estimated", "duration", "dropped",
        "is_mobile", "elapsed",
    )  # fmt: skip
    expected = [(each.video[1], *each[1:]) for each in viewings(once, compat=compat)]
    assert sorted(map(_rounded, found), key=repr) == sorted(map(_rounded, expected), key=repr)


def _rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sums of seconds may differ in their last digit."""
    return tuple(round(value, 9) if isinstance(value, float) else value for value in row)
