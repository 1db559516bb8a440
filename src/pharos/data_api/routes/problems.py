"""Answers to problems (spec 05 §5.9-5.10, §6.1-6.3)."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Annotated, Any, NotRequired, cast

import sqlalchemy as sa
from fastapi import Path
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import Caller, CourseID
from pharos.data_api.answer_texts import shown
from pharos.data_api.parameters import Range
from pharos.data_api.reading import OfEdition, Reading
from pharos.data_api.routes.enrollment import Course, Created
from pharos.data_api.routing import Subject
from pharos.data_api.times import compact
from pharos.result_store import tables
from pharos.result_store.column_types import equal

subject = Subject("Problems")

ProblemID = Annotated[
    str,
    Path(
        description="Usage id of the problem; `/` and `+` may be percent-encoded.",
        examples=["block-v1:edX+DemoX+Demo_Course+type@problem+block@p1"],
    ),
]
Module = Annotated[str, Field(description="Usage id.")]
Number = Annotated[float | None, Field(description="Points; whole numbers without a fraction.")]


class Problem(TypedDict):
    module_id: Module
    total_submissions: Annotated[int, Field(description="Learners who answered, per part on average.")]
    correct_submissions: Annotated[int, Field(description="Those whose last answer was right.")]
    part_ids: Annotated[list[str], Field(description="Inputs of the problem.")]
    created: Created


class TaggedProblem(TypedDict):
    module_id: Module
    total_submissions: int
    correct_submissions: int
    tags: Annotated[dict[str, list[str]], Field(description="Values by name of the tag.")]
    created: Created


class Answer(TypedDict):
    course_id: Course
    module_id: Module
    part_id: str
    correct: bool | None
    count: NotRequired[Annotated[int, Field(description="Only from tables of the oldest form.")]]
    first_response_count: NotRequired[
        Annotated[
            int | None,
            Field(description="Learners whose first answer it was; null where a history does not tell."),
        ]
    ]
    last_response_count: NotRequired[Annotated[int, Field(description="Learners whose last answer it was.")]]
    value_id: Annotated[str | None, Field(description="Id of the choice; null for typed answers.")]
    answer_value: Annotated[str | None, Field(description="The answer as text; lists as [a|b].")]
    problem_display_name: str | None
    question_text: str | None
    variant: Annotated[int | None, Field(description="Seed of a randomised problem.")]
    created: Created
    consolidated_variant: Annotated[bool, Field(description="Counts of several variants, added up.")]


class Grade(TypedDict):
    module_id: Module
    course_id: Course
    grade: Number
    max_grade: Number
    count: Annotated[int, Field(description="Learners.")]
    created: Created


class SubsectionOpened(TypedDict):
    module_id: Module
    course_id: Course
    count: Annotated[int, Field(description="Learners who opened it.")]
    created: Created


@subject.get(
    "courses/{course_id:course}/problems/",
    reads=[tables.answer_distribution],
    file_name="problems",
    one_statement=True,
)
def problems(course_id: CourseID, store: Reading, days: Range) -> list[Problem]:  # noqa: ARG001
    """Submissions of each problem of the course, and how many were right, by problem. Dates: no effect."""
    rows = store.tuples(_by_part(_counted(store)[-1].name), {"course_id": course_id})
    return [_problem(module_id, list(parts)) for module_id, parts in groupby(rows, key=itemgetter(0))]


@cache
def _by_part(counted: str) -> OfEdition:
    """Problem, part, answers, right ones, time of publication; by problem and part."""
    table = tables.answer_distribution
    last: sa.ColumnElement[Any] = sa.column(counted, sa.Integer)
    return OfEdition(
        sa.select(
            table.c.module_id,
            table.c.part_id,
            sa.func.sum(last),
            sa.func.sum(sa.case((table.c.correct, last), else_=0)),
            sa.func.max(table.c.created),
        )
        .where(equal(table.c.course_id, sa.bindparam("course_id")))
        .group_by(table.c.module_id, table.c.part_id)
        .order_by(table.c.module_id, table.c.part_id)
    )


def _problem(module_id: str, parts: Sequence[Sequence[Any]]) -> Problem:
    """The sums over the parts, divided by their number and cut to whole numbers."""
    _, ids, totals, rights, created = zip(*parts, strict=True)
    return {
        "module_id": module_id,
        "total_submissions": int(sum(total or 0 for total in totals) / len(parts)),
        "correct_submissions": int(sum(right or 0 for right in rights) / len(parts)),
        "part_ids": list(ids),
        "created": compact(max(created)),
    }


@subject.get(
    "courses/{course_id:course}/problems_and_tags/",
    reads=[tables.tags_distribution],
    file_name="problems-and-tags",
    one_statement=True,
)
def problems_and_tags(course_id: CourseID, store: Reading, days: Range) -> list[TaggedProblem]:  # noqa: ARG001
    """Submissions of each tagged problem of the course, with its tags, by problem. Dates have no effect."""
    rows = store.rows(TAGGED, {"course_id": course_id})
    return [
        _tagged(module_id, list(group))
        for module_id, group in groupby(rows, key=lambda row: str(row["module_id"]))
    ]


OF_TAGS = ("module_id", "tag_name", "tag_value", "total_submissions", "correct_submissions", "created")
TAGGED = OfEdition(
    sa.select(*(tables.tags_distribution.c[name] for name in OF_TAGS))
    .where(equal(tables.tags_distribution.c.course_id, sa.bindparam("course_id")))
    .order_by(tables.tags_distribution.c.module_id, tables.tags_distribution.c.id)
)


def _tagged(module_id: str, rows: Sequence[sa.RowMapping]) -> TaggedProblem:
    tags: dict[str, list[str]] = {}
    for row in rows:
        tags.setdefault(row["tag_name"], []).append(row["tag_value"])
    return {
        "module_id": module_id,
        "total_submissions": rows[0]["total_submissions"],
        "correct_submissions": rows[0]["correct_submissions"],
        "tags": {name: sorted(tags[name]) for name in sorted(tags)},
        "created": compact(max(row["created"] for row in rows)),
    }


@subject.get(
    "problems/{problem_id:path}/answer_distribution/", reads=[tables.answer_distribution], one_statement=True
)
def answer_distribution(problem_id: ProblemID, caller: Caller, store: Reading) -> list[Answer]:
    """Every distinct answer to each part of the problem and how many learners gave it, by part.

    If a part was recorded as randomised but all variants ask and accept the same, its variants are added up.
    """
    names = tuple(column.name for column in _counted(store))
    rows = store.rows(_answers(names), {"module_id": problem_id})
    if store.is_published(tables.answer_distribution):
        rows = sorted(rows, key=_place)
    visible = [row for row in rows if caller.may_read(row["course_id"])]
    return [
        answer
        for _, part in groupby(visible, key=lambda row: row["part_id"])
        for answer in _consolidated(list(part), names)
    ]


@cache
def _answers(counts: tuple[str, ...]) -> OfEdition:
    table = tables.answer_distribution
    return OfEdition(
        sa.select(*(table.c[name] for name in OF_ANSWERS), *(sa.column(name, sa.Integer) for name in counts))
        .select_from(table)
        .where(equal(table.c.module_id, sa.bindparam("module_id")))
        .order_by(table.c.part_id, table.c.id)
    )


def _place(row: sa.RowMapping) -> list[Any]:
    """The order of the answers of a problem, nulls last; the table has no key."""
    return [(row[name] is None, row[name]) for name in IN_ORDER]


IN_ORDER = (
    *("part_id", "value_id", "answer_value_text", "variant", "correct"),
    *("question_text", "problem_display_name", "course_id"),
)
OF_ANSWERS = (
    *("course_id", "module_id", "part_id", "correct", "value_id", "answer_value_text"),
    *("problem_display_name", "question_text", "variant", "created"),
)


def _consolidated(part: Sequence[sa.RowMapping], counts: Sequence[str]) -> Iterable[Answer]:
    """The answers of a part; answers with the same value are added up if no value has two meanings."""
    by_value: dict[str | None, list[sa.RowMapping]] = {}
    for row in part:
        by_value.setdefault(row["value_id"], []).append(row)
    told_apart = any(len({_meaning(row) for row in rows}) > 1 for rows in by_value.values())
    groups = [[row] for row in part] if told_apart else list(by_value.values())
    return [_answer(rows, counts) for rows in groups]


def _meaning(row: sa.RowMapping) -> tuple[Any, ...]:
    return row["question_text"], row["answer_value_text"], row["problem_display_name"], row["correct"]


def _answer(rows: Sequence[sa.RowMapping], counts: Sequence[str]) -> Answer:
    first, several = rows[0], len(rows) > 1
    answer = {
        "course_id": first["course_id"],
        "module_id": first["module_id"],
        "part_id": first["part_id"],
        "correct": first["correct"],
        **{name: _sum(row[name] for row in rows) for name in counts},
        "value_id": shown(first["value_id"]),
        "answer_value": shown(first["answer_value_text"]),
        "problem_display_name": first["problem_display_name"],
        "question_text": first["question_text"],
        "variant": None if several else first["variant"],
        "created": compact(first["created"]),
        "consolidated_variant": several,
    }
    return cast("Answer", answer)


def _sum(counts: Iterable[int | None]) -> int | None:
    """The sum; null if none is known, as the first answers of a history from a table of the oldest form."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _counted(store: Reading) -> list[sa.ColumnClause[Any]]:
    """The columns that count answers, last answers last; the oldest tables have only one, `count`."""
    table = tables.answer_distribution
    if store.has_column(table, "last_response_count"):
        return [table.c.first_response_count, table.c.last_response_count]
    return [sa.column("count", sa.Integer)]


_grades, _opened = tables.grade_distribution, tables.sequential_open_distribution
GRADES = OfEdition(
    sa.select(*(_grades.c[name] for name in Grade.__annotations__))
    .where(equal(_grades.c.module_id, sa.bindparam("module_id")))
    .order_by(
        _grades.c.max_grade.is_(None),
        _grades.c.max_grade,
        _grades.c.grade.is_(None),
        _grades.c.grade,
        _grades.c.course_id,
        _grades.c.id,
    )
)
OPENED = OfEdition(
    sa.select(*(_opened.c[name] for name in SubsectionOpened.__annotations__))
    .where(equal(_opened.c.module_id, sa.bindparam("module_id")))
    .order_by(_opened.c.course_id, _opened.c.id)
)


@subject.get("problems/{problem_id:path}/grade_distribution/", reads=[_grades], one_statement=True)
def grade_distribution(problem_id: ProblemID, caller: Caller, store: Reading) -> list[Grade]:
    """How many learners have each grade in the problem; by possible points, then points."""
    rows = store.rows(GRADES, {"module_id": problem_id})
    return [
        {
            "module_id": row["module_id"],
            "course_id": row["course_id"],
            "grade": _points(row["grade"]),
            "max_grade": _points(row["max_grade"]),
            "count": row["count"],
            "created": compact(row["created"]),
        }
        for row in rows
        if caller.may_read(row["course_id"])
    ]


def _points(value: float | None) -> float | None:
    return int(value) if value is not None and value == int(value) else value


@subject.get("problems/{problem_id:path}/sequential_open_distribution/", reads=[_opened], one_statement=True)
def sequential_open_distribution(
    problem_id: ProblemID, caller: Caller, store: Reading
) -> list[SubsectionOpened]:
    """How many learners have opened the subsection."""
    rows = store.rows(OPENED, {"module_id": problem_id})
    return [
        {
            "module_id": row["module_id"],
            "course_id": row["course_id"],
            "count": row["count"],
            "created": compact(row["created"]),
        }
        for row in rows
        if caller.may_read(row["course_id"])
    ]
