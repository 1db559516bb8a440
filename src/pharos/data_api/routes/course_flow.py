"""Learners' way through a course, by place. Pharos only: the original has no such address."""

from typing import Annotated, cast

import sqlalchemy as sa
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import CourseID
from pharos.data_api.reading import OfEdition, Reading
from pharos.data_api.routes.enrollment import Course, Created
from pharos.data_api.routing import Subject
from pharos.data_api.times import compact
from pharos.result_store import tables
from pharos.result_store.column_types import equal

subject = Subject("Course flow")


class FlowPlace(TypedDict):
    course_id: Course
    level: Annotated[str, Field(description="course, section, subsection or unit.", examples=["section"])]
    block_id: Annotated[str, Field(description="Usage id of the place.")]
    parent_block_id: Annotated[str | None, Field(description="Of the place that holds it.")]
    display_name: str
    place: Annotated[int, Field(description="Place in the order of the course.")]
    is_deleted: Annotated[bool, Field(description="No longer in the outline.")]
    reached: Annotated[int, Field(description="Learners who reached it.")]
    completed: Annotated[int | None, Field(description="Learners who completed it; null: not known.")]
    tried: Annotated[int, Field(description="Learners who tried a problem in it.")]
    watched: Annotated[int, Field(description="Learners who watched a video in it.")]
    stopped: Annotated[int, Field(description="Learners who stop here: last visit, not active any more.")]
    next_block_id: Annotated[str | None, Field(description="Subsection that most learners visited next.")]
    next_learners: Annotated[int | None, Field(description="Learners who did.")]
    created: Created


_flow = tables.course_flow
FLOW = OfEdition(
    sa.select(*(_flow.c[name] for name in FlowPlace.__annotations__))
    .where(equal(_flow.c.course_id, sa.bindparam("course_id")))
    .order_by(_flow.c.place, _flow.c.block_id, _flow.c.level)
)


@subject.get(
    "courses/{course_id:course}/course_flow/",
    reads=[_flow],
    file_name="course-flow",
    versions=("v1",),
    one_statement=True,
)
def course_flow(course_id: CourseID, store: Reading) -> list[FlowPlace]:
    """How many learners reached, completed and tried each section, subsection and unit, and stop in it."""
    rows = store.rows(FLOW, {"course_id": course_id})
    return [cast("FlowPlace", {**row, "created": compact(row["created"])}) for row in rows]
