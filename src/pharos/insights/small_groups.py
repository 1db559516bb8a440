"""Hides counts of few learners, if a site sets a minimum (setting `insights.minimum_cell`).

Groups with fewer learners than the minimum are counted as not given. A single hidden group could be computed
from the sum: then the next smallest groups are hidden too, until the hidden groups together reach the minimum
(complementary suppression). Sums do not change.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeVar

K = TypeVar("K", bound=Hashable)
UNKNOWN_COUNTRY = {"alpha2": None, "alpha3": None, "name": "UNKNOWN"}
GENDERS = ("female", "male", "other")


def hidden(counts: Mapping[K, int], not_given: int, least: int) -> set[K]:
    """The groups to count as not given; `not_given` learners are already counted so."""
    found = {group for group, count in counts.items() if 0 < count < least}
    together = not_given + sum(counts[group] for group in found)
    for group in sorted(counts, key=lambda group: counts[group]):
        if not found or together >= least:
            break
        if counts[group] and group not in found:
            found.add(group)
            together += counts[group]
    return found


def without(rows: Sequence[dict[str, Any]], key: str, unknown: object, least: int) -> list[dict[str, Any]]:
    """Rows of one day, one per value of `key`; hidden rows are added to the `unknown` one."""
    counts = {place: row["count"] for place, row in enumerate(rows) if not _is_unknown(row[key])}
    not_given = sum(row["count"] for row in rows if _is_unknown(row[key]))
    small = hidden(counts, not_given, least)
    if not small:
        return list(rows)
    kept = [row for place, row in enumerate(rows) if place in counts and place not in small]
    together = not_given + sum(counts[place] for place in small)
    return [*kept, {**rows[0], key: unknown, "count": together}]


def genders_without(row: dict[str, Any], least: int) -> dict[str, Any]:
    """The row of one day; hidden genders are None, which is not zero."""
    if not least:
        return row
    counts = {gender: row.get(gender) or 0 for gender in GENDERS}
    unknown = row.get("unknown") or 0
    small = hidden(counts, unknown, least)
    together = unknown + sum(counts[gender] for gender in small)
    shown = {gender: None if gender in small else count for gender, count in counts.items()}
    return {**row, **shown, "unknown": together}


def _is_unknown(value: object) -> bool:
    if isinstance(value, dict):
        return value.get("alpha2") is None
    return value is None
