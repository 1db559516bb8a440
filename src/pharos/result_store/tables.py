"""The contract of the Result Store: its tables, their columns and what each number means.

Table and column names, types and indexes are the original's (spec 01 §5-6), so that its Data API server and
clients read our store unchanged. The pipeline checks its output against these tables, the Data API reads
through them, and `docs/metrics.md` and the "how is this counted" panels are made from the `Definition`s.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    func,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData()


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What a result table counts, in the words that code, API, documentation and pages all show."""

    title: str
    version: int  # raised whenever a change of the code changes numbers
    meaning: str  # one sentence
    formula: str
    edge_cases: tuple[str, ...]
    source: str  # what it is computed from
    spec: str  # where the rule is written down


def _result(
    name: str, definition: Definition, *columns: Column[object], key: tuple[str, ...], indexes: tuple[tuple[str, ...], ...]
) -> Table:
    """A result table in the original's form: `id` first, `created` last, plain indexes, plus a natural key."""
    return Table(
        name,
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="Row number; no meaning."),
        *columns,
        Column(
            "created", DateTime, server_default=func.now(), nullable=False, comment="When the row was published, UTC."
        ),
        UniqueConstraint(*key, name=f"uq_{name}"),
        *(Index(f"ix_{name}_{'_'.join(index)}", *index) for index in indexes),
        comment=definition.meaning,
        info={"definition": definition, "key": key},
    )


def _column(name: str, type_: TypeEngine[object], meaning: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, type_, nullable=nullable, comment=meaning)


def _course_id() -> Column[object]:
    return _column("course_id", String(255), "Course run, as written in the events.", nullable=False)


def _day() -> Column[object]:
    return _column("date", Date(), "UTC day.", nullable=False)


def _enrolled() -> Column[object]:
    return _column("count", Integer(), "Learners enrolled at the end of the day.")


def _ever_enrolled() -> Column[object]:
    return _column("cumulative_count", Integer(), "Learners with any enrollment event up to the end of the day.")


_ENROLLMENT_SOURCE = (
    "Events edx.course.enrollment.activated, .deactivated and .mode_changed in the tracking logs; "
    "course and learner are those of the payload."
)

course_enrollment_daily = _result(
    "course_enrollment_daily",
    Definition(
        title="Enrollment",
        version=1,
        meaning="Learners enrolled in each course run at the end of each UTC day.",
        formula=(
            "A learner is enrolled from an activation until the next deactivation. count = learners enrolled at "
            "the end of the day; cumulative_count = learners with any enrollment event up to then."
        ),
        edge_cases=(
            "Repeated activations or deactivations change nothing.",
            "A learner whose first event is a deactivation or a change of mode is not counted as enrolled before it.",
            "Events of equal time count in the order activated, deactivated, mode changed.",
            "Course teams and testers are counted like everybody else.",
            "A course has a row for every day from its first enrollment event; the last day may be a part of a day.",
        ),
        source=_ENROLLMENT_SOURCE,
        spec="01 §5.1-5.3",
    ),
    _course_id(),
    _day(),
    _enrolled(),
    _ever_enrolled(),
    key=("course_id", "date"),
    indexes=(("course_id",), ("course_id", "date")),
)

course_enrollment_mode_daily = _result(
    "course_enrollment_mode_daily",
    Definition(
        title="Enrollment by mode",
        version=1,
        meaning="Learners in each enrollment mode of a course run at the end of each UTC day.",
        formula=(
            "A learner's mode is that of the latest enrollment event up to the end of the day; each learner is in "
            "exactly one mode per day, so the modes add up to the enrollment of the course."
        ),
        edge_cases=(
            "The mode of a deactivation counts as well, as in the original.",
            "A learner who changes mode leaves the old mode's count and cumulative count.",
            "A mode nobody is in has no row for the day.",
        ),
        source=_ENROLLMENT_SOURCE,
        spec="01 §5.1-5.3",
    ),
    _day(),
    _course_id(),
    _column("mode", String(255), "Enrollment mode, e.g. audit, honor, verified.", nullable=False),
    _enrolled(),
    _ever_enrolled(),
    key=("course_id", "date", "mode"),
    indexes=(("course_id",), ("course_id", "date")),
)

course_meta_summary_enrollment = _result(
    "course_meta_summary_enrollment",
    Definition(
        title="Course summary",
        version=1,
        meaning="Current enrollment of each course run by mode, with its change over seven days.",
        formula=(
            "count and cumulative_count are those of the last day of enrollment by mode; count_change_7_days is "
            "count minus the count of the same mode seven days before, a missing row being 0."
        ),
        edge_cases=(
            "A mode that nobody is in on the last day has no row, so a drop to nothing does not show here.",
            "Titles, dates and availability are empty where no course catalog is read.",
        ),
        source="Enrollment by mode; the course catalog where there is one.",
        spec="01 §5.6",
    ),
    _course_id(),
    _column("catalog_course_title", String(255), "Title of the course."),
    _column("catalog_course", String(255), "Catalog key of the course the run belongs to."),
    _column("start_time", DateTime(), "Start of the run, UTC."),
    _column("end_time", DateTime(), "End of the run, UTC."),
    _column("pacing_type", String(255), "instructor_paced or self_paced."),
    _column("availability", String(255), "Current, Upcoming, Archived or Starting Soon."),
    _column("enrollment_mode", String(100), "Enrollment mode.", nullable=False),
    _column("count", Integer(), "Learners in the mode and enrolled at the end of the last day."),
    _column("count_change_7_days", Integer(), "count minus the count seven days before."),
    _column("cumulative_count", Integer(), "Learners in the mode at the end of the last day, enrolled or not."),
    _column("passing_users", Integer(), "Learners of the mode with a passing grade."),
    key=("course_id", "enrollment_mode"),
    indexes=(("course_id",),),
)

course_activity = _result(
    "course_activity",
    Definition(
        title="Weekly activity",
        version=1,
        meaning="Distinct learners active in each course run per ISO week, by kind of activity.",
        formula=(
            "ACTIVE: any event of a signed-in person in the course; PLAYED_VIDEO: play_video from browser or mobile "
            "app; ATTEMPTED_PROBLEM: problem_check from the server; POSTED_FORUM: a forum thread, response or "
            "comment created. Each learner counts once per week and kind."
        ),
        edge_cases=(
            "Weeks run from Monday 00:00 to Monday 00:00 UTC; only complete weeks are counted.",
            "Enrollment events and events of background tasks are no activity.",
            "The course is that of the event's context, else that of the address of the page.",
            "Course teams count like learners.",
            "A week without activity has no row.",
        ),
        source="All events of the tracking logs with a course and a person.",
        spec="01 §6",
    ),
    _course_id(),
    _column("interval_start", DateTime(), "Monday 00:00 UTC, first moment of the week.", nullable=False),
    _column("interval_end", DateTime(), "Monday 00:00 UTC after the week; not part of it.", nullable=False),
    _column(
        "label", String(255), "ACTIVE, ATTEMPTED_PROBLEM, PLAYED_VIDEO or POSTED_FORUM.", nullable=False
    ),
    _column("count", Integer(), "Distinct learners.", nullable=False),
    key=("course_id", "interval_end", "label"),
    indexes=(("course_id", "label"), ("interval_end",)),
)
