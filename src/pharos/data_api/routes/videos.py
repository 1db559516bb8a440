"""How videos were watched (spec 05 §5.11, §6.4)."""

from typing import Annotated, cast

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
    rows = store.rows(OF_COURSE, {"course_id": course_id})
    return [cast("Video", {**row, "created": compact(row["created"])}) for row in rows]


@subject.get("videos/{video_id:path}/timeline/", reads=[tables.video_timeline], one_statement=True)
def video_timeline(
    video_id: Annotated[str, Path(description="pipeline_video_id; `|` may be percent-encoded.")],
    caller: Caller,
    store: Reading,
) -> list[Segment]:
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
