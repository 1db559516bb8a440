"""Selects and orders the learners of a course for a request (spec 05 §10.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Query

from pharos.data_api.errors import IllegalParameter
from pharos.data_api.parameters import check_choices, names_in
from pharos.data_api.privacy import Privacy
from pharos.data_api.reading import Reading
from pharos.data_api.roster_kept import METRICS, Group, Keys, groups_of, roster_of
from pharos.result_store import tables
from pharos.result_store.column_types import equal
from pharos.result_store.folding import words
from pharos.result_store.tables.engagement import SEGMENTS as IN_ORDER
from pharos.result_store.tables.learner_status import STATUSES

roster, words_of = tables.module_engagement_roster, tables.module_engagement_roster_token

LAST_CHARACTER = "\U0010ffff"
SEGMENTS = (
    "highly_engaged",
    "disengaging",
    "struggling",
    "inactive",
    "unenrolled",
)  # as the original has them
ORDERS = ("username", "email", *METRICS)
LISTS = [",".join(each) for n in range(len(IN_ORDER) + 1) for each in combinations(IN_ORDER, n)]
"""All values of the column `segments`: comparing with them takes a fifth of the time of looking into it."""
DIRECTIONS = ("asc", "desc")
FEW = 1000  # learners that the database sorts as fast
_SEARCH = (
    "Beginnings of words of name, user name or e-mail address, in any case and without accents; with "
    "pseudonyms a pseudonym."
)


@dataclass(frozen=True)
class Found:
    """Learners selected by a request, in its order."""

    count: int
    ids: Callable[[int, int], Sequence[int]]
    """Row numbers, by offset and limit."""


@dataclass(frozen=True)
class Wanted:
    """The filters and the order of a request; empty texts do not filter."""

    text_search: str
    segments: str
    ignore_segments: str
    cohort: str
    enrollment_mode: str
    status: str
    order_by: str
    sort_order: str

    def found(self, store: Reading, course_id: str) -> Found:
        """The learners in their order. Raises IllegalParameter."""
        filters, order = self._filters(), self.order(store.privacy)
        if self.text_search or self.status:
            among = _numbers(store, sa.select(roster.c.id).where(*self._rare(store, course_id)))
            if len(among) <= FEW:
                some = [roster.c.id.in_(among), *filters]
                ids = _numbers(store, sa.select(roster.c.id).where(*some).order_by(*order))
                return Found(len(ids), lambda offset, limit: ids[offset : offset + limit])
        else:
            among = None
        by = self.order_by or "username"
        is_quick = by == "username" and not filters and among is None  # by an index
        kept = None if by == "email" else roster_of(store, course_id, is_urgent=not is_quick)
        if kept is None:
            return self.found_in_database(store, course_id, order)
        ordered = kept.ids(
            _keys(by, descends=self._descends),
            ties_descend=by == "username" and self._descends,
            is_wanted=self._has,
            among=among,
        )
        return Found(len(ordered), lambda offset, limit: ordered.slice(offset, limit).to_pylist())

    def found_in_database(
        self, store: Reading, course_id: str, order: Sequence[sa.ColumnElement[Any]]
    ) -> Found:
        conditions = self.conditions(store, course_id)
        if self.text_search or self.status:
            ((count,),) = store.unmasked(sa.select(sa.func.count()).select_from(roster).where(*conditions))
        else:
            count = sum(group.learners for group in groups_of(store, course_id) if self._has(group))
        ids = sa.select(roster.c.id).where(*conditions).order_by(*order)
        return Found(count, lambda offset, limit: _numbers(store, ids.offset(offset).limit(limit)))

    def conditions(self, store: Reading, course_id: str) -> list[sa.ColumnElement[bool]]:
        """Conditions on the roster. Raises IllegalParameter."""
        return [*self._rare(store, course_id), *self._filters()]

    def order(self, privacy: Privacy) -> list[sa.ColumnElement[Any]]:
        """Missing values last in ascending order, first in descending. Raises IllegalParameter."""
        by = self.order_by or "username"
        check_choices("order_by", [by], [x for x in ORDERS if x == "username" or not privacy.hides(x)])
        check_choices("sort_order", [self.sort_order] if self.sort_order else [], DIRECTIONS)
        ties = privacy.order(roster)
        if by == "username":
            return [_directed(ties, self._descends)]
        column = roster.c[by]
        missing = [_directed(column.is_(None), self._descends)] if column.nullable else []
        keys = [_directed(roster.c[name], descends) for name, descends in _keys(by, descends=self._descends)]
        return [*missing, *keys, ties]

    @property
    def _descends(self) -> bool:
        return self.sort_order == "desc"

    def _filters(self) -> list[sa.ColumnElement[bool]]:
        return [
            *_in_segments(self.segments, self.ignore_segments),
            *([roster.c.cohort == self.cohort] if self.cohort else []),
            *([roster.c.enrollment_mode == self.enrollment_mode] if self.enrollment_mode else []),
        ]

    def _has(self, group: Group) -> bool:
        wanted, ignored = set(names_in(self.segments)), set(names_in(self.ignore_segments))
        return (
            (not wanted or not wanted.isdisjoint(group.segments))
            and ignored.isdisjoint(group.segments)
            and self.cohort in ("", group.cohort)
            and self.enrollment_mode in ("", group.enrollment_mode)
        )

    def _rare(self, store: Reading, course_id: str) -> list[sa.ColumnElement[bool]]:
        """Filters that need tables besides the roster, as conditions on the roster."""
        return [
            equal(roster.c.course_id, course_id),
            *([_holds(store, course_id, self.text_search)] if self.text_search else []),
            *([_has_status(course_id, self.status)] if self.status else []),
        ]


def _numbers(store: Reading, ids: sa.Select[Any]) -> Sequence[int]:
    return [number for (number,) in store.unmasked(ids)]


async def _wanted(
    text_search: Annotated[str, Query(description=_SEARCH)] = "",
    segments: Annotated[str, Query(description=f"Any of these: {', '.join(SEGMENTS)}.")] = "",
    ignore_segments: Annotated[str, Query(description="None of these; not together with segments.")] = "",
    cohort: Annotated[str, Query(description="Exactly this cohort.")] = "",
    enrollment_mode: Annotated[str, Query(description="Exactly this mode.")] = "",
    status: Annotated[str, Query(description=f"Any of these: {', '.join(STATUSES)}.")] = "",
    order_by: Annotated[str, Query(description=f"One of {', '.join(ORDERS)}.")] = "",
    sort_order: Annotated[str, Query(description="asc or desc.")] = "",
) -> Wanted:
    return Wanted(
        text_search, segments, ignore_segments, cohort, enrollment_mode, status, order_by, sort_order
    )


WantedLearners = Annotated[Wanted, Depends(_wanted)]


def rows_of(store: Reading, ids: Sequence[int]) -> list[sa.RowMapping]:
    """The rows of the roster with these numbers, in this order."""
    places = {number: place for place, number in enumerate(ids)}
    statement = sa.select(roster, roster.c.id.label("row_number")).where(roster.c.id.in_(ids))
    return sorted(store.rows(statement), key=lambda row: places[row["row_number"]])


def username_of(store: Reading, course_id: str, shown: str) -> str | None:
    """The user name of the learner of the course who is shown under this name; None if there is none."""
    return next(iter(usernames_of(store, course_id, [shown])), None)


def usernames_of(store: Reading, course_id: str, shown: Sequence[str]) -> list[str]:
    """The user names of the learners of the course who are shown under these names."""
    if not store.privacy.is_pseudonymous:
        return list(shown)
    names = store.unmasked(sa.select(roster.c.username).where(equal(roster.c.course_id, course_id)))
    return store.privacy.usernames_of(shown, (name for (name,) in names))


def is_named(table: sa.Table, username: str | None) -> sa.ColumnElement[bool]:
    """SQL condition: the row is about this learner; false for every row if `username` is None."""
    return sa.false() if username is None else equal(table.c.username, username)


def _in_segments(wanted: str, ignored: str) -> list[sa.ColumnElement[bool]]:
    if wanted and ignored:
        raise IllegalParameter("Cannot combine `segments` and `ignore_segments` parameters.")
    names = names_in(wanted or ignored)
    check_choices("segments/ignore_segments", names, SEGMENTS)
    if not names:
        return []
    among = roster.c.segments.in_([text for text in LISTS if not set(names).isdisjoint(text.split(","))])
    return [among if wanted else sa.not_(among)]


def statuses(text: str) -> tuple[str, ...]:
    """The statuses listed in a parameter. Raises IllegalParameter."""
    names = names_in(text)
    check_choices("status", names, STATUSES)
    return names


def _has_status(course_id: str, text: str) -> sa.ColumnElement[bool]:
    table = tables.learner_status
    return roster.c.user_id.in_(
        sa.select(table.c.user_id).where(
            equal(table.c.course_id, course_id), table.c.status.in_(statuses(text))
        )
    )


def _holds(store: Reading, course_id: str, text: str) -> sa.ColumnElement[bool]:
    """Every word of the text is the beginning of one of the learner's words.

    The words are looked up in one pass: PostgreSQL takes seconds for one condition per word.
    """
    if store.privacy.is_pseudonymous:
        return is_named(roster, username_of(store, course_id, text))
    beginnings = [
        sa.and_(words_of.c.token >= word, words_of.c.token < f"{word}{LAST_CHARACTER}")
        for word in set(words(text))
    ]
    if not beginnings:
        return sa.true()
    found = sa.select(words_of.c.username).where(
        words_of.c.course_id == course_id, words_of.c.field.in_(store.privacy.searched), sa.or_(*beginnings)
    )
    if len(beginnings) > 1:
        has = [sa.func.max(sa.case((beginning, 1), else_=0)) == 1 for beginning in beginnings]
        found = found.group_by(words_of.c.username).having(sa.and_(*has))
    return roster.c.username.in_(found)


def _keys(order_by: str, *, descends: bool) -> Keys:
    """The sort keys that precede the user name.

    attempt_ratio_order runs against the ratio: the best learners have a small ratio and a large order.
    """
    if order_by == "username":
        return ()
    ratio = ((order_by, descends), ("attempt_ratio_order", not descends))
    return ratio if order_by == "problem_attempts_per_completed" else ratio[:1]


def _directed(column: sa.ColumnElement[Any], descending: bool) -> sa.ColumnElement[Any]:
    return column.desc() if descending else column.asc()
