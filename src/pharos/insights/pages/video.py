"""One video, second by second: viewers, replays, peaks and drops, the last run (spec 06 §9.11)."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from fastapi import APIRouter, HTTPException, Request, Response
from markupsafe import Markup

from pharos.insights import files, findings, navigation, video_watching
from pharos.insights.access import CourseInView, CoursesInView
from pharos.insights.api import Row
from pharos.insights.blocks import in_path
from pharos.insights.charts import Chart
from pharos.insights.directory import Course
from pharos.insights.files import Sheet
from pharos.insights.language import Language, noop
from pharos.insights.navigation import Report
from pharos.insights.outline import Outline, player_id
from pharos.insights.rendering import Link
from pharos.insights.reports import Figure, ReportPage, about
from pharos.insights.site import Site, TheSite
from pharos.insights.tables import Column, Table, fixed, table
from pharos.insights.transcripts import Player
from pharos.insights.video_charts import coverage_chart, timeline_chart
from pharos.insights.video_counts import DROP, PEAK, SKIPPED, Moment, Video, covered, moments_of, videos_of
from pharos.insights.video_lists import video_path
from pharos.insights.video_watching import Said

router = APIRouter()
COURSE = "/courses/{course_id:course_page}"
PAGE_SIZE = 30
KINDS = {
    PEAK: (noop("Peak"), noop("Watched again")),
    DROP: (noop("Drop"), noop("Left here")),
    SKIPPED: (noop("Skipped"), noop("Skipped")),
}
"""Names of kinds of places: beside the seconds, and in the table of places. Later releases have others."""
COLUMNS = ("created", "num_users", "num_views", "segment")


@dataclass(frozen=True)
class Place:
    """The place of a video: the pages above it, and all videos of the course in its order."""

    report: Report
    trail: tuple[Link, ...]
    beside: Sequence[tuple[str, str]]
    """The id that players write, and the address of its page."""


@dataclass(frozen=True, kw_only=True)
class VideoPage(ReportPage):
    """How was this video watched?"""

    template: ClassVar[str] = "video.html"
    findings: tuple[Markup, ...] = ()
    """What deserves a look, in words."""
    in_course: str
    """The video in the LMS; empty where its place is not known."""
    previous: str = ""
    next: str = ""
    coverage: Chart | None = None
    """Learners by the share that they covered."""
    places: Table | None = None
    """Peaks and drops."""
    parts: tuple[Said, ...] = ()
    """How it is watched, what comes next, week by week."""


@dataclass(frozen=True)
class LastRun:
    """The same video in the last run of the course."""

    run: str
    video: Video
    moments: Sequence[Moment]

    def viewers(self, start: int) -> int | None:
        """Viewers from this second on; None if the video of the last run is shorter."""
        index = start // self.video.segment_length
        return self.moments[index].viewers if index < len(self.moments) else None


@dataclass(frozen=True)
class _View:
    """The data of the page."""

    course: Course
    place: Place
    video: Video
    block_id: str
    name: str
    moments: Sequence[Moment]
    coverage: Sequence[Row]
    places: Sequence[Row]
    player: Player
    """What is said in it, and where to see it at a second."""
    last_run: LastRun | None
    findings: Sequence[findings.Row]
    watched: Container[str]
    """Videos of the course with viewers."""
    outline: Outline | None
    watching: Sequence[Row]
    weeks: Sequence[Row]
    last_day: date


@router.get(COURSE + "/engagement/videos/modules/{video_id:path}/timeline/")
async def video(
    request: Request, course: CourseInView, view: CoursesInView, site: TheSite, video_id: str
) -> Response:
    """How was this video watched? Apart from its section, as on the map of videos."""
    words: Language = request.state.language
    outline = await site.directory.outline(course.course_id)
    up = Link(course.path + navigation.VIDEO_MAP.path, words.text(navigation.VIDEO_MAP.label))
    beside = [
        (player, video_path(course, path[-1].id))
        for player, path in (outline.videos.items() if outline is not None else ())
    ]
    place = Place(navigation.VIDEO_MAP, (up,), beside)
    return await render_video(request, site, course, place, video_id, view.visible)


async def render_video(
    request: Request, site: Site, course: Course, place: Place, block_id: str, visible: Container[str]
) -> Response:
    """The page of a video, by its usage id or its id in players' events.

    Raises HTTPException 404 if nobody watched the video.
    """
    player = player_id(block_id)
    pipeline_id = f"{course.course_id}|{player}"
    (
        (rows, segments, coverage, places, found),
        (watching, weeks, last_day),
        (outline, earlier),
    ) = await asyncio.gather(
        asyncio.gather(
            site.api.videos(course.course_id),
            site.api.video_timeline(pipeline_id),
            site.api.coverage_of_video(pipeline_id),
            site.api.places_of_video(pipeline_id),
            site.api.findings(course.course_id),
        ),
        asyncio.gather(
            site.api.watching_of_video(pipeline_id),
            site.api.weeks_of_video(pipeline_id),
            site.api.last_day(),
        ),
        asyncio.gather(
            site.directory.outline(course.course_id), site.directory.earlier_runs(course, visible)
        ),
    )
    watched = videos_of(rows)
    shown = watched.get(player)
    if shown is None:
        raise HTTPException(404)
    path = outline.videos.get(player) if outline is not None else None
    places = [row for row in places if row["kind"] in KINDS]
    view = _View(
        course=course,
        place=place,
        video=shown,
        block_id=path[-1].id if path else "",
        name=path[-1].name if path else player,
        moments=moments_of(segments, shown),
        coverage=coverage,
        places=places,
        player=(
            await site.directory.player(path[-1].id, request.state.language.code)
            if path and places
            else Player()
        ),
        last_run=await _last_run(site, earlier[0], outline, player) if earlier else None,
        findings=findings.about(found, player),
        watched=watched,
        outline=outline,
        watching=watching,
        weeks=weeks,
        last_day=last_day,
    )
    return site.renderer.render(request, _page(request, site, view))


async def _last_run(site: Site, run: Course, outline: Outline | None, player: str) -> LastRun | None:
    """The video in the last run: of the same id, else at the same position; None if nobody watched it."""
    rows, theirs = await asyncio.gather(site.api.videos(run.course_id), site.directory.outline(run.course_id))
    watched = videos_of(rows)
    found = watched.get(player)
    if found is None and outline is not None and theirs is not None:
        found = watched.get(same_position(outline, theirs, player))
    if found is None:
        return None
    segments = await site.api.video_timeline(f"{run.course_id}|{found.video_id}")
    return LastRun(run.run, found, moments_of(segments, found))


def same_position(outline: Outline, earlier: Outline, player: str) -> str:
    """The video at the same position (section, subsection, video); empty if there is none."""
    places = _positions(outline)
    there = {place: other for other, place in _positions(earlier).items()}
    return there.get(places.get(player, (-1, -1, -1)), "")


def _positions(outline: Outline) -> Mapping[str, tuple[int, int, int]]:
    return {
        player_id(block.id): (s, g, n)
        for s, section in enumerate(outline.video_sections)
        for g, group in enumerate(section.subsections)
        for n, block in enumerate(group.leaves)
    }


def _page(request: Request, site: Site, view: _View) -> VideoPage:
    words: Language = request.state.language
    video, course = view.video, view.course
    names = about(request, view.place.report)
    names["title"] = words.text("Engagement Videos: %(name)s", name=view.name)
    names["question"] = words.text("How was this video watched?")
    beside = [(player, address) for player, address in view.place.beside if player in view.watched]
    at = next((n for n, (player, _) in enumerate(beside) if player == video.video_id), -1)
    file = f"engagement/videos/{in_path(f'{course.course_id}|{video.video_id}')}/"
    earlier = view.last_run.moments if view.last_run is not None else None
    return VideoPage(
        **names,
        trail=(*view.place.trail, Link("", view.name, current=True)),
        answer=sentence(words, video, view.places),
        findings=tuple(findings.sentence(words, row) for row in view.findings),
        in_course=(
            f"{site.lms_url}/courses/{in_path(course.course_id)}/jump_to/{in_path(view.block_id)}"
            if view.block_id
            else ""
        ),
        previous=beside[at - 1][1] if at > 0 else "",
        next=beside[at + 1][1] if 0 <= at < len(beside) - 1 else "",
        figures_label=words.text("Video metrics"),
        figures=_figures(words, view),
        chart=timeline_chart(words, course, view.name, video, view.moments, view.places, earlier),
        coverage=coverage_chart(words, course, view.coverage) if view.coverage else None,
        table=_table(request, words, view),
        places=_places_table(words, view.places, view.player) if view.places else None,
        parts=_parts(words, view),
        csv=f"{course.path}csv/{file}",
        xlsx=f"{course.path}xlsx/{file}",
    )


def _parts(words: Language, view: _View) -> tuple[Said, ...]:
    outline, addresses = view.outline, dict(view.place.beside)
    blocks = video_watching.names(
        {player: path[-1].name for player, path in outline.videos.items()} if outline is not None else {},
        {key: path[-1].name for key, path in outline.problems.items()} if outline is not None else {},
        lambda player: addresses.get(player, "") if player in view.watched else "",
    )
    found = (
        video_watching.ways(words, view.watching, covered(view.coverage, 0)),
        video_watching.following(words, view.watching, blocks),
        video_watching.weekly(words, view.weeks, view.last_day),
    )
    return tuple(part for part in found if part is not None)


# --- Words


def sentence(words: Language, video: Video, places: Sequence[Row]) -> Markup:
    """The share of viewers who reached the end; the largest drop, peak and skipped opening."""
    said = [_reached(words, video)]
    if drop := largest(places, DROP):
        said.append(_left(words, drop))
    if peak := largest(places, PEAK):
        said.append(_again(words, peak))
    if opening := largest(places, SKIPPED):
        said.append(_skipped(words, opening))
    return words.sentences(*said)


def largest(places: Sequence[Row], kind: str) -> Row | None:
    """The place of this kind with the most learners; the first of equal ones."""
    found = [row for row in places if row["kind"] == kind]
    return max(found, key=lambda row: (row["learners"], -row["start_second"]), default=None)


def _reached(words: Language, video: Video) -> Markup:
    """The share of viewers at the start who reached the end. More may reach the end, as learners skip
    beginnings.
    """
    if video.finished > video.started:
        return words.htmls(
            "<strong>%(n)s learner</strong> reached the end, more than watched the start (%(started)s).",
            "<strong>%(n)s learners</strong> reached the end, more than watched the start (%(started)s).",
            video.finished,
            started=words.number(video.started),
        )
    return words.htmls(
        "<strong>%(share)s</strong> of %(n)s learner who watched the start reached the end.",
        "<strong>%(share)s</strong> of %(n)s learners who watched the start reached the end.",
        video.started,
        share=words.percent(video.viewers.share),
    )


def _left(words: Language, place: Row) -> Markup:
    return words.htmls(
        "%(learners)s of %(n)s learner leave between %(from)s and %(to)s.",
        "%(learners)s of %(n)s learners leave between %(from)s and %(to)s.",
        place["of_learners"],
        **findings.span(words, place),
    )


def _again(words: Language, place: Row) -> Markup:
    return words.htmls(
        "%(learners)s of %(n)s learner watch %(from)s–%(to)s more than once.",
        "%(learners)s of %(n)s learners watch %(from)s–%(to)s more than once.",
        place["of_learners"],
        **findings.span(words, place),
    )


def _skipped(words: Language, place: Row) -> Markup:
    return words.htmls(
        "%(learners)s of %(n)s learner skip %(from)s–%(to)s.",
        "%(learners)s of %(n)s learners skip %(from)s–%(to)s.",
        place["of_learners"],
        **findings.span(words, place),
    )


def _figures(words: Language, view: _View) -> tuple[Figure, ...]:
    video, everybody = view.video, covered(view.coverage, 0)
    note = words.texts("of %(n)s at the start", "of %(n)s at the start", video.started)
    if video.finished > video.started:
        note = words.text("more at the end than at the start")
    if view.last_run is not None:
        note = words.text(
            "%(share)s in the last run (%(run)s)",
            share=words.percent(view.last_run.video.viewers.share),
            run=view.last_run.run,
        )
    found = [
        Figure(
            "watched_percent",
            words.text("Completion rate"),
            words.percent(video.viewers.share),
            note,
        ),
        Figure(
            "started",
            words.text("Started"),
            words.number(video.started),
            words.text("watched the first five seconds"),
        ),
        Figure(
            "finished",
            words.text("Finished"),
            words.number(video.finished),
            words.text("watched near the end"),
        ),
    ]
    if everybody:
        found.append(
            Figure(
                "covered",
                words.text("Covered at least 95%%"),
                words.number(covered(view.coverage)),
                words.texts("of %(n)s who watched any", "of %(n)s who watched any", everybody),
            )
        )
    return tuple(found)


# --- Tables


def _table(request: Request, words: Language, view: _View) -> Table:
    def time(moment: Moment) -> Markup:
        shown = words.video_time(moment.start)
        names = [
            name
            for row in view.places
            if row["start_second"] <= moment.start < row["end_second"]
            for name, _ in [KINDS[row["kind"]]]
        ]
        flags = (Markup(' <b class="flag">{}</b>').format(words.text(name)) for name in names)
        return shown + Markup("").join(flags)

    columns: list[Column[Moment]] = [
        Column("time", words.text("Time"), lambda m: m.start, time, numeric=False),
        Column(
            "viewers", words.text("Unique viewers"), lambda m: m.viewers, lambda m: words.number(m.viewers)
        ),
        Column("replays", words.text("Replays"), lambda m: m.replays, lambda m: words.number(m.replays)),
    ]
    last = view.last_run
    if last is not None:
        columns.append(
            Column(
                "last_run",
                words.text("Last run"),
                lambda m: last.viewers(m.start),
                lambda m: words.number(last.viewers(m.start)),
                quiet=True,
            )
        )
    return table(
        request,
        words.text("Viewers and replays"),
        columns,
        view.moments,
        sort="time",
        page_size=PAGE_SIZE,
        number=words.number,
    )


def _places_table(words: Language, places: Sequence[Row], player: Player) -> Table:
    def where(row: Row) -> Markup:
        """The seconds, as a link to that place of the video, above the words spoken there."""
        times = Markup("{}–{}").format(
            words.video_time(row["start_second"]), words.video_time(row["end_second"])
        )
        address = player.at(row["start_second"])
        link = Markup('<a href="{}" rel="noreferrer">{}</a>').format(address, times) if address else times
        said = player.said(row["start_second"], row["end_second"])
        return link + (Markup('<span class="sub"><bdi>{}</bdi></span>').format(said) if said else "")

    def kind(row: Row) -> str:
        _, name = KINDS[row["kind"]]
        return words.text(name)

    columns: list[Column[Row]] = [
        Column("time", words.text("Time"), lambda r: r["start_second"], where, numeric=False),
        Column("kind", words.text("Kind"), kind, kind, numeric=False),
        Column(
            "learners", words.text("Learners"), lambda r: r["learners"], lambda r: words.number(r["learners"])
        ),
        Column("of", words.text("Of"), lambda r: r["of_learners"], lambda r: words.number(r["of_learners"])),
        Column(
            "expected",
            words.text("Around it"),
            lambda r: r["expected"],
            lambda r: words.number(r["expected"]),
            optional=True,
            quiet=True,
            help=words.text(
                "Learners that the parts 20 to 60 seconds before and after let expect; 0 for openings."
            ),
        ),
    ]
    in_order = sorted(places, key=lambda row: (row["start_second"], row["kind"]))
    return fixed(words.text("Peaks and drops"), columns, in_order)


# --- Files


FILE = "engagement/videos/{video_id:path}/"


@router.get(f"{COURSE}/csv/{FILE}")
async def as_csv(request: Request, course: CourseInView, site: TheSite, video_id: str) -> Response:
    """Viewers and views of each part of the video as CSV."""
    return await _file(request, course, site, video_id, files.CSV)


@router.get(f"{COURSE}/xlsx/{FILE}")
async def as_xlsx(request: Request, course: CourseInView, site: TheSite, video_id: str) -> Response:
    """Viewers and views of each part of the video as a workbook."""
    return await _file(request, course, site, video_id, files.XLSX)


async def _file(request: Request, course: Course, site: Site, video_id: str, kind: str) -> Response:
    """A file of all watched parts (spec 06 §10). Raises HTTPException 404 if there are none."""
    words: Language = request.state.language
    of_course, _, player = video_id.partition("|")
    rows = await site.api.video_timeline(video_id) if of_course == course.course_id else []
    if not rows:
        raise HTTPException(404)
    sheet = Sheet(
        "-".join((*course.parts, "")) + "-engagement-video-timeline",
        COLUMNS,
        rows,
        request.state.definitions.get("video_timeline"),
        [*files.about_course(words, course), (words.text("Video"), player)],
    )
    return await files.response(words, sheet, kind)
