"""Which changes of the code, of macros and of versions make what stale."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from tests.pipeline.conftest import UNTIL, WITHOUT_PARTS, Installation, log

import pharos
from pharos import geolocation
from pharos.config import EngineSettings
from pharos.engine import open_engine
from pharos.metrics import population
from pharos.metrics.enrollment_gaps import with_gaps_filled
from pharos.pipeline import fingerprints
from pharos.pipeline.graph import FACTS, METRICS

PACKAGE = Path(inspect.getfile(pharos)).parent

Fingerprints = dict[str, str]
Changed = Callable[[str, str, str], Fingerprints]

_PRINT = """
import json
from pharos.pipeline import fingerprints
from pharos.pipeline.graph import FACTS, METRICS
nodes = FACTS | METRICS
print(json.dumps({name: fingerprints.of_code([node.function], {}) for name, node in nodes.items()}))
"""


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """`changed(file, old, new)`: the fingerprints of a copy of the program with this text replaced."""

    def of_a_copy(file: str, old: str, new: str) -> Fingerprints:
        copy = tmp_path / "src" / "pharos"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "static", "templates"))
        text = (copy / file).read_text(encoding="utf-8")
        assert old in text
        (copy / file).write_text(text.replace(old, new), encoding="utf-8")
        program = [sys.executable, "-W", "ignore", "-c", _PRINT]
        environment = {"PYTHONPATH": str(copy.parent), "PATH": ""}
        done = subprocess.run(
            program, cwd=copy.parent, env=environment, check=True, capture_output=True, text=True
        )
        found: Fingerprints = json.loads(done.stdout)
        return found

    return of_a_copy


def now() -> Fingerprints:
    return {name: fingerprints.of_code([node.function], {}) for name, node in (FACTS | METRICS).items()}


def different(before: Fingerprints, after: Fingerprints) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_comments_docstrings_and_layout_change_no_fingerprint(changed: Changed) -> None:
    file, line = "facts/enrollment.py", "    relevant = events.filter(events.event_type.isin("
    assert changed(file, line, f"    # A comment.\n\n{line}\n        ") == now()
    assert changed(file, '"""Each enrollment event', '"""Every single enrollment event') == now()
    assert changed("engine/duckdb.py", 'name = "duckdb"', 'name = "duck"') == now()


def test_an_unused_function_changes_no_fingerprint(changed: Changed) -> None:
    unused = "def unused(text: str) -> str:\n    return text.upper()\n\n\ndef course_id_of_url("
    assert changed("keys.py", "def course_id_of_url(", unused) == now()
    unused = "def unused() -> None:\n    return None\n\n\ndef change_points("
    assert changed("metrics/enrollment_states.py", "def change_points(", unused) == now()


WEEKLY = {"course_activity", "course_activity_current_week", "course_activity_site_week"}
ENROLLMENT = {
    name
    for name, metric in METRICS.items()
    if {"filled_enrollment_event", "counted_enrollment_event"} & set(metric.inputs)
}
"""All that make states of learners from events."""


@pytest.mark.parametrize(
    ("file", "old", "new", "concerned"),
    [
        ("facts/enrollment.py", "enrollment.mode_changed", "enrollment.moved", {"enrollment_event"}),
        ("facts/interaction.py", '"play_video"', '"play"', {"interaction"}),
        ("facts/fact.py", '.select("date",', '.select("day",', set(FACTS)),
        ("metrics/activity.py", "days=7", "days=8", WEEKLY),
        ("metrics/enrollment_states.py", "joined > left", "joined >= left", ENROLLMENT),
        ("metrics/enrollment.py", "days=7", "days=8", {"course_meta_summary_enrollment"}),
    ],
)
def test_a_change_of_code_changes_the_fingerprints_of_exactly_what_runs_it(
    file: str, old: str, new: str, concerned: set[str], changed: Changed
) -> None:
    found = different(now(), changed(file, old, new))
    if file == "facts/enrollment.py":  # metrics ask for its constants too
        found &= set(FACTS)
    assert found == concerned


def test_a_fingerprint_holds_what_a_metric_takes_from_the_result_store() -> None:
    held = _code_of_definitions([
        METRICS["module_engagement_roster_token"].function, METRICS["learner_status"].function
    ])  # fmt: skip
    assert "pharos.result_store.folding.tokens" in held
    assert "pharos.result_store.tables.learner_status.STATUSES" in held


def test_a_macro_of_the_engine_counts_where_it_is_used() -> None:
    def under(macro: str) -> Fingerprints:
        semantics = {"": "duckdb 1.5", "json_text": macro}
        return {name: fingerprints.of_code([node.function], semantics) for name, node in FACTS.items()}

    found = different(under("get(document)"), under("upper(get(document))"))
    assert found == {
        "activity_item", "enrollment_event", "interaction", "place_visit", "problem_help",
        "problem_submission", "video_caption", "video_event",
    }  # fmt: skip


def test_a_release_of_the_engine_makes_everything_stale() -> None:
    def under(version: str) -> Fingerprints:
        return {
            name: fingerprints.of_code([node.function], {"": version})
            for name, node in (FACTS | METRICS).items()
        }

    assert different(under("duckdb 1.5, ibis 12.0"), under("duckdb 1.6, ibis 12.0")) == {*FACTS, *METRICS}


# --- What runs is what is held --------------------------------------------------------------------------

ROOMS = ("keys", "geolocation", "facts", "metrics", "engine.functions")


def _code_of_definitions(roots: list[Callable[..., Any]]) -> set[str]:
    """`module.name` of every definition that fingerprints of these functions hold."""
    return {f"{module}.{name}" for module, name in fingerprints.definitions(roots)}


class Recorder:
    """The functions of the computing rooms that ran, as `module.name`."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __call__(self, frame: Any, event: str, _argument: object) -> None:
        # A text that is evaluated in a module is an annotation, which the engine looks at.
        if event == "call" and frame.f_code.co_name != "<module>":
            module = frame.f_globals.get("__name__", "")
            if module.removeprefix("pharos.").startswith(ROOMS) and module.startswith("pharos."):
                self.names.add(f"{module}.{_outermost(frame.f_code)}")


def _outermost(code: CodeType) -> str:
    """The definition of a module that some code is part of: `Fact` of `Fact.__call__`, `f` of its lambdas."""
    return code.co_qualname.split(".")[0]


@pytest.fixture
def recorded() -> Iterator[Recorder]:
    recorder = Recorder()
    sys.setprofile(recorder)
    yield recorder
    sys.setprofile(None)


@pytest.mark.slow
def test_every_function_that_runs_is_held_by_a_fingerprint(tmp_path: Path, recorded: Recorder) -> None:
    """Gaps are filled, staff and libraries are left out: everything that can run runs."""
    home = Installation(
        tmp_path, lms={"fill_enrollment_gaps": True}, counting={"staff": False, "libraries": False}
    )
    home.run(log())
    sys.setprofile(None)
    roots: list[Callable[..., Any]] = [fact.function for fact in FACTS.values()]
    roots += [metric.function for metric in METRICS.values()]
    roots += [
        geolocation.codes,
        population.without_staff,
        population.enrollment_events,
        population.without_libraries,
        with_gaps_filled,
    ]
    machinery = {
        "pharos.metrics.metric.Metric",  # says what a metric is; computes nothing
        # These look at the database of countries.
        "pharos.geolocation.check", "pharos.geolocation.fingerprint", "pharos.geolocation._built",
        "pharos.facts.event_types.is_known",  # for the status alone
        # How files are read; a digest holds what is in them.
        "pharos.engine.functions.with_schema", "pharos.engine.functions._same_types",
    }  # fmt: skip
    parsing = {name for name in recorded.names if name.startswith("pharos.keys.")}  # held by the events
    assert "pharos.metrics.enrollment_states.change_points" in recorded.names
    assert recorded.names - parsing - machinery - _code_of_definitions(roots) == set()


# --- The experiment: a macro is wrong for one run ---------------------------------------------------------


def test_a_wrong_macro_heals_when_it_is_put_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Computed with a wrong macro, results are wrong; the next plain run makes them right."""
    from pharos.engine import duckdb  # noqa: PLC0415

    home = Installation(tmp_path)
    home.run(log())
    right = home.tables()
    value = "json_extract_string(document, path)"
    macro = duckdb.DuckDBEngine.json_text
    assert value in macro
    with monkeypatch.context() as patch:
        patch.setattr(duckdb.DuckDBEngine, "json_text", macro.replace(value, f"upper({value})"))
        home.run(log(), full=True, accepted=tuple(METRICS))
        assert home.tables() != right
    report = home.run(log())
    assert home.tables() == right
    assert ("enrollment_event", "10 of 10 days: code changed") in report.why
    assert report.until == UNTIL


def test_why_tells_of_a_new_release_of_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pharos.engine import duckdb  # noqa: PLC0415

    home = Installation(tmp_path)
    home.run(log())
    monkeypatch.setattr(duckdb, "release", lambda _: "99.9")
    why = dict(home.run(log()).why)
    assert why["interaction"].startswith("10 of 10 days: engine changed: duckdb 1.5, ibis 12.")
    assert why["course_activity"].endswith("duckdb 99.9, ibis 99.9 now")
    assert why.keys() >= {*FACTS, *METRICS} - WITHOUT_PARTS


def test_engines_declare_what_they_are(engine_settings: EngineSettings, tmp_path: Path) -> None:
    engine = open_engine(engine_settings, tmp_path)
    assert engine.semantics()[""].startswith(f"{engine.name} ")
    engine.close()
