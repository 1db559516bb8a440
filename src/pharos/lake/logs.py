"""Which log files there are to read."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pharos.config import LogSource
from pharos.errors import PharosError

_NAME_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")


class NoSuchLogs(PharosError):
    """A path that was asked for leads to no file."""

    def __init__(self, path: str, origin: str) -> None:
        super().__init__(path, origin)
        self.path, self.origin = path, origin

    def __str__(self) -> str:
        return (
            f"{self.path}: no such file or folder ({self.origin}); nothing was read. "
            "Check the path and that this user may read it"
        )


@dataclass(frozen=True)
class LogFile:
    """A file that may be a log."""

    path: Path
    origin: str
    size: int
    mtime_ns: int
    inode: int


def given(paths: Iterable[str]) -> dict[str, LogSource]:
    """Sources for paths named on the command line: a file named there is read whatever its name."""
    return {"command line": LogSource(paths=list(paths))}


def discover(sources: dict[str, LogSource]) -> list[LogFile]:
    """All log files of the sources, each once, in the order in which they are best read.

    Folders are searched recursively for names that match the source's pattern; globs and single files are
    taken as they are. Raises NoSuchLogs for a path that leads nowhere.
    """
    found: dict[Path, LogFile] = {}
    for origin, source in sources.items():
        pattern = re.compile(source.pattern)
        for text in source.paths:
            for path in _files(text, origin, pattern):
                if path not in found:
                    stat = path.stat()
                    found[path] = LogFile(path, origin, stat.st_size, stat.st_mtime_ns, stat.st_ino)
    return sorted(found.values(), key=_reading_order)


def _files(text: str, origin: str, pattern: re.Pattern[str]) -> Iterator[Path]:
    """Existing files below a path, or those a glob means. Dangling links and vanished files are left out."""
    path = Path(text).expanduser()
    if path.is_dir():
        inside = (
            file for file in path.rglob("*") if not file.name.startswith(".") and pattern.fullmatch(str(file))
        )
        yield from (file.resolve() for file in sorted(inside) if file.is_file())
    elif path.is_file():
        yield path.resolve()
    else:
        # Not Path.glob: it takes no absolute patterns.
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207
        if not matches:
            raise NoSuchLogs(text, origin)
        for match in matches:
            if match != text:
                yield from _files(match, origin, pattern)


def _reading_order(file: LogFile) -> tuple[str, str]:
    """By the date in the name, so that the same days of several hosts are read together; live logs last."""
    match = _NAME_DATE.search(file.path.name)
    return ("".join(match.groups()) if match else "9", str(file.path))
