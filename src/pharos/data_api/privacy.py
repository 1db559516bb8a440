"""Applies the settings `privacy` to rows about single learners; the only module that does.

Rows about learners pass through here on their way to an answer: `Reading` and the exports ensure it. The
names of a table's columns declare which of them identify a learner
(`pharos.result_store.tables.base.PERSONAL`).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa

from pharos import config
from pharos.data_api.errors import Forbidden
from pharos.data_api.organizations import beginnings, in_organizations
from pharos.errors import ConfigurationError
from pharos.keys import organisation
from pharos.result_store.tables.base import PERSONAL

HIDDEN = {
    "full": frozenset[str](),
    "names": frozenset({"address"}),
    "pseudonymous": frozenset({"user name", "number", "name", "address"}),
}
SEARCHED = {"full": ("name", "username", "email"), "names": ("name", "username"), "pseudonymous": ()}
"""Fields that a search may look into: who finds somebody by an address knows the address."""
PSEUDONYM_BYTES, NUMBER_BITS = 10, 52  # a number is exact in JSON
ORDER_PRIME = 2**31 - 1

Mask = Callable[[Any], Any]


class Privacy:
    """Applies the privacy settings. Raises ConfigurationError for pseudonyms without a key."""

    def __init__(self, settings: config.Privacy) -> None:
        self.mode, self._settings = settings.mode, settings
        self._key = settings.key.get_secret_value().encode() if settings.key else b""
        if self.is_pseudonymous and not self._key:
            raise ConfigurationError(
                "privacy.key: privacy.mode pseudonymous needs a key (openssl rand -hex 32)"
            )
        self._hidden = HIDDEN[self.mode]
        self._multiplier = self._number("order of rows") % (ORDER_PRIME - 1) + 1 if self._key else 1

    @property
    def is_pseudonymous(self) -> bool:
        return self.mode == "pseudonymous"

    @property
    def searched(self) -> tuple[str, ...]:
        """The fields of the roster that a search may use."""
        return SEARCHED[self.mode]

    def hides(self, column: str) -> bool:
        """True if the values of this column, in a table about learners, are masked."""
        return PERSONAL.get(column) in self._hidden

    def allows(self, course_id: str) -> bool:
        """True if learners of the course may be shown."""
        return self._settings.allows(organisation(course_id))

    def allowed(self, course_id: sa.Column[str]) -> sa.ColumnElement[bool]:
        """`allows` as a condition of a query."""
        shown, hidden = self._settings.organizations, self._settings.hidden_organizations
        conditions = [in_organizations(course_id, beginnings(frozenset(shown)))] if shown else []
        if hidden:
            conditions.append(sa.not_(in_organizations(course_id, beginnings(frozenset(hidden)))))
        return sa.and_(sa.true(), *conditions)

    def check_order(self, table: sa.Table) -> None:
        """Raises Forbidden if the only possible order of rows is that of the user names."""
        if self.is_pseudonymous and "id" not in table.c:
            raise Forbidden("With pseudonyms this table is not given out.")

    def order(self, table: sa.Table) -> sa.ColumnElement[Any]:
        """A stable order of rows about learners that does not reveal their identity.

        With pseudonyms, rows ordered by user name could be matched with a sorted list of user names.
        """
        if self.is_pseudonymous:
            return (table.c.id * self._multiplier) % ORDER_PRIME
        return table.c.username

    def pseudonym(self, username: str) -> str:
        """The pseudonym of a user name, 17 characters; it stays the same as long as the key does."""
        digest = self._digest("user name", username)[:PSEUDONYM_BYTES]
        return "p" + base64.b32encode(digest).decode().lower()

    def usernames_of(self, shown: Collection[str], usernames: Iterable[str]) -> list[str]:
        """The user names, of those in `usernames`, whose pseudonyms are in `shown`."""
        return list(islice((name for name in usernames if self.pseudonym(name) in shown), len(shown)))

    def rows(
        self, columns: Sequence[sa.ColumnElement[Any]], rows: Iterable[Sequence[Any]]
    ) -> list[sa.Row[Any]]:
        """The rows with hidden values masked. `columns`: the columns of their query, in its order."""
        names = [getattr(column, "name", "") for column in columns]
        masks = [(place, mask) for place, name in enumerate(names) if (mask := self._mask(name)) is not None]
        shown = [self._masked(row, masks) for row in rows] if masks else [tuple(row) for row in rows]
        result = sa.engine.IteratorResult[Any](sa.engine.result.SimpleResultMetaData(names), iter(shown))
        return list(result)

    def _masked(self, row: Sequence[Any], masks: Sequence[tuple[int, Mask]]) -> tuple[Any, ...]:
        values = list(row)
        for place, mask in masks:
            if values[place] is not None:
                values[place] = mask(values[place])
        return tuple(values)

    def _mask(self, column: str) -> Mask | None:
        """The function that masks the values of a column; None if they are shown unchanged."""
        if not self.hides(column):
            return None
        match PERSONAL[column]:
            case "user name":
                return self.pseudonym
            case "number":
                return lambda value: self._number(f"number {column} {value}")
            case _:
                return lambda _: None

    def _number(self, text: str) -> int:
        return int.from_bytes(self._digest("number", text)[:8]) >> (64 - NUMBER_BITS)

    def _digest(self, kind: str, text: str) -> bytes:
        return hmac.digest(self._key, f"{kind}\0{text}".encode(), "sha256")
