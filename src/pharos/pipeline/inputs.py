"""The inputs that a metric requests by the names of its parameters.

| name | rows or value |
|---|---|
| `<fact>` | all days of a fact up to the last day, with the column `date` |
| `counted_<fact>` | without staff and libraries, if the settings `counting` exclude them |
| `filled_enrollment_event` | counted; with lost events filled in if `lms.fill_enrollment_gaps` is set |
| `counted_interaction_of_complete_weeks` | the days before the Monday of the current week |
| `counted_interaction_of_this_week` | the days of the incomplete week; it begins on the site's weekday |
| `counted_interaction_of_two_weeks` | the last 14 days |
| `<LMS table>`, `counted_<LMS table>` | the rows of a snapshot, all or only the counted ones |
| `<metric>` | the rows of another metric |
| `grades_are_known`, `enrollments_are_known` | true if the LMS's table was imported and has rows |
| `users_are_known` | true if the LMS's table of users was imported and has rows |
| `shows_profiles` | true if LMS data about learners may leave the lake |
| `enrollments_are_of_then` | as `enrollments_are_known`, and the table is not newer than the run |
| `newest_enrollment` | creation time of the newest enrollment in the LMS's table; None if unknown |
| `country_of` | the function that finds the country of an address |
| `answer_metadata` | the operator's file about parts of problems, see `answer_metadata` |
| `reports_since` | the first day of the report `problem_response` |
| `response_types` | the kinds of responses whose answers are counted |
| `video_compat` | true if viewings are counted as the original does |
| `smallest_group` | active learners that a course run must have for ranges of their engagement |
| `pauses` | the days without activity that make learners slow down or quiet |
| `student_reports` | true if there are tables of each learner's activity by day, by week and in all |
| `last_day`, `current_week`, `site_week`, `first_weekday`, `student_reports_until` | see `Scope` |

Each input has a digest for each part of the metric that requests it (course run, day or week), or a single
digest for the whole input if it cannot be split that way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pharos import geolocation
from pharos.engine import Engine
from pharos.lake import lms_tables, snapshots
from pharos.lake.lake import Lake
from pharos.lake.safely import is_whole, move_sealed
from pharos.lms.tables import ALL as LMS_TABLES
from pharos.metrics import population
from pharos.metrics.enrollment_gaps import with_gaps_filled
from pharos.metrics.learner_status import Pauses
from pharos.metrics.metric import Metric
from pharos.pipeline import answer_metadata, facts, parted
from pharos.pipeline.fingerprints import fingerprint, of_code
from pharos.pipeline.graph import FACTS, METRICS
from pharos.pipeline.parted import Parted
from pharos.pipeline.scope import Scope
from pharos.result_store import contract

COUNTED, FILLED = "counted_", "filled_enrollment_event"
COMPLETE_WEEKS, THIS_WEEK, TWO_WEEKS = "_of_complete_weeks", "_of_this_week", "_of_two_weeks"
ENROLLMENTS, GRADES, USERS = "student_courseenrollment", "grades_persistentcoursegrade", "auth_user"
ANSWER_METADATA = "answer_metadata"
STAFF = ("auth_user", "student_courseaccessrole", "casbin_rule")  # tables of the LMS that say who is staff
DIGESTS = pa.schema([("part", pa.string()), ("digest", pa.int64())])


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """All inputs that metrics of a run may request. `results` grows as metrics are computed."""

    lake: Lake
    engine: Engine
    scope: Scope
    facts: Mapping[str, Parted]
    results: dict[str, Parted] = field(default_factory=dict)
    _day_digests: dict[str, pa.Table] = field(default_factory=dict)
    _rows_of_lms: dict[str, int] = field(default_factory=dict)

    def digests(self, name: str, metric: Metric) -> pa.Table | str:
        """The digests of an input by part of the metric (columns part, digest), or a text for the whole
        input.
        """
        if name in METRICS:
            parts = self.results[name].parts
            is_same = METRICS[name].by == metric.by and metric.by is not None
            return parts.select(DIGESTS.names) if is_same else _whole(parts.select(DIGESTS.names))
        if (fact := fact_of(name)) is not None:
            return self._of_fact(fact, name, metric)
        table = name.removeprefix(COUNTED)
        if table in LMS_TABLES:
            if metric.by == "course_id" and LMS_TABLES[table].course in LMS_TABLES[table].schema.names:
                return self._by_course(table)
            return snapshots.fingerprint(self.lake, table)
        return self._of_value(name)

    def _of_value(self, name: str) -> str:
        """A digest for an input that cannot be split into parts."""
        if name == ANSWER_METADATA:
            return answer_metadata.fingerprint(self.scope.answer_metadata)
        if name == "country_of":
            return f"{geolocation.fingerprint(self.scope.countries)} {self.scope.private_country or ''}"
        return str(self.value(name))

    def conditions(self, name: str) -> dict[str, str]:
        """Fingerprints of the rules that filter or fill an input: staff, libraries, browser enrollments,
        gaps.
        """
        found: dict[str, str] = {}
        if not name.startswith(COUNTED) and name != FILLED:
            return found
        known = " ".join(snapshots.fingerprint(self.lake, table) for table in STAFF)
        semantics = self.engine.semantics()
        if not self.scope.counts_staff:
            found["staff"] = f"{of_code([population.without_staff], semantics)} {known}"
        if not self.scope.counts_libraries:
            found["libraries"] = of_code([population.without_libraries], semantics)
        if fact_of(name) == "enrollment_event" and not self.scope.counts_browser_enrollments:
            found["servers"] = of_code([population.enrollment_events], semantics)
        if name == FILLED and self.scope.fills_gaps:
            validations = lms_tables.validations_fingerprint(self.lake)
            code = of_code([with_gaps_filled], semantics)
            found["gaps"] = f"{code} {validations} {self.scope.last_day}"
        return found

    def arguments(self, metric: Metric, parts: pa.Array | None) -> dict[str, object]:
        """The arguments of a metric's function, with the rows of these parts, or of all parts (None)."""
        return {name: self._argument(name, metric, parts) for name in metric.inputs}

    def _argument(self, name: str, metric: Metric, parts: pa.Array | None) -> object:
        if name == "country_of":
            return self.scope.country_of(self.engine)
        if not self.is_table(name):
            return self.value(name)
        rows = self.table(name)
        if parts is None or isinstance(self.digests(name, metric), str):
            return rows
        part_of = facts.day_of if metric.by == "date" else week_of if metric.by == "week" else course_of
        return parted.of_parts(self.engine, rows, part_of, pa.table({"part": parts}))

    @staticmethod
    def is_table(name: str) -> bool:
        """True if the input is a table, False if it is a value."""
        is_other = name == ANSWER_METADATA or name.removeprefix(COUNTED) in LMS_TABLES
        return is_other or name in METRICS or fact_of(name) is not None

    def table(self, name: str) -> ibis.Table:
        """All rows of an input."""
        if name in METRICS:
            return parted.read(
                self.engine, self.results[name], result_schema(METRICS[name]), part_of(METRICS[name])
            )
        if name == ANSWER_METADATA:
            return self.engine.table(answer_metadata.read(self.scope.answer_metadata))
        if (fact := fact_of(name)) is None:
            table = name.removeprefix(COUNTED)
            rows = self._of_lms(table)
            return self._counted(rows, learner=LMS_TABLES[table].learner) if name != table else rows
        rows = facts.read(self.engine, FACTS[fact], self.facts[fact], self.scope.last_day)
        if fact == "enrollment_event" and name != fact:
            rows = population.enrollment_events(rows, from_browsers=self.scope.counts_browser_enrollments)
        if name == FILLED:
            return self._filled(self._counted(rows, learner=FACTS[fact].learner, course=FACTS[fact].course))
        if name.startswith(COUNTED):
            rows = self._counted(rows, learner=FACTS[fact].learner, course=FACTS[fact].course)
        first, end = self._days(name)
        if first is not None:
            rows = rows.filter(rows.date >= ibis.literal(first))
        if end is not None:
            rows = rows.filter(rows.date < ibis.literal(end))
        return rows

    def _days(self, name: str) -> tuple[date | None, date | None]:
        """The first day of an input and the day after its last one; None means unlimited."""
        if name.endswith(COMPLETE_WEEKS):
            return None, self.scope.current_week
        if name.endswith(THIS_WEEK):
            return self.scope.this_week, None
        if name.endswith(TWO_WEEKS):
            return self.scope.last_day - timedelta(days=13), None
        return None, None

    def value(self, name: str) -> bool | int | date | datetime | tuple[str, ...] | Pauses | None:
        """The value of an input that is not a table."""
        match name:
            case (
                "last_day"
                | "current_week"
                | "site_week"
                | "first_weekday"
                | "reports_since"
                | "response_types"
                | "video_compat"
                | "smallest_group"
                | "pauses"
                | "shows_profiles"
                | "student_reports"
                | "student_reports_until"
            ):
                found: bool | int | date | tuple[str, ...] | Pauses | None = getattr(self.scope, name)
                return found
            case "grades_are_known":
                return self._has_rows(GRADES)
            case "users_are_known":
                return self._has_rows(USERS)
            case "enrollments_are_known":
                return self._has_rows(ENROLLMENTS)
            case "enrollments_are_of_then":
                return self._has_rows(ENROLLMENTS) and lms_tables.is_of_then(self.lake, self.scope.last_day)
            case "newest_enrollment":
                return self._newest_enrollment()
        raise KeyError(name)

    def sizes(self, metric: Metric) -> dict[str, int]:
        """The number of rows of each fact and LMS table from which a metric is computed.

        Keys are names of parameters. Metrics are resolved to their own inputs, because only facts and LMS
        tables can be restored by operators.
        """
        found: dict[str, int] = {}
        for name in metric.inputs:
            if name in METRICS:
                found |= self.sizes(METRICS[name])
            elif (fact := fact_of(name)) is not None:
                found[name] = self.facts[fact].rows
            elif (table := name.removeprefix(COUNTED)) in LMS_TABLES:
                found[name] = self._imported_rows(table)
        return found

    @cached_property
    def staff_grants(self) -> int:
        """The number of rows in the LMS's tables that exclude people from counting; 0 if staff is counted."""
        if self.scope.counts_staff:
            return 0
        users = lms_tables.read(self.engine, self.lake, USERS)
        staff = users.filter(users.is_staff | users.is_superuser)
        found = int(self.engine.fetch(staff.agg(rows=staff.count()))["rows"][0].as_py())
        return found + sum(self._imported_rows(table) for table in STAFF if table != USERS)

    def _of_fact(self, fact: str, name: str, metric: Metric) -> pa.Table | str:
        if fact not in self._day_digests:
            self._day_digests[fact] = facts.digests(
                self.engine, FACTS[fact], self.facts[fact], self.scope.last_day
            )
        found = self._day_digests[fact]
        first, end = self._days(name)
        if first is not None:
            found = found.filter(pc.greater_equal(found["date"], first))
        if end is not None:
            found = found.filter(pc.less(found["date"], end))
        match metric.by:
            case "course_id" if FACTS[fact].course is not None:
                parts = found["part"]
            case "date":
                parts = found["date"].cast(pa.string())
            case "week" if name.endswith(THIS_WEEK):  # one week, which may have days of two ISO weeks
                parts = pa.repeat(str(self.scope.this_week), found.num_rows)
            case "week":
                parts = pc.floor_temporal(found["date"], unit="week").cast(pa.date32()).cast(pa.string())
            case _:
                return _whole(found.select(DIGESTS.names))
        return _summed(pa.table({"part": parts, "digest": found["digest"]}))

    def _by_course(self, table: str) -> pa.Table:
        """The digests of a snapshot by course run, cached for each snapshot."""
        if not self._has_rows(table):
            return DIGESTS.empty_table()
        known = snapshots.fingerprint(self.lake, table)
        path = self.lake.root / "parts" / table / f"{fingerprint(known, self.engine.name)}.parquet"
        if not is_whole(path):
            rows = self._of_lms(table)
            rows = rows.filter(rows.course_id.notnull())
            found = self.engine.digests(rows.mutate(part=rows.course_id), ["part"]).select(DIGESTS.names)
            path.parent.mkdir(parents=True, exist_ok=True)
            for older in path.parent.iterdir():
                older.unlink()
            temporary = path.with_suffix(".tmp")
            pq.write_table(found.cast(DIGESTS), temporary, compression="zstd")
            move_sealed([(temporary, path)])
        return pq.ParquetFile(path).read()

    def _of_lms(self, table: str) -> ibis.Table:
        """The rows of a snapshot; those about course runs have the course run in `course_id`."""
        rows, course = lms_tables.read(self.engine, self.lake, table), LMS_TABLES[table].course
        return rows.rename(course_id=course) if course in rows.columns else rows

    def _counted(
        self, rows: ibis.Table, *, learner: str | None, course: str | None = "course_id"
    ) -> ibis.Table:
        """The rows without staff and libraries, if the settings exclude them."""
        if not self.scope.counts_staff and learner is not None:
            known = (lms_tables.read(self.engine, self.lake, table) for table in STAFF)
            numbered = rows.rename(user_id=learner) if learner != "user_id" else rows
            rows = population.without_staff(numbered, *known).rename({learner: "user_id"})
        if not self.scope.counts_libraries and course is not None:
            rows = population.without_libraries(rows)
        return rows

    def _filled(self, events: ibis.Table) -> ibis.Table:
        """The enrollment events with their gaps filled, computed once per run for all metrics."""
        if not self.scope.fills_gaps:
            return events
        path = self.lake.staging / f"{FILLED}.parquet"
        if not path.exists():
            validations = lms_tables.validations(self.engine, self.lake, self.scope.last_day)
            filled = with_gaps_filled(
                events, self._counted(validations, learner="user_id"), self.scope.last_day
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            self.engine.write(filled, path)
        return self.engine.read([path], events.schema().to_pyarrow())

    def _has_rows(self, table: str) -> bool:
        return self._imported_rows(table) > 0

    def _imported_rows(self, table: str) -> int:
        """The number of rows of a table of the LMS, read once per run."""
        if table not in self._rows_of_lms:
            snapshot = snapshots.state(self.lake, table).snapshot
            self._rows_of_lms[table] = snapshot.rows if snapshot else 0
        return self._rows_of_lms[table]

    def _newest_enrollment(self) -> datetime | None:
        rows = lms_tables.read(self.engine, self.lake, ENROLLMENTS)
        newest: datetime | None = self.engine.fetch(rows.agg(newest=rows.created.max()))["newest"][0].as_py()
        return newest


def result_schema(metric: Metric) -> pa.Schema:
    """The columns of a metric's files: the columns of its table without the stamp, plus `end` for spans."""
    columns = contract.schema(metric.table)
    if metric.stamp is not None:
        columns = columns.remove(columns.get_field_index(metric.stamp))
    return columns.append(pa.field("end", pa.date32())) if metric.spans else columns


def part_of(metric: Metric) -> parted.PartOf:
    """The part of each row of a metric's result."""
    match metric.by:
        case "course_id":
            return course_of
        case "date":
            return facts.day_of
        case "week":
            return lambda rows: rows.interval_start.cast("date").cast("string")
    return lambda _: ibis.literal("")


def course_of(rows: ibis.Table) -> ibis.StringValue:
    """The course run of each row."""
    return rows.course_id


def week_of(rows: ibis.Table) -> ibis.StringValue:
    """The Monday of the ISO week of each row's `date`, as text."""
    # Not by a cast: an engine's truncated date may be a moment, and Ibis takes it for a date already.
    return rows.date.truncate("W").strftime("%Y-%m-%d")


def fact_of(name: str) -> str | None:
    """The fact from which an input of this name is made; None if it is not made from one."""
    if name == FILLED:
        return "enrollment_event"
    fact = name.removeprefix(COUNTED)
    for window in (COMPLETE_WEEKS, THIS_WEEK, TWO_WEEKS):
        fact = fact.removesuffix(window)
    return fact if fact in FACTS else None


def _summed(digests: pa.Table) -> pa.Table:
    """One digest for each part: the sum of its rows' digests, modulo 2**64."""
    found = digests.group_by("part").aggregate([("digest", "sum")])
    return found.rename_columns(["part", "digest"])


def _whole(digests: pa.Table) -> str:
    """One digest for all parts."""
    total = _summed(digests)
    return fingerprint(
        *(f"{part} {digest}" for part, digest in sorted(zip(*total.to_pydict().values(), strict=True)))
    )
