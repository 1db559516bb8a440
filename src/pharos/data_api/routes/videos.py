"""Viewing of videos (spec 05 §5.11, §6.4); coverage and places are Pharos only."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, cast

import sqlalchemy as sa
from fastapi import Path
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import Caller, CourseID
from pharos.data_api.parameters import Range
from pharos.data_api.reading import OfEdition, Reading
from pharos.data_api.routes.enrollment import Created
from pharos.data_api.routing import Subject
from pharos.data_api.times import compact
from pharos.result_store import tables
from pharos.result_store.column_types import equal

subject = Subject("Videos")

VideoID = Annotated[str, Path(description="pipeline_video_id; `|` may be percent-encoded.")]


class Video(TypedDict):
    pipeline_video_id: Annotated[str, Field(description="Course id, `|`, encoded id of the video.")]
    encoded_module_id: Annotated[str, Field(description="Id of the video as players write it.")]
    duration: Annotated[int | None, Field(description="Seconds; -1: unknown.")]
    segment_length: Annotated[int | None, Field(description="Seconds in a segment.")]
    users_at_start: Annotated[int | None, Field(description="Distinct learners in the first segment.")]
    users_at_end: Annotated[int | None, Field(description="Distinct learners near the end.")]
    created: Created


class Segment(TypedDict):
    segment: Annotated[int | None, Field(description="Number of the segment, from 0.")]
    num_users: Annotated[int | None, Field(description="Distinct learners who watched any of it.")]
    num_views: Annotated[int | None, Field(description="Views.")]
    created: Created


class Coverage(TypedDict):
    pipeline_video_id: Annotated[str, Field(description="Course id, `|`, encoded id of the video.")]
    encoded_module_id: Annotated[str, Field(description="Id of the video as players write it.")]
    covered_percent: Annotated[int, Field(description="Least share in percent: 0, 10, … 90, 95.")]
    num_users: Annotated[int, Field(description="Distinct learners.")]
    created: Created


class Place(TypedDict):
    pipeline_video_id: Annotated[str, Field(description="Course id, `|`, encoded id of the video.")]
    encoded_module_id: Annotated[str, Field(description="Id of the video as players write it.")]
    kind: Annotated[str, Field(description="peak: watched again; drop: left; skipped: the opening.")]
    start_second: Annotated[int, Field(description="Second of the video where it starts.")]
    end_second: Annotated[int, Field(description="Second where it ends.")]
    learners: Annotated[int, Field(description="Who watch it again, leave in it, or skip it.")]
    of_learners: Annotated[int, Field(description="Who watch it, have not left before it, or watch later.")]
    expected: Annotated[int, Field(description="Learners that the parts around let expect.")]
    created: Created


class Week(TypedDict):
    pipeline_video_id: Annotated[str, Field(description="Course id, `|`, encoded id of the video.")]
    encoded_module_id: Annotated[str, Field(description="Id of the video as players write it.")]
    week: Annotated[str, Field(description="Monday of the week, which may not be complete yet.")]
    num_users: Annotated[int, Field(description="Distinct learners who watched the video.")]
    watched_seconds: Annotated[int, Field(description="Seconds of the video that they watched.")]
    created: Created


class Watching(TypedDict):
    pipeline_video_id: Annotated[str, Field(description="Course id, `|`, encoded id of the video.")]
    encoded_module_id: Annotated[str, Field(description="Id of the video as players write it.")]
    kind: Annotated[
        str, Field(description="speed, device, captions, track, next, next_video or next_problem.")
    ]
    value: Annotated[
        str,
        Field(
            description="The speed; mobile or browser; shown; the mode; video, problem or nothing; or the "
            "id of the block."
        ),
    ]
    num_users: Annotated[int, Field(description="Distinct learners.")]
    watched_seconds: Annotated[
        int | None, Field(description="Seconds that they watched so; null of captions and what comes next.")
    ]
    created: Created


_video, _segment = tables.video, tables.video_timeline
OF_COURSE = OfEdition(
    sa.select(*(_video.c[name] for name in Video.__annotations__))
    .where(equal(_video.c.course_id, sa.bindparam("course_id")))
    .order_by(_video.c.pipeline_video_id, _video.c.id)
)
OF_VIDEO = OfEdition(
    sa.select(*(_segment.c[name] for name in Segment.__annotations__))
    .where(equal(_segment.c.pipeline_video_id, sa.bindparam("video_id")))
    .order_by(_segment.c.segment, _segment.c.id)
)


@subject.get(
    "courses/{course_id:course}/videos/", reads=[tables.video], file_name="videos", one_statement=True
)
def videos(course_id: CourseID, store: Reading, days: Range) -> list[Video]:  # noqa: ARG001
    """The videos of the course with their viewers, by id. Dates have no effect."""
    return [cast("Video", _told(row)) for row in store.rows(OF_COURSE, {"course_id": course_id})]


@subject.get("videos/{video_id:path}/timeline/", reads=[tables.video_timeline], one_statement=True)
def video_timeline(video_id: VideoID, caller: Caller, store: Reading) -> list[Segment]:
    """Viewers and views of each segment of the video that anybody watched, first segment first."""
    if not caller.may_read(video_id.partition("|")[0]):
        return []
    rows = store.rows(OF_VIDEO, {"video_id": video_id})
    return [
        {
            "segment": row["segment"],
            "num_users": row["num_users"],
            "num_views": row["num_views"],
            "created": compact(row["created"]),
        }
        for row in rows
    ]


_coverage, _place = tables.video_coverage, tables.video_place
_week, _watching = tables.video_week, tables.video_watching


def _statement(table: sa.Table, names: Iterable[str], by: str, *order: str) -> OfEdition:
    """The columns of the rows of a course run (by="course_id") or of a video (by="pipeline_video_id")."""
    return OfEdition(
        sa.select(*(table.c[name] for name in names))
        .where(equal(table.c[by], sa.bindparam(by)))
        .order_by(table.c.pipeline_video_id, *(table.c[name] for name in order))
    )


_ID, _COURSE = "pipeline_video_id", "course_id"
COVERAGE_OF_COURSE = _statement(_coverage, Coverage.__annotations__, _COURSE, "covered_percent")
COVERAGE_OF_VIDEO = _statement(_coverage, Coverage.__annotations__, _ID, "covered_percent")
PLACES_OF_COURSE = _statement(_place, Place.__annotations__, _COURSE, "kind", "start_second")
PLACES_OF_VIDEO = _statement(_place, Place.__annotations__, _ID, "kind", "start_second")
WEEKS_OF_COURSE = _statement(_week, Week.__annotations__, _COURSE, "week")
WEEKS_OF_VIDEO = _statement(_week, Week.__annotations__, _ID, "week")
WATCHING_OF_COURSE = _statement(_watching, Watching.__annotations__, _COURSE, "kind", "value")
WATCHING_OF_VIDEO = _statement(_watching, Watching.__annotations__, _ID, "kind", "value")


@subject.get(
    "courses/{course_id:course}/video_coverage/",
    reads=[_coverage],
    file_name="video-coverage",
    versions=("v1",),
    one_statement=True,
)
def video_coverage(course_id: CourseID, store: Reading) -> list[Coverage]:
    """Learners of each video of the course by the share of it that they watched, by id, least share first."""
    rows = store.rows(COVERAGE_OF_COURSE, {_COURSE: course_id})
    return [cast("Coverage", _told(row)) for row in rows]


@subject.get("videos/{video_id:path}/coverage/", reads=[_coverage], versions=("v1",), one_statement=True)
def coverage_of_video(video_id: VideoID, caller: Caller, store: Reading) -> list[Coverage]:
    """Learners of the video by the share of it that they watched, least share first."""
    return [cast("Coverage", _told(row)) for row in _rows_of(COVERAGE_OF_VIDEO, video_id, caller, store)]


@subject.get(
    "courses/{course_id:course}/video_places/",
    reads=[_place],
    file_name="video-places",
    versions=("v1",),
    one_statement=True,
)
def video_places(course_id: CourseID, store: Reading) -> list[Place]:
    """Parts of the course's videos that learners watch again or leave in, more than in those around."""
    return [cast("Place", _told(row)) for row in store.rows(PLACES_OF_COURSE, {_COURSE: course_id})]


@subject.get("videos/{video_id:path}/places/", reads=[_place], versions=("v1",), one_statement=True)
def places_of_video(video_id: VideoID, caller: Caller, store: Reading) -> list[Place]:
    """Parts of the video that learners watch again or leave in, more than in those around."""
    return [cast("Place", _told(row)) for row in _rows_of(PLACES_OF_VIDEO, video_id, caller, store)]


@subject.get(
    "courses/{course_id:course}/video_weeks/",
    reads=[_week],
    file_name="video-weeks",
    versions=("v1",),
    one_statement=True,
)
def video_weeks(course_id: CourseID, store: Reading) -> list[Week]:
    """Learners of each video of the course by week, and how long they watched it; oldest week first."""
    return [_week_of(row) for row in store.rows(WEEKS_OF_COURSE, {_COURSE: course_id})]


@subject.get("videos/{video_id:path}/weeks/", reads=[_week], versions=("v1",), one_statement=True)
def weeks_of_video(video_id: VideoID, caller: Caller, store: Reading) -> list[Week]:
    """Learners of the video by week, and how long they watched it; oldest week first."""
    return [_week_of(row) for row in _rows_of(WEEKS_OF_VIDEO, video_id, caller, store)]


@subject.get(
    "courses/{course_id:course}/video_watching/",
    reads=[_watching],
    file_name="video-watching",
    versions=("v1",),
    one_statement=True,
)
def video_watching(course_id: CourseID, store: Reading) -> list[Watching]:
    """How the videos of the course are watched: speed, device, captions, track, and what comes next."""
    return [cast("Watching", _told(row)) for row in store.rows(WATCHING_OF_COURSE, {_COURSE: course_id})]


@subject.get("videos/{video_id:path}/watching/", reads=[_watching], versions=("v1",), one_statement=True)
def watching_of_video(video_id: VideoID, caller: Caller, store: Reading) -> list[Watching]:
    """How the video is watched: speed, device, captions, track, and what comes next."""
    return [cast("Watching", _told(row)) for row in _rows_of(WATCHING_OF_VIDEO, video_id, caller, store)]


def _rows_of(statement: OfEdition, video_id: str, caller: Caller, store: Reading) -> Sequence[sa.RowMapping]:
    """The rows of a video; none if the caller may not read its course run."""
    return store.rows(statement, {_ID: video_id}) if caller.may_read(video_id.partition("|")[0]) else []


def _told(row: sa.RowMapping) -> dict[str, Any]:
    return {**row, "created": compact(row["created"])}


def _week_of(row: sa.RowMapping) -> Week:
    return cast("Week", _told(row) | {"week": row["week"].isoformat()})
