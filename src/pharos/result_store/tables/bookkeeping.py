"""Bookkeeping tables of the store. They hold no results and have no Definition."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
)

from pharos.result_store.column_types import Exact, moment, row_number
from pharos.result_store.tables.base import MYSQL, metadata

publications = Table(
    "pharos_publication",
    metadata,
    Column("table_name", Exact(64), primary_key=True, comment="Result table."),
    Column("fingerprint", String(128), nullable=False, comment="Of the inputs and the code of the result."),
    Column("until", moment, nullable=False, comment="Moment the result describes the time before, UTC."),
    Column("last_event", moment, comment="Newest event counted, UTC."),
    Column("version", Integer, nullable=False, comment="Version of the definition."),
    Column("row_count", BigInteger, nullable=False, comment="Rows published."),
    Column("content", String(64), nullable=False, comment="Number and checksum of the rows published."),
    Column("published", moment, nullable=False, comment="When the rows last changed, UTC."),
    Column(
        "edition",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="Number of the publishing run; tables of one edition belong together.",
    ),
    Column("history_until", Date, comment="Last day whose rows are of another program; empty: all are ours."),
    comment="What each result table holds: one row per table, written with its rows.",
    **MYSQL,
)

adoptions = Table(
    "pharos_adoption",
    metadata,
    Column("table_name", Exact(64), primary_key=True, comment="Result table."),
    Column("first_day", Date, comment="First day of rows of Pharos; empty: the table has no days."),
    Column("row_count", BigInteger, nullable=False, comment="Rows of the other program."),
    Column("adopted", moment, nullable=False, comment="When, UTC."),
    comment="Tables that held rows of another program, which are kept in adopted_<table>.",
    **MYSQL,
)

owner = Table(
    "pharos_owner",
    metadata,
    Column("role", Exact(16), primary_key=True, comment="publisher: there is one row."),
    Column("lake", Exact(32), nullable=False, comment="Id of the lake that publishes."),
    Column("home", Text, nullable=False, comment="Folder and host of its home, for people."),
    Column("since", moment, nullable=False, comment="UTC."),
    comment="The lake whose runs publish to this store.",
    **MYSQL,
)

days = Table(
    "pharos_day",
    metadata,
    Column("day", Date, primary_key=True, comment="A day."),
    comment="All days from 2000 to 2099: rows that stand for many days are spread over them.",
    **MYSQL,
)

table_updates = Table(
    "table_updates",
    metadata,
    Column("id", row_number, primary_key=True, comment="Row number; no meaning."),
    Column("update_id", String(128), nullable=False, unique=True, comment="Table and fingerprint."),
    Column("target_table", Exact(128), nullable=False, index=True, comment="Result table."),
    Column("inserted", DateTime, server_default=func.now(), nullable=False, comment="When, UTC."),
    comment="The original's marker of finished loads (spec 01 §4.3).",
    **MYSQL,
)

tokens = Table(
    "pharos_token",
    metadata,
    Column("id", row_number, primary_key=True, comment="Row number; no meaning."),
    Column("name", Exact(100), nullable=False, unique=True, comment="Who uses the token."),
    Column("hash", String(64), nullable=False, unique=True, comment="SHA-256 of the token, hexadecimal."),
    Column("courses", Text, comment="Course ids it may read, a line each; empty: no restriction."),
    Column("organizations", Text, comment="Organisations it may read, a line each; empty: no restriction."),
    Column("learners", Boolean, nullable=False, comment="May read data of single learners."),
    Column("requests_per_minute", Integer, comment="Its own rate limit; empty: the one of the settings."),
    Column("created", moment, nullable=False, comment="UTC."),
    Column("expires", moment, comment="First moment it is refused, UTC; empty: never."),
    Column("revoked", moment, comment="UTC; empty: valid."),
    comment="Tokens of the Data API; the tokens themselves are not kept.",
    **MYSQL,
)

sign_outs = Table(
    "pharos_sign_out",
    metadata,
    Column("session", Exact(64), primary_key=True, comment="Random id of a session of Insights."),
    Column("until", moment, nullable=False, index=True, comment="When it would have ended by itself, UTC."),
    comment="Sessions of Insights that were ended before their time; they count no more.",
    **MYSQL,
)

job_runs = Table(
    "pharos_job_run",
    metadata,
    Column("id", row_number, primary_key=True, comment="Row number; rises with time."),
    Column("job", Exact(64), nullable=False, comment="Name of the job in the settings."),
    Column("due", moment, nullable=False, comment="When the schedule wanted it, UTC."),
    Column("attempt", Integer, nullable=False, comment="1 for the first, 2 for the first retry, and so on."),
    Column("host", Exact(255), nullable=False, comment="Scheduler it ran under, as its home names it."),
    Column("started", moment, nullable=False, comment="UTC."),
    Column("finished", moment, comment="UTC; empty while it runs."),
    Column("state", String(16), nullable=False, comment="running, done, failed, busy, stopped or lost."),
    Column("exit_code", Integer, comment="Of the program; negative: the signal that ended it."),
    Column("message", Text, nullable=False, comment="Why it failed; empty when it did not."),
    Column("counts", Text, nullable=False, comment="What it did, as JSON."),
    UniqueConstraint("job", "due", "attempt", name="uq_pharos_job_run"),
    comment="What the scheduler ran, a row per attempt; by its key two schedulers never run the same.",
    **MYSQL,
)

data_problems = Table(
    "pharos_data_problem",
    metadata,
    Column("kind", Exact(32), primary_key=True, comment="One of a fixed list."),
    Column("about", Exact(200), primary_key=True, comment="Log source; empty: the whole lake."),
    Column("text", Text, nullable=False, comment="What is wrong, and what to do."),
    Column("since", moment, nullable=False, comment="When a run first found it, UTC."),
    comment="What is wrong with the data though no run failed, as the last run found it.",
    **MYSQL,
)

log_sources = Table(
    "pharos_log_source",
    metadata,
    Column("name", Exact(200), primary_key=True, comment="Name of the source in the settings."),
    Column("newest", moment, comment="Time of its newest event, UTC; empty: it has none."),
    Column("logs", BigInteger, nullable=False, comment="Logs read of it."),
    Column("lines", BigInteger, nullable=False, comment="Lines read."),
    Column("events", BigInteger, nullable=False, comment="Lines that are events."),
    Column("quarantined", BigInteger, nullable=False, comment="Lines that are no events."),
    comment="How far each log source reaches, as the last run found it.",
    **MYSQL,
)
