"""Lets only one lake publish to a Result Store: another lake is refused, and a copy of the lake is noticed.

A copy has the same id as the lake. It is noticed by the number of the publication: each run records the
number that it is about to publish; a later number in the store comes from somebody else.
"""

from __future__ import annotations

import socket

import msgspec
import sqlalchemy as sa

from pharos.config import Settings
from pharos.lake.identity import identify, identity
from pharos.lake.lake import Lake
from pharos.lake.places import lake_of
from pharos.pipeline.ingestion import locked_lake
from pharos.result_store import owner, store
from pharos.result_store.connecting import shown
from pharos.result_store.data_problems import OTHER_PUBLISHER, DataProblem
from pharos.result_store.errors import ResultStoreError

NAME = "published.json"


class Remembered(msgspec.Struct, frozen=True):
    """The last publication of this lake: address of the store without its password, number."""

    store: str
    edition: int


def claim(settings: Settings, lake: Lake, database: sa.Engine) -> list[DataProblem]:
    """Record this lake as the publisher of the store; return data problems if a copy of it publishes, too.

    The lake must be locked. Raises StoreOfAnotherLake.
    """
    owner.claim(database, identify(lake), _home(settings))
    return _of_a_copy(lake, database)


def take_over(settings: Settings) -> None:
    """Let this home publish to the store instead of any other: `pharos store claim`. Raises PharosError."""
    store.upgrade(settings.store_url)
    with locked_lake(settings) as lake:
        database = store.connect(settings.store_url)
        try:
            owner.claim(database, identify(lake), _home(settings), instead=True)
            remember(lake, database, further=0)
        finally:
            database.dispose()


def remember(lake: Lake, database: sa.Engine, *, further: int = 1) -> None:
    """Record the publication that this lake is about to make, so that a crash after it is no false alarm."""
    about = Remembered(shown(database.url), owner.edition(database) + further)
    lake.place.put(NAME, msgspec.json.encode(about))


def of_the_store(settings: Settings) -> list[DataProblem]:
    """Data problems if another lake publishes to the store; empty while the store does not answer."""
    lake = lake_of(settings)
    try:
        database = store.connect(settings.store_url)
        try:
            known, own = owner.read(database), identity(lake)
            if known is not None and own is not None and known.lake != own:
                return [_of_another(known)]
            return _of_a_copy(lake, database)
        finally:
            database.dispose()
    except ResultStoreError:
        return []


def _of_another(known: owner.Owner) -> DataProblem:
    text = (
        f"The Result Store belongs to the lake {known.lake[:8]} of {known.home}; runs of this home are "
        "refused. Give it a store of its own (result_store.url), or: pharos store claim"
    )
    return DataProblem(kind=OTHER_PUBLISHER, about="", text=text)


def _of_a_copy(lake: Lake, database: sa.Engine) -> list[DataProblem]:
    try:
        last = msgspec.json.decode(lake.place.read(NAME), type=Remembered)
    except (OSError, msgspec.MsgspecError):
        return []
    edition = owner.edition(database)
    if last.store != shown(database.url) or edition <= last.edition:
        return []
    text = (
        f"The Result Store holds publication {edition}, and this home made {last.edition} last: another home "
        "with a copy of this lake publishes to it too. Give one of the two a store of its own "
        "(result_store.url). Where this home was restored from a backup, the next run ends this message."
    )
    return [DataProblem(kind=OTHER_PUBLISHER, about="", text=text)]


def _home(settings: Settings) -> str:
    return f"{settings.home.absolute()} on {socket.gethostname()}"
