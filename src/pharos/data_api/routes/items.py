"""Quality of problem parts as questions, and findings. Pharos only: the original has no such addresses."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, cast

import sqlalchemy as sa
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import Caller, CourseID
from pharos.data_api.reading import OfEdition, Reading
from pharos.data_api.routes.enrollment import Course, Created
from pharos.data_api.routes.problems import Module, ProblemID
from pharos.data_api.routing import Subject
from pharos.data_api.times import compact
from pharos.result_store import tables
from pharos.result_store.column_types import equal

subject = Subject("Items")

Variant = Annotated[int | None, Field(description="Seed; null: all variants together.")]
Share = Annotated[float | None, Field(description="0 to 1; null: fewer than 10 learners.")]


class Item(TypedDict):
    course_id: Course
    module_id: Module
    part_id: str
    variant: Variant
    problem_display_name: str | None
    question_text: str | None
    response_type: str | None
    variants: Annotated[int, Field(description="Seeds that were answered; 0: not randomised.")]
    seen: Annotated[int | None, Field(description="Learners who saw the problem, if the LMS tells.")]
    tried: Annotated[int, Field(description="Learners who submitted an answer.")]
    right_first: Annotated[int, Field(description="Learners whose first answer is right.")]
    right_last: Annotated[int, Field(description="Learners whose last answer is right.")]
    attempts: Annotated[int, Field(description="Submissions of all these learners.")]
    attempts_mean: float | None
    attempts_median: float | None
    attempts_p90: float | None
    difficulty: Annotated[float | None, Field(description="Share whose first answer is not right.")]
    discrimination: Annotated[float | None, Field(description="Null: fewer than 20 learners.")]
    discrimination_low: Annotated[float | None, Field(description="Of an interval that holds 95 %.")]
    discrimination_high: float | None
    discrimination_learners: Annotated[int, Field(description="Learners with a score elsewhere.")]
    strong_learners: int
    strong_right: int
    weak_learners: int
    weak_right: int
    shown_answer: Annotated[int | None, Field(description="Learners who saw the problem's answer.")]
    hinted: Annotated[int | None, Field(description="Learners who asked for a hint.")]
    changed_at: Annotated[str | None, Field(description="When the last edit shows first, UTC.")]
    tried_since: int | None
    right_first_since: int | None
    created: Created


class ItemAnswer(TypedDict):
    course_id: Course
    module_id: Module
    part_id: str
    variant: Variant
    place: Annotated[int, Field(description="1 for the most frequent; 51 for all others together.")]
    answers: Annotated[int, Field(description="Distinct answers in the row.")]
    value_id: Annotated[str | None, Field(description="Id of the choice; null for typed answers.")]
    answer_value: Annotated[str | None, Field(description="The answer as text, cut to 255 characters.")]
    is_correct: bool | None
    first_count: Annotated[int, Field(description="Learners whose first answer it is.")]
    last_count: Annotated[int, Field(description="Learners whose last answer it is.")]
    strong_count: int
    weak_count: int
    strong_share: Share
    weak_share: Share
    first_seen: Annotated[str, Field(description="When it was submitted first, UTC.")]
    created: Created


class Finding(TypedDict):
    course_id: Course
    rank: Annotated[int, Field(description="1 is to be looked at first.")]
    kind: Annotated[str, Field(description="The rule that found it; further kinds may come.")]
    subject: Annotated[
        str, Field(description="Usage id of the block that it is about; of a video, as players write it.")
    ]
    part_id: Annotated[str, Field(description="Input of the problem; empty: all of the block.")]
    variant: Annotated[int | None, Field(description="Seed, if it is about one.")]
    answer: Annotated[str | None, Field(description="The answer that it is about, if it is.")]
    learners: Annotated[int, Field(description="Learners that it stands on.")]
    confidence: Annotated[str, Field(description="high, medium or low, by these learners.")]
    numbers: Annotated[dict[str, int], Field(description="The evidence, by name.")]
    created: Created


def _statement(table: sa.Table, names: Sequence[str], by: str, *order: str) -> OfEdition:
    """The columns of a table's rows with this value of `by`; nulls last."""
    places = [part for name in order for part in (table.c[name].is_(None), table.c[name])]
    return OfEdition(
        sa.select(*(table.c[name] for name in names))
        .where(equal(table.c[by], sa.bindparam(by)))
        .order_by(*places)
    )


_PART = ("module_id", "part_id", "variant")
ITEMS = _statement(tables.item_quality, tuple(Item.__annotations__), "course_id", *_PART)
ANSWERS = _statement(
    tables.item_answer, tuple(ItemAnswer.__annotations__), "module_id", "course_id", *_PART, "place"
)
FINDINGS = _statement(tables.finding, tuple(Finding.__annotations__), "course_id", "rank")


@subject.get(
    "courses/{course_id:course}/item_quality/",
    reads=[tables.item_quality],
    file_name="item-quality",
    versions=("v1",),
    one_statement=True,
)
def item_quality(course_id: CourseID, store: Reading) -> list[Item]:
    """How good each part of the course's problems is as a question, by problem, part and variant."""
    return [cast("Item", _told(row)) for row in store.rows(ITEMS, {"course_id": course_id})]


@subject.get(
    "problems/{problem_id:path}/item_answers/",
    reads=[tables.item_answer],
    versions=("v1",),
    one_statement=True,
)
def item_answers(problem_id: ProblemID, caller: Caller, store: Reading) -> list[ItemAnswer]:
    """The answers to each part of the problem, and how many strong and weak learners gave them."""
    rows = store.rows(ANSWERS, {"module_id": problem_id})
    return [cast("ItemAnswer", _told(row)) for row in rows if caller.may_read(row["course_id"])]


@subject.get(
    "courses/{course_id:course}/findings/",
    reads=[tables.finding],
    file_name="findings",
    versions=("v1",),
    one_statement=True,
)
def findings(course_id: CourseID, store: Reading) -> list[Finding]:
    """What to look at in the course, most urgent first."""
    rows = store.rows(FINDINGS, {"course_id": course_id})
    return [cast("Finding", _told(row) | {"numbers": json.loads(row["numbers"])}) for row in rows]


def _told(row: sa.RowMapping) -> dict[str, Any]:
    return {name: compact(value) if isinstance(value, datetime) else value for name, value in row.items()}
