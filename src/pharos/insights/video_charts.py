"""The charts of a video: by second, and by the share that learners covered."""

from __future__ import annotations

from collections.abc import Sequence

from pharos.insights.api import Row
from pharos.insights.charts import Chart, Key
from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.video_counts import DROP, PEAK, Moment, Video

STEPS = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
"""Least shares of a video in percent that learners are counted by."""


def timeline_chart(
    words: Language,
    course: Course,
    name: str,
    video: Video,
    moments: Sequence[Moment],
    places: Sequence[Row],
    last_run: Sequence[Moment] | None,
) -> Chart:
    """Unique viewers by second of the video, with replays above them, and the viewers of the last run."""
    drawn = list(moments)
    if drawn and video.duration is not None and len(drawn) > 1 and video.duration > drawn[-1].start:
        drawn.append(Moment(video.duration, drawn[-1].viewers, drawn[-1].replays))
    viewers, replays, before = words.text("Unique viewers"), words.text("Replays"), words.text("Last run")
    keys = [Key(viewers, "s1", "band"), Key(replays, "s2", "band")]
    if last_run is not None:
        keys.append(Key(before, "n0", "dashes"))
    if places:
        keys.append(Key(words.text("Peaks and drops"), "a0", "mark"))
    return Chart(
        "timeline",
        words.text("%(name)s, second by second", name=name),
        words.text("Learners who played each part at least once, and the times it was played again"),
        ", ".join(f"{_plain(words, m.start)} {words.number(m.viewers)}" for m in _tenths(moments)),
        {
            "seconds": [m.start for m in drawn],
            "viewers": [m.viewers for m in drawn],
            "replays": [m.replays for m in drawn],
            "before": [_at(last_run, n) for n in range(len(drawn))] if last_run is not None else None,
            "places": [
                {
                    "kind": row["kind"],
                    "from": row["start_second"],
                    "to": row["end_second"],
                    "name": _said(words, row),
                }
                for row in places
            ],
            "names": [viewers, replays, before],
        },
        keys,
        "-".join([*course.parts, "video"]),
    )


def _said(words: Language, place: Row) -> str:
    n = place["learners"]
    if place["kind"] == PEAK:
        return words.texts("%(n)s watch it again", "%(n)s watch it again", n)
    if place["kind"] == DROP:
        return words.texts("%(n)s leaves", "%(n)s leave", n)
    return words.texts("%(n)s skips it", "%(n)s skip it", n)


def _at(moments: Sequence[Moment], index: int) -> int | None:
    return moments[index].viewers if index < len(moments) else None


def _tenths(moments: Sequence[Moment]) -> Sequence[Moment]:
    return moments[:: max(1, len(moments) // 10)]


def _plain(words: Language, seconds: int) -> str:
    return str(words.video_time(seconds).striptags())


def coverage_chart(words: Language, course: Course, coverage: Sequence[Row]) -> Chart:
    """Learners by the share of the video that they watched; parts watched twice count once."""
    counts = {row["covered_percent"]: row["num_users"] for row in coverage}
    bars = []
    for least, most in zip(STEPS, (*STEPS[1:], 101), strict=True):
        learners = counts.get(least, 0)
        bars.append(
            {
                "name": words.whole_percent(least),
                "head": _span(words, least, most),
                "value": learners,
                "colour": "s3" if least == STEPS[-1] else "s1",
                "rows": [(words.text("Learners"), words.number(learners))],
            }
        )
    return Chart(
        "bars",
        words.text("How much learners watched"),
        words.text(
            "Learners by the share of the video that they played; each bar begins with the share below it"
        ),
        ", ".join(
            f"{bar['head']}: {words.number(counts.get(n, 0))}" for bar, n in zip(bars, STEPS, strict=True)
        ),
        {"bars": bars, "horizontal": False, "every": 1},
        [
            Key(words.text("At least 95%%"), "s3", "solid"),
            Key(words.text("Less"), "s1", "solid"),
        ],
        "-".join([*course.parts, "video-covered"]),
    )


def _span(words: Language, least: int, most: int) -> str:
    if least == STEPS[-1]:
        return words.text("%(share)s or more", share=words.whole_percent(least))
    return words.text(
        "%(low)s to less than %(high)s", low=words.whole_percent(least), high=words.whole_percent(most)
    )
