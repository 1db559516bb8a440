"""Sentences and tables on the viewing of a video: speed, device, next activity, and weeks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from pharos.insights.api import Row, day
from pharos.insights.blocks import linked
from pharos.insights.enrollment_days import TRACKS
from pharos.insights.language import Language, noop
from pharos.insights.reports import strong
from pharos.insights.tables import Column, Table, fixed

SPEED, DEVICE, CAPTIONS, TRACK, COHORT = "speed", "device", "captions", "track", "cohort"
NEXT, VIDEO, PROBLEM, NOTHING = "next", "video", "problem", "nothing"
NEXT_BLOCKS = ("next_video", "next_problem")
MOBILE = "mobile"
DEVICES = {"browser": noop("Browser"), MOBILE: noop("Mobile app")}
NORMAL = 1.0
WEEKS = 12
"""Weeks that are shown, the latest ones with viewers."""
MAP_WEEKS = 8
"""Complete weeks on the map of all videos."""
WEEKS_ON_A_PHONE = 3
DAYS = timedelta(days=6)


@dataclass(frozen=True)
class Said:
    """A part of the page: a sentence, and the table with its numbers."""

    sentence: Markup
    table: Table


@dataclass(frozen=True)
class _Line:
    name: Markup | str
    learners: int
    seconds: int | None = None
    share: float | None = None


Blocks = Callable[[str], Markup]
"""The name of a video or a problem by its id, as a link where there is a page of it."""


# --- How it is watched


def ways(words: Language, rows: Sequence[Row], viewers: int) -> Said | None:
    """Speed, device, captions and track; None without numbers. `viewers`: all viewers, 0 if unknown."""
    lines = [line for kind in (SPEED, DEVICE, TRACK, COHORT) for line in _lines(words, rows, kind)]
    shown = sum(row["num_users"] for row in rows if row["kind"] == CAPTIONS)
    if not lines:
        return None
    said = [*_faster(words, rows), *_mobile(words, rows)]
    if viewers:
        said.append(_captions(words, shown, viewers))
    lines.append(_Line(words.text("Showed captions or transcript"), shown))
    columns: list[Column[_Line]] = [
        Column("way", words.text("How"), lambda r: r.name, lambda r: r.name, numeric=False),
        Column("learners", words.text("Learners"), lambda r: r.learners, lambda r: words.number(r.learners)),
        Column("minutes", words.text("Minutes"), lambda r: r.seconds, lambda r: _minutes(words, r.seconds)),
        Column(
            "share",
            words.text("Of the time"),
            lambda r: r.share,
            lambda r: words.percent(r.share),
            help=words.text(
                "Of the minutes whose speed, device, track or cohort is known; short viewings tell no speed."
            ),
        ),
    ]
    return Said(words.sentences(*said), fixed(words.text("How it is watched"), columns, lines))


def _lines(words: Language, rows: Sequence[Row], kind: str) -> list[_Line]:
    """The values of the kind; shares are of the kind's total time."""
    found = [row for row in rows if row["kind"] == kind]
    if kind == SPEED:
        found.sort(key=lambda row: float(row["value"]))
    else:
        found.sort(key=lambda row: (-row["watched_seconds"], row["value"]))
    whole = sum(row["watched_seconds"] for row in found)
    return [
        _Line(
            _way(words, kind, row["value"]),
            row["num_users"],
            row["watched_seconds"],
            row["watched_seconds"] / whole if whole else None,
        )
        for row in found
    ]


def _way(words: Language, kind: str, value: str) -> str:
    if kind == SPEED:
        speed = words.number(float(value), len(value.partition(".")[2]))
        return words.text("Normal speed") if float(value) == NORMAL else words.text("Speed %(n)s", n=speed)
    if kind == TRACK:
        name = words.text(TRACKS[value][0]) if value in TRACKS else value
        return words.text("Track: %(name)s", name=name)
    if kind == COHORT:
        return words.text("Cohort: %(name)s", name=value)
    return words.text(DEVICES[value]) if value in DEVICES else value


def _share(
    words: Language, rows: Sequence[Row], kind: str, is_it: Callable[[str], bool], nobody: str, some: str
) -> list[Markup]:
    """The share of the time, in words; empty if the kind has no time. `nobody`, `some`: the sentences."""
    seconds = {row["value"]: row["watched_seconds"] for row in rows if row["kind"] == kind}
    whole = sum(seconds.values())
    if not whole:
        return []
    share = sum(n for value, n in seconds.items() if is_it(value)) / whole
    return [words.html(some, share=strong(words.percent(share))) if share else words.html(nobody)]


def _faster(words: Language, rows: Sequence[Row]) -> list[Markup]:
    return _share(
        words, rows, SPEED, lambda value: float(value) > NORMAL,
        noop("Nobody plays it faster than normal."),
        noop("%(share)s of what is watched is played faster than normal."),
    )  # fmt: skip


def _mobile(words: Language, rows: Sequence[Row]) -> list[Markup]:
    return _share(
        words, rows, DEVICE, lambda value: value == MOBILE,
        noop("Nobody watches it in the mobile app."),
        noop("%(share)s of what is watched is watched in the mobile app."),
    )  # fmt: skip


def _captions(words: Language, shown: int, viewers: int) -> Markup:
    return words.htmls(
        "%(shown)s of %(n)s learner who watched any of it has shown captions or the transcript.",
        "%(shown)s of %(n)s learners who watched any of it have shown captions or the transcript.",
        viewers,
        shown=strong(words.number(shown)),
    )


# --- What comes next


def following(words: Language, rows: Sequence[Row], block: Blocks) -> Said | None:
    """Learners' next activity within half an hour after the video; None if nobody played it."""
    counts = {row["value"]: row["num_users"] for row in rows if row["kind"] == NEXT}
    everybody = sum(counts.values())
    if not everybody:
        return None
    most = sorted(
        (row for row in rows if row["kind"] in NEXT_BLOCKS), key=lambda r: (-r["num_users"], r["value"])
    )
    sentence = words.htmls(
        "Within half an hour after it, %(videos)s of %(n)s learner who pressed play goes on to another "
        "video, %(problems)s to a problem and %(nothing)s to neither.",
        "Within half an hour after it, %(videos)s of %(n)s learners who pressed play go on to another "
        "video, %(problems)s to a problem and %(nothing)s to neither.",
        everybody,
        videos=strong(words.number(counts.get(VIDEO, 0))),
        problems=strong(words.number(counts.get(PROBLEM, 0))),
        nothing=strong(words.number(counts.get(NOTHING, 0))),
    )
    lines = [_Line(block(row["value"]), row["num_users"], None, row["num_users"] / everybody) for row in most]
    lines.append(
        _Line(words.text("Neither"), counts.get(NOTHING, 0), None, counts.get(NOTHING, 0) / everybody)
    )
    columns: list[Column[_Line]] = [
        Column("next", words.text("Next"), lambda r: r.name, lambda r: r.name, numeric=False),
        Column("learners", words.text("Learners"), lambda r: r.learners, lambda r: words.number(r.learners)),
        Column("share", words.text("Share"), lambda r: r.share, lambda r: words.percent(r.share)),
    ]
    caption = words.text("Where most learners go next: three videos and three problems at most")
    return Said(sentence, fixed(caption, columns, lines))


# --- Week by week


def weekly(words: Language, rows: Sequence[Row], last_day: date) -> Said | None:
    """The latest weeks with viewers, the newest first; None if there are none."""
    weeks = sorted(((date.fromisoformat(row["week"]), row) for row in rows), key=lambda week: week[0])
    shown = weeks[-WEEKS:][::-1]
    if not shown:
        return None
    monday, most = max(weeks, key=lambda week: (week[1]["num_users"], week[0]))
    sentence = words.htmls(
        "The week with the most viewers is %(days)s: %(n)s viewer.",
        "The week with the most viewers is %(days)s: %(n)s viewers.",
        most["num_users"],
        days=words.days(monday, monday + DAYS),
    )

    def name(week: tuple[date, Row]) -> str:
        days = words.days(week[0], week[0] + DAYS)
        return words.text("%(days)s, so far", days=days) if week[0] + DAYS > last_day else days

    columns: list[Column[tuple[date, Row]]] = [
        Column("week", words.text("Week"), lambda w: w[0], name, numeric=False),
        Column(
            "learners",
            words.text("Learners"),
            lambda w: w[1]["num_users"],
            lambda w: words.number(w[1]["num_users"]),
        ),
        Column(
            "minutes",
            words.text("Minutes"),
            lambda w: w[1]["watched_seconds"],
            lambda w: _minutes(words, w[1]["watched_seconds"]),
        ),
        Column(
            "each",
            words.text("Minutes per learner"),
            lambda w: w[1]["watched_seconds"] / w[1]["num_users"],
            lambda w: words.number(w[1]["watched_seconds"] / w[1]["num_users"] / 60, 1),
        ),
    ]
    caption = words.text("Week by week: the last twelve weeks with viewers")
    return Said(sentence, fixed(caption, columns, shown))


# --- Week by week: all videos of a course


@dataclass(frozen=True)
class Watched:
    """A video, with its viewers by the Monday of the week."""

    name: Markup
    viewers: Mapping[date, int]


def shares_by_week(words: Language, videos: Sequence[Watched], activity: Sequence[Row]) -> Said | None:
    """The share of active learners who watched each video, by complete week.

    None without active learners, or if the site's weeks do not begin on Monday, as weeks of videos do.
    """
    active = {day(row["interval_start"]): row for row in activity if row["any"]}
    weeks = [monday for monday in sorted(active)[-MAP_WEEKS:] if monday.weekday() == 0]
    shown = [video for video in videos if any(video.viewers.get(monday) for monday in weeks)]
    if not shown:
        return None
    last, row = weeks[-1], active[weeks[-1]]
    sentence = words.htmls(
        "In the week %(days)s, %(watched)s of %(n)s active learner watched a video.",
        "In the week %(days)s, %(watched)s of %(n)s active learners watched a video.",
        row["any"],
        days=words.days(last, last + DAYS),
        watched=strong(words.number(row["played_video"])),
    )

    def share(monday: date) -> Column[Watched]:
        def of(video: Watched) -> float:
            return video.viewers.get(monday, 0) / float(active[monday]["any"])

        label = words.short_day(monday)
        return Column(
            f"week-{monday}",
            label,
            of,
            lambda video: words.percent(of(video)),
            optional=monday not in weeks[-WEEKS_ON_A_PHONE:],
        )

    columns: list[Column[Watched]] = [
        Column("video", words.text("Video"), lambda v: str(v.name), lambda v: v.name, numeric=False),
        *map(share, weeks),
    ]
    caption = words.text("Share of the active learners of each week who watched it, by the week’s Monday")
    return Said(sentence, fixed(caption, columns, shown))


def _minutes(words: Language, seconds: int | None) -> str:
    return words.number(None if seconds is None else seconds / 60, 1)


def names(videos: Mapping[str, str], problems: Mapping[str, str], address: Callable[[str], str]) -> Blocks:
    """Names of blocks by their ids; a block missing in the outline is named by its id."""

    def name(block: str) -> Markup:
        if block in videos:
            return linked(address(block), videos[block])
        return linked("", problems.get(block, block))

    return name
