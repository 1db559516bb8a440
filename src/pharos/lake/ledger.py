"""The ledger: the record of the logs that were read and of the files that form the lake.

The ledger is a folder of numbered JSON files. Each is one commit: the logs it moved forward, the data files
it added and removed. A commit is valid from the moment its file has its name, which only one writer can give;
data files that no commit names are leftovers of a crash, and readers of the ledger do not see them. The state
is the result of all commits applied in order; from time to time they are folded into one file.

Every loss is detected: each file begins with a digest of the rest, the numbers of commits are consecutive,
and the file `head` holds the number of the last commit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from itertools import groupby, pairwise
from typing import TypeVar

import msgspec
import xxhash
from msgspec import Struct, field

from pharos.errors import Busy, PharosError
from pharos.lake.place import Hold, Place

FOLD_AFTER = 50  # commits
FOLDER = "ledger"
HEAD, AHEAD = "head", "ahead"
_NAME = re.compile(r"(\d{10})(\.state)?\.json")
_DIGEST = re.compile(rb'\{"digest":"([0-9a-f]{32})",')
_WITHOUT_DIGEST = re.compile(rb'\{\s*"number"')  # how files of releases before digests begin


class LedgerDamaged(PharosError):
    """The ledger is damaged: nothing is done before an operator has looked at it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"{self.path}: the ledger is damaged ({self.reason}); nothing was changed. Put the whole lake "
            "back from a backup, or make a new ledger from the data files and the logs that are still there: "
            "`pharos lake rebuild`, which says what it cannot restore"
        )


class Overtaken(Busy):
    """Another writer has made the commit of this number."""


class Log(Struct, kw_only=True):
    """A log: content that grows at its end; its names and compression may change."""

    key: str
    origin: str  # name of the configured source
    names: list[str]  # paths, the current one last
    position: int = 0  # bytes of content consumed
    lines: int = 0  # several in one record of a collector are several, the parts of one are one
    file_lines: int | None = None  # None in ledgers of older releases
    parts: dict[str, bytes] = field(default_factory=dict)  # by stream: a line whose last part is to come
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
    without_context: int = 0
    future: int = 0
    newest: datetime | None = None
    damage: str | None = None

    @property
    def open_lines(self) -> int:
        """Number of unfinished lines: they are counted and quarantined until they are read completely."""
        return (self.tail is not None) + len(self.parts)

    @property
    def lines_of_file(self) -> int:
        """Number of consumed lines of the file."""
        return self.lines - self.open_lines if self.file_lines is None else self.file_lines


class File(Struct, kw_only=True, frozen=True):
    """A file at the last look; unchanged files are not opened again."""

    size: int
    mtime_ns: int
    inode: int
    log: str | None  # key of the log it holds; None if it is empty or unreadable
    problem: str | None = None


class DataFile(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A Parquet file of events of one UTC date. Its path is relative to the lake once it belongs to it."""

    path: str
    date: date
    rows: int
    oldest: datetime
    newest: datetime
    digest: int  # sum of event ids modulo 2**64: the same for any order and any split
    without_addresses: bool = False  # they were forgotten; see `pharos.lake.addresses`
    size: int = 0  # bytes; 0 if written by a release that did not keep it
    checksum: str = ""  # of the bytes, see `pharos.lake.safely.checksum`; empty as `size`
    sources: tuple[str, ...] = ()  # names of the logs its events were read from; empty as `size`

    def overlaps(self, other: DataFile) -> bool:
        """True if both may hold the same event of a date, because their times overlap."""
        return other.oldest <= self.newest and self.oldest <= other.newest


class Loss(Struct, kw_only=True, frozen=True):
    """Events that cannot be restored; a person has accepted the loss."""

    at: datetime
    date: date
    events: int
    sources: tuple[str, ...] = ()  # names of the logs they were read from


class Commit(Struct, kw_only=True):
    """One change of the lake, applied completely or not at all."""

    number: int
    at: datetime
    logs: list[Log] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    events_added: list[DataFile] = field(default_factory=list)
    events_removed: list[str] = field(default_factory=list)
    quarantine_added: list[str] = field(default_factory=list)
    quarantine_removed: list[str] = field(default_factory=list)
    lost: list[Loss] = field(default_factory=list)


class State(Struct, kw_only=True):
    """The result of all commits."""

    number: int = 0
    at: datetime | None = None
    logs: dict[str, Log] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    events: dict[date, list[DataFile]] = field(default_factory=dict)
    quarantine: list[str] = field(default_factory=list)
    lost: list[Loss] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    """Files that commits removed and that may still lie there, because somebody was reading."""

    def apply(self, commit: Commit) -> None:
        """Apply one more commit."""
        self.number, self.at = commit.number, commit.at
        self.logs.update({log.key: log for log in commit.logs})
        self.files.update(commit.files)
        self.lost += commit.lost
        removed = set(commit.events_removed)
        again = {file.path for file in commit.events_added}
        self.removed += [
            *(path for path in commit.events_removed if path not in again),
            *commit.quarantine_removed,
        ]
        for day, files in list(self.events.items()):
            if removed and any(file.path in removed for file in files):
                self.events[day] = [file for file in files if file.path not in removed]
        for file in commit.events_added:
            self.events.setdefault(file.date, []).append(file)
        gone = set(commit.quarantine_removed)
        self.quarantine = [path for path in self.quarantine if path not in gone] + commit.quarantine_added


_Numbered = TypeVar("_Numbered", Commit, State)


class Ledger:
    """The ledger's folder at a place. To commit, `hold` must be the write lock of the lake."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.hold = Hold()
        self.is_sealed = True  # False once it was read with files of a release that wrote no digests

    def read(self) -> State:
        """The present state. Raises LedgerDamaged."""
        while True:
            head = self._head()  # read first: commits that are made meanwhile are beyond it
            names = self._names()
            try:
                return self._state(names, head)
            except LedgerDamaged:
                if names == self._names():  # else it was folded while we looked
                    raise

    def commit(self, state: State, commit: Commit) -> None:
        """Write the commit and apply it to `state`. Raises Busy if another writer was faster."""
        self.begin()
        self.hold.check()
        try:
            content = msgspec.json.format(msgspec.json.encode(commit))
            self.place.put_new(self._name(commit.number), _with_digest(content))
        except FileExistsError:
            raise self._overtaken(commit.number) from None
        if (self._head() or 0) >= commit.number:  # another writer has committed and folded it
            raise self._overtaken(commit.number)
        self.place.put(f"{FOLDER}/{HEAD}", b"%d\n" % commit.number)
        state.apply(commit)
        if sum(not is_state for _, is_state in self._names()) > FOLD_AFTER:
            self.fold(state)

    def fold(self, state: State) -> None:
        """Replace all commits by one file with their resulting state."""
        self.begin()
        self.hold.check()
        self.place.put(self._name(state.number, is_state=True), _with_digest(msgspec.json.encode(state)))
        self.place.put(f"{FOLDER}/{HEAD}", b"%d\n" % state.number)
        for number, is_state in self._names():
            if (number, is_state) < (state.number, True):
                self.place.remove(self._name(number, is_state=is_state))
        self.is_sealed = True

    def salvage(self) -> tuple[State, int]:
        """The state from all readable files, even with gaps, and the highest number of any file."""
        highest = max([number for number, _ in self._names()], default=0)
        with suppress(LedgerDamaged):
            highest = max(highest, min(self._head() or 0, highest + FOLD_AFTER))  # unless it is damaged
        state = State()
        for number, is_state in self._names():
            with suppress(LedgerDamaged):
                if is_state:
                    state = self._decoded(self._name(number, is_state=True), State, number)
                elif number > state.number:
                    state.apply(self._decoded(self._name(number), Commit, number))
        return state, highest

    def begin(self) -> None:
        """Make the folder of a new ledger, before anything else is written into the lake."""
        if not self._has_head():
            self.place.put(f"{FOLDER}/{HEAD}", b"0\n")

    @property
    def ahead(self) -> int:
        """Up to which commit data files may lie there before it is made, because a copy was interrupted."""
        try:
            return int(self.place.read(f"{FOLDER}/{AHEAD}"))
        except (OSError, ValueError):
            return 0

    @ahead.setter
    def ahead(self, number: int) -> None:
        if number:
            self.place.put(f"{FOLDER}/{AHEAD}", b"%d\n" % number)
        else:
            self.place.remove(f"{FOLDER}/{AHEAD}")

    @property
    def is_there(self) -> bool:
        """True if there is a ledger or a remnant of one."""
        return self._has_head() or bool(self._names())

    @property
    def address(self) -> str:
        """The address as shown to people."""
        return f"{self.place.address}/{FOLDER}"

    def _has_head(self) -> bool:
        try:
            return self.place.size(f"{FOLDER}/{HEAD}") >= 0
        except FileNotFoundError:
            return False

    def _overtaken(self, number: int) -> Overtaken:
        return Overtaken(
            f"{self.place.address}: another run has written commit {number} meanwhile; this one stopped"
        )

    def _names(self) -> list[tuple[int, bool]]:
        """(number, true for a state) of the files, in order: a state comes after its last commit."""
        names = (name.rpartition("/")[2] for name in self.place.sizes(FOLDER))
        found = [match for name in names if (match := _NAME.fullmatch(name))]
        return sorted((int(match[1]), match[2] is not None) for match in found)

    def _name(self, number: int, *, is_state: bool = False) -> str:
        return f"{FOLDER}/{number:010d}{'.state' if is_state else ''}.json"

    def _head(self) -> int | None:
        """Number of the last commit, from the file `head`; None if that is missing."""
        try:
            return int(self.place.read(f"{FOLDER}/{HEAD}"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise LedgerDamaged(f"{self.address}/{HEAD}", str(error)) from error

    def _state(self, names: list[tuple[int, bool]], head: int | None) -> State:
        self.is_sealed = True
        base = max((number for number, is_state in names if is_state), default=0)
        state = State()
        if base:
            state = self._decoded(self._name(base, is_state=True), State, base)
        numbers = [number for number, is_state in names if not is_state and number > base]
        follow = [base, *numbers, *([head + 1] if head is not None else [])]
        gaps = [(one + 1, next_ - 1) for one, next_ in pairwise(follow) if next_ > one + 1]
        if gaps:
            there = [f"the state after commit {base}"] if base else []
            there += [f"commits {text}" for text in [_stretches(_runs(numbers))] if text]
            raise LedgerDamaged(
                self.address,
                f"commits {_stretches(gaps)} are missing; found: {' and '.join(there) or 'none'}",
            )
        for number in numbers:
            state.apply(self._decoded(self._name(number), Commit, number))
        if head is None and names and self.is_sealed:
            raise LedgerDamaged(f"{self.address}/{HEAD}", "it is missing")
        return state

    def _decoded(self, name: str, kind: type[_Numbered], number: int) -> _Numbered:
        path = f"{self.place.address}/{name}"
        try:
            data = self.place.read(name)
            found = _DIGEST.match(data)
            if found:
                data = b"{" + data[found.end() :]
                if xxhash.xxh3_128_hexdigest(data).encode() != found[1]:
                    raise LedgerDamaged(path, "its content does not fit its digest")
            elif not _WITHOUT_DIGEST.match(data):
                raise LedgerDamaged(path, f"it holds {len(data)} bytes that do not begin like a commit")
            content = msgspec.json.decode(data, type=kind)
        except (msgspec.MsgspecError, OSError, UnicodeDecodeError) as error:
            raise LedgerDamaged(path, str(error)) from error
        if content.number != number:
            raise LedgerDamaged(path, f"it holds commit {content.number}")
        if not found:
            self.is_sealed = False
        return content


def _with_digest(data: bytes) -> bytes:
    """The content of a ledger file: a JSON object whose first member is the digest of the rest."""
    return b'{"digest":"%s",%s' % (xxhash.xxh3_128_hexdigest(data).encode(), data[1:])


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """First and last number of each run of consecutive numbers."""
    runs = [list(run) for _, run in groupby(enumerate(numbers), lambda item: item[1] - item[0])]
    return [(run[0][1], run[-1][1]) for run in runs]


def _stretches(runs: Sequence[tuple[int, int]]) -> str:
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in runs)
