"""The time at the Result Store's server: a clock that is not this machine's."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from pharos.result_store.connecting import translated

_QUESTIONS = {
    "mysql": "SELECT UTC_TIMESTAMP(6)",
    "mariadb": "SELECT UTC_TIMESTAMP(6)",
    "postgresql": "SELECT CAST(clock_timestamp() AT TIME ZONE 'UTC' AS timestamp)",
}


def server_time(engine: sa.Engine) -> datetime | None:
    """UTC, naive; None for a SQLite file, whose clock is this machine's. Raises StoreUnreachable."""
    question = _QUESTIONS.get(engine.dialect.name)
    if question is None:
        return None
    with translated(engine) as connection:
        moment: datetime = connection.scalar(sa.text(question))
    return moment
