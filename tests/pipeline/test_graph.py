"""Which facts and metrics there are, and what is computed from what."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from pharos.lms.tables import ALL
from pharos.pipeline.graph import FACTS, METRICS, in_order
from pharos.pipeline.inputs import Inputs
from pharos.pipeline.scope import Scope
from pharos.result_store import tables


def test_every_input_of_a_metric_is_there() -> None:
    """A value is asked for by one of these names; everything else is a table."""
    values = {
        "last_day",
        "current_week",
        "site_week",
        "first_weekday",
        "grades_are_known",
        "users_are_known",
        "enrollments_are_known",
        "enrollments_are_of_then",
        "newest_enrollment",
        "response_types",
        "reports_since",
        "video_compat",
        "smallest_group",
        "pauses",
        "shows_profiles",
        "student_reports",
        "student_reports_until",
    }
    for metric in METRICS.values():
        for name in metric.inputs:
            assert Inputs.is_table(name) or name in {*values, "country_of"}, f"{metric.name} wants {name}"


def test_the_names_of_inputs_are_unambiguous() -> None:
    assert not FACTS.keys() & METRICS.keys()
    assert not ALL.keys() & (FACTS.keys() | METRICS.keys())


def test_each_metric_comes_after_its_inputs() -> None:
    order = [metric.name for metric in in_order()]
    assert sorted(order) == sorted(METRICS)
    for metric in METRICS.values():
        for name in METRICS.keys() & set(metric.inputs):
            assert order.index(name) < order.index(metric.name)


def test_a_metric_is_named_like_its_table() -> None:
    for name, metric in METRICS.items():
        assert metric.function.__name__ == name
        assert metric.table is getattr(tables, name)


@pytest.mark.parametrize(
    ("until", "last_day"),
    [
        (datetime(2024, 3, 1), date(2024, 2, 29)),
        (datetime(2024, 3, 1, microsecond=1), date(2024, 3, 1)),
        (datetime(2024, 3, 1, 23, 59, 59, 999999), date(2024, 3, 1)),
    ],
)
def test_the_last_day_holds_the_last_moment_before_until(until: datetime, last_day: date) -> None:
    assert Scope(until).last_day == last_day
