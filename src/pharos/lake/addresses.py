"""Forgets the network addresses of older days: each address is replaced by its country, in the same column.

Nothing else in an event changes, in particular not its id: the same line read again is still a duplicate, and
everything computed from the lake keeps its value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from pharos.engine import Workers
from pharos.engine.base import TextFunction
from pharos.lake import damage, data_files
from pharos.lake.compaction import put_in_place, spread_over
from pharos.lake.lake import Lake
from pharos.lake.ledger import DataFile
from pharos.lake.place import Place

FILES_AT_ONCE = 64  # written anew before the first of them counts, so that a crash loses little
EVENTS_AT_ONCE = 50_000  # of a file

JSON = ("context", "payload", "raw")  # where members of an event hold the address once more
# A member of this name, of whatever object; its quotes have backslashes where JSON is a text in JSON.
_MEMBER = r'("ip"\s*:\s*"|\\"ip\\"\s*:\s*\\")[^"\\]*'
# Every text with an address matches: a quick test of all texts, after which few are checked one by one.
_LIKE_AN_ADDRESS = r"\d\.\d{1,3}\.\d{1,3}\.\d|:[0-9A-Fa-f]{0,4}:"


def forget_addresses(
    lake: Lake,
    workers: Workers,
    before: date,
    in_place: TextFunction,
    now: datetime,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> int:
    """Forget the addresses of the UTC dates before `before`; return the number of files rewritten.

    `in_place` maps addresses to their replacements, and a replacement to itself. `report` is called with the
    number of files done and the number of all files. The lake must be locked.
    """
    files = [
        file
        for day, files in sorted(lake.state.events.items())
        if day < before
        for file in files
        if not file.without_addresses
    ]
    rewrite = partial(without_addresses, place=lake.place, staging=lake.staging, in_place=in_place)
    spread = spread_over(workers, files)
    for start in range(0, len(files), FILES_AT_ONCE):
        some = files[start : start + FILES_AT_ONCE]
        for number, (old, staged) in enumerate(zip(some, spread(rewrite, some), strict=True), 1):
            put_in_place(lake, staged, [old], now)
            report(start + number, len(files))
        lake.clear_leftovers()
    return len(files)


def without_addresses(file: DataFile, place: Place, staging: Path, in_place: TextFunction) -> DataFile:
    """The file's events without addresses, as a file in the staging folder."""
    damage.check(place, [file])
    return rewritten(file, place.local(file.path), staging, in_place)


def rewritten(file: DataFile, local: Path, staging: Path, in_place: TextFunction) -> DataFile:
    """As `without_addresses`, for a file that is on this machine and undamaged."""
    events = data_files.read(local)
    parts = [_without_addresses(part, in_place) for part in events.to_batches(EVENTS_AT_ONCE)]
    path = staging / f"forgotten-{file.date}-{Path(file.path).stem}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    size, checksum = data_files.write(pa.Table.from_batches(parts).unify_dictionaries(), path)
    return replace(file, path=str(path), size=size, checksum=checksum, without_addresses=True)


def _without_addresses(events: pa.RecordBatch, in_place: TextFunction) -> pa.RecordBatch:
    """The events with their address replaced, and erased from all other members that repeat it."""
    addresses = events["ip"].cast(pa.string())
    distinct = addresses.dictionary_encode()
    replaced = pa.array(in_place(distinct.dictionary.to_pylist()), pa.string())
    columns = {name: _erased(events[name], addresses) for name in JSON}
    columns["ip"] = replaced.take(distinct.indices)
    for name, column in columns.items():
        events = events.set_column(events.schema.get_field_index(name), name, column)
    return events


def _erased(texts: pa.Array, addresses: pa.Array) -> pa.Array:
    """JSON texts in which members named `ip`, and all occurrences of the event's own address, are empty
    texts.
    """
    texts = pc.replace_substring_regex(texts, _MEMBER, r"\1")
    looks_alike = (pc.match_substring_regex(column, _LIKE_AN_ADDRESS) for column in (texts, addresses))
    suspects = pc.fill_null(pc.and_(*looks_alike), fill_value=False)
    rows = np.flatnonzero(suspects)
    pairs = zip(texts.take(rows).to_pylist(), addresses.take(rows).to_pylist(), strict=True)
    cleaned = pa.array([_without(text, address.strip()) for text, address in pairs], pa.string())
    return pc.replace_with_mask(texts, suspects, cleaned)


def _without(text: str, address: str) -> str:
    return re.sub(rf"(?<!\d){re.escape(address)}(?!\d)", "", text) if address in text else text
