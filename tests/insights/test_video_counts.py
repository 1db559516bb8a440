"""Sums of viewers and the seconds of a video, by the examples of spec 06 §9.10-9.11."""

from __future__ import annotations

import pytest

from pharos.insights.video_counts import (
    Line,
    Moment,
    Video,
    Viewers,
    covered,
    least_finished,
    moments_of,
    total,
    videos_of,
)

A, B = Video("a", 100, 5, 40, 25), Video("b", 100, 5, 10, 14)


def test_a_video_with_more_viewers_at_the_end_loses_nobody() -> None:
    assert (A.viewers, A.viewers.share) == (Viewers(25, 15), 0.625)
    assert (B.viewers, B.viewers.share) == (Viewers(14, 0), 1.0)
    assert Viewers().share is None


def test_sums_add_up_what_each_video_loses() -> None:
    """The original subtracts the sums, 50 - 39: the gain of one hides the loss of another."""
    found = total({"a": A, "b": B}, ["a", "b", "never watched"])
    assert found == Viewers(39, 15)
    line = Line(1, "S", found, videos=3)
    assert (line.per_video(found.complete), line.per_video(found.incomplete)) == (13, 5)
    assert Line(1, "S", Viewers(), videos=0).per_video(0) == 0


def test_rows_of_the_api() -> None:
    def row(name: str, duration: int | None, start: int | None, end: int | None) -> dict[str, object]:
        return {
            "encoded_module_id": name,
            "duration": duration,
            "segment_length": 5,
            "users_at_start": start,
            "users_at_end": end,
        }

    rows = [
        row("a", 100, 40, 25),
        row("unknown", -1, 0, 3),
        row("nobody", 9, 0, 0),
        row("old", None, 1, None),
    ]
    found = videos_of(rows)
    assert list(found) == ["a", "unknown", "old"]
    assert found["a"] == A
    assert (found["unknown"].duration, found["unknown"].viewers) == (None, Viewers(3, 0))
    assert found["old"].viewers == Viewers(0, 1)


def test_the_example_of_the_specification() -> None:
    """§9.11: L=5, D=23; its last row, at 23, is of the chart only."""
    rows = [
        {"segment": segment, "num_users": users, "num_views": views}
        for segment, users, views in ((1, 8, 10), (2, 6, 9), (4, 5, 5))
    ]
    found = moments_of(rows, Video("v", 23, 5, 8, 5))
    assert found == [
        Moment(0, 0, 0), Moment(5, 8, 2), Moment(10, 6, 3), Moment(15, 0, 0), Moment(20, 5, 0),
    ]  # fmt: skip
    longer = moments_of(rows, Video("v", 31, 5, 8, 5))
    assert longer[5:] == [Moment(25, 0, 0), Moment(30, 0, 0)]
    assert moments_of(rows, Video("v", None, 5, 8, 5)) == found
    assert moments_of(rows[:1], Video("v", 31, 5, 8, 5)) == found[:2], "of one row nothing is added"
    assert moments_of([], A) == []


def test_the_least_finished_has_enough_viewers_and_others_beside_it() -> None:
    few, low, lower = (
        Line(order, str(order), viewers)
        for order, viewers in enumerate((Viewers(0, 9), Viewers(5, 5), Viewers(4, 6)))
    )
    assert least_finished([few, low, lower]) is lower
    assert least_finished([few, low]) is None
    same = Line(9, "more", Viewers(8, 12))
    assert least_finished([lower, low, same]) is same


@pytest.mark.parametrize(("least", "learners"), [(0, 12), (40, 8), (95, 3)])
def test_learners_who_covered_at_least(least: int, learners: int) -> None:
    rows = [{"covered_percent": share, "num_users": n} for share, n in ((0, 4), (40, 5), (95, 3))]
    assert covered(rows, least) == learners
