"""Turns the LMS's answers about courses into rows and merges them with earlier rows. Pure functions.

Names are never lost: courses and blocks that the LMS no longer has stay, marked as deleted.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pharos.lms.outline import outline
from pharos.lms.rest import AssignmentType, CourseDetails
from pharos.lms.tables import ANSWERS

_NAMED = 3  # items that a text names


@dataclass
class CourseAnswers:
    """The LMS's answers of one import. Tables are kept by course, so that only one outline at a time is
    Python objects.
    """

    courses: list[CourseDetails] | None
    """All there are; None: not known yet."""
    blocks: dict[str, pa.Table] = field(default_factory=dict)
    policies: dict[str, pa.Table] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    """Courses of which everything was read."""
    deleted: set[str] = field(default_factory=set)
    problems: dict[str, str] = field(default_factory=dict)
    """Why a course could not be read."""

    def listed(self) -> list[str]:
        """Ids of all courses, each once."""
        return list(dict.fromkeys(course.course_id for course in self.courses or []))

    def fill(self, trees: Iterable[tuple[str, dict[str, Any]]], known: Container[str]) -> None:
        """Use the outlines of the LMS's database for courses without any other known outline."""
        listed = set(self.listed())
        for course_id, tree in trees:
            if course_id in listed and course_id not in self.blocks and course_id not in known:
                self.blocks[course_id] = outline_rows(course_id, tree)

    def has_news(self, courses: pa.Table) -> bool:
        """True if anything besides the list of courses may have changed; `courses` is the last list."""
        there = courses.filter(pc.invert(courses["is_deleted"]))["course_id"].to_pylist()
        return bool(self.blocks or self.deleted or self.problems or set(there) - set(self.listed()))

    def course_list(self, known: pa.Table) -> pa.Table:
        """Rows of `course_list`; `known` are the rows of the last import, here and below."""
        listed = _table(
            "course_list",
            (
                {
                    "course_id": course.course_id,
                    "name": course.name,
                    "org": course.org,
                    "number": course.number,
                    "short_description": course.short_description,
                    "start_date": _naive(course.start),
                    "end_date": _naive(course.end),
                    "enrollment_start": _naive(course.enrollment_start),
                    "enrollment_end": _naive(course.enrollment_end),
                    "pacing": course.pacing,
                    "is_deleted": course.course_id in self.deleted,
                }
                for course in {course.course_id: course for course in self.courses or []}.values()
            ),
        )
        gone = _without(known, "course_id", listed["course_id"])
        return pa.concat_tables([listed, _marked_deleted(gone)]).sort_by("course_id")

    def course_blocks(self, known: pa.Table) -> pa.Table:
        """Rows of `course_blocks`: new ones; rows of courses without a new answer are kept unchanged."""
        fresh = pa.concat_tables([ANSWERS["course_blocks"].schema.empty_table(), *self.blocks.values()])
        others = _without(known, "block_id", fresh["block_id"])
        unsaid = set(self.listed()) - self.blocks.keys() - self.deleted
        is_kept = pc.is_in(others["course_id"], pa.array(unsaid, pa.string()))
        kept, gone = others.filter(is_kept), others.filter(pc.invert(is_kept))
        order = [("course_id", "ascending"), ("sort_idx", "ascending"), ("block_id", "ascending")]
        return pa.concat_tables([fresh, kept, _marked_deleted(gone)]).sort_by(order)

    def grading_policy(self, known: pa.Table) -> pa.Table:
        """Rows of `grading_policy`."""
        fresh = pa.concat_tables([ANSWERS["grading_policy"].schema.empty_table(), *self.policies.values()])
        kept = _without(known, "course_id", pa.array(self.policies, pa.string()))
        return pa.concat_tables([fresh, kept]).sort_by([("course_id", "ascending"), ("number", "ascending")])

    def course_reading(
        self, known: pa.Table, published: Mapping[str, datetime], started: datetime
    ) -> pa.Table:
        """Rows of `course_reading`: the readings of this import, and earlier readings of existing courses."""
        fresh = _table(
            "course_reading",
            (
                {"course_id": course, "read_at": started, "published_at": published.get(course)}
                for course in self.read
            ),
        )
        kept = _without(known, "course_id", fresh["course_id"])
        there = set(self.listed()) - self.deleted
        kept = kept.filter(pc.is_in(kept["course_id"], pa.array(there, pa.string())))
        return pa.concat_tables([fresh, kept]).sort_by("course_id")


def outline_rows(course_id: str, answer: Mapping[str, Any]) -> pa.Table:
    """The block tree of a course as rows of `course_blocks`. Raises NoOutline, ValueError."""
    return _table("course_blocks", ({**asdict(b), "is_deleted": False} for b in outline(course_id, answer)))


def policy_rows(course_id: str, lines: Iterable[AssignmentType]) -> pa.Table:
    """The lines of a grading policy as rows of `grading_policy`."""
    return _table(
        "grading_policy",
        (
            {
                "course_id": course_id,
                "number": number,
                "assignment_type": line.name,
                "count": line.count,
                "dropped": line.dropped,
                "weight": line.weight,
            }
            for number, line in enumerate(lines, start=1)
        ),
    )


def _table(name: str, rows: Iterable[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), ANSWERS[name].schema)


def _without(rows: pa.Table, column: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return rows.filter(pc.invert(pc.is_in(rows[column], values)))


def _marked_deleted(rows: pa.Table) -> pa.Table:
    place = rows.column_names.index("is_deleted")
    marks = pa.array([True] * rows.num_rows, pa.bool_())
    return rows.set_column(place, rows.schema.field(place), marks)


def _naive(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=None) if moment else None


def named(items: list[str]) -> str:
    """The first few names, and the number of further ones."""
    return "; ".join(items[:_NAMED] + ([f"and {len(items) - _NAMED} more"] if len(items) > _NAMED else []))
