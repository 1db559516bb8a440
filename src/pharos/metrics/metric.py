"""What a metric is: a pure function whose parameter names say what it is computed from."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import ibis
from sqlalchemy import Table

from pharos.result_store.tables import metadata


@dataclass(frozen=True)
class Metric:
    """A table of the Result Store and the function that computes it.

    Parameters named like a fact get all its days up to the last day, with the column `date`; those named like
    another metric's table get its rows; those named like a table of `pharos.lms.tables` get its snapshot; the
    others are moments of the run, see `pipeline.graph.Moments`.
    """

    table: Table
    function: Callable[..., ibis.Table]

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.table.name

    @property
    def is_published(self) -> bool:
        """Whether the table is one of the Result Store, or stays in the lake."""
        return self.table.metadata is metadata

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(inspect.signature(self.function).parameters)


def metric(table: Table) -> Callable[[Callable[..., ibis.Table]], Metric]:
    """Make the function the metric of this table."""
    return lambda function: Metric(table, function)
