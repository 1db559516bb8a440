"""Imports courses, outlines and grading policies as snapshots, like the tables of the LMS's database.

The database gives the list of course runs and the time when each was last published. The REST APIs, which are
slow and rate-limited, give the rest: units, components and grading policies of course runs that have changed.
Without the database the REST APIs give everything.

Names are never lost: a course or block that the LMS no longer has stays, marked as deleted, and a course that
could not be read this time keeps its earlier rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import pyarrow as pa

from pharos.config import LMS
from pharos.engine import Engine
from pharos.lake import lms_outlines, lms_tables, snapshots
from pharos.lake.course_answers import CourseAnswers, named, outline_rows, policy_rows
from pharos.lake.lake import Lake
from pharos.lake.snapshots import TableState
from pharos.lms.errors import LMSError, LMSUnreachable, NotInLMS
from pharos.lms.oauth import base_url
from pharos.lms.rest import AssignmentType, LMSClient

COURSES = ("course_list", "course_blocks", "grading_policy", "course_reading")
FRESH = timedelta(hours=6)  # block trees are dear to an LMS; a run asks again when they are older
READ_AGAIN = timedelta(days=7)  # also where nothing was published since
PATIENCE_S = 120.0  # for one answer
LONGEST_S = 1800.0  # for all
DATABASE = "the LMS's database"

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Plan:
    """The course runs to ask the REST APIs about, and their order."""

    read: Mapping[str, tuple[datetime, datetime | None]]
    """When a course run was read, and when what was read had been published."""
    published: Mapping[str, datetime]
    """When a course run was published last, as far as the database says so."""
    started: datetime
    fresh: timedelta

    def due(self, course_ids: Iterable[str]) -> list[str]:
        """Course runs that may have changed: first those never read, then those read longest ago."""
        due = [course_id for course_id in course_ids if self._is_due(course_id)]
        return sorted(
            due, key=lambda course_id: f"{self.read[course_id][0]}" if course_id in self.read else ""
        )

    def _is_due(self, course_id: str) -> bool:
        if course_id not in self.read:
            return True
        read_at, of = self.read[course_id]
        if course_id in self.published:
            return self.published[course_id] != of or self.started - read_at >= READ_AGAIN
        return self.started - read_at >= self.fresh


def import_courses(
    lake: Lake,
    engine: Engine,
    lms: LMS,
    report: OnProgress = lambda _done, _total: None,
    *,
    fresh: timedelta = FRESH,
    has_database: bool = False,
) -> list[TableState]:
    """Bring courses, outlines and grading policies up to date; the lake must be locked.

    `has_database`: the tables of the LMS's database have just been imported. Without it the LMS is not asked
    while the imported data is younger than `fresh`. Does not raise if the LMS fails: the state of each table
    has the problem.
    """
    started = snapshots.now()
    before = [snapshots.state(lake, table) for table in COURSES]
    answers = CourseAnswers(lms_outlines.courses(lake) if has_database else None)
    asks = bool(lms.url and lms.client_id)
    published = lms_outlines.published(lake) if has_database else {}
    plan = _Plan(_readings(lake), published, started, fresh)
    if answers.courses is None and (not asks or all(table.is_newer(started - fresh) for table in before)):
        return [table for table in before if table.attempted]
    problem = None
    if asks and (answers.courses is None or plan.due(answers.listed())):
        try:
            asyncio.run(_ask(lms, answers, plan, report))
        except LMSError as error:
            if answers.courses is None:
                return [snapshots.failed(lake, table, str(error)) for table in COURSES]
            problem = str(error)
    source = base_url(lms) if asks else DATABASE
    known = snapshots.rows(lake, "course_list")
    if not answers.courses and known.num_rows:
        empty = f"{source}: lists no course any more; check what the service account may see"
        return [snapshots.failed(lake, table, empty) for table in COURSES]
    if has_database:
        answers.fill(lms_outlines.outlines(lake), plan.read.keys())
    courses = answers.course_list(known)
    states = [lms_tables.replace(lake, engine, COURSES[0], courses, source, started, remark=_remark(courses))]
    if problem is not None and not answers.has_news(known):
        return states + [snapshots.failed(lake, table, problem) for table in COURSES[1:]]
    if not answers.has_news(known):
        return states + [state for state in before[1:] if state.attempted]
    new = {
        "course_blocks": answers.course_blocks(snapshots.rows(lake, "course_blocks")),
        "grading_policy": answers.grading_policy(snapshots.rows(lake, "grading_policy")),
        "course_reading": answers.course_reading(snapshots.rows(lake, "course_reading"), published, started),
    }
    problem = problem or _problem(answers.problems)
    return states + [
        lms_tables.replace(lake, engine, table, rows, source, started, problem=problem)
        for table, rows in new.items()
    ]


def _readings(lake: Lake) -> dict[str, tuple[datetime, datetime | None]]:
    rows = snapshots.rows(lake, "course_reading").to_pylist()
    return {row["course_id"]: (row["read_at"], row["published_at"]) for row in rows}


async def _ask(lms: LMS, answers: CourseAnswers, plan: _Plan, report: OnProgress) -> None:
    """Ask for outline and policy of each course that may have changed.

    Also asks for the list of courses if it is unknown. Raises LMSError if the LMS does not answer at all.
    """
    async with httpx.AsyncClient(timeout=lms.timeout_s) as http:
        client = LMSClient(lms, http, PATIENCE_S)
        if answers.courses is None:
            answers.courses = await client.courses()
        else:
            await client.username()  # an LMS that is down is found out once, not with each course
        due, done = plan.due(answers.listed()), 0

        async def ask(course_id: str) -> None:
            nonlocal done
            await _ask_course(client, course_id, answers)
            done += 1
            report(done, len(due))

        try:
            async with asyncio.timeout(LONGEST_S), asyncio.TaskGroup() as group:
                for course_id in due:
                    group.create_task(ask(course_id))
        except TimeoutError:
            for course_id in due:
                if course_id not in answers.read and course_id not in answers.deleted:
                    answers.problems.setdefault(course_id, f"not read within {LONGEST_S / 60:.0f} min")


async def _ask_course(client: LMSClient, course_id: str, answers: CourseAnswers) -> None:
    """Read one course; if that fails, record its problem and let the other courses go on."""
    try:
        blocks = outline_rows(course_id, await client.blocks(course_id, with_videos=True))
        answers.blocks[course_id] = blocks
        answers.policies[course_id] = policy_rows(course_id, await _policy(client, course_id))
        answers.read.add(course_id)
    except NotInLMS:
        answers.deleted.add(course_id)
    except (LMSError, ValueError, OverflowError) as error:  # or values that no column holds
        answers.problems[course_id] = error.reason if isinstance(error, LMSUnreachable) else str(error)


async def _policy(client: LMSClient, course_id: str) -> list[AssignmentType]:
    try:
        return await client.grading_policy(course_id)
    except NotInLMS:  # though it has the course
        return []


def _problem(problems: dict[str, str]) -> str | None:
    if not problems:
        return None
    reasons = named([f"{course}: {reason}" for course, reason in sorted(problems.items())])
    return f"{len(problems)} courses could not be read ({reasons})"


def _remark(courses: pa.Table) -> str | None:
    """A remark that names the courses the LMS no longer has; None if there are none."""
    deleted = courses.filter(courses["is_deleted"])["course_id"].to_pylist()
    return f"{len(deleted)} courses are not in the LMS any more ({named(deleted)})" if deleted else None
