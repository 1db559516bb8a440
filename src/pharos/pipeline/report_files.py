"""Writes reports of changed course runs as CSV files for download. `spec 02 §4.8, 5.5, 7`

A file lies where the Data API looks for it (`pharos.data_api.report_files`): in a folder named by the SHA-1
of the course id, or directly in the folder of reports. The lake remembers which files exist and from which
inputs they were written.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from pharos.config import Settings
from pharos.keys import file_name
from pharos.lake import lms_tables, snapshots
from pharos.lake.safely import write_atomically
from pharos.pipeline import parted
from pharos.pipeline.fingerprints import fingerprint
from pharos.pipeline.graph import METRICS
from pharos.pipeline.inputs import Inputs, course_of, result_schema
from pharos.pipeline.report_rows import REPORTS, Report, as_csv
from pharos.telemetry.logs import visible

log = logging.getLogger(__name__)

BATCH_ROWS = 16_384
USERS = "auth_user"


@dataclass
class Memory:
    """The lake's record of the files of one report."""

    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Course run -> name of its file, fingerprint of what that was made of."""
    names_of: str = ""
    """Stands for the responses and for the users of the LMS of which `names` were worked out."""
    names: dict[str, int] = field(default_factory=dict)
    """Course run -> digest of the user names that the LMS has now."""


def write_reports(inputs: Inputs, settings: Settings) -> dict[str, int]:
    """Bring the files of all reports up to date; return the number of files written, by report.

    A reader sees the old file or the new one. Files of course runs without rows are removed.
    """
    files = Files(settings.data_api.reports or str(settings.home / "reports"))
    return {report.name: _write(inputs, settings, files, report) for report in REPORTS.values()}


class Files:
    """The folder of the reports: on this machine, or in an object store."""

    def __init__(self, location: str) -> None:
        self._is_local = "://" not in location
        if self._is_local:
            self._system, folder = fs.LocalFileSystem(), str(Path(location).absolute())
        else:
            self._system, folder = fs.FileSystem.from_uri(location)
        self._folder = folder.rstrip("/")

    def write(self, name: str, content: Iterable[bytes]) -> None:
        """Write a file, replacing one of the same name; readers never see a half-written file."""
        path = f"{self._folder}/{name}"
        target = f"{path}.tmp" if self._is_local else path
        if self._is_local:
            self._system.create_dir(path.rpartition("/")[0], recursive=True)
        with self._system.open_output_stream(target) as stream:
            for piece in content:
                stream.write(piece)
        if self._is_local:
            self._system.move(target, path)

    def has(self, name: str) -> bool:
        """True if a file of this name exists."""
        return bool(self._system.get_file_info(f"{self._folder}/{name}").is_file)

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""
        if self.has(name):
            self._system.delete_file(f"{self._folder}/{name}")


def _write(inputs: Inputs, settings: Settings, files: Files, report: Report) -> int:
    """Bring the files of one report up to date; return the number of files written."""
    path = inputs.lake.root / "reports" / f"{report.name}.json"
    memory = _load(path)
    wanted = _wanted(inputs, settings, report, memory)
    stale = [
        course
        for course, file in wanted.files.items()
        if memory.files.get(course) != file or not files.has(file[0])
    ]
    if stale:
        for course, rows in _rows_by_course(inputs, report, stale):
            files.write(wanted.files[course][0], as_csv(report, rows, settings.reports))
    used, before = ({name for name, _ in each.files.values()} for each in (wanted, memory))
    for name in before - used:
        files.remove(name)
    if wanted != memory:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(asdict(wanted)).encode())
    return len(stale)


def _load(path: Path) -> Memory:
    """What is known of the files that were written; nothing if it is damaged: then all are written anew."""
    if not path.exists():
        return Memory()
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        files = {course: (name, made_of) for course, (name, made_of) in told["files"].items()}
        return Memory(files=files, names_of=told["names_of"], names=told["names"])
    except (ValueError, KeyError, TypeError, AttributeError):
        log.warning("%s: is damaged; all files of this report are written anew", visible(str(path)))
        return Memory()


def _wanted(inputs: Inputs, settings: Settings, report: Report, before: Memory) -> Memory:
    """The files that must exist after this run, and the fingerprints of their inputs."""
    parts = inputs.results[report.name].parts.to_pylist()
    digests = {row["part"]: row["digest"] for row in parts if row["rows"]}
    now = Memory()
    if report.name == "problem_response":
        users = snapshots.fingerprint(inputs.lake, USERS)
        now.names_of = fingerprint(users, *(f"{part} {digest}" for part, digest in sorted(digests.items())))
        now.names = before.names if now.names_of == before.names_of else _names(inputs, report)
    form = settings.reports.model_dump_json()
    places = _places(report, digests)
    for course, digest in digests.items():
        made_of = fingerprint(str(digest), form, str(now.names.get(course, "")))
        now.files[course] = places[course], made_of
    return now


def _places(report: Report, courses: Iterable[str]) -> dict[str, str]:
    """The name of the file of each course run, with its folder.

    Answers lie in folders, as the original puts them. The other report lies outside folders, unless the id
    has letters outside ASCII or several course runs would have the same file.
    """
    plain = {course: f"{file_name(course)}_{report.name}.csv" for course in courses}
    alike = Counter(plain.values())
    return {
        course: f"{hashlib.sha1(course.encode(), usedforsecurity=False).hexdigest()}/{name}"
        if report.name == "answer_distribution" or not course.isascii() or alike[name] > 1
        else name
        for course, name in plain.items()
    }


def _names(inputs: Inputs, report: Report) -> dict[str, int]:
    """A digest of the present user names in the LMS, by course run."""
    rows = _rows(inputs, report, None)
    named = rows.select("course_id", "user_id", "username").distinct()
    found = inputs.engine.digests(named, ["course_id"])
    return dict(zip(found["course_id"].to_pylist(), found["digest"].to_pylist(), strict=True))


def _rows(inputs: Inputs, report: Report, courses: Sequence[str] | None) -> ibis.Table:
    """The rows of these course runs, or of all; learners have their present user name in the LMS."""
    chosen = None if courses is None else pa.array(courses, pa.string())
    schema = result_schema(METRICS[report.name])
    rows = parted.read(inputs.engine, inputs.results[report.name], schema, course_of, chosen)
    if report.name != "problem_response":
        return rows
    users = lms_tables.read(inputs.engine, inputs.lake, USERS).select(number="id", newest="username")
    joined = rows.left_join(users, rows.user_id == users.number)
    return joined.mutate(username=ibis.coalesce(joined.newest, joined.username)).select(rows.columns)


def _rows_by_course(
    inputs: Inputs, report: Report, courses: Sequence[str]
) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """The rows of each of these course runs in the order of the report; all are sorted in one file first."""
    staged = inputs.lake.staging / "reports" / f"{report.name}.parquet"
    staged.parent.mkdir(parents=True, exist_ok=True)
    inputs.engine.write(report.prepared(_rows(inputs, report, courses)), staged, report.order)
    with closing(pq.ParquetFile(staged)) as file:
        rows = (row for batch in file.iter_batches(BATCH_ROWS) for row in batch.to_pylist())
        yield from groupby(rows, key=lambda row: str(row["course_id"]))
    staged.unlink()
