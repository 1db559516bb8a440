"""Publishes the results of a run. Only the differences from the published edition are written.

Each published table has a fingerprint of its rows. Under that fingerprint the lake keeps the manifest and
files of the published result, so the difference is known without reading the Result Store.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from pharos.engine import Engine
from pharos.lake.lake import Lake
from pharos.metrics.metric import END, Metric
from pharos.pipeline import clock, parted
from pharos.pipeline.fingerprints import fingerprint
from pharos.pipeline.graph import METRICS
from pharos.pipeline.inputs import Inputs, fact_of, part_of, result_schema
from pharos.pipeline.parted import Parted
from pharos.pipeline.results import Computed
from pharos.pipeline.scope import Scope
from pharos.result_store import adoption, store
from pharos.result_store.adoption import Adoption, Kept
from pharos.result_store.editions import Batches, Change, Written, row_count
from pharos.result_store.errors import (
    ForeignRows,
    LeftWithSource,
    LossRefused,
    ResultStoreError,
    StoreAltered,
)
from pharos.result_store.publications import Publication

PUBLISHED = "published-{}.parquet"  # manifest of a result as it was published, by fingerprint
# In that manifest: the last day, rows of inputs by name, and how many rows of the LMS say who does not count.
LAST_DAY, SIZES, STAFF = "last_day", "sizes", "staff"
MOST_LOST = 0.1  # of rows or course runs, that a result may lose without somebody saying yes
BATCH_ROWS = 65_536


@dataclass(frozen=True, kw_only=True, eq=False)
class Edition:
    """A result that is about to be published. `before`: the published result, if it is known.

    `adopted`: set if the table also holds rows of another program. `theirs`: number of these rows by course
    run, if the table has no days.
    """

    metric: Metric
    table: Parted
    last_day: date
    before: Parted | None
    adopted: Adoption | None = None
    theirs: Mapping[str, int] = field(default_factory=dict)

    @property
    def first_day(self) -> date | None:
        """First day of the rows to publish; None: all of them."""
        return self.adopted.first_day if self.adopted else None

    @property
    def kept(self) -> Kept | None:
        """The rows of another program that stay beside these."""
        if self.adopted is None or not adoption.has_lasting_rows(self.metric.table):
            return None
        now, before = _courses(self.table), _courses(self.before) if self.before else set()
        return Kept(
            adoption=self.adopted,
            courses=self.theirs.keys() - now,
            back=self.theirs.keys() & (before - now),
            replaced=self.theirs.keys() & (now - before) if self.before else set(),
        )

    @property
    def fingerprint(self) -> str:
        """A fingerprint of the rows of the table; recomputed but equal rows have the same fingerprint."""
        parts = self.table.parts.filter(pc.greater(self.table.parts["rows"], 0)).sort_by("part")
        columns = parts.select(["part", "digest"]).to_pydict()
        texts = [f"{part} {digest}" for part, digest in zip(*columns.values(), strict=True)]
        is_dated = self.metric.spans or self.metric.stamp is not None
        form = f"{result_schema(self.metric)} {self.table.made_of['engine']}"
        since = [f"from {self.first_day}"] if self.adopted else []
        return fingerprint(form, str(self.last_day) if is_dated else "", *since, *texts)

    @property
    def stamp(self) -> tuple[str, object] | None:
        """The column with one value in all rows, and that value."""
        name = self.metric.stamp
        if name is None:
            return None
        is_moment = isinstance(self.metric.table.c[name].type, sa.DateTime)
        midnight = datetime.combine(self.last_day + timedelta(days=1), datetime.min.time())
        return name, midnight if is_moment else self.last_day


def publish(
    inputs: Inputs,
    database: sa.Engine,
    found: list[Computed],
    last_event: datetime | None,
    accepted: Collection[str],
    *,
    is_named: bool,
) -> dict[str, Written]:
    """Publish all results as one edition; return the outcome of each table.

    A result that has lost more than MOST_LOST of its rows or course runs is left out: most likely an input is
    missing. It is published nevertheless if its table is among the `accepted` or the run describes an earlier
    moment than the published rows. Late events may merge rows, too: it is published if no input has fewer
    rows and there are more events, or a person has named the moment (`is_named`). A result that is computed
    from other results alone is left out with them. A table with rows of another program is left out unless
    it was adopted or is among the `accepted`. A table without read permission is left out even if it is
    among the `accepted`. A table that somebody changed, emptied or dropped since it was published is written
    whole.
    """
    lake, engine, scope = inputs.lake, inputs.engine, inputs.scope
    known, altered = store.published(database), set(_altered(database, scope))
    foreign, adopted = store.foreign(database), adoption.adopted(database)
    unreadable = store.unreadable(database)
    while True:
        prepared = [
            _edition(
                database, computed, scope,
                None if computed.metric.name in altered else known.get(computed.metric.name),
                adopted.get(computed.metric.name),
            )
            for computed in found
            if computed.metric.is_published
        ]  # fmt: skip
        changes = {
            edition: _change(lake, engine, edition, known.get(edition.metric.name), scope, last_event)
            for edition in prepared
        }
        problems: dict[str, ResultStoreError] = {name: ForeignRows(name) for name in foreign - set(accepted)}
        problems |= unreadable
        refused = _refused(inputs, database, changes, known, problems, accepted, is_named=is_named)
        for edition in prepared:
            _keep(inputs, edition)
        try:
            written = store.publish_edition(
                database, [change for change in changes.values() if change.table.name not in refused]
            )
        except StoreAltered as error:
            if error.table in altered:
                raise
            altered.add(error.table)
            continue
        written |= {
            name: Written(rows=known[name].row_count if name in known else 0, problem=problem)
            for name, problem in refused.items()
        }
        for edition in prepared:
            if written[edition.metric.name].problem is None:
                _forget_older(edition)
        return written


def _altered(database: sa.Engine, scope: Scope) -> dict[str, str]:
    """The tables that somebody changed. Each run checks the small tables and one larger table in turn."""
    return store.altered(database, most=store.MOST_CHECKED, turn=scope.last_day.toordinal())


def _edition(
    database: sa.Engine, computed: Computed, scope: Scope, known: Publication | None, adopted: Adoption | None
) -> Edition:
    before = None
    if known is not None:
        before = parted.load(computed.table.folder, PUBLISHED.format(known.fingerprint))
        # Without its manifest, or with a file gone, the published rows are not known.
        if before.made_of.get("rows") != str(before.rows) or LAST_DAY not in before.made_of:
            before = None
    has_courses = adopted is not None and adopted.first_day is None and computed.metric.by == "course_id"
    theirs = adoption.rows_by_course(database, adopted) if adopted is not None and has_courses else {}
    return Edition(
        metric=computed.metric, table=computed.table, last_day=scope.last_day, before=before,
        adopted=adopted, theirs=theirs,
    )  # fmt: skip


def _courses(table: Parted) -> set[str]:
    """The parts that have rows; in tables by course run, the course runs."""
    return set(table.parts.filter(pc.greater(table.parts["rows"], 0))["part"].to_pylist())


def _refused(
    inputs: Inputs, database: sa.Engine, changes: Mapping[Edition, Change], known: Mapping[str, Publication],
    problems: Mapping[str, ResultStoreError], accepted: Collection[str], *, is_named: bool,
) -> dict[str, ResultStoreError]:  # fmt: skip
    """The results not to publish, by table: those with `problems`, and those that have lost too much."""
    refused: dict[str, ResultStoreError] = {}
    for edition, change in changes.items():  # each after its inputs
        name = edition.metric.name
        problem, sources = problems.get(name), _sources(edition.metric)
        if problem is None and not {name, *sources} & set(accepted):
            if lost := [source for source in sources if isinstance(refused.get(source), LossRefused)]:
                problem = LeftWithSource(name, lost[0]) if _differs(edition, known.get(name)) else None
            elif not sources or _is_suspect(inputs, edition):
                problem = _loss(inputs, database, edition, change, known.get(name), is_named=is_named)
        if problem is not None:
            refused[name] = problem
    return refused


def _sources(metric: Metric) -> list[str]:
    """The published results that a result is made from, if it is made from nothing else."""
    published = [name for name in metric.inputs if name in METRICS and METRICS[name].is_published]
    return published if len(published) == len(metric.inputs) else []


def _is_suspect(inputs: Inputs, edition: Edition) -> bool:
    """True if a missing input may explain the loss of a result that is made only from other results.

    These other results are guarded themselves, but a table of profiles may be lost without a loss of
    learners. Data that may no longer leave the lake is removed at once.
    """
    if edition.metric.table.info["definition"].persons and not inputs.scope.shows_profiles:
        return False
    before = _sizes_then(edition)
    return not before or any(
        size < (1 - MOST_LOST) * before.get(name, 0) for name, size in inputs.sizes(edition.metric).items()
    )


def _differs(edition: Edition, known: Publication | None) -> bool:
    """True if publishing the result would change published rows."""
    return known is not None and known.fingerprint != edition.fingerprint


def _loss(
    inputs: Inputs, database: sa.Engine, edition: Edition, change: Change, known: Publication | None,
    *, is_named: bool,
) -> LossRefused | None:  # fmt: skip
    """The reason not to publish a result, if it has lost too much of what is published.

    Rows of another program do not count: a long history would hide that all rows since are lost. Of an
    earlier moment than the published one there may be fewer rows; a clock that is a little behind is none.
    """
    info = edition.metric.table.info
    if known is None or info["may_shrink"] or inputs.scope.until < known.until - clock.TOLERANCE:
        return None
    if not _shrunk(inputs, edition) and (is_named or _has_more_events(inputs, edition)):
        return None
    before = edition.before if edition.metric.by == "course_id" else None
    published = known.row_count - _rows_kept(database, edition)
    rows = 0 if change.is_whole else published
    rows += sum(row_count(piece, spans=change.spans) for piece in change.new())
    rows -= sum(row_count(piece, spans=change.spans) for piece in change.gone())
    lost = published - rows
    if lost > MOST_LOST * published and not (info["groups_vary"] and before is not None):
        return LossRefused(
            change.table.name, f"{lost:,} of {published:,} rows", _inputs_told(inputs, edition)
        )
    if before is not None:
        old, new = _courses(before), _courses(edition.table)
        if len(old - new) > MOST_LOST * len(old):
            lost_courses = f"{len(old - new):,} of {len(old):,} course runs"
            return LossRefused(change.table.name, lost_courses, _inputs_told(inputs, edition))
    return None


def _rows_kept(database: sa.Engine, edition: Edition) -> int:
    """The number of published rows that belong to another program."""
    if edition.adopted is None:
        return 0
    if edition.first_day is not None:
        return adoption.rows_before(database, edition.adopted)
    ours = _courses(edition.before or edition.table)
    return sum(rows for course, rows in edition.theirs.items() if course not in ours)


def _inputs_told(inputs: Inputs, edition: Edition) -> str:
    """A sentence for the operator: the inputs of a result that have fewer rows than when it was published."""
    fewer = "; ".join(_shrunk(inputs, edition).values())
    if fewer:
        return f"Fewer rows than then: {fewer}. Bring the input back and run again"
    return (
        "None of its inputs has fewer rows: what they say has changed (who is staff), or a setting, or this "
        "program. Undo that and run again"
    )


def _has_more_events(inputs: Inputs, edition: Edition) -> bool:
    """True if the result has more events than the published one and excludes no additional people."""
    if edition.before is None or STAFF not in edition.before.made_of:
        return False
    before = _sizes_then(edition)
    is_more = any(
        size > before.get(name, size)
        for name, size in inputs.sizes(edition.metric).items()
        if fact_of(name) is not None
    )
    return is_more and inputs.staff_grants <= int(edition.before.made_of[STAFF])


def _shrunk(inputs: Inputs, edition: Edition) -> dict[str, str]:
    """The inputs of a result that have fewer rows than when it was published: name, and how many in words.

    Those first that have lost the largest share.
    """
    before, now = _sizes_then(edition), inputs.sizes(edition.metric)
    fewer = [name for name in now if now[name] < before.get(name, 0)]
    return {
        name: f"{name} had {before[name]:,} rows then and has {now[name]:,} now"
        for name in sorted(fewer, key=lambda name: now[name] / before[name])
    }


def _sizes_then(edition: Edition) -> dict[str, int]:
    """The number of rows of each input of the result that is published; none if it is not known."""
    found: dict[str, int] = json.loads(edition.before.made_of[SIZES]) if edition.before is not None else {}
    return found


def _keep(inputs: Inputs, edition: Edition) -> None:
    """Keep the manifest under its fingerprint, before the Result Store names it."""
    before, name = edition.before, PUBLISHED.format(edition.fingerprint)
    is_same_day = before is not None and before.made_of[LAST_DAY] == str(edition.last_day)
    if before is not None and is_same_day and before.parts.equals(edition.table.parts.sort_by("part")):
        return
    told = {
        **edition.table.made_of,
        LAST_DAY: str(edition.last_day),
        "rows": str(edition.table.rows),
        SIZES: json.dumps(inputs.sizes(edition.metric)),
        STAFF: str(inputs.staff_grants),
    }
    parted.save(replace(edition.table, made_of=told), name)


def _forget_older(edition: Edition) -> None:
    """Remove files that belong neither to the result nor to its published edition."""
    manifests = [parted.MANIFEST, PUBLISHED.format(edition.fingerprint)]
    parted.remove_unused(edition.table.folder, [edition.table], manifests)


def _change(
    lake: Lake, engine: Engine, edition: Edition, known: Publication | None, scope: Scope,
    last_event: datetime | None,
) -> Change:  # fmt: skip
    """The difference between the result and the published rows."""
    table = edition.metric.table
    change = Change(
        table=table,
        publication=Publication(
            fingerprint=edition.fingerprint, until=scope.until, last_event=last_event,
            version=table.info["definition"].version,
        ),
        spans=edition.metric.spans,
        stamp=edition.stamp,
        kept=edition.kept,
    )  # fmt: skip
    folder = lake.staging / "publishing" / table.name
    folder.mkdir(parents=True, exist_ok=True)
    if edition.before is None:
        change = replace(change, is_whole=True)
        if not edition.table.rows:
            return change
        whole = _clipped(_read(engine, edition, edition.table), edition, edition.last_day)
        return replace(change, new=_written(engine, whole, folder / "whole.parquet", edition.metric))
    if known is not None and known.fingerprint == edition.fingerprint:
        return change
    gone, new = _difference(engine, edition, edition.before, folder / "steps.parquet")
    return replace(
        change,
        gone=_written(engine, gone, folder / "gone.parquet", edition.metric),
        new=_written(engine, new, folder / "new.parquet", edition.metric),
    )


def _difference(
    engine: Engine, edition: Edition, before: Parted, staged: Path
) -> tuple[ibis.Table, ibis.Table]:
    """The published rows to delete, and the new rows to insert.

    The rows from which both are derived are computed once, into the file `staged`.
    """
    metric, changed = edition.metric, _changed_parts(before, edition.table)
    old, new = (_read(engine, edition, table, changed) for table in (before, edition.table))
    if not metric.spans:
        return old.difference(new), new.difference(old)
    last = date.fromisoformat(before.made_of[LAST_DAY])
    old, new = _clipped(old, edition, last), _clipped(new, edition, edition.last_day)
    # Most spans are in both. Spans of a key do not overlap, so equal spans can be left out of the difference.
    steps = _steps(old.difference(new), new.difference(old))
    engine.write(steps.filter(steps.old != steps.new), staged)
    steps = engine.read([staged], steps.schema().to_pyarrow())
    gone, come = steps.filter(steps.old > steps.new), steps.filter(steps.new > steps.old)
    columns = result_schema(metric).names
    lasting = _lasting(engine, edition, changed)
    first, end = sorted([last, edition.last_day])
    days = lasting.mutate(
        date=ibis.literal(first + timedelta(days=1)), end=ibis.literal(end + timedelta(days=1))
    ).select(columns)
    if edition.first_day is not None:
        days = _since(days, edition.first_day)
    gone, come = gone.select(columns), come.select(columns)
    if last > edition.last_day:
        gone = gone.union(days)
    elif last < edition.last_day:
        come = come.union(days)
    return gone, come


def _lasting(engine: Engine, edition: Edition, changed: pa.Array) -> ibis.Table:
    """The spans of unchanged parts that still hold: their end moves with the last day."""
    parts = edition.table.parts["part"]
    same = parts.filter(pc.invert(pc.is_in(parts, value_set=changed)))
    rows = _read(engine, edition, edition.table, same.combine_chunks())
    return rows.filter(rows[END].isnull())


def _changed_parts(before: Parted, now: Parted) -> pa.Array:
    """The parts with different rows, and the parts that only one of the two tables has."""
    rows = ["part", "digest", "rows"]
    old, new = before.parts.select(rows), now.parts.select(rows).rename_columns(["part", "now", "now_rows"])
    both = old.join(new, "part", join_type="full outer")
    same = pc.and_(pc.equal(both["digest"], both["now"]), pc.equal(both["rows"], both["now_rows"]))
    found = both.filter(pc.invert(pc.fill_null(same, False)))["part"]
    return found.combine_chunks()


def _steps(old: ibis.Table, new: ibis.Table) -> ibis.Table:
    """For each key and its figures the days on which the old and the new spans hold them: (…, date, end, old,
    new), old and new being 1 or 0.
    """
    same = [name for name in old.columns if name not in {"date", END}]
    moves = []
    for rows, is_new in ((old, 0), (new, 1)):
        for day, sign in (("date", 1), (END, -1)):
            moves.append(
                rows.select(
                    *same,
                    date=rows[day],
                    old=ibis.literal(sign * (1 - is_new), "int64"),
                    new=ibis.literal(sign * is_new, "int64"),
                )
            )
    moved = ibis.union(*moves)
    summed = moved.group_by(*same, "date").agg(old=moved.old.sum(), new=moved.new.sum())
    so_far = ibis.cumulative_window(group_by=same, order_by="date")
    in_order = ibis.window(group_by=same, order_by="date")
    return summed.mutate(
        old=summed.old.sum().over(so_far),
        new=summed.new.sum().over(so_far),
        end=summed.date.lead().over(in_order),
    )


def _clipped(rows: ibis.Table, edition: Edition, last_day: date) -> ibis.Table:
    """The rows, with spans clipped to the published days: open spans end with the last day."""
    if not edition.metric.spans:
        return rows
    ended = rows.mutate(end=ibis.coalesce(rows[END], ibis.literal(last_day + timedelta(days=1))))
    return ended if edition.first_day is None else _since(ended, edition.first_day)


def _since(spans: ibis.Table, first_day: date) -> ibis.Table:
    """The part of spans from this day on."""
    begun = spans.mutate(date=ibis.greatest(spans.date, ibis.literal(first_day)))
    return begun.filter(begun.date < begun[END])


def _read(engine: Engine, edition: Edition, table: Parted, parts: pa.Array | None = None) -> ibis.Table:
    """Rows of the result, present or published. Rows before the first day to publish are dropped, except of
    spans.
    """
    metric = edition.metric
    rows = parted.read(engine, table, result_schema(metric), part_of(metric), parts)
    if edition.first_day is None or metric.spans:
        return rows
    return rows.filter(rows[adoption.day_column(metric.table)].cast("date") >= edition.first_day)


def _written(engine: Engine, rows: ibis.Table, path: Path, metric: Metric) -> Batches:
    """The rows in the order of the key, read from a file in batches."""
    key = [name for name in metric.table.info["key"] if name in rows.columns]
    engine.write(rows, path, key)
    return partial(_batches, path)


def _batches(path: Path) -> Iterator[pa.Table]:
    for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS):
        yield pa.Table.from_batches([batch])
