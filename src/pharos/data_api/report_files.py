"""Report files: where they lie, and links to them that expire (spec 05 §9)."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
from pyarrow import fs

from pharos.config import DataAPISettings
from pharos.data_api.errors import CannotLink
from pharos.keys import file_name

log = logging.getLogger(__name__)
DOWNLOADS = "/downloads/"
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ReportFile:
    """A file there is. `last_modified`: UTC, naive."""

    name: str
    size_bytes: int
    last_modified: datetime


class Reports:
    """The folder of the reports: on this machine, or in an object store (`s3://bucket/folder`).

    An object store is reached with the credentials that this host has. Links lead here in both cases, so that
    they live as long as the settings say and the file gets its name.
    """

    def __init__(self, default: Path, settings: DataAPISettings) -> None:
        self._location, self.names = settings.reports or str(default), tuple(settings.report_names)
        self.seconds, self.public_url = settings.report_seconds, settings.public_url
        key = settings.secret_key
        self._key = key.get_secret_value().encode() if key else secrets.token_bytes(32)

    def file(self, course_id: str, report_name: str) -> ReportFile | None:
        """The report of a course; None if there is none. Raises CannotLink."""
        return self._at(f"{file_name(course_id)}_{report_name}.csv")

    def link(self, base_url: str, file: ReportFile, expires: int) -> str:
        """An address that works until `expires` (seconds since 1970)."""
        return (
            f"{(self.public_url or base_url).rstrip('/')}{DOWNLOADS}{quote(file.name)}"
            f"?expires={expires}&signature={self._signature(file.name, expires)}"
        )

    def linked(self, name: str, expires: int, signature: str) -> ReportFile | None:
        """The file a link leads to; None if the link is false or expired, or the file gone."""
        expected = self._signature(name, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return None
        if datetime.now(UTC).timestamp() >= expires:
            return None
        return self._at(name)

    def content(self, file: ReportFile) -> Generator[bytes]:
        """What is in the file, some at a time. Raises CannotLink with the first if it cannot be opened."""
        system, folder = self._folder
        try:
            stream = system.open_input_stream(f"{folder}/{file.name}", compression=None)
        except OSError as error:
            raise CannotLink from error
        with stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk

    @cached_property
    def _folder(self) -> tuple[fs.FileSystem, str]:
        if "://" not in self._location:
            return fs.LocalFileSystem(), str(Path(self._location).absolute())
        system, path = fs.FileSystem.from_uri(self._location)
        return system, path.rstrip("/")

    def _at(self, name: str) -> ReportFile | None:
        if "/" in name or "\x00" in name:
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

    def _signature(self, name: str, expires: int) -> str:
        return hmac.new(self._key, f"{name}\n{expires}".encode(), hashlib.sha256).hexdigest()


def download_name(file: ReportFile, report_names: Iterable[str]) -> str:
    """`{course}-{report}-{time of its making}.csv`: the name a downloaded report gets."""
    stem = file.name.removesuffix(".csv")
    for name in report_names:
        if stem.endswith(f"_{name}"):
            stem = f"{stem.removesuffix(f'_{name}')}-{name}"
            break
    return f"{stem}-{file.last_modified:%Y%m%dT%H%M%SZ}.csv"
