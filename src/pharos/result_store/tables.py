"""The contract of the Result Store: its tables, their columns and what each number means.

Table and column names, types and indexes are the original's (spec 01 §5-6), so that its Data API server and
clients read our store unchanged. The pipeline checks its output against these tables, the Data API reads
through them, and `docs/metrics.md` and the "how is this counted" panels are made from the `Definition`s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.types import TypeEngine

from pharos.result_store.columns import Exact, moment, row_number

metadata = MetaData()
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_row_format": "DYNAMIC"}


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
    name: str,
    definition: Definition,
    *columns: Column[Any],
    key: tuple[str, ...],
    indexes: tuple[tuple[str, ...], ...],
) -> Table:
    """A result table in the original's form: `id` first, `created` last, plain indexes; and a natural key."""
    return Table(
        name,
        metadata,
        Column("id", row_number, primary_key=True, comment="Row number; no meaning."),
        *columns,
        Column(
            "created",
            DateTime,
            server_default=func.now(),
            nullable=False,
            comment="When the row was published, UTC.",
        ),
        UniqueConstraint(*key, name=f"uq_{name}"),
        *(Index(f"ix_{name}_{'_'.join(index)}", *index) for index in indexes),
        comment=definition.meaning,
        info={"definition": definition, "key": key},
        **MYSQL,
    )


def _column(name: str, type_: TypeEngine[Any], meaning: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, type_, nullable=nullable, comment=meaning)


def _course_id() -> Column[Any]:
    return _column("course_id", Exact(255), "Course run, as written in the events.", nullable=False)


def _day() -> Column[Any]:
    return _column("date", Date(), "UTC day.", nullable=False)


def _enrolled() -> Column[Any]:
    return _column("count", Integer(), "Learners enrolled at the end of the day.")


def _ever_enrolled() -> Column[Any]:
    return _column(
        "cumulative_count", Integer(), "Learners with any enrollment event up to the end of the day."
    )


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
            "A learner is enrolled from an activation until the next deactivation. "
            "count = learners enrolled at the end of the day; "
            "cumulative_count = learners with any enrollment event up to then."
        ),
        edge_cases=(
            "Repeated activations or deactivations change nothing.",
            (
                "A learner whose first event is a deactivation or a change of mode is not counted as "
                "enrolled before it."
            ),
            "Events of equal time count in the order activated, deactivated, mode changed.",
            "Course teams and testers are counted like everybody else.",
            (
                "A course has a row for every day from its first enrollment event; the last day may be "
                "a part of a day."
            ),
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
            "A learner's mode is that of the latest enrollment event up to the end of the day; each "
            "learner is in "
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
    _column("mode", Exact(255), "Enrollment mode, e.g. audit, honor, verified.", nullable=False),
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
            "count and cumulative_count are those of the last day of enrollment by mode; "
            "count_change_7_days is "
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
    _column("enrollment_mode", Exact(100), "Enrollment mode.", nullable=False),
    _column("count", Integer(), "Learners in the mode and enrolled at the end of the last day."),
    _column("count_change_7_days", Integer(), "count minus the count seven days before."),
    _column(
        "cumulative_count", Integer(), "Learners in the mode at the end of the last day, enrolled or not."
    ),
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
            "ACTIVE: any event of a signed-in person in the course; PLAYED_VIDEO: play_video from browser "
            "or mobile "
            "app; ATTEMPTED_PROBLEM: problem_check from the server; POSTED_FORUM: a forum thread, "
            "response or "
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
    _column("label", Exact(255), "ACTIVE, ATTEMPTED_PROBLEM, PLAYED_VIDEO or POSTED_FORUM.", nullable=False),
    _column("count", Integer(), "Distinct learners.", nullable=False),
    key=("course_id", "interval_end", "label"),
    indexes=(("course_id", "label"), ("interval_end",)),
)

# What the store knows about itself. No results, so without a Definition.

publications = Table(
    "pharos_publication",
    metadata,
    Column("table_name", Exact(64), primary_key=True, comment="Result table."),
    Column("fingerprint", String(128), nullable=False, comment="Of the inputs and the code of the result."),
    Column("until", moment, nullable=False, comment="Moment the result describes the time before, UTC."),
    Column("last_event", moment, comment="Newest event counted, UTC."),
    Column("version", Integer, nullable=False, comment="Version of the definition."),
    Column("row_count", BigInteger, nullable=False, comment="Rows published."),
    Column("content", String(64), nullable=False, comment="SHA-256 of the rows published."),
    Column("published", moment, nullable=False, comment="When the rows were last replaced, UTC."),
    comment="What each result table holds: one row per table, written with its rows.",
    **MYSQL,
)

table_updates = Table(
    "table_updates",
    metadata,
    Column("id", row_number, primary_key=True, comment="Row number; no meaning."),
    Column("update_id", String(128), nullable=False, unique=True, comment="Table and fingerprint."),
    Column("target_table", Exact(128), nullable=False, index=True, comment="Result table."),
    Column("inserted", DateTime, server_default=func.now(), nullable=False, comment="When, UTC."),
    comment="The original's marker of finished loads (spec 01 §4.3).",
    **MYSQL,
)

tokens = Table(
    "pharos_token",
    metadata,
    Column("id", row_number, primary_key=True, comment="Row number; no meaning."),
    Column("name", Exact(100), nullable=False, unique=True, comment="Who uses the token."),
    Column("hash", String(64), nullable=False, unique=True, comment="SHA-256 of the token, hexadecimal."),
    Column("courses", Text, comment="Course ids it may read, a line each; empty: no restriction."),
    Column("organizations", Text, comment="Organisations it may read, a line each; empty: no restriction."),
    Column("learners", Boolean, nullable=False, comment="May read data of single learners."),
    Column("requests_per_minute", Integer, comment="Its own rate limit; empty: the one of the settings."),
    Column("created", moment, nullable=False, comment="UTC."),
    Column("expires", moment, comment="First moment it is refused, UTC; empty: never."),
    Column("revoked", moment, comment="UTC; empty: valid."),
    comment="Tokens of the Data API; the tokens themselves are not kept.",
    **MYSQL,
)

RESULTS: dict[str, Table] = {
    table.name: table for table in metadata.sorted_tables if "definition" in table.info
}
