"""Detects missing or damaged data files, and tells the operator how to restore them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from pharos.errors import PharosError
from pharos.lake.ledger import DataFile, State
from pharos.lake.place import Place
from pharos.lake.safely import checksum, fits_seal

# Names of data files begin with the number of the commit they came with, then that of its writer, if any.
_NUMBER = re.compile(r"(\d{8,})-(?:(\d+)-)?")
MISSING = "is missing"
NAMED = 20  # files, and logs of each, that a message names
DERIVED = ("facts/", "results/")  # below these lie files that can be made again from the others
WAY_OUT = (
    "`pharos lake repair` makes them again from these logs, if they are still there. Or put the files back "
    "from a backup. Files of facts and results are made anew by the next `pharos run`."
)


@dataclass(frozen=True)
class Damage:
    """A damaged or missing file of the lake."""

    path: str
    """Relative to the lake."""
    reason: str
    events: int = 0
    sources: tuple[str, ...] = ()
    """Names of the logs its events were read from; empty if that is not known."""

    def __str__(self) -> str:
        text = f"{self.path} {self.reason}"
        if self.events:
            logs = ", ".join(self.sources[:NAMED]) or "logs that were not written down"
            more = len(self.sources) - NAMED
            text += f"; its {self.events:,} events were read from {logs}" + (
                f" and {more} more" if more > 0 else ""
            )
        return text


class DataFilesDamaged(PharosError):
    """Files of events or quarantine are missing or damaged: nothing is computed until they are restored."""

    def __init__(self, address: str, damaged: Sequence[Damage]) -> None:
        super().__init__(address, damaged)
        self.address, self.damaged = address, damaged

    def __str__(self) -> str:
        listed = [f"  {damage}" for damage in self.damaged[:NAMED]]
        if len(self.damaged) > NAMED:
            listed.append(f"  and {len(self.damaged) - NAMED} more")
        return "\n".join(
            [
                f"{self.address}: damaged data files, {len(self.damaged)} of them; nothing was changed:",
                *listed,
                WAY_OUT,
            ]
        )


def check(place: Place, files: Iterable[DataFile]) -> None:
    """Read these files of events and compare them with their checksums. Raises DataFilesDamaged."""
    files = list(files)
    place.bring(file.path for file in files)
    damaged = []
    for file in files:
        if problem(place, file) is not None:
            place.let_go(file.path)  # perhaps only a copy is damaged
            if (reason := problem(place, file)) is not None:
                damaged.append(of(file, reason))
    if damaged:
        raise DataFilesDamaged(place.address, damaged)


def problem(place: Place, file: DataFile) -> str | None:
    """The damage of a file of events; None if it is undamaged. Reads the whole file."""
    try:
        path = place.local(file.path)
        size = path.stat().st_size
        reason = _wrong_size(file, size)
        if reason is None and file.checksum and checksum(path) != file.checksum:
            reason = "does not fit its checksum"
    except FileNotFoundError:
        return MISSING
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    return reason


def problem_of_sealed(place: Place, name: str) -> str | None:
    """As `problem`, for a file of quarantine, facts or results. Earlier releases did not seal these."""
    try:
        path = place.local(name)
        is_sealed = fits_seal(path)
        if is_sealed is None:  # or the length of its footer has changed, which leads past the seal
            pq.ParquetFile(path).read()
    except FileNotFoundError:
        return MISSING
    except (OSError, ValueError) as error:  # Arrow's are ValueErrors
        return f"cannot be read ({' '.join(str(error).split())})"
    return "does not fit its checksum" if is_sealed is False else None


def missing_or_cut(state: State, there: dict[str, int]) -> Iterator[Damage]:
    """Files of the ledger that are missing or have the wrong size; `there` maps existing files to their
    sizes.
    """
    for files in state.events.values():
        for file in files:
            reason = _wrong_size(file, there[file.path]) if file.path in there else MISSING
            if reason is not None:
                yield of(file, reason)
    for path in state.quarantine:
        if not there.get(path):
            yield Damage(path, "is empty" if path in there else MISSING)


def of(file: DataFile, reason: str) -> Damage:
    """The damage of a file of events."""
    return Damage(file.path, reason, file.rows, file.sources)


def data_files(place: Place) -> dict[str, int]:
    """Path relative to the lake -> size, for existing files of events and quarantine."""
    sizes = place.sizes("events") | place.sizes("quarantine")
    return {name: size for name, size in sizes.items() if name.endswith(".parquet")}


def number(path: str) -> int:
    """Number of the commit in a data file's name; 0 if the name has none."""
    found = _NUMBER.match(Path(path).name)
    return int(found[1]) if found else 0


def writer(path: str) -> int:
    """Number of the writer (`Hold.number`) in a data file's name; 0 if the name has none."""
    found = _NUMBER.match(Path(path).name)
    return int(found[2] or 0) if found else 0


def _wrong_size(file: DataFile, size: int) -> str | None:
    if size == file.size or (size and not file.size):
        return None
    return f"has {size:,} bytes instead of {file.size:,}" if size else "is empty"
