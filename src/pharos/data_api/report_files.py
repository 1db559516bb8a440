"""Report files: where they lie, and links to them that expire (spec 05 §9)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from pharos.config import DataAPISettings
from pharos.keys import file_name

DOWNLOADS = "/downloads/"


@dataclass(frozen=True)
class ReportFile:
    """A file there is. Times are UTC, naive."""

    path: Path
    size_bytes: int
    last_modified: datetime


class Reports:
    """The folder of the reports."""

    def __init__(self, folder: Path, settings: DataAPISettings) -> None:
        self._folder, self.names = folder, tuple(settings.report_names)
        self.seconds, self.public_url = settings.report_seconds, settings.public_url
        key = settings.secret_key
        self._key = key.get_secret_value().encode() if key else secrets.token_bytes(32)

    def file(self, course_id: str, report_name: str) -> ReportFile | None:
        """The report of a course; None if there is none."""
        return self._at(f"{file_name(course_id)}_{report_name}.csv")

    def link(self, base_url: str, file: ReportFile, expires: int) -> str:
        """An address that works until `expires` (seconds since 1970)."""
        name = file.path.name
        return (
            f"{(self.public_url or base_url).rstrip('/')}{DOWNLOADS}{quote(name)}"
            f"?expires={expires}&signature={self._signature(name, expires)}"
        )

    def linked(self, name: str, expires: int, signature: str) -> ReportFile | None:
        """The file a link leads to; None if the link is false or expired, or the file gone."""
        expected = self._signature(name, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return None
        if datetime.now(UTC).timestamp() >= expires:
            return None
        return self._at(name)

    def _at(self, name: str) -> ReportFile | None:
        path = self._folder / name
        if path.parent != self._folder or not path.is_file():
            return None
        found = path.stat()
        modified = datetime.fromtimestamp(found.st_mtime, UTC).replace(tzinfo=None)
        return ReportFile(path, found.st_size, modified)

    def _signature(self, name: str, expires: int) -> str:
        return hmac.new(self._key, f"{name}\n{expires}".encode(), hashlib.sha256).hexdigest()


def download_name(file: ReportFile, report_names: Iterable[str]) -> str:
    """`{course}-{report}-{time of its making}.csv`: the name a downloaded report gets."""
    stem = file.path.stem
    for name in report_names:
        if stem.endswith(f"_{name}"):
            stem = f"{stem.removesuffix(f'_{name}')}-{name}"
            break
    return f"{stem}-{file.last_modified:%Y%m%dT%H%M%SZ}.csv"
