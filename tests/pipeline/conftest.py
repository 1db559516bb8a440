"""An installation that runs, and what it leaves behind, read without our own code."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests import lines

from pharos import config
from pharos.engine import open_engine
from pharos.lake import lms_tables
from pharos.lake.lake import Lake
from pharos.lms.tables import ALL as LMS_TABLES
from pharos.pipeline import parted
from pharos.pipeline.graph import FACTS, METRICS
from pharos.pipeline.inputs import fact_of
from pharos.pipeline.report_rows import REPORTS
from pharos.pipeline.run import RunReport, run_pipeline

UNTIL = datetime(2024, 3, 12)
DAYS = tuple(f"2024-03-{day:02}" for day in range(2, 12))  # of LOG; the next midnight is UNTIL

# Results that nothing is known for: they are of course runs of a catalog or a database of the LMS.
WITHOUT_PARTS = {
    "course_program_metadata", "course_transcript_language", "grade_distribution",
    "sequential_open_distribution",
}  # fmt: skip

# One metric of each form: made of facts or of other metrics, in parts by course run, week and day, stamped,
# published under a key of its own.
FEW = (
    "course_activity", "course_activity_current_week", "course_enrollment_daily",
    "course_enrollment_location_current", "course_enrollment_mode_daily", "total_events_daily",
)  # fmt: skip
few = pytest.mark.usefixtures("few_metrics")

Tables = dict[str, list[tuple[Any, ...]]]


def log() -> list[str]:
    """Ten days of two courses: learners come, learn and leave; in the order of time."""
    written = []
    for number, day in enumerate(DAYS):
        for user in range(1, 5):
            course = f"course-v1:UniX+CS{user % 2}+2023"
            kind = lines.KINDS[(number * user) % 3]
            mode = ("audit", "verified")[(number + user) % 2]
            written += [
                lines.enrollment(f"{day} 0{user}:00", kind, user=user, course=course, mode=mode),
                lines.event(f"{day} 1{user}:00", "problem_check", user=user, course=course),
                lines.event(f"{day} 1{user}:30", "play_video", user=user, course=course, source="browser"),
            ]
    return written


def day_of(line: str) -> str:
    return next(day for day in DAYS if f'"{day}T' in line)


class Installation:
    """A home, run again and again."""

    def __init__(self, folder: Path, **sections: dict[str, Any]) -> None:
        self.folder = folder
        self.settings = config.load(folder / "home", None, **sections)

    def run(
        self,
        log: list[str],
        until: datetime | None = UNTIL,
        *,
        full: bool = False,
        accepted: tuple[str, ...] = (),
    ) -> RunReport:
        """Run on a log file that has these lines now."""
        path = lines.write(self.folder / "tracking.log", log)
        return run_pipeline(self.settings, logs=[str(path)], until=until, full=full, accepted=accepted)

    def know(self, **tables: list[dict[str, Any]]) -> None:
        """Import rows of tables of the LMS; columns that they leave out are null."""
        lake = Lake(self.settings.lake)
        with lake.locked():
            engine = open_engine(self.settings.engine, lake.staging / "spill")
            for name, rows in tables.items():
                table = pa.Table.from_pylist(rows, LMS_TABLES[name].schema)
                lms_tables.replace(lake, engine, name, table, "a test", UNTIL, problem=None)
            engine.close()

    def tables(self) -> Tables:
        """The rows of all result tables, without row numbers and the moment of publication."""
        with sqlite3.connect(self.settings.home / "result_store.sqlite") as store:
            names = [name for (name,) in store.execute("SELECT table_name FROM pharos_publication")]
        store.close()
        return {name: self.rows_of(name) for name in names}

    def rows_of(self, table: str) -> list[tuple[Any, ...]]:
        """The rows of a table of the Result Store."""
        with sqlite3.connect(self.settings.home / "result_store.sqlite") as store:
            columns = [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(column for column in columns if column not in {"id", "created"})
            rows = store.execute(f"SELECT {kept} FROM {table}").fetchall()  # noqa: S608
        store.close()
        return sorted(rows, key=repr)

    def parts(self) -> dict[str, dict[str, tuple[int, int]]]:
        """The number of rows and their digest, of every part of every fact and result that has rows."""
        found = {}
        for part in ("facts", "results"):
            for folder in sorted((self.settings.lake / part).iterdir()):
                rows = parted.load(folder).parts.to_pylist()
                known = {row["part"]: (row["rows"], row["digest"]) for row in rows if row["rows"]}
                found[f"{part}/{folder.name}"] = known
        return found

    def paths(self) -> list[Path]:
        parts = (self.settings.lake / "facts", self.settings.lake / "results")
        return sorted(path for part in parts for path in part.rglob("*") if path.is_file())


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "installation")


@pytest.fixture
def fresh(tmp_path: Path) -> Installation:
    """Another one, to compare with."""
    return Installation(tmp_path / "fresh")


@contextmanager
def computing(*names: str) -> Iterator[None]:
    """Runs compute these metrics, what they are made of, and those of the report files only.

    For tests of what is the same for all metrics: a run costs 1.5 s of processor time in place of 4.5 s.
    """
    metrics = made_of([*names, *REPORTS])
    facts = {fact_of(name) for metric in metrics for name in METRICS[metric].inputs}
    with pytest.MonkeyPatch.context() as patch:
        for name in METRICS.keys() - metrics:
            patch.delitem(METRICS, name)
        for name in FACTS.keys() - facts:
            patch.delitem(FACTS, name)
        yield


def made_of(names: Iterable[str]) -> set[str]:
    """These metrics and those that they are computed from."""
    known = {name for name in names if name in METRICS}
    return known.union(*(made_of(METRICS[name].inputs) for name in known))


@pytest.fixture
def few_metrics() -> Iterator[None]:
    with computing(*FEW):
        yield
