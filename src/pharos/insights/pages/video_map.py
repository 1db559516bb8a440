"""The map of videos: each as a bar in the order of the course, and as a line, least finished first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import findings, map_drawing, navigation
from pharos.insights.access import CourseInView
from pharos.insights.api import Row
from pharos.insights.blocks import linked, name_on_map, named_shares
from pharos.insights.controls import files
from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.map_drawing import Chapter, median
from pharos.insights.outline import Outline, player_id
from pharos.insights.reports import Figure, ReportPage, about
from pharos.insights.shares import ENOUGH, lowest
from pharos.insights.site import TheSite
from pharos.insights.tables import Column, Table, table
from pharos.insights.video_counts import Video, Viewers, covered, videos_of
from pharos.insights.video_lists import FILE, NOT_TOLD, nobody_state, video_path
from pharos.insights.video_watching import Said, Watched, shares_by_week

router = APIRouter()
REPORT = navigation.VIDEO_MAP
WORST = 3
HALF = 0.5
PAGE_SIZE = 25


@dataclass(frozen=True)
class Spot:
    """A video on the map."""

    order: int
    block_id: str
    """Its usage id; of a video that the course has no more, the id that players write."""
    name: str
    section: str
    viewers: Viewers
    covered: float | None
    """Share of its learners who watched at least 95% of it; None where that is not counted."""
    href: str

    @property
    def told(self) -> bool:
        """True if the video has enough viewers to be compared."""
        return self.viewers.total >= ENOUGH


@dataclass(frozen=True, kw_only=True)
class MapPage(ReportPage):
    """Which videos do learners leave?"""

    template: ClassVar[str] = "video_map.html"
    findings: tuple[Markup, ...] = ()
    """What deserves a look, in words, with the video that it is about."""
    chapters: tuple[Chapter, ...] = ()
    weeks: Said | None = None
    """Which share of active learners watched which video, week by week."""


@router.get("/courses/{course_id:course_page}/engagement/video_map/")
async def video_map(request: Request, course: CourseInView, site: TheSite) -> Response:
    """Which videos do learners leave?"""
    (rows, coverage, found), (weeks, activity), outline = await asyncio.gather(
        asyncio.gather(
            site.api.videos(course.course_id),
            site.api.video_coverage(course.course_id),
            site.api.findings(course.course_id),
        ),
        asyncio.gather(site.api.video_weeks(course.course_id), site.api.activity(course.course_id)),
        site.directory.outline(course.course_id),
    )
    watched = _Watched(videos_of(rows), coverage, found, weeks, activity)
    return site.renderer.render(request, _page(request, course, watched, outline))


@dataclass(frozen=True)
class _Watched:
    """The Data API's rows about the videos of the course."""

    videos: Mapping[str, Video]
    coverage: Sequence[Row]
    findings: Sequence[Row]
    weeks: Sequence[Row]
    activity: Sequence[Row]


def _page(request: Request, course: Course, watched: _Watched, outline: Outline | None) -> MapPage:
    words: Language = request.state.language
    names = about(request, REPORT)
    if outline is None and watched.videos:
        names["note"] = words.text(NOT_TOLD)
    spots = spots_of(words, course, watched.videos, watched.coverage, outline)
    if not any(spot.viewers.total for spot in spots):
        return MapPage(
            **names,
            answer=words.html("<strong>Nobody has watched a video yet.</strong>"),
            empty=nobody_state(words, course),
        )
    worst = worst_of(spots)
    return MapPage(
        **names,
        answer=sentence(words, worst),
        findings=findings.most_urgent(
            words,
            watched.findings,
            {player_id(spot.block_id): linked(spot.href, spot.name) for spot in spots},
        ),
        figures_label=words.text("Video metrics"),
        figures=_figures(words, spots),
        chapters=_chapters(words, outline, spots, worst) if outline is not None else (),
        table=_table(request, words, spots, worst, has_coverage=bool(watched.coverage)),
        weeks=_weeks(words, spots, watched),
        **files(course, FILE),
    )


def _weeks(words: Language, spots: Sequence[Spot], watched: _Watched) -> Said | None:
    viewers: dict[str, dict[date, int]] = {}
    for row in watched.weeks:
        of_video = viewers.setdefault(row["encoded_module_id"], {})
        of_video[date.fromisoformat(row["week"])] = row["num_users"]
    videos = [
        Watched(linked(spot.href, spot.name), viewers.get(player_id(spot.block_id), {})) for spot in spots
    ]
    return shares_by_week(words, videos, watched.activity)


def spots_of(
    words: Language,
    course: Course,
    videos: Mapping[str, Video],
    coverage: Sequence[Row],
    outline: Outline | None,
) -> list[Spot]:
    """All videos of the course in its order, then videos with viewers that the outline lacks."""
    by_video: dict[str, list[Row]] = {}
    for row in coverage:
        by_video.setdefault(row["encoded_module_id"], []).append(row)

    def spot(player: str, block_id: str, name: str, section: str) -> Spot:
        viewers = videos[player].viewers if player in videos else Viewers()
        href = video_path(course, block_id) if viewers.total else ""
        rows = by_video.get(player, [])
        share = covered(rows) / covered(rows, 0) if rows else None
        return Spot(len(spots) + 1, block_id, name, section, viewers, share, href)

    spots: list[Spot] = []
    places = outline.videos if outline is not None else {}
    for player, path in places.items():
        spots.append(spot(player, path[-1].id, path[-1].name, path[0].name))
    gone = words.text("not in the course any more") if outline is not None else ""
    without_place = [player for player in videos if player not in places]
    for player in without_place:
        spots.append(spot(player, player, player, gone))  # noqa: PERF401 - a spot counts those before it
    return spots


def worst_of(spots: Sequence[Spot]) -> list[Spot]:
    """Of the videos with enough viewers, the three with the lowest shares of viewers who finish."""
    return lowest(spots, lambda spot: spot.viewers)[:WORST]


def sentence(words: Language, worst: Sequence[Spot]) -> Markup:
    """The videos with the lowest shares of viewers who finish."""
    if not worst:
        return words.htmls(
            "<strong>Too few to tell:</strong> no video has %(n)s viewer.",
            "<strong>Too few to tell:</strong> no video has %(n)s viewers.",
            ENOUGH,
        )
    named = named_shares(words, [(spot.href, spot.name, spot.viewers.share) for spot in worst])
    return words.html("The fewest viewers reach the end of %(videos)s.", videos=named)


def _figures(words: Language, spots: Sequence[Spot]) -> tuple[Figure, ...]:
    told = [spot for spot in spots if spot.told]
    shares = sorted(spot.viewers.share or 0.0 for spot in told)
    wholly = sorted(spot.covered for spot in told if spot.covered is not None)
    low = sum(1 for share in shares if share < HALF)

    def middle(key: str, label: str, values: Sequence[float]) -> Figure:
        note = words.texts("median of %(n)s video", "median of %(n)s videos", len(values))
        return Figure(key, label, words.percent(median(values)), note if values else "")

    found = [middle("watched_percent", words.text("Reached the end"), shares)]
    if wholly:
        found.append(middle("covered", words.text("Covered at least 95%%"), wholly))
    found.append(
        Figure(
            "below_half",
            words.text("Below half"),
            words.number(low),
            words.texts(
                "of %(n)s video with enough viewers", "of %(n)s videos with enough viewers", len(told)
            ),
            href="#table",
        )
    )
    return tuple(found)


def _chapters(
    words: Language, outline: Outline, spots: Sequence[Spot], worst: Sequence[Spot]
) -> tuple[Chapter, ...]:
    """The videos as bars."""
    by_id = {spot.block_id: spot for spot in spots}
    drawn = {
        spot.block_id: map_drawing.Spot(
            _label(words, spot),
            spot.href,
            spot.viewers.share,
            worst=words.percent(spot.viewers.share) if spot in worst else "",
        )
        for spot in spots
    }

    def note(ids: Sequence[str]) -> str:
        own = [by_id[block_id].viewers for block_id in ids]
        total = Viewers(sum(v.complete for v in own), sum(v.incomplete for v in own))
        share = words.percent(total.share)
        return words.text("%(share)s reached the end", share=share) if total.total else ""

    return map_drawing.chapters(outline, drawn, note)


def _label(words: Language, spot: Spot) -> str:
    if not spot.viewers.total:
        return words.text("%(name)s: no views yet", name=spot.name)
    return words.texts(
        "%(name)s: %(share)s of %(n)s viewer reached the end",
        "%(name)s: %(share)s of %(n)s viewers reached the end",
        spot.viewers.total,
        name=spot.name,
        share=words.percent(spot.viewers.share),
    )


def _table(
    request: Request, words: Language, spots: Sequence[Spot], worst: Sequence[Spot], *, has_coverage: bool
) -> Table:
    def name(spot: Spot) -> Markup:
        return name_on_map(words, spot.href, spot.name, spot.section, is_worst=spot in worst)

    columns: list[Column[Spot]] = [
        Column("video", words.text("Video"), lambda s: s.order, name, numeric=False),
        Column(
            "share",
            words.text("Reached the end"),
            lambda s: s.viewers.share,
            lambda s: words.percent(s.viewers.share),
            rising=True,
        ),
    ]
    if has_coverage:
        columns.append(
            Column(
                "covered",
                words.text("Covered at least 95%%"),
                lambda s: s.covered,
                lambda s: words.percent(s.covered),
                optional=True,
                rising=True,
            )
        )
    columns.append(
        Column(
            "viewers",
            words.text("Viewers"),
            lambda s: s.viewers.total,
            lambda s: words.number(s.viewers.total),
        )
    )
    return table(
        request,
        words.text("Videos"),
        columns,
        spots,
        sort="share",
        page_size=PAGE_SIZE,
        number=words.number,
    )
