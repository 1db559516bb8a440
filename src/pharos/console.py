"""What the program prints for a person: tables and sums. No decisions are made here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from pharos.data_api.tokens import Token
    from pharos.lake.ingest import Ingested
    from pharos.lake.land import QuarantinedLine
    from pharos.lake.lms_tables import TableState
    from pharos.lake.status import LakeStatus, Sum
    from pharos.pipeline.run import RunReport
    from pharos.result_store.store import Publication

SAMPLE_CHARACTERS = 200  # of a quarantined line
NONE = "-"


class Bars:
    """Progress bars on standard error, one per stage; nothing where no person watches."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<20}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
            console=Console(stderr=True), disable=not Console(stderr=True).is_terminal,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """See `pharos.pipeline.run.Report`."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total)
        self._progress.update(self._tasks[stage], completed=done, total=total)


def show_run(console: Console, report: RunReport, *, why: bool) -> None:
    """What a run did, in a few lines."""
    show_ingested(console, report.ingested)
    show_imported(console, report.imported)
    if why:
        for target, reason in report.why:
            console.print(f"computed {target}: {reason}")
    facts = sum(1 for target, _ in report.why if " of " in target)
    console.print(
        f"Computed {facts} days of facts and {len(report.why) - facts} tables; the rest was up to date."
    )
    for table, rows in report.published.items():
        console.print(f"Published {table}: {_number(rows)} rows.")
    console.print(f"The results describe the time before {_moment(report.until)} UTC.")


def show_ingested(console: Console, ingested: Ingested) -> None:
    """What became of the new lines."""
    console.print(
        f"Read {_number(ingested.lines)} new lines of {_number(ingested.files)} files: "
        f"{_number(ingested.events)} events, {_number(ingested.duplicates)} duplicates, "
        f"{_number(ingested.quarantined)} in quarantine, {_number(ingested.blank)} blank."
    )
    for path, problem in ingested.problems.items():
        console.print(f"[yellow]{escape(path)}: {escape(problem)}; what could be read of it is counted")


def show_imported(console: Console, tables: list[TableState]) -> None:
    """How many rows of the LMS database there are, and which tables could not be read."""
    good = [table.snapshot for table in tables if table.snapshot and not table.problem]
    if good:
        console.print(
            f"Imported {_number(len(good))} tables about the LMS: "
            f"{_number(sum(snapshot.rows for snapshot in good))} rows."
        )
    problems: dict[str, list[TableState]] = {}  # many tables may have one and the same
    for table in tables:
        if table.problem:
            problems.setdefault(table.problem, []).append(table)
        elif table.snapshot and table.snapshot.malformed:
            console.print(
                f"[yellow]{table.table}: {_number(table.snapshot.malformed)} malformed rows; what could not "
                "be read of them is left out[/]"
            )
    for problem, concerned in problems.items():
        console.print(f"[yellow]{escape(problem)}; {_instead(concerned)}[/]")


def _instead(tables: list[TableState]) -> str:
    """What is used of tables that could not be read, or not wholly."""
    kept = [table for table in tables if table.snapshot is not None]
    oldest = min((table.snapshot.finished for table in kept if table.snapshot), default=None)
    if oldest is None:
        return "results do without it"
    if all(table.snapshot and table.snapshot.started == table.attempted for table in kept):
        return "what was known of it before is used, all else is new"
    return f"the snapshot of {_moment(oldest)} UTC is used"


def show_status(
    console: Console, status: LakeStatus, publications: dict[str, Publication] | None, now: datetime
) -> None:
    """The lake, log by log, and what is published."""
    if not status.logs and not status.unreadable:
        console.print("The lake is empty: nothing has been read yet. `pharos run --logs PATH` begins.")
        return
    console.print(_logs_table(status))
    total = status.sum
    console.print(
        f"{_number(total.lines)} lines = {_number(total.events)} events + "
        f"{_number(total.duplicates)} duplicates + "
        f"{_number(sum(total.quarantined.values()))} in quarantine + {_number(total.blank)} blank: "
        + (
            "[green]the sum closes[/]"
            if total.closes
            else "[bold red]the sum does not close; please report this[/]"
        )
    )
    for reason, count in total.quarantined.items():
        console.print(f"  in quarantine, {reason}: {_number(count)}")
    _show_oddities(console, status)
    console.print(f"Events of {_number(status.days)} days from {status.first_day} to {status.last_day}.")
    if status.missing_days:
        console.print(
            f"No events on {_number(len(status.missing_days))} days: {_stretches(status.missing_days)}."
        )
    if publications:
        console.print(_publications_table(publications, now))


def _logs_table(status: LakeStatus) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("log", overflow="fold")
    for name in ("lines", "events", "duplicates", "quarantine", "blank"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("newest event (UTC)", no_wrap=True)
    for log in status.logs:
        table.add_row(escape(log.path), *_counts(log.sum), _moment(log.newest))
    if len(status.logs) > 1:
        table.add_section()
        newest = max((log.newest for log in status.logs if log.newest), default=None)
        table.add_row("all", *_counts(status.sum), _moment(newest), style="bold")
    return table


def _counts(sum_: Sum) -> list[str]:
    quarantined = sum(sum_.quarantined.values())
    return [_number(n) for n in (sum_.lines, sum_.events, sum_.duplicates, quarantined, sum_.blank)]


def _show_oddities(console: Console, status: LakeStatus) -> None:
    """What is kept but should be looked at."""
    for log in status.logs:
        path = escape(log.path)
        if log.problem:
            console.print(f"[yellow]{path}: {escape(log.problem)}[/]")
        if log.future:
            console.print(
                f"[yellow]{path}: clock skew: {_number(log.future)} events were of the future when read[/]"
            )
        if log.odd_course:
            console.print(
                f"[yellow]{path}: no course: {_number(log.odd_course)} events have an unknown form of id[/]"
            )
        if log.other_names:
            console.print(f"{path}: seen before as {escape(', '.join(log.other_names))}")
    for path, problem in status.unreadable.items():
        console.print(f"[yellow]{escape(path)}: {escape(problem)}[/]")


def _publications_table(publications: dict[str, Publication], now: datetime) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("published table", "rows", "before (UTC)", "newest event (UTC)", "rows changed"):
        table.add_column(
            name, justify="right" if name == "rows" else "left", no_wrap=name != "published table"
        )
    for name, publication in sorted(publications.items()):
        table.add_row(
            name, _number(publication.row_count), _moment(publication.until), _moment(publication.last_event),
            _ago(publication.published, now),
        )  # fmt: skip
    return table


def show_quarantine(console: Console, lines: Iterable[QuarantinedLine]) -> None:
    """Each line with where it is from and why it is no event."""
    for line in lines:
        text = line.text if len(line.text) <= SAMPLE_CHARACTERS else _cut(line.text)
        console.print(f"[bold]{escape(line.source)}:{line.line}[/]: {line.reason}", highlight=False)
        console.print(f"  {escape(text)}", highlight=False, soft_wrap=True)


def show_tokens(console: Console, tokens: Iterable[Token]) -> None:
    """Names, scopes and dates; never the tokens themselves."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("name", "may read", "created (UTC)", "expires (UTC)", "revoked (UTC)"):
        table.add_column(name)
    for token in tokens:
        scope = [*(token.courses or ()), *(token.organizations or ())]
        table.add_row(
            escape(token.name), escape(", ".join(sorted(scope)) or "all courses"), _moment(token.created),
            _moment(token.expires), _moment(token.revoked),
        )  # fmt: skip
    console.print(table)


def _number(value: int) -> str:
    return f"{value:,}"


def _moment(value: datetime | None) -> str:
    return value.isoformat(sep=" ", timespec="seconds") if value else NONE


def _ago(value: datetime | None, now: datetime) -> str:
    return f"{timedelta(seconds=round((now - value).total_seconds()))} ago" if value else NONE


def _cut(text: str) -> str:
    return f"{text[:SAMPLE_CHARACTERS]}… ({_number(len(text))} characters)"


def _stretches(days: list[date]) -> str:
    """`2024-03-02, 2024-03-05 to 2024-03-09` for days in order."""
    stretches: list[list[date]] = []
    for day in days:
        if stretches and day - stretches[-1][-1] == timedelta(days=1):
            stretches[-1][1:] = [day]
        else:
            stretches.append([day])
    return ", ".join(" to ".join(map(str, stretch)) for stretch in stretches)
