"""The `pharos` program: one verb per job. Reads the settings, calls one room, prints for a person.

Each verb imports its room itself: nobody who asks for the status waits for a web server to load, and the
processes that read logs beside a run, which load this module too, start in a fraction of the time.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

import pharos
from pharos import config
from pharos.errors import Busy, ConfigurationError, PharosError
from pharos.telemetry import logs as telemetry

if TYPE_CHECKING:
    import sqlalchemy

    from pharos.config import Settings
    from pharos.result_store.job_runs import JobRun
    from pharos.result_store.store import Publication
    from pharos.scheduler.cron import Turn

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, help="Learning analytics for Open edX."
)
store_app = typer.Typer(no_args_is_help=True, help="The Result Store.")
lake_app = typer.Typer(no_args_is_help=True, help="The lake: finding damage, and making it whole again.")
token_app = typer.Typer(no_args_is_help=True, help="Tokens of the Data API.")
app.add_typer(store_app, name="store")
app.add_typer(lake_app, name="lake")
app.add_typer(token_app, name="token")

Home = Annotated[
    Path | None, typer.Option("--home", help="Folder of the lake, the default store and the state.")
]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file; default: pharos.yaml in home.")]
Logs = Annotated[
    list[str] | None,
    typer.Option("--logs", help="Log files, folders or globs, instead of the configured ones."),
]
MoreLogs = Annotated[
    list[str] | None, typer.Argument(help="Further log files, as a shell's glob gives them.")
]
LMSDatabase = Annotated[
    str | None,
    typer.Option(
        "--lms-database", help="mysql://user:password@host/openedx, postgresql://…, sqlite:///file."
    ),
]
Engine = Annotated[str | None, typer.Option("--engine", help="duckdb or spark.")]
Until = Annotated[
    str | None,
    typer.Option("--until", help="Describe the time before this UTC date (or moment); default: now."),
]
Full = Annotated[bool, typer.Option("--full", help="Compute everything anew.")]
AcceptLoss = Annotated[
    list[str] | None,
    typer.Option("--accept-loss", metavar="TABLE", help="Publish this table though it loses many rows."),
]
Why = Annotated[bool, typer.Option("--why", help="Say what was computed and why.")]
Store = Annotated[str | None, typer.Option("--store", help="SQLAlchemy URL, instead of the configured one.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless something failed; for cron.")]
LogFormat = Annotated[
    str | None,
    typer.Option("--log-format", help="text, or json: report and errors as JSON lines, on stderr."),
]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on.")]

PRIVATE = 0o077  # what nobody but the user of Pharos may do: the lake is as sensitive as the LMS's database
FIRST_YEAR, LAST_YEAR = 2000, 2100  # of --until: other years are slips of the finger

out = Console(soft_wrap=True)  # a terminal wraps by itself, and a file gets whole lines


def main() -> None:
    """The program's entry: errors that a person can act on become their message and exit code."""
    os.umask(PRIVATE)
    try:
        app()
    except PharosError as error:
        lines = map(telemetry.visible, str(error).split("\n"))
        Console(stderr=True, soft_wrap=True).print("\n".join(lines), markup=False, highlight=False)
        sys.exit(error.exit_code)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"pharos {pharos.__version__}")  # noqa: T201
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version, and exit."),
    ] = False,
) -> None:
    """Learning analytics for Open edX."""


@app.command()
def init(home: Home = None) -> None:
    """Write a commented pharos.yaml into home."""
    path = (home or config.DEFAULT_HOME) / config.CONFIG_NAME
    if path.exists():
        raise ConfigurationError(f"{path}: is there already; it was left as it is")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(config.template(), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from error
    options = f" --home {home}" if home else ""
    out.print(f"Wrote {path}. Name your logs in it, then: pharos check{options}, pharos run{options}.")


@app.command()
def check(home: Home = None, file: Config = None) -> None:
    """Try all that the settings name: logs, databases, LMS, OAuth clients, mail; ends with 1 if one fails."""
    from pharos.check import check as tried

    findings = tried(config.load(home, file), config.file_of(home, file))
    for finding in findings:
        mark = "[green]ok [/]" if finding.is_good else "[bold red]NO [/]"
        out.print(f"{mark} {escape(telemetry.visible(finding.text))}")
    if not all(finding.is_good for finding in findings):
        raise typer.Exit(1)


@app.command()
def run(
    paths: MoreLogs = None,
    logs: Logs = None,
    lms_database: LMSDatabase = None,
    until: Until = None,
    engine: Engine = None,
    full: Full = False,
    why: Why = False,
    accept_loss: AcceptLoss = None,
    skip_import: Annotated[
        bool, typer.Option("--skip-import", help="Take what is known of the LMS as it is.")
    ] = False,
    quiet: Quiet = False,
    log_format: LogFormat = None,
    home: Home = None,
    file: Config = None,
) -> None:
    """Ingest, import, compute, publish."""
    from pharos.console import Bars, run_facts, show_run
    from pharos.pipeline.run import run_pipeline

    with _reporting(quiet, log_format) as load:
        settings = load(home, file, engine={"name": engine}, lms={"database": lms_database})
        with Bars(shown=_is_for_people(quiet)) as bars:
            report = run_pipeline(
                settings, logs=_paths(logs, paths), until=_until(until), full=full,
                imports=not skip_import, accepted=accept_loss or (), progress=bars,
            )  # fmt: skip
        _report("run ended", run_facts(report))
        if _is_for_people(quiet):
            show_run(out, report, why=why)
        _end_if_not_published(report.not_published, quiet)


@app.command()
def ingest(
    paths: MoreLogs = None,
    logs: Logs = None,
    engine: Engine = None,
    quiet: Quiet = False,
    log_format: LogFormat = None,
    home: Home = None,
    file: Config = None,
) -> None:
    """Take new log lines over into the lake, and nothing else."""
    from pharos.console import Bars, ingested_facts, show_ingested
    from pharos.pipeline.ingestion import ingest_only

    with _reporting(quiet, log_format) as load:
        settings = load(home, file, engine={"name": engine})
        with Bars(shown=_is_for_people(quiet)) as bars:
            ingested = ingest_only(settings, logs=_paths(logs, paths), progress=bars)
        _report("ingest ended", ingested_facts(ingested))
        if _is_for_people(quiet):
            show_ingested(out, ingested)


@app.command("import")
def import_(
    lms_database: LMSDatabase = None,
    engine: Engine = None,
    quiet: Quiet = False,
    log_format: LogFormat = None,
    home: Home = None,
    file: Config = None,
) -> None:
    """Copy what Pharos needs of the LMS into the lake: tables of its database, courses and outlines."""
    from pharos.console import Bars, imported_facts, show_imported
    from pharos.pipeline.run import import_only

    with _reporting(quiet, log_format) as load:
        settings = load(home, file, engine={"name": engine}, lms={"database": lms_database})
        with Bars(shown=_is_for_people(quiet)) as bars:
            report = import_only(settings, progress=bars)
        failed = all(table.problem for table in report.imported)
        _report("import ended", imported_facts(report.imported))
        if _is_for_people(quiet and not failed):
            show_imported(out, report.imported)
        if failed:
            raise typer.Exit(1)


@app.command()
def compute(
    until: Until = None,
    engine: Engine = None,
    full: Full = False,
    why: Why = False,
    accept_loss: AcceptLoss = None,
    quiet: Quiet = False,
    log_format: LogFormat = None,
    home: Home = None,
    file: Config = None,
) -> None:
    """Compute and publish from what is in the lake."""
    from pharos.console import Bars, computed_facts, show_computed
    from pharos.pipeline.run import compute_only

    with _reporting(quiet, log_format) as load:
        settings = load(home, file, engine={"name": engine})
        with Bars(shown=_is_for_people(quiet)) as bars:
            report = compute_only(
                settings, until=_until(until), full=full, accepted=accept_loss or (), progress=bars
            )
        _report("compute ended", computed_facts(report))
        if _is_for_people(quiet):
            show_computed(out, report, why=why)
        _end_if_not_published(report.not_published, quiet)


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    home: Home = None,
    file: Config = None,
) -> None:
    """What is in, what is not, how fresh; exit code 1 if the Result Store cannot be used."""
    from pharos.console import show_lms, show_next_runs, show_passed_over, show_problems, show_status
    from pharos.lake.places import lake_of
    from pharos.lake.snapshots import states
    from pharos.lake.status import lake_status
    from pharos.pipeline.data_problems import data_problems, passed_over
    from pharos.pipeline.event_types import unknown_event_types
    from pharos.pipeline.reconciliation import reconciled
    from pharos.pipeline.refused_submissions import changed_modes

    settings = config.load(home, file)
    lake = lake_of(settings)
    publications, problem = _publications(settings)
    turns, runs, now = _scheduled(settings)
    found, imported, compared = lake_status(lake, now), states(lake), reconciled(lake)
    unknown, wrong = unknown_event_types(lake), data_problems(settings, found, imported, now)
    changed = changed_modes(lake)
    if as_json:
        tables = {name: asdict(publication) for name, publication in publications.items()}
        whole: dict[str, Any] = {
            **asdict(found), "sum_closes": found.sum.closes, "problems": [asdict(one) for one in wrong],
            "passed_over": [asdict(one) for one in passed_over(settings)],
            "unknown_event_types": [asdict(kind) for kind in unknown], "changed_modes": changed,
            "lms": [msgspec.to_builtins(table) for table in imported],
            "enrollment_reconciliation": [asdict(course) for course in compared],
            "published": tables, "store_problem": problem,
            "next_runs": [asdict(turn) for turn in turns], "last_runs": [asdict(run) for run in runs],
        }  # fmt: skip
        print(json.dumps(whole, default=str, indent=2))  # noqa: T201
    else:
        show_status(out, found, unknown, changed, publications, problem, now)
        show_lms(out, imported, compared, now)
        if runs or turns:
            show_next_runs(out, turns, runs, now)
        show_passed_over(out, passed_over(settings))
        show_problems(out, wrong)
    if problem is not None and not _is_new(settings):
        raise typer.Exit(1)


@app.command()
def quarantine(
    retry: Annotated[bool, typer.Option("--retry", help="Judge them once more, after a repair.")] = False,
    home: Home = None,
    file: Config = None,
) -> None:
    """The lines that are no events, and why."""
    from pharos.console import show_quarantine
    from pharos.lake.places import lake_of
    from pharos.lake.quarantine import quarantined_lines
    from pharos.pipeline.ingestion import retry_quarantine

    settings = config.load(home, file)
    if retry:
        events = retry_quarantine(settings)
        out.print(f"{events:,} lines are events now; the next run counts them.")
    show_quarantine(out, quarantined_lines(lake_of(settings)))


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="Folder of the copy; only what is new is copied.")],
    home: Home = None,
    file: Config = None,
) -> None:
    """Copy the lake, and the Result Store if it is a file, also while runs go on."""
    from pharos.lake.backup import copy_lake
    from pharos.lake.lake import Lake
    from pharos.pipeline.ingestion import known_lake
    from pharos.result_store.backup import copy_store

    settings = config.load(home, file)
    copied = copy_lake(known_lake(settings), Lake(target / "lake"))
    size_mb = copied.new_bytes / 1e6
    out.print(f"Lake: {copied.files:,} files, {copied.new_files:,} of them new ({size_mb:,.1f} MB).")
    if copy_store(settings.store_url, target / "result_store.sqlite"):
        out.print("Result Store: copied.")
    else:
        out.print("Result Store: on a database server; copy it with the server's own tools.")


@lake_app.command("verify")
def lake_verify(
    megabytes: Annotated[
        int | None,
        typer.Option(min=1, help="Only about so much, from where the last one stopped. Default: all."),
    ] = None,
    quiet: Quiet = False,
    log_format: LogFormat = None,
    home: Home = None,
    file: Config = None,
) -> None:
    """Compare the files of the lake with what was written; exit code 1 if any is damaged."""
    from pharos.console import Bars
    from pharos.console_lake import show, verified_facts, verified_lines
    from pharos.lake.damage import DataFilesDamaged
    from pharos.pipeline.care import verify_lake

    with _reporting(quiet, log_format) as load:
        settings = load(home, file)
        with Bars(shown=_is_for_people(quiet)) as bars:
            verified = verify_lake(settings, megabytes=megabytes, progress=bars)
        _report("lake verify ended", verified_facts(verified))
        if _is_for_people(quiet):
            show(out, verified_lines(verified))
        if verified.damaged:
            raise DataFilesDamaged(settings.lake_address, verified.damaged)


@lake_app.command("repair")
def lake_repair(
    paths: MoreLogs = None,
    logs: Logs = None,
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Go on without events that cannot be restored."),
    ] = False,
    home: Home = None,
    file: Config = None,
) -> None:
    """Make damaged files anew from the logs that they were read from."""
    from pharos.console import Bars
    from pharos.console_lake import repaired_lines, show
    from pharos.pipeline.care import repair_lake

    with Bars() as bars:
        repaired = repair_lake(
            config.load(home, file), logs=_paths(logs, paths), accept_loss=accept_loss, progress=bars
        )
    show(out, repaired_lines(repaired))
    if not repaired.is_whole:
        raise typer.Exit(1)


@lake_app.command("rebuild")
def lake_rebuild(home: Home = None, file: Config = None) -> None:
    """Make a new ledger where the old one is damaged, from the data files; the next run reads the logs."""
    from pharos.console import Bars
    from pharos.console_lake import rebuilt_lines, show
    from pharos.pipeline.care import rebuild_lake

    with Bars() as bars:
        rebuilt = rebuild_lake(config.load(home, file), progress=bars)
    show(out, rebuilt_lines(rebuilt))


@lake_app.command("copy")
def lake_copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Folder of a lake, or s3://bucket/folder.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="As FROM; what is there already stays.")],
) -> None:
    """Copy a lake to another place, also while runs go on, read the copy, and compare both."""
    from pharos.lake.backup import copy_lake, prove
    from pharos.lake.places import passing_lake

    with passing_lake(source) as lake, passing_lake(target) as copy:
        if not lake.ledger.is_there:
            raise ConfigurationError(f"{source}: there is no lake to copy")
        copied = copy_lake(lake, copy)
        proof = prove(lake, copy)
    out.print(f"Copied: {copied.new_files:,} of {copied.files:,} files ({copied.new_bytes / 1e6:,.1f} MB).")
    size = f"{proof.files:,} files ({proof.bytes / 1e6:,.1f} MB)"
    out.print(f"Equal, read again at {target}: {proof.events:,} events in {size}.")
    out.print(f"Sum of their ids: {proof.digest:016x}.")


@app.command("data-api")
def data_api(host: Host = None, port: Port = None, home: Home = None, file: Config = None) -> None:
    """Serve the Data API."""
    from pharos.serving import DATA_API, serve

    serve(lambda: _strong(home, file, data_api={"host": host, "port": port}), [DATA_API])


@app.command()
def insights(host: Host = None, port: Port = None, home: Home = None, file: Config = None) -> None:
    """Serve Insights."""
    from pharos.serving import INSIGHTS, serve

    serve(lambda: _strong(home, file, insights={"host": host, "port": port}), [INSIGHTS])


@app.command()
def scheduler(
    show_next: Annotated[bool, typer.Option("--next", help="Say what runs next, and end.")] = False,
    home: Home = None,
    file: Config = None,
) -> None:
    """Start the jobs of the settings when they are due."""
    from pharos.scheduler import programs
    from pharos.serving import serve

    if show_next:
        from pharos.console import show_next_runs

        show_next_runs(out, *_scheduled(config.load(home, file)))
        return
    serve(lambda: config.load(home, file), [], program=programs.pharos(home, file))


@app.command("serve")
def serve_(home: Home = None, file: Config = None) -> None:
    """Serve Data API and Insights, start jobs when they are due, and follow the logs; for one machine."""
    from pharos.scheduler import programs
    from pharos.serving import DATA_API, INSIGHTS, serve

    program = programs.pharos(home, file)
    serve(lambda: _strong(home, file), [DATA_API, INSIGHTS], program=program, tail=True)


@app.command()
def demo(
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Leave the data and end.")] = False,
    learners: Annotated[int, typer.Option(min=1)] = 2000,
    days: Annotated[int, typer.Option(min=1)] = 90,
    seed: Annotated[int, typer.Option()] = 1,
    until: Annotated[
        str | None, typer.Option("--until", help="Everything happens before this UTC date.")
    ] = None,
    lms_release: Annotated[
        str, typer.Option(help="Release the LMS behaves like: olive, ulmo, verawood or willow.")
    ] = "verawood",
    home: Home = Path(".pharos/demo"),
    file: Config = None,
) -> None:
    """A simulated campus, computed and served."""
    from pharos.demo.releases import Release
    from pharos.demo.run import run_demo

    if lms_release not in {*Release}:
        raise typer.BadParameter(f"one of {', '.join(Release)}", param_hint="--lms-release")

    moment = _moment(until)
    run_demo(
        config.load(home, file), serve=not no_serve, learners=learners, days=days, seed=seed,
        until=moment.date() if moment else None, release=Release(lms_release),
    )  # fmt: skip


@store_app.command("upgrade")
def store_upgrade(url: Store = None, home: Home = None, file: Config = None) -> None:
    """Create the Result Store, or bring it to this release."""
    from pharos.result_store import store

    settings = config.load(home, file, result_store={"url": url})
    store.upgrade(settings.store_url)
    out.print("The Result Store is up to date.")


@store_app.command("downgrade")
def store_downgrade(
    version: Annotated[str, typer.Argument(help="Version of the tables that the earlier release needs.")],
    url: Store = None,
    home: Home = None,
    file: Config = None,
) -> None:
    """Bring the Result Store's tables back to an earlier release's, before that is installed again."""
    from pharos.result_store import store

    settings = config.load(home, file, result_store={"url": url})
    store.downgrade(settings.store_url, version)
    out.print(f"The Result Store has the tables of version {version}.")


@store_app.command("adopt")
def store_adopt(
    first_day: Annotated[
        str | None,
        typer.Option("--from", help="First UTC day that Pharos counts. Default: the lake's first whole day."),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Put all rows of the other program back.")] = False,
    home: Home = None,
    file: Config = None,
) -> None:
    """Keep the history of another program in the Result Store, and let runs add this lake's results to it."""
    from pharos.console import show_adopted, show_given_back
    from pharos.pipeline import adoption

    settings = config.load(home, file)
    if undo:
        show_given_back(out, adoption.undo(settings))
    else:
        moment = _moment(first_day, "--from")
        show_adopted(out, adoption.adopt(settings, moment.date() if moment else None))


@store_app.command("claim")
def store_claim(home: Home = None, file: Config = None) -> None:
    """Let this home publish to the Result Store, instead of another home that is gone."""
    from pharos.pipeline import ownership

    settings = config.load(home, file)
    ownership.take_over(settings)
    out.print("From now on this home publishes to the Result Store; runs of any other home are refused.")


@token_app.command("create")
def token_create(
    name: str,
    courses: Annotated[
        list[str] | None,
        typer.Option("--course", help="A course it may read; repeatable. Default: all."),
    ] = None,
    organizations: Annotated[
        list[str] | None, typer.Option("--organization", help="An organisation whose courses it may read.")
    ] = None,
    learners: Annotated[bool, typer.Option("--learners", help="It may read data of learners.")] = False,
    expires: Annotated[
        str | None, typer.Option("--expires", help="UTC date or moment from which on it is refused.")
    ] = None,
    requests_per_minute: Annotated[
        int | None, typer.Option(min=1, help="Its own limit, instead of the one of the settings.")
    ] = None,
    given: Annotated[
        bool, typer.Option("--given", help="Read the token, which clients already hold, from standard input.")
    ] = False,
    home: Home = None,
    file: Config = None,
) -> None:
    """Make a token; it is shown this once."""
    from pharos.data_api import tokens
    from pharos.keys import is_course_id

    for course in courses or ():
        if not is_course_id(course):
            raise ConfigurationError(f"--course: {course!r} is not the id of a course run")
    with _result_store(config.load(home, file)) as engine:
        token = tokens.create_token(
            engine, name, courses=courses or (), organizations=organizations or (), learners=learners,
            expires=_expiry(expires), requests_per_minute=requests_per_minute,
            token=sys.stdin.readline().strip() if given else None,
        )  # fmt: skip
    print(f"Token {name} is valid." if given else token)  # noqa: T201


@token_app.command("list")
def token_list(home: Home = None, file: Config = None) -> None:
    """The tokens' names and what they may."""
    from pharos.console import show_tokens
    from pharos.data_api import tokens

    with _result_store(config.load(home, file)) as engine:
        show_tokens(out, tokens.list_tokens(engine))


@token_app.command("revoke")
def token_revoke(name: str, home: Home = None, file: Config = None) -> None:
    """End a token's use."""
    from pharos.data_api import tokens

    with _result_store(config.load(home, file)) as engine:
        tokens.revoke_token(engine, name)
    out.print(f"Token {name} is revoked.")


def _strong(home: Path | None, file: Path | None, **overrides: Mapping[str, Any]) -> Settings:
    """The settings of a service that others reach. Raises ConfigurationError, also for weak ones."""
    from pharos.hardening import strong

    return strong(config.load(home, file, **overrides), config.file_of(home, file))


@contextmanager
def _result_store(settings: Settings) -> Iterator[sqlalchemy.Engine]:
    """The Result Store, as long as a verb needs it. Raises ResultStoreError."""
    from pharos.result_store import store

    engine = store.connect(settings.store_url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _reporting(quiet: bool, log_format: str | None) -> Iterator[Callable[..., Settings]]:
    """Report and errors as the caller wants them; gives the function that loads the settings."""

    def load(home: Path | None, file: Path | None, **overrides: Mapping[str, Any]) -> Settings:
        settings = config.load(home, file, logging={"format": log_format}, **overrides)
        if settings.logging.format == "json":
            telemetry.configure("json")
        return settings

    if log_format == "json":
        telemetry.configure("json")  # mistakes in the settings are written so, too
    try:
        yield load
    except PharosError as error:
        if telemetry.writes_json():
            logging.getLogger("pharos").error("%s", error)  # noqa: TRY400 - the message says it all
        elif not (quiet and isinstance(error, Busy)):  # the other run does what this one would
            raise
        raise typer.Exit(error.exit_code) from error


def _is_for_people(quiet: bool) -> bool:
    return not quiet and not telemetry.writes_json()


class NotPublished(PharosError):
    """Tables that were left as they were; the message says of each why."""


def _end_if_not_published(problems: Mapping[str, str], quiet: bool) -> None:
    """End with 1 if a table was not published. Cron and programs read why; people have read it already."""
    if problems and _is_for_people(quiet):
        raise typer.Exit(1)
    if problems:
        raise NotPublished("\n".join(problems.values()))


def _report(event: str, facts: dict[str, Any]) -> None:
    """What a verb did, as a line for programs, if they asked."""
    if telemetry.writes_json():
        telemetry.write(logging.getLogger("pharos.report"), event, **facts)


def _scheduled(settings: Settings) -> tuple[list[Turn], list[JobRun], datetime]:
    """What the scheduler runs next, what it ran last, and the time, UTC."""
    from pharos.result_store import job_runs, store
    from pharos.result_store.errors import ResultStoreError
    from pharos.scheduler.scheduler import turns, utc_now

    now = utc_now()
    try:
        engine = store.connect(settings.store_url)
    except ResultStoreError:  # not yet made, or away: then at least when jobs would run
        return turns(settings.scheduler, {}, now, now), [], now
    try:
        latest = job_runs.latest(engine, now)
        return turns(settings.scheduler, latest, now, now), list(latest.values()), now
    finally:
        engine.dispose()


def _paths(named: list[str] | None, further: list[str] | None) -> list[str]:
    """`--logs a b c` as a shell's glob leaves it: the first belongs to the option, the others follow."""
    if further and not named:
        raise ConfigurationError(f"{further[0]}: to read logs, say --logs {further[0]}")
    return [*(named or []), *(further or [])]


def _until(text: str | None) -> datetime | None:
    """The moment of `--until`: what comes after now has not happened, so nothing can be said of it."""
    moment = _moment(text)
    if moment is not None and moment > datetime.now(UTC).replace(tzinfo=None):
        raise ConfigurationError(
            f"--until: {text!r} lies in the future; leave it out to describe the time before now"
        )
    return moment


def _expiry(text: str | None) -> datetime | None:
    """The moment of `--expires`: a token that has expired before it is made would serve nobody."""
    moment = _moment(text, "--expires")
    if moment is not None and moment <= datetime.now(UTC).replace(tzinfo=None):
        raise ConfigurationError(
            f"--expires: {text!r} is past; a token needs a moment still to come, or none"
        )
    return moment


def _moment(text: str | None, option: str = "--until") -> datetime | None:
    """A UTC date, meaning its first moment, or an ISO moment; without offset it is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"{option}: {text!r} is neither a date (2024-05-31) nor an ISO moment"
        ) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ConfigurationError(f"{option}: {text!r} is not between {FIRST_YEAR} and {LAST_YEAR}")
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _is_new(settings: Settings) -> bool:
    """Whether no run has published yet into a Result Store that is a file: there is none to be broken."""
    path = settings.store_url.removeprefix("sqlite:///")
    return settings.store_url != path and not Path(path).exists() and not (settings.lake / "results").exists()


def _publications(settings: Settings) -> tuple[dict[str, Publication], str | None]:
    """What is published, and why it is not known if it is not."""
    from pharos.result_store import store
    from pharos.result_store.errors import ResultStoreError

    try:
        with _result_store(settings) as engine:
            return store.published(engine), None
    except ResultStoreError as error:
        return {}, str(error)
