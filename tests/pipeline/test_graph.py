"""What is computed from what, and which changes of the code make results stale."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

import pharos
from pharos.lms.tables import ALL
from pharos.pipeline.graph import FACTS, METRICS, Given, code_fingerprint, in_order
from pharos.result_store import tables

PACKAGE = Path(inspect.getfile(pharos)).parent

Fingerprints = dict[str, str]
Changed = Callable[[str, str, str], Fingerprints]

_PRINT = """
import json
from pharos.pipeline.graph import FACTS, METRICS, code_fingerprint
print(json.dumps({name: code_fingerprint(node.function) for name, node in (FACTS | METRICS).items()}))
"""


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """`changed(file, old, new)`: the fingerprints of a copy of the program with this text replaced."""

    def fingerprints(file: str, old: str, new: str) -> Fingerprints:
        copy = tmp_path / "src" / "pharos"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "static", "templates"))
        text = (copy / file).read_text(encoding="utf-8")
        assert old in text
        (copy / file).write_text(text.replace(old, new), encoding="utf-8")
        program = [sys.executable, "-W", "ignore", "-c", _PRINT]
        done = subprocess.run(program, cwd=copy.parent, check=True, capture_output=True, text=True)
        found: Fingerprints = json.loads(done.stdout)
        return found

    return fingerprints


def now() -> Fingerprints:
    return {name: code_fingerprint(node.function) for name, node in (FACTS | METRICS).items()}


def test_what_changes_no_result_changes_no_fingerprint(changed: Changed) -> None:
    """A comment, a docstring, an empty line, a line broken otherwise."""
    file, line = "facts/enrollment.py", "    relevant = events.filter(events.event_type.isin("
    assert changed(file, line, f"    # A comment.\n\n{line}\n        ") == now()
    assert changed(file, '"""Each enrollment event', '"""Every single enrollment event') == now()
    assert changed("engine/duckdb.py", 'name = "duckdb"', 'name = "duck"') == now()


@pytest.mark.parametrize(
    ("file", "old", "new", "concerned"),
    [
        ("facts/enrollment.py", "enrollment.mode_changed", "enrollment.moved", "enrollment_event"),
        ("facts/activity.py", '"play_video"', '"play"', "activity_by_learner_day"),
        ("facts/fact.py", '.select("date",', '.select("day",', "activity_by_learner_day"),
        ("keys.py", r"{24}", r"{25}", "enrollment_event"),  # the grammar of course ids
        ("engine/functions.py", "get_json_object", "get_json", "enrollment_event"),
        ("metrics/activity.py", "days=7", "days=8", "course_activity"),
        ("metrics/enrollment_states.py", "* 2 + 1", "* 2 + 3", "course_enrollment_mode_daily"),
        ("metrics/enrollment.py", "days=7", "days=8", "course_meta_summary_enrollment"),
    ],
)
def test_a_change_of_code_changes_the_fingerprint_of_what_runs_it(
    file: str, old: str, new: str, concerned: str, changed: Changed
) -> None:
    before, after = now(), changed(file, old, new)
    assert after[concerned] != before[concerned]
    if file == "facts/enrollment.py":
        assert after["activity_by_learner_day"] == before["activity_by_learner_day"], "nothing else is stale"


def test_every_input_of_a_metric_is_there() -> None:
    for metric in METRICS.values():
        for name in metric.inputs:
            assert name in FACTS or name in METRICS or name in ALL or hasattr(Given, name), (
                f"{metric.name} wants {name}"
            )


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
    assert Given(until).last_day == last_day
