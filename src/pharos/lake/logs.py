"""Lists the log files to read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pharos.config import LogSource
from pharos.errors import PharosError
from pharos.lake import storage
from pharos.lake.storage import Stored

_NAME_DATE = re.compile(r"(?<!\d)(20\d\d)-?(0\d|1[0-2])-?([0-2]\d|3[01])(?!\d)")


class NoSuchLogs(PharosError):
    """A requested path matches no file."""

    def __init__(self, path: str, origin: str, reason: str = "no such file or folder") -> None:
        super().__init__(path, origin, reason)
        self.path, self.origin, self.reason = path, origin, reason

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.reason} ({self.origin}); nothing was read. "
            "Check the path and that this user may read it"
        )


@dataclass(frozen=True)
class LogFile:
    """A file that may be a log."""

    path: str
    origin: str
    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, kw_only=True)
class PassedOver:
    """Files in the folders of one source that were not read, because their names do not match its pattern."""

    origin: str
    pattern: str
    files: int
    example: str  # the path of one of them


def named_sources(paths: Iterable[str]) -> dict[str, LogSource]:
    """A source for paths named on the command line; their files are read under any name."""
    return {"command line": LogSource(paths=list(paths), pattern=".*")}


def discover(sources: dict[str, LogSource]) -> list[LogFile]:
    """All log files of the sources, each once, in reading order.

    Raises NoSuchLogs for a path that matches no file.
    """
    found: dict[str, LogFile] = {}
    for origin, source in sources.items():
        for file in _files(origin, source):
            found.setdefault(file.path, LogFile(file.path, origin, file.size, file.mtime_ns, file.inode))
    return sorted(found.values(), key=_reading_order)


def passed_over(sources: dict[str, LogSource]) -> list[PassedOver]:
    """For each source, the number of files that its pattern excludes and no other source reads.

    Raises NoSuchLogs for a path that matches no file.
    """
    found = {origin: _found(origin, source) for origin, source in sources.items()}
    read = {
        file.path
        for origin, source in sources.items()
        for file, is_in_folder in found[origin]
        if _matches(source, file, is_in_folder=is_in_folder)
    }
    left_out = {origin: sorted({file.path for file, _ in files} - read) for origin, files in found.items()}
    return [
        PassedOver(origin=origin, pattern=sources[origin].pattern, files=len(paths), example=paths[0])
        for origin, paths in left_out.items()
        if paths
    ]


def _files(origin: str, source: LogSource) -> list[Stored]:
    """Files named singly; and files in folders whose name matches the pattern and is not too old."""
    return [
        file
        for file, is_in_folder in _found(origin, source)
        if _matches(source, file, is_in_folder=is_in_folder)
        and (not is_in_folder or not _is_before(file.path, source.since))
    ]


def _matches(source: LogSource, file: Stored, *, is_in_folder: bool) -> bool:
    # A folder that is closed to us is read like a file, to say so in the status. A name may hold line ends.
    is_wanted = re.fullmatch(source.pattern, file.path, re.DOTALL) is not None
    return not is_in_folder or file.is_closed_folder or is_wanted


def _found(origin: str, source: LogSource) -> list[tuple[Stored, bool]]:
    """All files of a source, each with true if it was found in a folder, false if it was named singly."""
    files: list[tuple[Stored, bool]] = []
    for text in source.paths:
        found = [stored for path in _existing(text, origin) if (stored := _stored(path, origin)) is not None]
        if not found:
            raise NoSuchLogs(text, origin)
        files += [(file, is_folder) for stored, is_folder in found for file in stored]
    return files


def _existing(text: str, origin: str) -> list[str]:
    """The path itself, or the paths that match it as a glob. Raises NoSuchLogs."""
    if storage.is_remote(text):
        if _stored(text, origin) is None:
            raise NoSuchLogs(text, origin)
        return [text]
    matches = storage.matches(text) or ([text] if _stored(text, origin) is not None else [])
    if not matches:
        raise NoSuchLogs(text, origin)
    return matches


def _stored(path: str, origin: str) -> tuple[list[Stored], bool] | None:
    try:
        return storage.files(path)
    except OSError as error:
        raise NoSuchLogs(path, origin, f"cannot be listed: {error}") from error


def name_date(path: str) -> date | None:
    """The date in a file's name: the rotation's date, so not before that of the events inside."""
    match = _NAME_DATE.search(path.rsplit("/", 1)[-1])
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _is_before(path: str, since: date | None) -> bool:
    named = name_date(path)
    return since is not None and named is not None and named < since


def _reading_order(file: LogFile) -> tuple[date, str]:
    """By the date in the name, so that equal days of several hosts are read together; live logs come last."""
    return name_date(file.path) or date.max, file.path
