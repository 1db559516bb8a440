"""The `pharos` program: one verb per job. Reads the settings, calls one room, prints for a person.

Each verb imports its room itself: nobody who asks for the status waits for a web server to load, and the
processes that read logs beside a run, which load this module too, start in a fraction of the time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from pharos import config
from pharos.errors import ConfigurationError, PharosError

if TYPE_CHECKING:
    import sqlalchemy
    from fastapi import FastAPI

    from pharos.config import Settings
    from pharos.result_store.store import Publication

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, help="Learning analytics for Open edX."
)
store_app = typer.Typer(no_args_is_help=True, help="The Result Store.")
token_app = typer.Typer(no_args_is_help=True, help="Tokens of the Data API.")
app.add_typer(store_app, name="store")
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
    typer.Option("--lms-database", help="mysql://user:password@host/edxapp, postgresql://…, sqlite:///file."),
]
Engine = Annotated[str | None, typer.Option("--engine", help="duckdb or spark.")]
Until = Annotated[
    str | None,
    typer.Option("--until", help="Describe the time before this UTC date (or moment); default: now."),
]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on.")]

FIRST_YEAR, LAST_YEAR = 2000, 2100  # of --until: other years are slips of the finger

out = Console(soft_wrap=True)  # a terminal wraps by itself, and a file gets whole lines


def main() -> None:
    """The program's entry: errors that a person can act on become their message and exit code."""
    try:
        app()
    except PharosError as error:
        Console(stderr=True, soft_wrap=True).print(str(error), markup=False, highlight=False)
        sys.exit(error.exit_code)


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
    out.print(f"Wrote {path}. Name your logs in it, then: pharos check, pharos run.")


@app.command()
def check(home: Home = None, file: Config = None) -> None:
    """Say what is reachable and what is not."""
    from pharos.pipeline.check import check as check_reach

    findings = check_reach(config.load(home, file))
    for finding in findings:
        mark = "[green]ok [/]" if finding.is_good else "[bold red]NO [/]"
        out.print(f"{mark} {escape(finding.text)}")
    if not all(finding.is_good for finding in findings):
        raise typer.Exit(1)


@app.command()
def run(
    paths: MoreLogs = None,
    logs: Logs = None,
    lms_database: LMSDatabase = None,
    until: Until = None,
    engine: Engine = None,
    full: Annotated[bool, typer.Option("--full", help="Compute everything anew.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Say what was computed and why.")] = False,
    home: Home = None,
    file: Config = None,
) -> None:
    """Ingest, import, compute, publish."""
    from pharos.console import Bars, show_run
    from pharos.pipeline.run import run_pipeline

    settings = config.load(home, file, engine={"name": engine}, lms={"database": lms_database})
    with Bars() as bars:
        report = run_pipeline(
            settings, logs=_paths(logs, paths), until=_moment(until), full=full, progress=bars
        )
    show_run(out, report, why=why)


@app.command()
def ingest(
    paths: MoreLogs = None, logs: Logs = None, engine: Engine = None, home: Home = None, file: Config = None
) -> None:
    """Take new log lines over into the lake, and nothing else."""
    from pharos.console import Bars, show_ingested
    from pharos.pipeline.ingestion import ingest_only

    settings = config.load(home, file, engine={"name": engine})
    with Bars() as bars:
        ingested = ingest_only(settings, logs=_paths(logs, paths), progress=bars)
    show_ingested(out, ingested)


@app.command("import")
def import_(
    lms_database: LMSDatabase = None, engine: Engine = None, home: Home = None, file: Config = None
) -> None:
    """Copy what Pharos needs of the LMS into the lake: tables of its database, courses and outlines."""
    from pharos.console import Bars, show_imported
    from pharos.pipeline.run import import_only

    settings = config.load(home, file, engine={"name": engine}, lms={"database": lms_database})
    with Bars() as bars:
        report = import_only(settings, progress=bars)
    show_imported(out, report.imported)
    if all(table.problem for table in report.imported):
        raise typer.Exit(1)


@app.command()
def compute(
    until: Until = None,
    engine: Engine = None,
    full: Annotated[bool, typer.Option("--full", help="Compute everything anew.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Say what was computed and why.")] = False,
    home: Home = None,
    file: Config = None,
) -> None:
    """Compute and publish from what is in the lake."""
    from pharos.console import Bars, show_computed
    from pharos.pipeline.run import compute_only

    settings = config.load(home, file, engine={"name": engine})
    with Bars() as bars:
        report = compute_only(settings, until=_moment(until), full=full, progress=bars)
    show_computed(out, report, why=why)


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    home: Home = None,
    file: Config = None,
) -> None:
    """What is in, what is not, how fresh."""
    from pharos.console import show_lms, show_status
    from pharos.lake.lake import Lake
    from pharos.lake.snapshots import states
    from pharos.lake.status import lake_status
    from pharos.pipeline.event_types import unknown_event_types
    from pharos.pipeline.reconciliation import reconciled

    settings = config.load(home, file)
    lake = Lake(settings.lake)
    now = datetime.now(UTC).replace(tzinfo=None)
    found, imported, compared = lake_status(lake, now), states(lake), reconciled(lake)
    unknown = unknown_event_types(lake)
    publications, problem = _publications(settings)
    if as_json:
        tables = {name: asdict(publication) for name, publication in publications.items()}
        whole: dict[str, Any] = {
            **asdict(found), "sum_closes": found.sum.closes,
            "unknown_event_types": [asdict(kind) for kind in unknown],
            "lms": [msgspec.to_builtins(table) for table in imported],
            "enrollment_reconciliation": [asdict(course) for course in compared],
            "published": tables, "store_problem": problem,
        }  # fmt: skip
        print(json.dumps(whole, default=str, indent=2))  # noqa: T201
    else:
        show_status(out, found, unknown, publications, problem, now)
        show_lms(out, imported, compared, now)


@app.command()
def quarantine(
    retry: Annotated[bool, typer.Option("--retry", help="Judge them once more, after a repair.")] = False,
    home: Home = None,
    file: Config = None,
) -> None:
    """The lines that are no events, and why."""
    from pharos.console import show_quarantine
    from pharos.lake.lake import Lake
    from pharos.lake.quarantine import quarantined_lines
    from pharos.pipeline.ingestion import retry_quarantine

    settings = config.load(home, file)
    if retry:
        events = retry_quarantine(settings)
        out.print(f"{events:,} lines are events now; the next run counts them.")
    show_quarantine(out, quarantined_lines(Lake(settings.lake)))


@app.command("data-api")
def data_api(host: Host = None, port: Port = None, home: Home = None, file: Config = None) -> None:
    """Serve the Data API."""
    from pharos.data_api.app import create_app

    settings = config.load(home, file, data_api={"host": host, "port": port})
    _serve(create_app(settings), settings.data_api.host, settings.data_api.port)


@app.command()
def insights(host: Host = None, port: Port = None, home: Home = None, file: Config = None) -> None:
    """Serve Insights."""
    from pharos.insights.app import create_app

    settings = config.load(home, file, insights={"host": host, "port": port})
    _serve(create_app(settings), settings.insights.host, settings.insights.port)


@app.command()
def demo(
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Leave the data and end.")] = False,
    learners: Annotated[int, typer.Option(min=1)] = 2000,
    days: Annotated[int, typer.Option(min=1)] = 90,
    seed: Annotated[int, typer.Option()] = 1,
    until: Annotated[
        str | None, typer.Option("--until", help="Everything happens before this UTC date.")
    ] = None,
    home: Home = Path(".pharos/demo"),
    file: Config = None,
) -> None:
    """A simulated campus, computed and served."""
    from pharos.demo.run import run_demo

    moment = _moment(until)
    run_demo(
        config.load(home, file), serve=not no_serve, learners=learners, days=days, seed=seed,
        until=moment.date() if moment else None,
    )  # fmt: skip


@store_app.command("upgrade")
def store_upgrade(
    url: Annotated[
        str | None, typer.Option("--store", help="SQLAlchemy URL, instead of the configured one.")
    ] = None,
    home: Home = None,
    file: Config = None,
) -> None:
    """Create the Result Store, or bring it to this release."""
    from pharos.result_store import store

    settings = config.load(home, file, result_store={"url": url})
    store.upgrade(settings.store_url)
    out.print("The Result Store is up to date.")


@store_app.command("downgrade")
def store_downgrade(
    version: Annotated[str, typer.Argument(help="Version of the tables that the earlier release needs.")],
    url: Annotated[
        str | None, typer.Option("--store", help="SQLAlchemy URL, instead of the configured one.")
    ] = None,
    home: Home = None,
    file: Config = None,
) -> None:
    """Bring the Result Store's tables back to an earlier release's, before that is installed again."""
    from pharos.result_store import store

    settings = config.load(home, file, result_store={"url": url})
    store.downgrade(settings.store_url, version)
    out.print(f"The Result Store has the tables of version {version}.")


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
    with _result_store(home, file) as engine:
        token = tokens.create_token(
            engine, name, courses=courses or (), organizations=organizations or (), learners=learners,
            expires=_moment(expires, "--expires"), requests_per_minute=requests_per_minute,
            token=sys.stdin.readline().strip() if given else None,
        )  # fmt: skip
    print(f"Token {name} is valid." if given else token)  # noqa: T201


@token_app.command("list")
def token_list(home: Home = None, file: Config = None) -> None:
    """The tokens' names and what they may."""
    from pharos.console import show_tokens
    from pharos.data_api import tokens

    with _result_store(home, file) as engine:
        show_tokens(out, tokens.list_tokens(engine))


@token_app.command("revoke")
def token_revoke(name: str, home: Home = None, file: Config = None) -> None:
    """End a token's use."""
    from pharos.data_api import tokens

    with _result_store(home, file) as engine:
        tokens.revoke_token(engine, name)
    out.print(f"Token {name} is revoked.")


@contextmanager
def _result_store(home: Path | None, file: Path | None) -> Iterator[sqlalchemy.Engine]:
    """The Result Store of the settings, as long as a verb needs it."""
    from pharos.result_store import store

    engine = store.connect(config.load(home, file).store_url)
    try:
        yield engine
    finally:
        engine.dispose()


def _serve(application: FastAPI, host: str, port: int) -> None:
    """Listen until told to stop; requests in flight are finished."""
    import uvicorn

    uvicorn.run(application, host=host, port=port, server_header=False, access_log=False, log_level="warning")


def _paths(named: list[str] | None, further: list[str] | None) -> list[str]:
    """`--logs a b c` as a shell's glob leaves it: the first belongs to the option, the others follow."""
    if further and not named:
        raise ConfigurationError(f"{further[0]}: to read logs, say --logs {further[0]}")
    return [*(named or []), *(further or [])]


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


def _publications(settings: Settings) -> tuple[dict[str, Publication], str | None]:
    """What is published, and why it is not known if it is not."""
    from pharos.result_store import store
    from pharos.result_store.errors import ResultStoreError

    try:
        return store.published(store.connect(settings.store_url)), None
    except ResultStoreError as error:
        return {}, str(error)
