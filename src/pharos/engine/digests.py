"""The query that computes digests of rows, in SQL that DuckDB and Spark both understand."""

from __future__ import annotations

from collections.abc import Sequence

PRIME = 2**63 - 25
"""Digests are sums of hashes modulo this prime, so that they fit a signed integer of 64 bits."""


def digests_query(rows: str, by: Sequence[str], key: Sequence[str], *, row_digest: str, quote: str) -> str:
    """The query of `Engine.digests` for the rows of a query; `row_digest` hashes a row on this engine.

    Rows are grouped by key first, so that one pass over the rows gives both numbers.
    """
    groups = ", ".join(f"{quote}{name}{quote}" for name in by)
    keys = ", ".join(f"{quote}{name}{quote}" for name in dict.fromkeys([*by, *key]))
    most = ", max(rows) AS most_of_key" if key else ""
    return (
        f"SELECT {groups}, CAST(sum(rows) AS bigint) AS rows, "  # noqa: S608 - our own expressions
        f"CAST((sum(digest) % {PRIME} + {PRIME}) % {PRIME} AS bigint) AS digest{most} "  # no negative one
        f"FROM (SELECT {keys}, count(*) AS rows, sum({row_digest}) AS digest FROM ({rows}) GROUP BY {keys}) "
        f"GROUP BY {groups}"
    )
