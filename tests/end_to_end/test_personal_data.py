"""docs/operations/security.md lists the places with personal data: is that what a home really holds?"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests import lines

from pharos import config
from pharos.demo.campus import Campus
from pharos.demo.lms_database import write_lms_database
from pharos.demo.log_files import write_logs
from pharos.pipeline.ingestion import ingest_only
from pharos.pipeline.run import run_pipeline

CHECKOUT = Path(__file__).parents[2]
KINDS = ("e-mail", "name", "user name", "user id", "IP address")
ID_COLUMNS = {"user_id", "student_id", "author_id"}
OWN_PLACES = {"auth_user", "auth_userprofile"}  # of the LMS's tables: the two with names and e-mail addresses
Found = set[tuple[str, str]]


class People:
    """What identifies the learners of a campus, as patterns over text."""

    def __init__(self, campus: Campus) -> None:
        def any_of(values: Iterator[str]) -> re.Pattern[str]:
            longest_first = sorted({value for value in values if value}, key=len, reverse=True)
            return re.compile(r"(?<![\w.@-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w.@-])")

        learners = campus.people
        self.patterns = {
            "e-mail": any_of(learner.email for learner in learners),
            "name": any_of(learner.name for learner in learners),
            "user name": any_of(learner.username for learner in learners),
            "IP address": any_of(address for learner in learners for address in learner.addresses),
            "user id": re.compile(r'(?:user_id|student_id)\\*": ?\\*"?[1-9]'),  # also within JSON in JSON
        }

    def kinds_in(self, text: str) -> set[str]:
        return {kind for kind, pattern in self.patterns.items() if pattern.search(text)}


def place_of(path: Path) -> str:
    """The place of a file in home as the document names it."""
    folders = path.parts[:-1]
    if folders[:2] == ("lake", "lms") and folders[2] in OWN_PLACES:
        return "/".join(folders[:3])
    return "/".join(folders[:2]) or path.name


def scanned(home: Path, people: People) -> Found:
    """(place, kind) of all personal data in a home."""
    found: Found = set()
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        place = place_of(path.relative_to(home))
        if path.suffix == ".parquet":
            table = pq.ParquetFile(path).read()
            kinds = {
                kind for column in table.columns for kind in people.kinds_in(text_of(column.to_pylist()))
            }
            ids = ID_COLUMNS | ({"id"} if place.endswith("/auth_user") else set())
            kinds |= {"user id" for name in table.column_names if name in ids and table.num_rows}
            found |= {(place, kind) for kind in kinds}
        elif path.suffix == ".sqlite":
            found |= scanned_store(path, people)
        else:
            found |= {
                (place, kind) for kind in people.kinds_in(path.read_text(encoding="utf-8", errors="replace"))
            }
    return found


def scanned_store(path: Path, people: People) -> Found:
    found: Found = set()
    with sqlite3.connect(path) as store:
        for (table,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            cursor = store.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - its own names
            columns, rows = [item[0] for item in cursor.description], cursor.fetchall()
            kinds = people.kinds_in(text_of([value for row in rows for value in row]))
            kinds |= {"user id" for name in columns if name in ID_COLUMNS and rows}
            found |= {("Result Store", kind) for kind in kinds}
    store.close()
    return found


def text_of(values: list[object]) -> str:
    return "\n".join(str(value) for value in values if value is not None)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, People]:
    """A campus that was imported, with a line that is no event and a last line that is cut off.

    Somebody has put copies of data files into the lake.
    """
    folder = tmp_path_factory.mktemp("personal")
    # Until now: events of the past are not compared with the LMS of today.
    campus = Campus(seed=7, learners=120, days=12, until=datetime.now(UTC).date())
    written = write_logs(folder / "logs", campus)
    write_lms_database(folder / "lms.sqlite", campus, written.records)
    learner = campus.people[0]
    line = lines.event(
        f"{campus.until - timedelta(days=6)} 09:00", "edx.user.settings.changed", user=learner.user_id,
        username=learner.username, ip=learner.addresses[0],
        event={"old": learner.email, "name": learner.name},
    )  # fmt: skip
    (folder / "logs" / "tracking.log-broken").write_text(
        f"{line}\nnot {line[1:]}\n{line[:-1]}", encoding="utf-8"
    )
    settings = config.load(
        folder / "home",
        logs={"sources": {"lms": {"paths": [str(folder / "logs")]}}},
        lms={"database": f"sqlite:///{folder / 'lms.sqlite'}"},
    )
    run_pipeline(settings, until=campus.end.replace(tzinfo=None))
    for path in [*settings.lake.glob("events/*/*.parquet"), *settings.lake.glob("quarantine/*.parquet")]:
        shutil.copy(path, path.with_name(f"copy-of-{path.name}"))  # no part of the lake: moved aside
    ingest_only(settings)
    return settings.home, People(campus)


def listed() -> Found:
    """What the document says."""
    text = (CHECKOUT / "docs/operations/security.md").read_text(encoding="utf-8")
    text, _ = text.split("## What leaves the Result Store")
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", text, re.MULTILINE)
    return {
        (place, kind)
        for place, kinds in rows
        for kind in KINDS
        if kind in [part.strip() for part in kinds.split(",")]
    }


def test_the_document_lists_what_lies_in_a_home(place: tuple[Path, People]) -> None:
    home, people = place
    found = scanned(home, people)
    assert found - listed() == set(), "not in the document"
    assert listed() - found == set(), "in the document, but not there"
