"""Prints the outcome of verbs that maintain the lake, for a person and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from pharos.lake.repair import Repaired
    from pharos.lake.salvage import Rebuilt
    from pharos.lake.verify import Verified

LEFT = """These files were left as they are. Put the logs back, or name them (--logs), or put the files back
from a backup, and repair again. If there are none any more, `pharos lake repair --accept-loss` goes on
without these events; the status says so from then on."""
READS_AGAIN = """What was read of which log is not known any more. `pharos run` reads all logs that are there
from their beginning: events that the lake holds count as duplicates, missing ones come in again, and so do
lines that are no events. Not restored: events whose only file is damaged or missing and whose logs are gone;
and the counts of lines of logs that are gone."""


def show(console: Console, lines: Iterator[str]) -> None:
    """Lines of plain text."""
    for line in lines:
        console.print(line, markup=False, highlight=False)


def verified_facts(verified: Verified) -> dict[str, Any]:
    """Counts of the files compared, for programs."""
    return {
        "files": verified.files,
        "bytes": verified.bytes,
        "damaged": len(verified.damaged),
        "whole_round": verified.is_whole_round,
    }


def verified_lines(verified: Verified) -> Iterator[str]:
    """Lines with the counts of files compared; damage itself is printed as an error."""
    yield (
        f"Verified {verified.files:,} files ({verified.bytes / 1e6:,.1f} MB): "
        f"{len(verified.damaged):,} damaged."
    )
    if not verified.is_whole_round:
        yield "The next slice goes on from there."


def repaired_lines(repaired: Repaired) -> Iterator[str]:
    """Lines with the damaged files, and the restored and lost events."""
    if not repaired.damaged:
        yield "No file of events or quarantine is damaged."
        return
    yield f"Damaged files: {len(repaired.damaged):,}."
    for damage in repaired.damaged:
        yield f"  {damage}"
    yield f"Restored {repaired.restored:,} events and {repaired.lines:,} lines of quarantine."
    for loss in repaired.lost:
        yield f"  {loss.date}: {loss.events:,} events cannot be restored"
    if repaired.lost_lines:
        yield f"  {repaired.lost_lines:,} lines of quarantine cannot be restored"
    if (repaired.lost or repaired.lost_lines) and repaired.missing:
        yield f"Logs that were not found: {', '.join(repaired.missing)}"
    if not repaired.is_whole:
        yield LEFT.replace("\n", " ")


def rebuilt_lines(rebuilt: Rebuilt) -> Iterator[str]:
    """Lines with the contents of the new ledger, and the missing parts."""
    if rebuilt.was_whole:
        yield "The ledger is whole; nothing was done. (Damaged data files: `pharos lake repair`.)"
        return
    yield f"A new ledger names {rebuilt.files:,} files with {rebuilt.events:,} events."
    for path in rebuilt.unreadable:
        yield f"  {path} is missing or damaged: its events come back from their logs alone"
    if rebuilt.set_aside:
        yield f"Moved to .set-aside: the old ledger, and {len(rebuilt.set_aside):,} files that do not count."
    if rebuilt.reads_again:
        yield READS_AGAIN.replace("\n", " ")
    else:
        yield "What was read of which log is known as before: `pharos run` goes on from there."
