"""Finds the courses of an organisation by the beginnings of their ids, in Python and in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import sqlalchemy as sa

from pharos.result_store.column_types import exactly

COURSE_KINDS = ("course-v1", "slashes", "ccx-v1", "library-v1")


def in_organizations(course_id: sa.Column[str], those: Iterable[str]) -> sa.ColumnElement[bool]:
    """SQL condition: the course id starts with one of these beginnings, compared exactly."""
    return sa.or_(
        sa.false(),
        *(
            sa.and_(
                course_id.startswith(beginning, autoescape=True),
                exactly(sa.func.substr(course_id, 1, len(beginning))) == beginning,
            )
            for beginning in those
        ),
    )


@lru_cache
def beginnings(organizations: frozenset[str] | None) -> tuple[str, ...]:
    """The prefixes of ids of the organisations' courses and libraries; no other ids have them.

    A name with a separator of ids is ignored: `a+b` would match course `b` of organisation `a`.
    """
    names = sorted(name for name in organizations or () if name and not set(name) & set("+/"))
    return tuple(
        beginning
        for name in names
        for beginning in (f"{name}/", *(f"{kind}:{name}+" for kind in COURSE_KINDS))
    )
