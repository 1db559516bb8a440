"""A metric: a pure function whose parameter names are the names of its inputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import ibis
from sqlalchemy import Table

from pharos.result_store.tables import metadata

By = Literal["course_id", "date", "week"] | None

END = "end"
"""Column of spans: the first day on which the row no longer holds; null while it still does."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A table of the Result Store and the function that computes it.

    Parameters are named after the inputs of `pharos.pipeline.inputs`: facts (all days up to the last one,
    with the column `date`), counted and filled facts, tables of the LMS, other metrics, values of the run.

    `by` names the parts into which the rows are split: course runs, UTC days or ISO weeks (named by their
    Monday; the week so far by the first day of the site's week). If the function gets only the inputs of some
    parts, it must return exactly the rows of these parts that it returns for all inputs. None: the table is a
    single part.

    `spans`: the function returns a row per change instead of one per day: the row holds from `date` up to but
    excluding `end`. The rows of single days are made when the table is published.

    The function leaves out the column that the table declares as its `stamp`, so that a table that says "as
    of today" is not computed anew each day.
    """

    table: Table
    function: Callable[..., ibis.Table]
    by: By
    spans: bool = False

    @property
    def stamp(self) -> str | None:
        """The column with the same value in all rows, which the run sets."""
        stamp: str | None = self.table.info["stamp"]
        return stamp

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.table.name

    @property
    def is_published(self) -> bool:
        """True if the table is in the Result Store, False if it stays in the lake."""
        return self.table.metadata is metadata

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(inspect.signature(self.function).parameters)


def metric(table: Table, *, by: By, spans: bool = False) -> Callable[[Callable[..., ibis.Table]], Metric]:
    """Make the function the metric of this table."""
    return lambda function: Metric(table=table, function=function, by=by, spans=spans)
