"""Data and texts of charts; `static/charts.js` draws them.

The data are JSON beside the chart and contain only values that the table beside it contains, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

GREY = "n0"
LIGHT = "a0"
FEW = 4
"""Lying bars that need little room."""
DASHES: dict[str, list[int]] = {"s2": [8, 3], "s3": [2, 2], "s4": [6, 3, 2, 3], "s5": [12, 3], "s6": [3, 3]}


@dataclass(frozen=True)
class Series:
    """One line or band; `values` match the days of its chart."""

    name: str
    colour: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Mark:
    """A day worth a line across the chart."""

    day: date
    name: str


@dataclass(frozen=True)
class Key:
    """One entry of the key above a chart."""

    name: str
    colour: str
    shape: Literal["band", "line", "dashes", "mark", "hollow", "solid"]


@dataclass(frozen=True)
class Chart:
    """A chart with its texts. `description` gives the finding with numbers, for people who cannot see it."""

    kind: Literal["trend", "bars", "stacked", "map", "answers", "timeline"]
    title: str
    caption: str
    description: str
    data: dict[str, Any]
    key: list[Key]
    file_name: str
    """Of the picture, without its ending."""
    modes: bool = False
    """Whether it can be drawn stacked and as lines."""
    scale: tuple[str, ...] = ()
    """What the classes of a map stand for, from none to most."""

    @property
    def is_small(self) -> bool:
        """True if the chart has few horizontal bars and needs little room."""
        lying = self.data.get("answers") or (self.data["bars"] if self._lies else ())
        return 0 < len(lying) <= FEW

    @property
    def _lies(self) -> bool:
        return self.kind == "stacked" or bool(self.data.get("horizontal"))


def trend(
    *,
    title: str,
    caption: str,
    description: str,
    file_name: str,
    days: Sequence[date],
    series: Sequence[Series],
    total: str | None = None,
    before: Series | None = None,
    band: tuple[Series, Series] | None = None,
    marks: Sequence[Mark] = (),
    mark_word: str = "",
    weekly: bool = False,
) -> Chart:
    """Values over time: stacked bands under a total, or lines.

    `before` is a quiet line beside them, `band` the lower and upper edge of a quiet range.
    """
    shown = [mark for mark in marks if days and days[0] <= mark.day <= days[-1]]
    shape: Literal["band", "line"] = "band" if total else "line"
    key = [Key(s.name, s.colour, shape) for s in reversed(series)]
    if before is not None:
        key.append(Key(before.name, before.colour, "dashes"))
    if band is not None:
        key.append(Key(band[0].name, band[0].colour, "band"))
    if shown:
        key.append(Key(mark_word, LIGHT, "mark"))
    data = {
        "days": [day.isoformat() for day in days],
        "weekly": weekly,
        "total": total,
        "series": [_series(s) for s in series],
        "before": _series(before) if before is not None else None,
        "band": [_series(edge) for edge in band] if band is not None else None,
        "marks": [{"day": mark.day.isoformat(), "name": mark.name} for mark in shown],
    }
    return Chart("trend", title, caption, description, data, key, file_name, modes=total is not None)


def _series(series: Series) -> dict[str, Any]:
    return {
        "name": series.name,
        "colour": series.colour,
        "values": list(series.values),
        "dash": DASHES.get(series.colour),
    }
