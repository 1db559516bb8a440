"""Prints tables and sums for a person. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from pharos.keys import LONGEST_MODE
from pharos.lake.schema import FIRST_DAY
from pharos.lake.status import stretches
from pharos.result_store.data_problems import LMS_IMPORT
from pharos.telemetry.logs import visible

if TYPE_CHECKING:
    from pharos.data_api.tokens import Token
    from pharos.lake.data_files import QuarantinedLine
    from pharos.lake.ingest import Ingested
    from pharos.lake.logs import PassedOver
    from pharos.lake.snapshots import TableState
    from pharos.lake.status import LakeStatus, Sum
    from pharos.pipeline.event_types import UnknownType
    from pharos.pipeline.reconciliation import Reconciled
    from pharos.pipeline.run import RunReport
    from pharos.result_store.adoption import Adoption
    from pharos.result_store.data_problems import DataProblem
    from pharos.result_store.job_runs import JobRun
    from pharos.result_store.store import Publication
    from pharos.scheduler.cron import Turn

SAMPLE_CHARACTERS = 200  # of a quarantined line
UNKNOWN_TYPES = 20  # shown; `pharos status --json` has all
NONE = "-"


class Bars:
    """Progress bars on standard error, one per stage; hidden if it is not a terminal."""

    def __init__(self, *, shown: bool = True) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<20}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
            console=Console(stderr=True), disable=not (shown and Console(stderr=True).is_terminal),
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """See `pharos.pipeline.ingestion.OnProgress`."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total)
        self._progress.update(self._tasks[stage], completed=done, total=total)


def show_run(console: Console, report: RunReport, *, why: bool) -> None:
    """Print the outcome of a run in a few lines."""
    show_ingested(console, report.ingested)
    show_imported(console, report.imported)
    show_computed(console, report, why=why)
    show_problems(console, report.problems)


def show_passed_over(console: Console, passed: Sequence[PassedOver]) -> None:
    """Print the number of files of each source that were not read because of their names."""
    for each in passed:
        console.print(
            f"{_shown(each.origin)}: {_counted(each.files, 'file')} passed over, as the pattern "
            f"{_shown(each.pattern)} does not match, such as {_shown(each.example)}."
        )


def show_problems(console: Console, problems: Sequence[DataProblem]) -> None:
    """Print the problems of the data, a line each; problems of the import are printed by `show_imported`."""
    found = [problem for problem in problems if problem.kind != LMS_IMPORT]
    if found:
        console.print(f"[bold yellow]{_counted(len(found), 'problem')} of the data:[/]")
    for problem in found:
        console.print(f"[yellow]  {_shown(problem.name)}: {_shown(problem.text)}[/]")


def show_computed(console: Console, report: RunReport, *, why: bool) -> None:
    """Print the computed and published tables, and the time they describe."""
    if why:
        for target, reason in report.why:
            console.print(f"computed {target}: {reason}")
    console.print(
        f"Computed {_counted(report.days, 'daily fact')} and parts of {_counted(report.tables, 'table')}; "
        "the rest was up to date."
    )
    for table, rows in report.published.items():
        console.print(f"Published {table}: it has {_counted(rows, 'row')} now.")
    for problem in report.not_published.values():
        console.print(f"[red]Not published:[/] {escape(problem)}")
    console.print(f"The results describe the time before {_moment(report.until)} UTC.")
    for remark in report.remarks:
        console.print(remark)


def show_ingested(console: Console, ingested: Ingested) -> None:
    """Print the counts of new lines by outcome."""
    if not ingested.files:
        console.print("[yellow]No log files were found where they were looked for.[/]")
        return
    console.print(
        f"Read {_counted(ingested.lines, 'new line')} of {_counted(ingested.files, 'file')}: "
        f"{_counted(ingested.events, 'event')}, {_counted(ingested.duplicates, 'duplicate')}, "
        f"{_number(ingested.quarantined)} in quarantine, {_number(ingested.blank)} blank."
    )
    for path, problem in ingested.problems.items():
        console.print(f"[yellow]{_shown(path)}: {_shown(problem)}; what could be read of it is counted")


def show_imported(console: Console, tables: list[TableState]) -> None:
    """Print the number of rows from the LMS, and the tables that could not be read."""
    good = [table.snapshot for table in tables if table.snapshot and not table.problem]
    if good:
        console.print(
            f"Imported {_counted(len(good), 'table')} about the LMS: "
            f"{_counted(sum(snapshot.rows for snapshot in good), 'row')}."
        )
    _show_lms_problems(console, tables)


def _show_lms_problems(console: Console, tables: list[TableState]) -> None:
    problems: dict[str, list[TableState]] = {}  # many tables may have one and the same
    for table in tables:
        if table.problem:
            problems.setdefault(table.problem, []).append(table)
        elif table.snapshot and table.snapshot.malformed:
            console.print(
                f"[yellow]{table.table}: {_number(table.snapshot.malformed)} malformed rows; what could not "
                "be read of them is left out[/]"
            )
        if table.snapshot and table.snapshot.remark:
            console.print(f"{table.table}: {_shown(table.snapshot.remark)}")
    for problem, concerned in problems.items():
        console.print(f"[yellow]{_shown(problem)}; {_instead(concerned)}[/]")


def _instead(tables: list[TableState]) -> str:
    """The data that is used in place of tables that could not be read, or only in part."""
    kept = [table for table in tables if table.snapshot is not None]
    oldest = min((table.snapshot.finished for table in kept if table.snapshot), default=None)
    if any(table.problem and table.attempted is None for table in tables):  # what was imported is damaged
        return "what is published stays as it is"
    if oldest is None:
        return "results do without it"
    if all(table.snapshot and table.snapshot.started == table.attempted for table in kept):
        return "what was known of it before is used, all else is new"
    return f"the snapshot of {_moment(oldest)} UTC is used"


def run_facts(report: RunReport) -> dict[str, Any]:
    """The outcome of a run, for programs."""
    return (
        ingested_facts(report.ingested)
        | imported_facts(report.imported)
        | computed_facts(report)
        | {"problems": [asdict(problem) for problem in report.problems]}
    )


def ingested_facts(ingested: Ingested) -> dict[str, Any]:
    """Counts of new lines by outcome, for programs."""
    facts = {**asdict(ingested), "unreadable": len(ingested.problems)}
    del facts["problems"]
    return facts


def imported_facts(tables: list[TableState]) -> dict[str, Any]:
    """Numbers of tables imported and not imported, reasons, and odd rows by table; for programs."""
    from pharos.lake.snapshots import problems  # noqa: PLC0415 - loads what ingestion does without

    odd = {table.table: table.snapshot.malformed for table in tables if table.snapshot}
    return {
        "imported": sum(1 for table in tables if table.snapshot and not table.problem),
        "not_imported": sum(1 for table in tables if table.problem),
        "import_problems": problems(tables),
        "malformed": {table: rows for table, rows in odd.items() if rows},
    }


def computed_facts(report: RunReport) -> dict[str, Any]:
    """Counts of computed and published tables and rows, for programs."""
    return {
        "computed": report.days + report.tables,
        "published": len(report.published),
        "rows": sum(report.published.values()),
        "rows_written": report.written,
        "not_published": report.not_published,
        "remarks": report.remarks,
        "until": f"{report.until.isoformat()}Z",
    }


def show_next_runs(console: Console, turns: list[Turn], runs: list[JobRun], now: datetime) -> None:
    """Print the next time of each job, and the outcome of its last attempt."""
    if not turns and not runs:
        console.print("No jobs: name some under scheduler.jobs in pharos.yaml.")
        return
    last = {run.job: run for run in runs}
    at = {turn.job: turn.at for turn in turns}
    console.print("Jobs of the scheduler:")
    rows = []
    for name in [*at, *sorted(set(last) - set(at))]:
        run = last.get(name)
        ended = NONE if run is None else f"{run.state}, {_ago(run.started, now)}"
        following = _moment(max(at[name], now)) if name in at else NONE
        rows.append((following, ended, visible(name), visible(run.message if run else "")))
    _show_table(console, ("next (UTC)", "last", "job", ""), rows)


def show_status(
    console: Console,
    status: LakeStatus,
    unknown: list[UnknownType],
    changed_modes: int,
    publications: dict[str, Publication],
    problem: str | None,
    now: datetime,
) -> None:
    """Print the lake by sources, and the publications; `problem`: why the Result Store cannot be read.

    `changed_modes`: the number of enrollment events with a mode that no column can hold.
    """
    if not status.logs and not status.unreadable:
        console.print("The lake is empty: nothing has been read yet. `pharos run --logs PATH` begins.")
        return
    _show_sources(console, status, now)
    total = status.sum
    console.print(
        f"{_counted(total.lines, 'line')} = {_counted(total.events, 'event')} + "
        f"{_counted(total.duplicates, 'duplicate')} + "
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
    console.print(f"Events of {_counted(status.days, 'day')} from {status.first_day} to {status.last_day}.")
    if status.implausible:
        console.print(
            f"[yellow]{_counted(status.implausible, 'event')} before {FIRST_DAY}: kept, but not counted[/]"
        )
    if status.missing_days:
        console.print(
            f"No events on {_counted(len(status.missing_days), 'day')}: {stretches(status.missing_days)}."
        )
    if unknown:
        console.print(
            f"Of types that Pharos does not know: {_number(sum(t.events for t in unknown))} events."
        )
        rows = [(_number(t.events), str(t.last_day), visible(t.event_type)) for t in unknown[:UNKNOWN_TYPES]]
        _show_table(console, ("events", "last on", "type"), rows, numbers=1)
    if changed_modes:
        console.print(
            f"[yellow]{_counted(changed_modes, 'enrollment event')} with a mode of more than {LONGEST_MODE} "
            "characters or with the character NUL: cut, or replaced by U+FFFD[/]"
        )
    _show_publications(console, publications, now)
    if problem:
        console.print(f"[yellow]{_shown(problem)}[/]")


def _show_sources(console: Console, status: LakeStatus, now: datetime) -> None:
    head = ("logs", "lines", "events", "duplicates", "quarantine", "blank", "newest event", "source")
    rows = [
        (
            _number(source.logs),
            *_counts(source.sum),
            "none" if source.newest is None else _ago(source.newest, now),
            visible(source.name),
        )
        for source in status.sources
    ]
    _show_table(console, head, rows, numbers=6)


def _counts(sum_: Sum) -> list[str]:
    quarantined = sum(sum_.quarantined.values())
    return [_number(n) for n in (sum_.lines, sum_.events, sum_.duplicates, quarantined, sum_.blank)]


def _show_oddities(console: Console, status: LakeStatus) -> None:
    """Print oddities of logs that were kept but need a look."""
    for log in status.logs:
        path = _shown(log.path)
        if log.problem:
            console.print(f"[yellow]{path}: {_shown(log.problem)}[/]")
        if log.future:
            console.print(
                f"[yellow]{path}: clock skew: {_counted(log.future, 'event')} of the future when read[/]"
            )
        if log.odd_course:
            console.print(
                f"[yellow]{path}: no course: {_counted(log.odd_course, 'event')} of an unknown form of id[/]"
            )
        if log.without_context * 2 > log.sum.events:
            console.print(
                f"[yellow]{path}: {_counted(log.without_context, 'event')} without context, as the LMS wrote "
                "before October 2013: without person and course they count in the totals only[/]"
            )
    for path, problem in status.unreadable.items():
        console.print(f"[yellow]{_shown(path)}: {_shown(problem)}[/]")


def _show_publications(console: Console, publications: dict[str, Publication], now: datetime) -> None:
    """Tables that say the same time together: after a run that ended well, all."""
    together: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for name, publication in sorted(publications.items()):
        moments = _moment(publication.until), _moment(publication.last_event)
        row = _number(publication.row_count), _ago(publication.published, now), name
        together.setdefault(moments, []).append(row)
    for (until, last_event), rows in together.items():
        console.print(f"Published, of the time before {until} UTC (newest event: {last_event}):")
        _show_table(console, ("rows", "changed", "table"), rows, numbers=1)


def show_lms(console: Console, tables: list[TableState], compared: list[Reconciled], now: datetime) -> None:
    """Print the LMS's tables and their age, and how far its enrollments agree with the events."""
    known = [(table.table, table.snapshot) for table in tables if table.snapshot]
    if known:
        console.print("Of the LMS:")
        rows = [(_number(snapshot.rows), _ago(snapshot.started, now), name) for name, snapshot in known]
        _show_table(console, ("rows", "read", "table"), rows, numbers=1)
    _show_lms_problems(console, tables)
    if compared:
        console.print(
            f"Enrolled by the events: {_number(sum(course.events_count for course in compared))}; "
            f"in the LMS: {_number(sum(course.lms_count for course in compared))}."
        )
        for course in compared:
            if course.differences:
                reasons = ", ".join(f"{name} {_number(count)}" for name, count in course.differences.items())
                console.print(f"[yellow]{_shown(course.course_id)}: learners differ: {reasons}[/]")
        if any(course.differences for course in compared):
            console.print("Who differs is in the table enrollment_difference of the Result Store.")


def show_adopted(console: Console, adopted: Sequence[Adoption]) -> None:
    """Print the rows that stay in each adopted table, and the next step."""
    if not adopted:
        console.print("There is nothing to adopt: no table of Pharos holds rows of another program.")
        return
    for each in adopted:
        stays = f"before {each.first_day}" if each.first_day else "of course runs that Pharos does not count"
        console.print(f"{each.table.name}: {_counted(each.row_count, 'row')}; those {stays} stay.")
    console.print(
        "The next `pharos run` adds the results of this lake. `pharos store adopt --undo` puts back the "
        "tables as they are now."
    )


def show_given_back(console: Console, adopted: Sequence[Adoption]) -> None:
    """Print the tables that hold exactly the rows of the other program again."""
    if not adopted:
        console.print("No table is adopted; nothing was changed.")
    for each in adopted:
        console.print(f"{each.table.name}: {_counted(each.row_count, 'row')} as before the adoption.")


def show_quarantine(console: Console, lines: Iterable[QuarantinedLine]) -> None:
    """Print each line with its place and the reason why it is not an event."""
    for line in lines:
        text = line.text if len(line.text) <= SAMPLE_CHARACTERS else _cut(line.text)
        console.print(f"[bold]{_shown(line.source)}:{line.line}[/]: {line.reason}", highlight=False)
        console.print(f"  {_shown(text)}", highlight=False)


def show_tokens(console: Console, tokens: Iterable[Token]) -> None:
    """Print names, scopes and dates; never the tokens themselves."""
    rows = []
    for token in tokens:
        scope = [*(token.courses or ()), *(token.organizations or ())]
        may_read = ", ".join(sorted(scope)) or "all courses"
        may_read += ", data of learners" if token.learners else ""
        moments = map(_moment, (token.created, token.expires, token.revoked))
        rows.append((*moments, visible(token.name), visible(may_read)))
    if not rows:
        console.print("There are no tokens. `pharos token create NAME` makes one.")
        return
    _show_table(console, ("created (UTC)", "expires (UTC)", "revoked (UTC)", "name", "may read"), rows)


def _show_table(
    console: Console, head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0
) -> None:
    """Print columns under their names, the first `numbers` of them aligned right.

    Long values belong into the last column, so that a narrow terminal breaks no other one.
    """
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            cell.rjust(width) if place < numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        style = "bold" if line is head else None
        console.print("  ".join(cells).rstrip(), style=style, markup=False, highlight=False)


def _shown(text: str) -> str:
    """Text from outside, escaped for output with markup."""
    return escape(visible(text))


def _counted(number: int, thing: str) -> str:
    return f"{_number(number)} {thing}" if number == 1 else f"{_number(number)} {thing}s"


def _number(value: int) -> str:
    return f"{value:,}"


def _moment(value: datetime | None) -> str:
    return value.isoformat(sep=" ", timespec="seconds") if value else NONE


def _ago(value: datetime | None, now: datetime) -> str:
    return f"{timedelta(seconds=round((now - value).total_seconds()))} ago" if value else NONE


def _cut(text: str) -> str:
    return f"{text[:SAMPLE_CHARACTERS]}… ({_number(len(text))} characters)"
