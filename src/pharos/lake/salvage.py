"""Makes a new ledger if the old one is damaged, from its readable parts and from the data files.

Events are taken from the data files, each once. The position of a log is kept only if the lake holds exactly
the events that the log gave, by line; otherwise the next run reads all logs from their beginning and finds
the existing events to be duplicates.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from pharos.lake import damage, data_files
from pharos.lake.lake import SET_ASIDE, Lake
from pharos.lake.ledger import FOLDER, DataFile, LedgerDamaged, Log, State
from pharos.lake.place import Place
from pharos.lake.safely import checksum, fits_seal

OnProgress = Callable[[int, int], None]


@dataclass
class Rebuilt:
    """The outcome of a rebuild."""

    was_whole: bool = False
    """The ledger was not damaged: nothing was done."""
    events: int = 0
    files: int = 0
    set_aside: list[str] = field(default_factory=list)
    """Files that are damaged, or hold nothing that others do not."""
    unreadable: list[str] = field(default_factory=list)
    """Those of them that are damaged, or missing."""
    reads_again: bool = False
    """The next run reads all logs from their beginning."""
    logs: list[str] = field(default_factory=list)
    """The logs that the old ledger knew, by their last names."""


def rebuild(lake: Lake, now: datetime, report: OnProgress = lambda _done, _total: None) -> Rebuilt:
    """Make a new ledger for the lake, if its own is damaged: `Lake(…, is_read=False)`. `now` is UTC, naive.

    Nothing is removed: files that are no longer valid are moved into `.set-aside`. Raises Busy,
    LakeNotWritable.
    """
    with lake.alone():
        try:
            lake.check()
        except LedgerDamaged:
            return _rebuild(lake, now, report)
        except damage.DataFilesDamaged:
            pass  # a case for `repair`
    return Rebuilt(was_whole=True)


def _rebuild(lake: Lake, now: datetime, report: OnProgress) -> Rebuilt:
    rebuilt = Rebuilt()
    old, number = lake.ledger.salvage()
    there = sorted(damage.data_files(lake.place))
    number = max([number, old.number, *map(damage.number, there)]) + 1
    named = {file.path: file for files in old.events.values() for file in files}
    rebuilt.unreadable = sorted(named.keys() - set(there))
    days: dict[date, list[DataFile]] = defaultdict(list)
    quarantine = []
    for done, path in enumerate(there, 1):
        lake.place.let_go(path)
        if path.startswith("quarantine/"):
            if damage.problem_of_sealed(lake.place, path) is None:
                quarantine.append(path)
            else:
                rebuilt.unreadable.append(path)
        elif (file := _looked_at(lake.place, path, named.get(path))) is not None:
            days[file.date].append(file)
        else:
            rebuilt.unreadable.append(path)
        report(done, len(there))
    state = State(number=number, at=now, lost=old.lost)
    for day, files in sorted(days.items()):
        state.events[day] = _each_once(lake, day, files, number)
    if not rebuilt.unreadable and _is_all_there(lake, old, state, quarantine):
        state.logs, state.quarantine = old.logs, quarantine
    rebuilt.reads_again = not state.logs
    rebuilt.logs = [log.names[-1] for log in old.logs.values()]
    rebuilt.files = sum(map(len, state.events.values()))
    rebuilt.events = sum(file.rows for files in state.events.values() for file in files)
    for name in lake.place.sizes(FOLDER):
        kept_as = name.replace(FOLDER, f"{SET_ASIDE}/{FOLDER}-{number}", 1)
        lake.place.put(kept_as, lake.place.read(name))
    lake.ledger.fold(state)
    lake.ledger.ahead = 0
    kept = {file.path for files in state.events.values() for file in files} | set(state.quarantine)
    for path in sorted(damage.data_files(lake.place).keys() - kept):
        lake.set_aside(path)
        rebuilt.set_aside.append(path)
    return rebuilt


def _looked_at(place: Place, path: str, known: DataFile | None) -> DataFile | None:
    """The entry of a file of events in the new ledger; None if the file is damaged."""
    if known is not None and known.checksum:
        return known if damage.problem(place, known) is None else None
    try:
        local = place.local(path)
        if fits_seal(local) is False:
            return None
        day = date.fromisoformat(Path(path).parent.name.removeprefix("date="))
        events = data_files.read(local)
        ids = data_files.read_ids(local)
    except (OSError, ValueError, pa.ArrowException):
        return None
    size = local.stat().st_size
    file = DataFile(
        path=path, date=day, rows=len(events), digest=data_files.digest(ids), size=size,
        oldest=pc.min(events["time"]).as_py(), newest=pc.max(events["time"]).as_py(),
        checksum=checksum(local), sources=data_files.sources(local),
    )  # fmt: skip
    if known is not None and (known.rows, known.digest) != (file.rows, file.digest):
        return None
    return replace(file, without_addresses=known is not None and known.without_addresses)


def _each_once(lake: Lake, day: date, files: list[DataFile], number: int) -> list[DataFile]:
    """The files of a day without events that a larger file holds too: merged files may still exist."""
    seen: set[str] = set()
    kept: list[DataFile] = []
    for file in sorted(files, key=lambda file: (-file.rows, file.path)):
        ids = data_files.read_column(lake.place.local(file.path), "event_id").to_pylist()
        is_new = [not (id_ in seen or seen.add(id_)) for id_ in ids]  # type: ignore[func-returns-value]
        if all(is_new):
            kept.append(file)
        elif any(is_new):
            events = data_files.read(lake.place.local(file.path)).filter(pa.array(is_new))
            staged = lake.staging / f"once-{day}-{len(kept)}.parquet"
            staged.parent.mkdir(parents=True, exist_ok=True)
            path = lake.events_file(day, number, len(kept))
            new = data_files.stage(events, staged, day)
            lake.place.take([(staged, path)])
            kept.append(replace(new, path=path, without_addresses=file.without_addresses))
    return kept


def _is_all_there(lake: Lake, old: State, new: State, quarantine: list[str]) -> bool:
    """True if the lake holds all events that the old ledger counts for each log."""
    by_name: dict[str, Log] = {}
    for log in old.logs.values():
        for name in log.names:
            if by_name.setdefault(name, log) is not log:
                return False  # two logs had this name: its events cannot be assigned
    events: Counter[str] = Counter()
    for files in new.events.values():
        for file in files:
            for name, line in zip(
                data_files.read_column(lake.place.local(file.path), "source").to_pylist(),
                data_files.read_column(lake.place.local(file.path), "line").to_pylist(),
                strict=True,
            ):
                of = by_name.get(name)
                if of is not None and line <= of.lines_of_file:
                    events[of.key] += 1
    lines: Counter[str] = Counter(
        line.log for path in quarantine for line in data_files.read_quarantine(lake.place.local(path))
    )
    return (
        all(
            events[log.key] == log.events and lines[log.key] == sum(log.quarantined.values()) - log.open_lines
            for log in old.logs.values()
        )
        and lines.keys() <= old.logs.keys()
    )
