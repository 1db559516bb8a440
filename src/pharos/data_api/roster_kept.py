"""Rosters in memory: sort and filter a large course by any column within milliseconds.

To sort 100,000 learners a database takes a tenth of a second, MariaDB half a second; with an index for each
order the roster would be twice as large, and filters would still read every row. The columns for orders and
filters take about a hundred bytes per learner. They are read once for each publication of the roster, in the
background, when somebody sorts or filters; the rows on the page are then read by their numbers.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from pharos.data_api.lists import Listed, unpacked
from pharos.data_api.parameters import names_in
from pharos.data_api.reading import Reading
from pharos.result_store import tables
from pharos.result_store.column_types import equal

roster = tables.module_engagement_roster

METRICS = (
    "discussion_contributions",
    "problems_attempted",
    "problems_completed",
    "problem_attempts_per_completed",
    "attempt_ratio_order",
    "videos_viewed",
)
MOST_LEARNERS = 500_000  # of all courses kept: 50 MB, and as much again for orders
_COURSE: sa.BindParameter[str] = sa.bindparam("course_id", type_=sa.String())
_OF_GROUP = (roster.c.enrollment_mode, roster.c.cohort, roster.c.segments)
_OF_COURSE = equal(roster.c.course_id, _COURSE)
_COLUMNS = [roster.c[name] for name in ("id", *METRICS)]

Keys = tuple[tuple[str, bool], ...]
"""Columns to sort by, and whether each descends."""


@dataclass(frozen=True)
class Group:
    """Learners of a course with equal values in the columns that filters use."""

    enrollment_mode: str | None
    cohort: str | None
    segments: tuple[str, ...]
    learners: int


Part = tuple[Group, Sequence[Sequence[float | None]]]
"""A group with the columns of its learners: row numbers and metrics."""


class Roster:
    """The learners of a course by their row numbers."""

    def __init__(self, parts: Sequence[Part], in_order: Sequence[int]) -> None:
        """`in_order`: all row numbers, in the order of ties."""
        self._groups = [group for group, _ in parts]
        self._group = pa.array(
            chain.from_iterable(repeat(place, group.learners) for place, group in enumerate(self._groups)),
            pa.int32(),
        )
        self._columns = pa.table(
            {
                column.name: pa.array(
                    chain.from_iterable(columns[place] for _, columns in parts), pa.float64()
                )
                for place, column in enumerate(_COLUMNS)
            }
        )
        self._ids = self._columns["id"].combine_chunks().cast(pa.int64())
        places = pc.index_in(self._ids, value_set=pa.array(in_order, pa.int64()))
        self._columns = self._columns.append_column("place", places)
        self._orders: dict[tuple[Keys, bool], Any] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def ids(
        self,
        keys: Keys,
        *,
        ties_descend: bool,
        is_wanted: Callable[[Group], bool],
        among: Sequence[int] | None,
    ) -> Any:
        """The numbers of the learners of some groups, in an order. `among`: only these numbers; None: all."""
        order = self._order(keys, ties_descend=ties_descend)
        wanted = [is_wanted(group) for group in self._groups]
        if not all(wanted):
            order = order.filter(pc.take(pa.array(wanted), pc.take(self._group, order)))
        ids = pc.take(self._ids, order)
        return ids if among is None else ids.filter(pc.is_in(ids, value_set=pa.array(among, pa.int64())))

    def _order(self, keys: Keys, *, ties_descend: bool) -> Any:
        """Missing values come last in ascending order, first in descending."""
        if (keys, ties_descend) not in self._orders:
            directions = [
                (name, "descending" if descends else "ascending", "at_start" if descends else "at_end")
                for name, descends in (*keys, ("place", ties_descend))
            ]
            found = pc.sort_indices(self._columns, directions)
            self._orders[keys, ties_descend] = found.cast(pa.uint32())
        return self._orders[keys, ties_descend]


@dataclass
class _Kept:
    """The cached groups and rosters, until the roster is published again."""

    groups: dict[str, list[Group]] = field(default_factory=dict)
    rosters: OrderedDict[str, Roster] = field(default_factory=OrderedDict)
    reading: dict[str, threading.Lock] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    changing: threading.Lock = field(default_factory=threading.Lock)

    def turn(self, course_id: str) -> threading.Lock:
        """The lock for reading a course: others wait and then use the same roster."""
        return self.reading.setdefault(course_id, threading.Lock())


def _group(columns: Sequence[Any], learners: int) -> Group:
    mode, cohort, segments = columns
    return Group(mode, cohort, names_in(segments), learners)


def groups_of(store: Reading, course_id: str) -> list[Group]:
    """The groups of a course; 100,000 learners take a quarter of a second (benchmarks/roster.py)."""
    kept = store.derived(roster, _Kept)
    with kept.turn(course_id):
        if course_id not in kept.groups:
            rows = store.tuples(
                sa.select(*_OF_GROUP, sa.func.count())
                .where(equal(roster.c.course_id, course_id))
                .group_by(*_OF_GROUP)
            )
            kept.groups[course_id] = [_group(group, learners) for *group, learners in rows]
    return kept.groups[course_id]


def roster_of(store: Reading, course_id: str, *, is_urgent: bool) -> Roster | None:
    """The learners of a course, if they are in memory; else None.

    `is_urgent`: if they are not, start reading them in the background; until then the database sorts. Rosters
    of the most recently requested courses are kept.
    """
    if not store.is_published(roster):
        return None  # changes by another program are not announced
    kept = store.derived(roster, _Kept)
    with kept.changing:
        if course_id in kept.rosters:
            kept.rosters.move_to_end(course_id)
            return kept.rosters[course_id]
        if is_urgent and course_id not in kept.asked:
            kept.asked.add(course_id)
            store.meanwhile(lambda reading: _keep(reading, course_id))
    return None


def _keep(store: Reading, course_id: str) -> None:
    found = _read(store, course_id)
    kept = store.derived(roster, _Kept)
    with kept.changing:
        kept.asked.discard(course_id)
        kept.rosters[course_id] = found
        while len(kept.rosters) > 1 and sum(map(len, kept.rosters.values())) > MOST_LEARNERS:
            kept.rosters.popitem(last=False)


def _read(store: Reading, course_id: str) -> Roster:
    in_order = Listed([roster.c.id], _OF_COURSE, order=[store.privacy.order(roster)])
    numbers = [number for (number,) in in_order.unmasked(store, course_id=course_id)]
    return Roster(_packed_parts(store, course_id) or _parts(store, course_id), numbers)


def _packed_parts(store: Reading, course_id: str) -> list[Part]:
    """As `_parts`, in a tenth of the time: the database joins the numbers of a column into one text.

    Empty if a text is too long for the database.
    """
    found = []
    for mode, cohort, segments, learners, *texts in store.unmasked(_PACKED, {"course_id": course_id}):
        columns = [unpacked(learners, text) for text in texts]
        if any(column is None for column in columns):
            return []
        found.append((_group((mode, cohort, segments), learners), columns))
    return cast("list[Part]", found)


def _parts(store: Reading, course_id: str) -> list[Part]:
    """The learners of a course by their groups."""
    rows: dict[tuple[Any, ...], list[Sequence[Any]]] = {}
    for row in store.unmasked(sa.select(*_OF_GROUP, *_COLUMNS).where(_OF_COURSE), {"course_id": course_id}):
        rows.setdefault(tuple(row[: len(_OF_GROUP)]), []).append(row[len(_OF_GROUP) :])
    return [(_group(group, len(each)), list(zip(*each, strict=True))) for group, each in rows.items()]


def _joined(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The numbers of a column, joined by commas."""
    comma: Any = sa.literal_column("','")
    return sa.func.aggregate_strings(sa.func.coalesce(sa.cast(column, sa.String), "null"), comma)


_PACKED = (
    sa.select(*_OF_GROUP, sa.func.count(), *map(_joined, _COLUMNS)).where(_OF_COURSE).group_by(*_OF_GROUP)
)
