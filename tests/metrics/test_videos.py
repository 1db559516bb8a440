"""How many learners watched each part of a video. `spec 03 §1.7, 1.9, 5`"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lines import COURSE
from tests.metrics.conftest import Compute, Rows, columns, computed
from tests.metrics.naive_videos import places, usage, viewings
from tests.metrics.test_viewings import EVENTS, UNTIL, embedded
from tests.videos import Event, moves

__all__ = ["embedded"]
PIPELINE_ID = f"{COURSE}|v"


def watch(user: int, *parts: tuple[float, float], duration: float | None = None) -> list[Event]:
    """The learner watches these parts one after the other, an hour apart."""
    length = f" /{duration}" if duration else ""
    found = []
    for hour, (start, end) in enumerate(parts):
        minutes = int(end - start) // 60 + 1
        text = f"{hour:02}:00:00 play {start}{length} · {hour:02}:{minutes:02}:00 pause {end}"
        found += moves(user, text)
    return found


def of_many(count: int, *parts: tuple[float, float], first: int = 100) -> list[Event]:
    return [row for user in range(first, first + count) for row in watch(user, *parts)]


def segments(compute: Compute, events: list[Event], **more: Any) -> Rows:
    """(segment, num_users, num_views)"""
    found = compute("video_timeline", UNTIL, video_event=events, **more)
    return columns(found, "video_timeline", "segment", "num_users", "num_views")


def totals(compute: Compute, events: list[Event], **more: Any) -> tuple[int, ...]:
    """duration, users_at_start, users_at_end, total_viewed_seconds"""
    [row] = compute("video", UNTIL, video_event=events, **more)
    assert row[:3] == (PIPELINE_ID, COURSE, "v")
    assert row[4] == 5
    return (row[3], *row[5:])


def videos(*examples: list[Event]) -> list[Event]:
    """Each example about a video of its own, v0, v1 …: many examples cost one query."""
    return [row | {"video": f"v{number}"} for number, rows in enumerate(examples) for row in rows]


def totals_of(compute: Compute, *examples: list[Event]) -> list[tuple[int, ...] | None]:
    """The totals of the video of each example; None for one that nobody watched."""
    found = {row[0]: (row[3], *row[5:]) for row in compute("video", UNTIL, video_event=videos(*examples))}
    return [found.get(f"{COURSE}|v{number}") for number in range(len(examples))]


E1 = [
    *moves(
        1,
        "10:00:00 play 0 · 10:00:09 seek 9.4>30 · 10:00:09.3 play 9.4 · 10:00:15 pause 36 · "
        "10:00:40 play 36 · 10:00:52 stop 47.8",
    ),
    *moves(2, "11:00:00 play 0 · 11:00:03 play 2 · 11:00:20 pause 19.9 · 11:00:25 pause 19.9"),
    *moves(
        3,
        "12:00:00 pause 0 · 12:00:05 play 40 · 12:00:12 pause 47.5 · 12:01:00 play 3 · "
        "12:01:00.1 pause 3.1 · 12:02:00 play 20 · 12:02:05 pause 12 · 12:03:00 play 25",
    ),
]
E2 = [
    *moves(
        7,
        "09:00:00 play 0 /120 · 09:00:12 seek 12>60 · 09:00:12.2 play 12 /120 · 09:00:20 pause 67.9 · "
        "09:00:21 pause 67.9 · 09:05:00 play 67.9 /120 · 09:05:00.4 play 68.3 /120 · 09:05:09 stop 120.6 · "
        "09:05:09 pause 120.6",
    ),
    *watch(8, (0, 20), (110, 119), duration=120),
    *watch(9, (112.5, 114), duration=120),
]


def test_worked_example_of_an_unknown_duration(compute: Compute) -> None:
    """§1.9 E1"""
    for compat in (True, False):
        assert segments(compute, E1, video_compat=compat) == [
            (0, 2, 2), (1, 2, 2), (2, 1, 1), (3, 1, 1), (6, 1, 1), (7, 1, 2), (8, 2, 2), (9, 2, 2),
        ]  # fmt: skip
        assert totals(compute, E1, video_compat=compat) == (49, 2, 2, 65)


def test_worked_example_of_a_known_duration(compute: Compute) -> None:
    """§1.9 E2: nine seconds by the clock for 52 of the video are fast, and within what is allowed."""
    for compat in (True, False):
        duration, start, end, _ = totals(compute, E2, video_compat=compat)
        assert (duration, start, end) == (120, 2, 3)
        found = segments(compute, E2, video_compat=compat)
        assert (found[0], found[-1]) == ((0, 2, 2), (24, 1, 1))
        assert found[-3] == (22, 3, 3)


def test_segments_of_a_learner(compute: Compute) -> None:
    """§5-41 to 45; each example has a video of its own."""
    examples: list[tuple[list[tuple[float, float]], Rows]] = [
        ([(0, 4.99)], [(0, 1, 1)]),  # 41
        ([(0, 10.2)], [(0, 1, 1), (1, 1, 1), (2, 1, 1)]),
        ([(0, 5.0)], [(0, 1, 1), (1, 1, 1)]),
        ([(0, 4.99), (5, 5.3)], [(0, 1, 1), (1, 1, 1)]),  # 42
        ([(0, 2), (2, 4), (1, 3)], [(0, 1, 3)]),  # 43
        ([(0, 9), (0, 4), (12, 13), (3, 14)], [(0, 1, 3), (1, 1, 2), (2, 1, 2)]),
        ([(10, 12), (40, 41)], [(2, 1, 1), (8, 1, 1)]),  # 45
    ]
    found = compute("video_timeline", UNTIL, video_event=videos(*(watch(1, *parts) for parts, _ in examples)))
    rows = columns(found, "video_timeline", "pipeline_video_id", "segment", "num_users", "num_views")
    by_video = [[row[1:] for row in rows if row[0] == f"{COURSE}|v{n}"] for n in range(len(examples))]
    assert by_video == [expected for _, expected in examples]


def test_one_video(compute: Compute) -> None:
    """§5-45 to 50"""
    examples: list[tuple[list[tuple[float, float]], float | None, tuple[int, ...] | None]] = [
        ([(0, 4.99)], None, (4, 1, 1, 5)),  # 47
        ([(0, 4), (5, 9), (12, 16)], None, (19, 1, 1, 20)),  # 48
        ([(6, 8)], 9.2, (9, 0, 1, 5)),  # 49
        ([(10, 12)], 10, None),  # past its end
    ]
    found = totals_of(compute, *(watch(1, *parts, duration=seconds) for parts, seconds, _ in examples))
    assert found == [expected for _, _, expected in examples]


def test_where_a_video_counts_as_watched(compute: Compute) -> None:
    """§1.9 E4, §5-50: who watched that segment, not who watched the one before or after."""
    completions = {9.2: 1, 10: 1, 20: 3, 100: 19, 120: 22, 444: 84, 600: 114, 650: 124}
    watched = [
        (segment, seconds, at_end)
        for seconds, completion in completions.items()
        for segment, at_end in ((completion, 1), (completion - 1, 0), (completion + 1, 0))
        if segment * 5 + 1 <= seconds + 1
    ]
    examples = [watch(1, (part * 5, part * 5 + 1), duration=seconds) for part, seconds, _ in watched]
    found = [row[2] if row else None for row in totals_of(compute, *examples)]
    assert found == [at_end for _, _, at_end in watched]


def test_viewers_near_the_end(compute: Compute) -> None:
    """§5-51"""
    events = [
        row for user, end in ((1, (91, 98)), (2, (92, 95)), (3, (90, 99))) for row in watch(user, (0, 4), end)
    ]
    events += watch(4, (100, 103))
    assert segments(compute, events) == [(0, 3, 3), (18, 3, 3), (19, 3, 3), (20, 1, 1)]
    assert totals(compute, events) == (104, 3, 3, 50)


def test_more_at_the_end_than_at_the_start(compute: Compute) -> None:
    """§5-52"""
    assert totals(compute, watch(1, (15, 19), duration=20))[1:3] == (0, 1)


def test_where_viewing_drops(compute: Compute) -> None:
    """§1.9 E3, §5-53"""
    examples = [(20, 1, 4, 20), (19, 1, 6, 1), (20, 2, 6, 2), (40, 2, 4, 40)]
    events = [
        [*of_many(before, (0, 23)), *(row for user in range(1, after + 1) for row in watch(user, (26, 34)))]
        for before, after, _, _ in examples
    ]
    found = compute("video_timeline", UNTIL, video_event=videos(*events))
    last = {row[0]: row[1] for row in columns(found, "video_timeline", "pipeline_video_id", "segment")}
    assert list(last.values()) == [final for _, _, final, _ in examples]
    ends = [row[::2] if row else None for row in totals_of(compute, *events)]
    assert ends == [(final * 5 + 4, at_end) for _, _, final, at_end in examples]


def test_the_drop_nearest_to_the_end_counts(compute: Compute) -> None:
    """§1.7: two drops to a twentieth, with a gap before each."""
    first, second = of_many(40, (0, 4), (20, 24)), of_many(20, (100, 104), first=200)
    events = [*first, *watch(1, (50, 54)), *second, *watch(2, (200, 204))]
    assert [row[0] for row in segments(compute, events)] == [0, 4, 10, 20]


def test_after_the_end(compute: Compute) -> None:
    """§5-54: a viewing may end a second late; its last segment shows only if nobody watched the final one."""
    assert [row[0] for row in segments(compute, watch(1, (12, 15.5), duration=14.9))] == [2]
    late = watch(1, (15.2, 15.8), duration=14.9)
    assert [row[0] for row in segments(compute, late)] == [3]
    assert totals(compute, late) == (14, 0, 0, 5)


def test_durations_that_differ(compute: Compute) -> None:
    """§1.9 E5, §5-46: with the original the greatest, or none; with us the most frequent."""
    two = [*watch(1, (0, 4), duration=10), *watch(2, (0, 4), duration=50), *watch(3, (0, 4), duration=10)]
    assert totals(compute, two, video_compat=True)[0] == 50
    assert totals(compute, two)[0] == 10
    mixed = [*watch(1, (0, 4), duration=30), *watch(2, (0, 9))]
    assert totals(compute, mixed, video_compat=True)[0] == 9
    assert totals(compute, mixed)[0] == 30


def test_estimated_viewings_do_not_count(compute: Compute) -> None:
    events = moves(1, "10:00:00 play 0 /60 · 10:00:20 play 20 /60 · 10:00:24 pause 24")
    assert segments(compute, events) == [(4, 1, 1)]


def test_what_is_not_counted_has_a_reason(compute: Compute) -> None:
    """§1.4: events by reason, viewings by reason, and events that end none."""
    unused: dict[str, Any] = {"unused": "no position", "video": "", "position": None, "count": 3}
    events = [*E1, *moves(4, "10:00:00 play 0", **unused)]
    expected = [
        (COURSE, "event", "", 18),
        (COURSE, "event", "no position", 3),
        (COURSE, "viewing", "", 5),
        (COURSE, "viewing", "ends before it starts", 1),
        (COURSE, "viewing", "never ended", 1),
        (COURSE, "viewing", "outside a viewing", 2),
        (COURSE, "viewing", "played again before it ended", 1),
        (COURSE, "viewing", "too short", 1),
    ]
    assert compute("video_event_use", UNTIL, video_event=events) == expected
    assert compute("video_event_use", UNTIL, video_event=events, video_compat=True) == expected


@settings(max_examples=20)
@given(st.lists(EVENTS, max_size=40), st.booleans())
def test_both_tables_are_those_of_the_rules_read_one_by_one(
    embedded: Any, events: list[Event], compat: bool
) -> None:
    once = list({tuple(row.items()): row for row in events}.values())
    rows: dict[str, Any] = {"video_event": once, "video_compat": compat}
    expected = usage(viewings(once, compat=compat))
    found = computed(embedded, "video", UNTIL, rows)
    assert {(row[1], row[2]): (row[3], *row[5:]) for row in found} == {
        video: whole for video, (whole, _) in expected.items()
    }
    timeline = computed(embedded, "video_timeline", UNTIL, rows)
    assert timeline == sorted(
        (f"{course}|{video}", segment, *counts)
        for (course, video), (_, parts) in expected.items()
        for segment, counts in parts.items()
    )


def test_what_learners_covered(compute: Compute) -> None:
    """§4.1-8: seconds watched at least once, not positions reached; exact, not by segments."""
    events = [
        *watch(1, (0, 30), (10, 40.5), (20, 25), duration=100),
        *watch(2, (0, 2), (98, 100.9), duration=100),
        *watch(3, (0, 95), duration=100),
        *watch(4, (3, 97.999), duration=100),
        *watch(5, (0, 101), duration=100),
    ]
    found = compute("video_learner", UNTIL, video_event=events)
    assert [row[3:] for row in found] == [
        (1, 3, 65_500, 40_500, 40), (2, 2, 4_900, 4_900, 4), (3, 1, 95_000, 95_000, 95),
        (4, 1, 94_999, 94_999, 94), (5, 1, 101_000, 101_000, 100),
    ]  # fmt: skip
    assert found[0][:3] == (PIPELINE_ID, COURSE, "v")
    assert compute("video_coverage", UNTIL, video_event=events) == [
        (PIPELINE_ID, COURSE, "v", 0, 1),
        (PIPELINE_ID, COURSE, "v", 40, 1),
        (PIPELINE_ID, COURSE, "v", 90, 1),
        (PIPELINE_ID, COURSE, "v", 95, 2),
    ]


def test_what_is_covered_of_a_video_of_unknown_length(compute: Compute) -> None:
    """Of the guessed duration, here 9 seconds; one of less than a second counts as one."""
    found = compute("video_coverage", UNTIL, video_event=[*watch(1, (0, 9)), *watch(2, (0, 4))])
    assert [row[3:] for row in found] == [(40, 1), (95, 1)]
    short = compute("video_coverage", UNTIL, video_event=watch(1, (0, 0.5), duration=0.6))
    assert [row[3:] for row in short] == [(50, 1)]


@settings(max_examples=15)
@given(st.lists(EVENTS, max_size=40))
def test_what_is_covered_is_what_was_watched_second_by_second(embedded: Any, events: list[Event]) -> None:
    once = list({tuple(row.items()): row for row in events}.values())
    expected: dict[tuple[str, int], set[int]] = {}
    for each in viewings(once, compat=False):
        if not each.dropped and not each.is_estimated and each.end is not None:
            hundredths = range(round(each.start * 100), round(each.end * 100))
            expected.setdefault((each.video[1], each.user), set()).update(hundredths)
    found = computed(embedded, "video_learner", UNTIL, {"video_event": once})
    assert {(row[2], row[3]): row[6] for row in found} == {
        learner: len(covered) * 10 for learner, covered in expected.items()
    }


def lecture(*, leave: int, repeat: int) -> list[Event]:
    """Of 100 learners, one leaves every ten seconds of 400; `leave` more do so from 3:10 to 3:40, as many in
    each five seconds; and `repeat` of those who stay watch 2:10-2:20 again.
    """
    ends = [5 + 10.0 * number for number in range(40)]
    ends += [192.0 + 5 * (number % 6) for number in range(leave)]
    ends += [400.0] * (100 - len(ends))
    events = []
    for user, end in enumerate(sorted(ends)):
        parts = [(0.0, end)]
        if user >= 100 - repeat:
            parts.append((130.0, 139.0))
        events += watch(user, *parts, duration=400)
    return events


def test_where_more_learners_than_around_watch_again_or_leave(compute: Compute) -> None:
    """30 more learners than around leave in 3:10-3:40, of the 81 who are there; 25 watch 2:10-2:20 again.

    Before 3:10, 19 have left: one at each of 0:05, 0:15, … 3:05. In 3:10-3:40 others leave at 3:15, 3:25 and
    3:35. Around its middle, in 18 times fifteen seconds, leave 9 times 2, 8 times 1 and, at its edge, 7: in
    thirty seconds 33 / 18 * 2 = 3.7.
    """
    found = compute("video_place", UNTIL, video_event=lecture(leave=30, repeat=25))
    assert [row[3:] for row in found] == [
        ("drop", 190, 220, 33, 81, 4),
        ("peak", 130, 140, 25, 87, 0),
    ]
    assert found[0][:3] == (PIPELINE_ID, COURSE, "v")


def test_few_learners_and_what_happens_everywhere_are_no_places(compute: Compute) -> None:
    """4 learners; 5 of 100 who watch again the whole video; and who leaves at the end has watched it."""
    everywhere = [row for user in range(20) for row in watch(user, (0, 400), (0, 400), duration=400)]
    events = videos(lecture(leave=0, repeat=4), everywhere)
    assert compute("video_place", UNTIL, video_event=events) == []


def test_a_second_watched_again_counts_and_less_does_not(compute: Compute) -> None:
    def resumed(back: float) -> list[Event]:
        return [row for user in range(9) for row in watch(user, (0, 61), (61 - back, 300), duration=300)]

    found = compute("video_place", UNTIL, video_event=videos(resumed(0.999), resumed(1.0)))
    assert [row[2:] for row in found] == [("v1", "peak", 60, 65, 9, 9, 0)]


def test_an_opening_that_learners_skip(compute: Compute) -> None:
    """Of 20 learners 6 leave out 0:05-0:35: the 14 others are three quarters or less; 16 of 20 are more."""

    def opening(skipping: int, until: int) -> list[Event]:
        parts = [(0.0, 3.0), (float(until), 300.0)]
        return [
            row
            for user in range(20)
            for row in watch(user, *(parts if user < skipping else [(0.0, 300.0)]), duration=300)
        ]

    five_seconds = opening(6, 10)
    found = compute("video_place", UNTIL, video_event=videos(opening(6, 35), opening(4, 35), five_seconds))
    assert [row[2:] for row in found] == [("v0", "skipped", 5, 35, 6, 20, 0)]


def test_places_are_those_found_by_hand(compute: Compute) -> None:
    """Of 60 videos of 300 seconds: groups of learners watch the same part, some learners several parts."""
    draw = random.Random(7)
    events: list[Event] = []
    for number in range(60):
        for hour in range(draw.randint(1, 9)):
            length = 300 if hour < 2 else draw.randint(2, 40)
            start = draw.randint(0, 300 - length)
            text = f"{hour:02}:00:00 play {start} /300 · {hour:02}:05:00 pause {start + length}"
            for user in range(draw.randint(1, 20)):
                events += moves(user, text, video=f"v{number:02}")
    found = [each for each in viewings(events, compat=False) if not each.dropped]
    expected = [
        (video, kind, first * 5, end * 5 + 5, *counts)
        for (_, video), ((duration, *_), segments) in usage(found).items()
        for kind, first, end, *counts in places(
            [each for each in found if each.video[1] == video], max(segments), duration
        )
    ]
    kinds = Counter(kind for _, kind, *_ in expected)
    assert min(kinds["peak"], kinds["drop"], kinds["skipped"]) > 5
    rows = compute("video_place", UNTIL, video_event=events)
    assert [row[2:] for row in rows] == sorted(expected)
