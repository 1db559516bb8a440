"""What has been read and which files the lake consists of.

The ledger is a folder of numbered JSON files. Each is one commit: the logs it moved forward, the data files
it added and removed. A commit counts from the moment its file has its name; data files that no commit names
are leftovers of a crash and do not exist for anybody who reads through the ledger. The state is the commits
laid over each other in order; now and then they are folded into one.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import msgspec
from msgspec import Struct, field

from pharos.errors import PharosError
from pharos.lake.safely import write_atomically

FOLD_AFTER = 50  # commits


class LedgerDamaged(PharosError):
    """A file of the ledger cannot be read: nothing is done before a person has looked at it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"{self.path}: the ledger cannot be read ({self.reason}); nothing was changed. Restore this file "
            "from a backup, or remove the whole lake folder and run again from the logs"
        )


class Log(Struct, kw_only=True):
    """A log: content that grows at its end, under whatever names and compression it appears."""

    key: str
    origin: str  # name of the configured source
    names: list[str]  # paths, the current one last
    position: int = 0  # bytes of content consumed
    lines: int = 0
    chain: str = ""
    digest: str = ""
    head_bytes: int = 0
    head_digest: str = ""
    is_line_open: bool = False
    events: int = 0
    duplicates: int = 0
    blank: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    tail: str | None = None  # a last line that is cut off; counted among lines and quarantined
    odd_course: int = 0
    future: int = 0
    newest: datetime | None = None
    damage: str | None = None


class File(Struct, kw_only=True, frozen=True):
    """A file as it was when it was looked at last; unchanged files are not opened again."""

    size: int
    mtime_ns: int
    inode: int
    log: str | None  # key of the log it holds; None if it is empty or unreadable
    problem: str | None = None


class DataFile(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A Parquet file of events of one UTC date; its path is relative to the lake, once it is part of it."""

    path: str
    date: date
    rows: int
    oldest: datetime
    newest: datetime
    digest: int  # sum of event ids modulo 2**64: the same for any order and any split
    without_addresses: bool = False  # they were forgotten; see `pharos.lake.addresses`


class Commit(Struct, kw_only=True):
    """One step of the lake, all or nothing."""

    number: int
    at: datetime
    logs: list[Log] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    events_added: list[DataFile] = field(default_factory=list)
    events_removed: list[str] = field(default_factory=list)
    quarantine_added: list[str] = field(default_factory=list)
    quarantine_removed: list[str] = field(default_factory=list)


class State(Struct, kw_only=True):
    """All commits laid over each other."""

    number: int = 0
    at: datetime | None = None
    logs: dict[str, Log] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    events: dict[date, list[DataFile]] = field(default_factory=dict)
    quarantine: list[str] = field(default_factory=list)

    def apply(self, commit: Commit) -> None:
        """Lay one more commit on top."""
        self.number, self.at = commit.number, commit.at
        self.logs.update({log.key: log for log in commit.logs})
        self.files.update(commit.files)
        removed = set(commit.events_removed)
        for day, files in list(self.events.items()):
            if removed and any(file.path in removed for file in files):
                self.events[day] = [file for file in files if file.path not in removed]
        for file in commit.events_added:
            self.events.setdefault(file.date, []).append(file)
        gone = set(commit.quarantine_removed)
        self.quarantine = [path for path in self.quarantine if path not in gone] + commit.quarantine_added


class Ledger:
    """The ledger's folder. Whoever commits must hold the lake's lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> State:
        """The state now. Raises LedgerDamaged."""
        state = State()
        for path in sorted(self._folder.glob("*.json")):
            try:
                data = path.read_bytes()
                if path.name.endswith(".state.json"):
                    state = msgspec.json.decode(data, type=State)
                else:
                    state.apply(msgspec.json.decode(data, type=Commit))
            except FileNotFoundError:  # folded away since it was listed: what replaces it is complete
                return self.read()
            except (msgspec.MsgspecError, OSError) as error:
                raise LedgerDamaged(path, str(error)) from error
        return state

    def commit(self, state: State, commit: Commit) -> None:
        """Make the commit count, and bring `state` up to it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(
            self._folder / f"{commit.number:010d}.json", msgspec.json.format(msgspec.json.encode(commit))
        )
        state.apply(commit)
        commits = [
            path for path in sorted(self._folder.glob("*.json")) if not path.name.endswith(".state.json")
        ]
        if len(commits) > FOLD_AFTER:
            self.fold(state)

    def fold(self, state: State) -> None:
        """Replace all commits by the state they add up to."""
        path = self._folder / f"{state.number:010d}.state.json"
        # A state file sorts behind the commit of its number, so that a reader in between sees it last.
        write_atomically(path, msgspec.json.encode(state))
        for old in sorted(self._folder.glob("*.json")):
            if old != path and old.name < path.name:
                old.unlink(missing_ok=True)
