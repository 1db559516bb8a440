"""Report files: their paths, their owners, and links to them that expire (spec 05 §9).

A file lies at `{SHA-1 of the course id}/{course}_{report}.csv`, or without the folder (spec 02 §4.8, §7). Its
name alone does not identify the course: `A+B+C_D` and `A+B_C+D` have the same file name, and so have ids that
differ in letters outside ASCII. So a file without such a folder is opened for a course only if the course id
is in it, or if no other known course has the same file name.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import logging
import re
import secrets
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
from pyarrow import fs

from pharos.config import DataAPISettings
from pharos.data_api.errors import CannotLink
from pharos.keys import block, file_name

log = logging.getLogger(__name__)
DOWNLOADS = "/downloads/"
CHUNK_BYTES = 1024 * 1024
HEAD_BYTES = 64 * 1024  # of a file: holds its first row
COURSE_COLUMN = "course_id"
BLOCK_COLUMNS = ("problem_id", "module_id", "ModuleID")  # not answers: learners write them
NAME = re.compile(r"(?:[0-9a-f]{40}/)?[^/\x00]+")


@dataclass(frozen=True)
class ReportFile:
    """An existing report file. `name`: within the folder of the reports. `last_modified`: UTC, naive."""

    name: str
    size_bytes: int
    last_modified: datetime


class Reports:
    """The folder of the reports: on this machine, or in an object store (`s3://bucket/folder`).

    An object store is read with this host's credentials. Links lead to the Data API in both cases, so that
    they expire as set and the file gets its name.
    """

    def __init__(self, default: Path, settings: DataAPISettings) -> None:
        self._location, self.names = settings.reports or str(default), tuple(settings.report_names)
        self.seconds, self.public_url = settings.report_seconds, settings.public_url
        key = settings.secret_key
        self._key = key.get_secret_value().encode() if key else secrets.token_bytes(32)

    def file(
        self, course_id: str, report_name: str, known_courses: Callable[[], Iterable[str]]
    ) -> ReportFile | None:
        """The report of a course; None if there is none, or if the file of this name is another course's.

        `known_courses`: gives all courses of the installation; called only if the file itself does not name
        its course. Raises CannotLink.
        """
        name = f"{file_name(course_id)}_{report_name}.csv"
        digest = hashlib.sha1(course_id.encode(), usedforsecurity=False).hexdigest()
        if own := self._at(f"{digest}/{name}"):
            return own
        found = self._at(name)
        if found is None:
            return None
        owner = self._course_in(found)
        if owner is None:
            alike = {known for known in known_courses() if file_name(known) == file_name(course_id)}
            return found if alike == {course_id} else None
        return found if owner == course_id else None

    def link(self, base_url: str, file: ReportFile, expires: int) -> str:
        """A link that is valid until `expires` (seconds since 1970), or until the file is replaced."""
        return (
            f"{(self.public_url or base_url).rstrip('/')}{DOWNLOADS}{quote(file.name)}"
            f"?expires={expires}&signature={self._signature(file, expires)}"
        )

    def linked(self, name: str, expires: int, signature: str) -> ReportFile | None:
        """The file of a link; None if the link is forged or expired, or the file deleted or replaced."""
        if datetime.now(UTC).timestamp() >= expires:
            return None
        found = self._at(name)
        if found is None:
            return None
        is_ours = hmac.compare_digest(self._signature(found, expires).encode(), signature.encode())
        return found if is_ours else None

    def content(self, file: ReportFile) -> Generator[bytes]:
        """The file's content in chunks. The first chunk raises CannotLink if the file cannot be opened."""
        with self._opened(file) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk

    def _opened(self, file: ReportFile) -> pa.NativeFile:
        system, folder = self._folder
        try:
            return system.open_input_stream(f"{folder}/{file.name}", compression=None)
        except OSError as error:
            raise CannotLink from error

    def _course_in(self, file: ReportFile) -> str | None:
        """The course id in the first row of the file; None if it has none."""
        with self._opened(file) as stream:
            head = stream.read(HEAD_BYTES)
        rows = csv.DictReader(io.StringIO(head.decode(errors="replace"), newline=""))
        row = next(rows, {})
        if course_id := row.get(COURSE_COLUMN):
            return course_id
        keys = [block(row.get(column) or "") for column in BLOCK_COLUMNS]
        return next((key.course_id for key in keys if key), None)

    @cached_property
    def _folder(self) -> tuple[fs.FileSystem, str]:
        if "://" not in self._location:
            return fs.LocalFileSystem(), str(Path(self._location).absolute())
        system, path = fs.FileSystem.from_uri(self._location)
        return system, path.rstrip("/")

    def _at(self, name: str) -> ReportFile | None:
        if not NAME.fullmatch(name):
            return None
        try:
            system, folder = self._folder
            found = system.get_file_info(f"{folder}/{name}")
        except (OSError, pa.ArrowInvalid) as error:
            log.error("reports: %s", error)  # noqa: TRY400 - the message says it all
            raise CannotLink from error
        if not found.is_file:
            return None
        modified = found.mtime.astimezone(UTC).replace(tzinfo=None)
        return ReportFile(name, found.size, modified)

    def _signature(self, file: ReportFile, expires: int) -> str:
        signed = f"{file.name}\n{file.last_modified.isoformat()}\n{file.size_bytes}\n{expires}"
        return hmac.new(self._key, signed.encode(), hashlib.sha256).hexdigest()


def download_name(file: ReportFile, report_names: Iterable[str]) -> str:
    """`{course}-{report}-{time of its making}.csv`: the name of a downloaded report."""
    stem = file.name.rpartition("/")[2].removesuffix(".csv")
    for name in report_names:
        if stem.endswith(f"_{name}"):
            stem = f"{stem.removesuffix(f'_{name}')}-{name}"
            break
    return f"{stem}-{file.last_modified:%Y%m%dT%H%M%SZ}.csv"
