"""Pages that list videos, or groups of videos: sentence, figures, bars of views, table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request
from markupsafe import Markup

from pharos.insights import navigation
from pharos.insights.blocks import back_to, caption_of_lowest, in_path, linked, name_in_list
from pharos.insights.charts import Chart, Key
from pharos.insights.controls import files
from pharos.insights.directory import Course
from pharos.insights.language import Language, noop
from pharos.insights.outline import Block, player_id
from pharos.insights.rendering import Link
from pharos.insights.reports import Figure, ReportPage, State, about, strong
from pharos.insights.tables import Column, Table, table
from pharos.insights.video_counts import Line, Video, Viewers, least_finished, total

REPORT = navigation.VIDEOS
PAGE_SIZE = 25
MOST_BARS = 14
"""Bars that a chart has room for."""
FILE = "engagement/videos"
NOT_TOLD = noop(
    "The learning platform does not tell how this course is built, so its videos are listed by their ids."
)


@dataclass(frozen=True)
class Listing:
    """The contents of a list page."""

    course: Course
    head: str
    """Of the first column: what a line is."""
    caption: str
    """Of the table."""
    lines: Sequence[Line]
    videos: Sequence[Line]
    """All videos in the lines, the lines themselves on the lowest level."""
    watched: Viewers
    """The sum over the videos, each counted once."""
    nothing: str
    """Why there are no lines, where there are none."""
    trail: tuple[Link, ...] = ()
    question: str = ""
    title: str = ""
    note: str = ""

    @property
    def holds_videos(self) -> bool:
        """True if lines are groups of videos, not single videos."""
        return self.lines is not self.videos


def video_path(course: Course, block_id: str, place: str = REPORT.path) -> str:
    """The address of the page of a video: below a page of the course, or on its own."""
    return f"{course.path}{place}modules/{in_path(block_id)}/timeline/"


def video_lines(
    blocks: Sequence[Block], videos: Mapping[str, Video], address: Callable[[str], str]
) -> list[Line]:
    """A line for each video; linked if somebody watched it."""
    lines = []
    for order, block in enumerate(blocks, 1):
        video = videos.get(player_id(block.id))
        lines.append(
            Line(order, block.name, video.viewers, address(block.id))
            if video is not None
            else Line(order, block.name, Viewers())
        )
    return lines


def untold(words: Language, course: Course, videos: Mapping[str, Video]) -> Listing:
    """All watched videos by id, if the LMS gives no outline."""
    lines = [
        Line(order, video_id, video.viewers, video_path(course, video_id))
        for order, (video_id, video) in enumerate(videos.items(), 1)
    ]
    return Listing(
        course=course,
        head=words.text("Video"),
        caption=words.text("Videos"),
        lines=lines,
        videos=lines,
        watched=total(videos, videos),
        nothing=words.text("Nobody has watched a video yet."),
        note=words.text(NOT_TOLD) if lines else "",
    )


def list_page(request: Request, listing: Listing) -> ReportPage:
    """The page; without viewers, a page that says so and gives the number of videos."""
    words: Language = request.state.language
    names = about(request, REPORT) | {"trail": listing.trail}
    names |= {name: text for name in ("question", "title", "note") if (text := getattr(listing, name))}
    if not listing.lines or not listing.watched.total:
        state = nobody_state(words, listing.course, listing.trail)
        return ReportPage(**names, answer=_nobody(words, listing), empty=state)
    return ReportPage(
        **names,
        answer=sentence(words, listing),
        figures_label=words.text("Video metrics"),
        figures=_figures(words, listing),
        chart=_chart(words, listing),
        table=_table(request, words, listing),
        **files(listing.course, FILE),
    )


def _reached(words: Language, listing: Listing) -> Markup:
    """The share of viewers who reached the end, without their number: a viewer of two videos would count
    twice.
    """
    share = words.percent(listing.watched.share)
    videos = sum(1 for line in listing.videos if line.viewers.total)
    if videos > 1:
        return words.htmls(
            "Over %(n)s video, <strong>%(share)s</strong> of viewers reached the end.",
            "Over %(n)s videos, <strong>%(share)s</strong> of viewers reached the end.",
            videos,
            share=share,
        )
    return words.htmls(
        "<strong>%(share)s</strong> of %(n)s viewer reached the end.",
        "<strong>%(share)s</strong> of %(n)s viewers reached the end.",
        listing.watched.total,
        share=share,
    )


def sentence(words: Language, listing: Listing) -> Markup:
    """The share of viewers who reached the end, and the video that the fewest finish."""
    reached = _reached(words, listing)
    line = least_finished(listing.videos)
    if line is None:
        return reached
    fewest = words.html(
        "The fewest reach the end of %(video)s: %(share)s.",
        video=linked(line.href, line.name),
        share=strong(words.percent(line.viewers.share)),
    )
    return words.sentences(reached, fewest)


def _nobody(words: Language, listing: Listing) -> Markup:
    if not listing.lines or not listing.videos:
        return Markup("<strong>{}</strong>").format(listing.nothing)
    return words.htmls(
        "<strong>Nobody has watched yet.</strong> There is %(n)s video.",
        "<strong>Nobody has watched yet.</strong> There are %(n)s videos.",
        len(listing.videos),
    )


def nobody_state(words: Language, course: Course, trail: Sequence[Link] = ()) -> State:
    """Shown when nobody has watched."""
    return State(
        words.text("No views yet"),
        words.text(
            "Numbers appear after the first learner has watched a video of the course and the next "
            "computation has run. Only the platform's own video player tells what is watched."
        ),
        (back_to(words, course, trail),),
    )


def _figures(words: Language, listing: Listing) -> tuple[Figure, ...]:
    watched = listing.watched
    with_viewers = sum(1 for line in listing.videos if line.viewers.total)
    return (
        Figure(
            "watched_percent",
            words.text("Reached the end"),
            words.percent(watched.share),
            words.texts("of %(n)s viewer", "of %(n)s viewers", watched.total),
        ),
        Figure(
            "viewers",
            words.text("Viewers"),
            words.number(watched.total),
            words.text("a learner counts in each video"),
        ),
        Figure(
            "videos_watched",
            words.text("Videos watched"),
            words.number(with_viewers),
            words.texts("of %(n)s video", "of %(n)s videos", len(listing.videos)),
        ),
    )


def _chart(words: Language, listing: Listing) -> Chart:
    """Complete and incomplete views of each line; if there are many lines, only the lowest shares."""
    told = [line for line in listing.lines if line.viewers.total]
    shown = told
    if len(told) > MOST_BARS:
        shown = sorted(told, key=lambda line: line.viewers.share or 0.0)[:MOST_BARS]
    caption = words.text("Viewers who reached the end, and the others")
    if listing.holds_videos:
        caption = words.text("Viewers who reached the end, and the others; average of the videos")
    caption = caption_of_lowest(words, caption, len(shown), len(told))
    complete, incomplete = words.text("Complete views"), words.text("Incomplete views")
    digits = 1 if listing.holds_videos else 0
    bars = [
        {
            "name": line.name,
            "values": [line.per_video(line.viewers.complete), line.per_video(line.viewers.incomplete)],
            "share": words.percent(line.viewers.share),
            "rows": [
                (complete, words.number(line.per_video(line.viewers.complete), digits)),
                (incomplete, words.number(line.per_video(line.viewers.incomplete), digits)),
                (words.text("Reached the end"), words.percent(line.viewers.share)),
            ],
        }
        for line in shown
    ]
    return Chart(
        "stacked",
        words.text("Complete and incomplete views"),
        caption,
        ", ".join(f"{line.name} {words.percent(line.viewers.share)}" for line in shown),
        {"bars": bars},
        [Key(complete, "s1", "solid"), Key(incomplete, "s1", "hollow")],
        "-".join([*listing.course.parts, "videos"]),
    )


def _table(request: Request, words: Language, listing: Listing) -> Table:
    columns: list[Column[Line]] = [
        Column(
            "order",
            listing.head,
            lambda line: line.order,
            lambda line: name_in_list(line.href, line.name, line.note),
            numeric=False,
        )
    ]
    if listing.holds_videos:
        columns += [
            Column(
                "videos",
                words.text("Videos"),
                lambda line: line.videos,
                lambda line: words.number(line.videos),
            ),
            _mean(words, "complete", words.text("Complete per video"), lambda v: v.complete),
            _mean(words, "incomplete", words.text("Incomplete per video"), lambda v: v.incomplete),
        ]
    else:
        columns += [
            _number(words, "complete", words.text("Complete views"), lambda v: v.complete),
            _number(words, "incomplete", words.text("Incomplete views"), lambda v: v.incomplete),
        ]
    columns.append(
        Column(
            "share",
            words.text("Reached the end"),
            lambda line: line.viewers.share,
            lambda line: words.percent(line.viewers.share),
            rising=True,
        )
    )
    return table(
        request,
        listing.caption,
        columns,
        listing.lines,
        sort="order",
        page_size=PAGE_SIZE,
        number=words.number,
    )


def _mean(words: Language, key: str, label: str, count: Callable[[Viewers], int]) -> Column[Line]:
    return Column(
        key,
        label,
        lambda line: line.per_video(count(line.viewers)),
        lambda line: words.number(line.per_video(count(line.viewers)), 1) if line.viewers.total else "–",
        optional=True,
    )


def _number(words: Language, key: str, label: str, count: Callable[[Viewers], int]) -> Column[Line]:
    return Column(
        key,
        label,
        lambda line: count(line.viewers),
        lambda line: words.number(count(line.viewers)) if line.viewers.total else "–",
    )
