"""A fact: a function of one UTC day's events, with the schema of its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A compact table per UTC day.

    `function` must not mix days: for events of many days, it returns for each day the same as for that day
    alone. Its result has the columns of `schema` and the column `date`; together they are unique. `course`
    and `learner` name the columns of the course run and of the learner's number in the LMS, if any.
    """

    name: str
    schema: pa.Schema  # without `date`
    function: Callable[[ibis.Table], ibis.Table]
    course: str | None
    learner: str | None

    def __call__(self, events: ibis.Table) -> ibis.Table:
        """The fact's rows of these events, with their `date`."""
        return self.function(events).select("date", *self.schema.names)


def fact(
    schema: pa.Schema, *, course: str | None = None, learner: str | None = None
) -> Callable[[Callable[[ibis.Table], ibis.Table]], Fact]:
    """Make a fact, named like the function, with rows of this schema."""
    return lambda function: Fact(
        name=function.__name__, schema=schema, function=function, course=course, learner=learner
    )
