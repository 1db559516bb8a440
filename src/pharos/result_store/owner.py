"""The lake that publishes to the store. Two lakes would overwrite each other's numbers in turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from pharos.result_store.connecting import shown, translated
from pharos.result_store.errors import StoreOfAnotherLake
from pharos.result_store.tables import owner, publications

PUBLISHER = "publisher"  # key of the only row


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The lake that publishes. `home`: folder and host, for people. `since`: UTC, naive."""

    lake: str
    home: str
    since: datetime


def read(engine: sa.Engine) -> Owner | None:
    """The lake that publishes to the store; None before the first does. Raises ResultStoreError."""
    with translated(engine) as connection:
        row = connection.execute(sa.select(owner.c.lake, owner.c.home, owner.c.since)).mappings().first()
    return Owner(**row) if row else None


def claim(engine: sa.Engine, lake: str, home: str, *, instead: bool = False) -> None:
    """Record this lake as the publisher of the store. Raises StoreOfAnotherLake if another one is recorded.

    `instead`: replace another lake.
    """
    while (known := read(engine)) is None:
        now = datetime.now(UTC).replace(tzinfo=None)
        row = {"role": PUBLISHER, "lake": lake, "home": home, "since": now}
        with translated(engine) as connection:
            try:
                with connection.begin():
                    connection.execute(sa.insert(owner).values(row))
            except sa.exc.IntegrityError:
                continue  # another run was faster
    if known.lake != lake and not instead:
        raise StoreOfAnotherLake(shown(engine.url), known.lake, known.home, lake, home)
    if (known.lake, known.home) != (lake, home):
        since = known.since if known.lake == lake else datetime.now(UTC).replace(tzinfo=None)
        with translated(engine) as connection, connection.begin():
            connection.execute(sa.update(owner).values(lake=lake, home=home, since=since))


def edition(engine: sa.Engine) -> int:
    """The number of the latest publication; 0 if there is none. Raises ResultStoreError."""
    with translated(engine) as connection:
        return connection.scalar(sa.select(sa.func.max(publications.c.edition))) or 0
