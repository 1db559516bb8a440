"""What the LMS's REST APIs say about courses, as snapshots beside those of its database.

Names are never lost: a course or block that the LMS no longer has stays, marked as deleted, and what could
not be read this time stays as it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.compute as pc

from pharos.config import LMS
from pharos.engine import Engine
from pharos.lake import lms_tables, snapshots
from pharos.lake.lake import Lake
from pharos.lake.snapshots import TableState
from pharos.lms.errors import LMSError, LMSUnreachable, NotInLMS
from pharos.lms.oauth import base_url
from pharos.lms.outline import outline
from pharos.lms.rest import AssignmentType, CourseDetails, LMSClient
from pharos.lms.tables import ANSWERS

COURSES = ("course_list", "course_blocks", "grading_policy")
FRESH = timedelta(hours=6)  # block trees are dear to an LMS; a run asks again when they are older
PATIENCE_S = 120.0  # for one answer
LONGEST_S = 1800.0  # for all
_NAMED = 3  # courses that a problem names

Report = Callable[[int, int], None]


@dataclass
class _Answers:
    """What the LMS said. Tables are by course, so that never more than one outline is Python objects."""

    courses: list[CourseDetails] = field(default_factory=list)
    blocks: dict[str, pa.Table] = field(default_factory=dict)
    policies: dict[str, pa.Table] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    problems: dict[str, str] = field(default_factory=dict)  # course -> why it could not be read


def import_courses(
    lake: Lake,
    engine: Engine,
    lms: LMS,
    report: Report = lambda _done, _total: None,
    *,
    fresh: timedelta = FRESH,
) -> list[TableState]:
    """Bring courses, outlines and grading policies up to date; the lake must be locked.

    Nothing is asked while what is there is younger than `fresh`. Never raises for what is wrong with the LMS:
    each table's state says so.
    """
    started = snapshots.now()
    before = [snapshots.state(lake, table) for table in COURSES]
    if all(table.is_newer(started - fresh) for table in before):
        return before
    try:
        answers = asyncio.run(_ask(lms, report))
    except LMSError as error:
        return [snapshots.failed(lake, table, str(error)) for table in COURSES]
    known = snapshots.rows(lake, "course_list")
    if not answers.courses and known.num_rows:
        empty = f"{base_url(lms)}: lists no course any more; check what the service account may see"
        return [snapshots.failed(lake, table, empty) for table in COURSES]
    problem = _problem(answers.problems)
    source = base_url(lms)
    new = {
        "course_list": _course_list(answers, known),
        "course_blocks": _course_blocks(answers, snapshots.rows(lake, "course_blocks")),
        "grading_policy": _grading_policy(answers, snapshots.rows(lake, "grading_policy")),
    }
    remark = _remark(new["course_list"])
    return [
        lms_tables.replace(lake, engine, table, rows, source, started, remark=remark)
        if table == "course_list"
        else lms_tables.replace(lake, engine, table, rows, source, started, problem=problem)
        for table, rows in new.items()
    ]


async def _ask(lms: LMS, report: Report) -> _Answers:
    """All courses, and of each its outline and policy. Raises LMSError when there is not even a list."""
    answers = _Answers()
    async with httpx.AsyncClient(timeout=lms.timeout_s) as http:
        client = LMSClient(lms, http, PATIENCE_S)
        answers.courses = await client.courses()
        done = 0

        async def ask(course_id: str) -> None:
            nonlocal done
            await _ask_course(client, course_id, answers)
            done += 1
            report(done, len(answers.courses))

        try:
            async with asyncio.timeout(LONGEST_S), asyncio.TaskGroup() as group:
                for course in answers.courses:
                    group.create_task(ask(course.course_id))
        except TimeoutError:
            for course in answers.courses:
                if course.course_id not in answers.blocks and course.course_id not in answers.deleted:
                    answers.problems.setdefault(course.course_id, f"not read within {LONGEST_S / 60:.0f} min")
    return answers


async def _ask_course(client: LMSClient, course_id: str, answers: _Answers) -> None:
    """A course that cannot be read is a problem of its own; the others go on."""
    try:
        blocks = outline(course_id, await client.blocks(course_id))
        answers.blocks[course_id] = _table(
            "course_blocks", ({**asdict(b), "is_deleted": False} for b in blocks)
        )
        answers.policies[course_id] = _policy(course_id, await client.grading_policy(course_id))
    except NotInLMS:
        answers.deleted.add(course_id)
    except (LMSError, ValueError, OverflowError) as error:  # or values that no column holds
        answers.problems[course_id] = error.reason if isinstance(error, LMSUnreachable) else str(error)


def _policy(course_id: str, lines: Iterable[AssignmentType]) -> pa.Table:
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


def _course_list(answers: _Answers, known: pa.Table) -> pa.Table:
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
                "is_deleted": course.course_id in answers.deleted,
            }
            for course in {course.course_id: course for course in answers.courses}.values()
        ),
    )
    gone = _without(known, "course_id", listed["course_id"])
    return pa.concat_tables([listed, _marked_deleted(gone)]).sort_by("course_id")


def _course_blocks(answers: _Answers, known: pa.Table) -> pa.Table:
    fresh = pa.concat_tables([ANSWERS["course_blocks"].schema.empty_table(), *answers.blocks.values()])
    others = _without(known, "block_id", fresh["block_id"])
    is_kept = pc.is_in(others["course_id"], pa.array(answers.problems, pa.string()))
    kept, gone = others.filter(is_kept), others.filter(pc.invert(is_kept))
    order = [("course_id", "ascending"), ("sort_idx", "ascending"), ("block_id", "ascending")]
    return pa.concat_tables([fresh, kept, _marked_deleted(gone)]).sort_by(order)


def _grading_policy(answers: _Answers, known: pa.Table) -> pa.Table:
    fresh = pa.concat_tables([ANSWERS["grading_policy"].schema.empty_table(), *answers.policies.values()])
    kept = _without(known, "course_id", pa.array(answers.policies, pa.string()))
    return pa.concat_tables([fresh, kept]).sort_by([("course_id", "ascending"), ("number", "ascending")])


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


def _problem(problems: dict[str, str]) -> str | None:
    if not problems:
        return None
    named = _named([f"{course}: {reason}" for course, reason in sorted(problems.items())])
    return f"{len(problems)} courses could not be read ({named})"


def _remark(courses: pa.Table) -> str | None:
    """Which courses the LMS does not have any more; they keep their names."""
    deleted = courses.filter(courses["is_deleted"])["course_id"].to_pylist()
    return f"{len(deleted)} courses are not in the LMS any more ({_named(deleted)})" if deleted else None


def _named(items: list[str]) -> str:
    """The first few, and how many more there are."""
    return "; ".join(items[:_NAMED] + ([f"and {len(items) - _NAMED} more"] if len(items) > _NAMED else []))
