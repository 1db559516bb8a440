"""What is computed from what: all facts and metrics, and the fingerprints of their code."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType
from typing import Any

import xxhash

from pharos import geolocation
from pharos.engine import Engine
from pharos.engine.base import TextFunction
from pharos.facts import activity as activity_facts
from pharos.facts import address as address_facts
from pharos.facts import enrollment as enrollment_facts
from pharos.facts import total as total_facts
from pharos.facts.fact import Fact
from pharos.metrics import activity, courses, demographics, enrollment, geography, reconciliation, total
from pharos.metrics.metric import Metric

FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        enrollment_facts.enrollment_event,
        activity_facts.activity_by_learner_day,
        address_facts.last_address_by_learner_day,
        total_facts.event_count_by_type,
    )
}

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        enrollment.course_enrollment_mode_daily,
        enrollment.course_enrollment_daily,
        enrollment.course_enrollment_effective_mode_daily,
        enrollment.course_enrollment_summary,
        enrollment.course_grade_by_mode,
        enrollment.course_meta_summary_enrollment,
        demographics.course_enrollment_gender_daily,
        demographics.course_enrollment_birth_year_daily,
        demographics.course_enrollment_education_level_daily,
        geography.course_enrollment_location_current,
        activity.course_activity,
        activity.course_activity_current_week,
        courses.course_program_metadata,
        total.total_events_daily,
        reconciliation.enrollment_reconciliation,
        reconciliation.enrollment_difference,
    )
}


@dataclass(frozen=True)
class Given:
    """What a run gives to metrics besides tables; their parameters of these names get these values."""

    until: datetime  # UTC, naive; a run describes the time before
    countries: Path = geolocation.SHIPPED
    private_country: str | None = None  # of private addresses
    fills_gaps: bool = False  # see `pharos.metrics.enrollment_gaps`
    counts_staff: bool = True  # see `pharos.metrics.population`
    counts_libraries: bool = True
    counts_browser_enrollments: bool = True

    @property
    def last_day(self) -> date:
        """The UTC day that holds the last moment before `until`."""
        return (self.until - timedelta(microseconds=1)).date()

    @property
    def current_week(self) -> date:
        """Monday of the ISO week that is not complete at `until`."""
        return self.until.date() - timedelta(days=self.until.weekday())

    def country_of(self, engine: Engine) -> geolocation.CountryOf:
        """The country of an address, looked up where the engine has it."""
        return engine.function(partial(geolocation.codes, str(self.countries), self.private_country))

    def in_place_of_addresses(self) -> TextFunction:
        """What is kept of addresses that shall be forgotten."""
        return partial(geolocation.in_place_of_addresses, str(self.countries), self.private_country)

    def value(self, name: str, engine: Engine) -> object:
        """What is given under this name."""
        return self.country_of(engine) if name == "country_of" else getattr(self, name)

    def fingerprint(self, name: str) -> str:
        """Changes when what is given under this name does."""
        if name == "country_of":
            return f"{geolocation.fingerprint(self.countries)} {self.private_country or ''}"
        moment: date = getattr(self, name)
        return moment.isoformat()


def in_order() -> list[Metric]:
    """The metrics, each after those it is computed from."""
    needs = {metric.name: [name for name in metric.inputs if name in METRICS] for metric in METRICS.values()}
    return [METRICS[name] for name in TopologicalSorter(needs).static_order()]


def fingerprint(*parts: str) -> str:
    """Twelve hexadecimal digits that stand for these texts."""
    return xxhash.xxh3_64_hexdigest("\n".join(parts).encode())[:12]


@lru_cache
def code_fingerprint(function: Callable[..., Any]) -> str:
    """Eight hexadecimal digits that change when the code behind a function may compute something else.

    Of its module and of all modules of the computing rooms that it imports, without comments, docstrings and
    layout: they do not change results.
    """
    module = inspect.getmodule(function)
    return fingerprint(function.__name__, *sorted(_sources(module) if module else []))[:8]


_COMPUTING_ROOMS = (
    "pharos.keys", "pharos.geolocation", "pharos.facts", "pharos.metrics", "pharos.engine.functions",
)  # fmt: skip


def _sources(module: ModuleType) -> set[str]:
    """The code of a module and of what it imports of the computing rooms, as canonical text."""
    found: dict[str, str] = {}
    waiting = [module.__name__]
    while waiting:
        name = waiting.pop()
        if name in found or not name.startswith(_COMPUTING_ROOMS):
            continue
        tree = ast.parse(inspect.getsource(importlib.import_module(name)))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        waiting = [name for name in waiting if _is_module(name)]
        found[name] = ast.dump(_without_docstrings(tree))
    return set(found.values())


def _is_module(name: str) -> bool:
    try:
        return name.startswith(_COMPUTING_ROOMS) and importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
    return tree
