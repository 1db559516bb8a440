"""Errors of the Result Store, with texts for the operator.

ResultStoreError
├── StoreUnreachable     the database does not answer, or refuses the connection
├── StoreRefuses         it answers a statement with an error
├── TableMissing         it answers, but the requested table or column does not exist
├── TableUnreadable      the account has no permission to read one table; the other tables are published
├── StoreNotReady        it answers, but its tables are missing or of an older release
├── StoreIsNewer         its tables are of a later release than this program; nothing was changed
├── ContractViolation    rows to publish do not fit their table; nothing was written
├── EmptyResult          an empty result would wipe a full table; nothing was written
├── ForeignRows          a table holds rows of another program; they stay until somebody adopts them
├── StoreOfAnotherLake   another home publishes to it; nothing was read or written
├── LossRefused          a result would remove more than a tenth of a table; the table is as it was
├── LeftWithSource       a table is computed from one whose result has lost too much; both are as they were
└── StoreAltered         a table was changed by somebody else since it was published
"""

from __future__ import annotations

from pharos.database_causes import cause
from pharos.errors import PharosError

SETTING = "result_store.url"
# Where what helps is another thing than with the LMS's database, which is only read.
_REMEDIES = {
    "access denied": "give the account all rights on the database",
    "no such table": "run `pharos store upgrade`",
    "no such column": "run `pharos store upgrade`",
    "texts of two collations cannot be compared": "run `pharos store upgrade`",
    "unknown database": f"check {SETTING}: the name at its end; `pharos store upgrade` makes a new one",
    "the file may not be opened": "give the user that runs Pharos the right to read and to write it",
}


def explained(reason: str) -> str:
    """A text for the operator: the cause, the database's own message, and the remedy."""
    found = cause(reason, SETTING)
    return f"{found.what} ({reason}); {_REMEDIES.get(found.what, found.remedy)}"


class ResultStoreError(PharosError):
    """The Result Store cannot do the requested operation."""


class StoreUnreachable(ResultStoreError):
    """The database does not answer. Holds the address without its password."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address, self.reason = address, reason

    def __str__(self) -> str:
        return f"Result Store {self.address} cannot be used: {explained(self.reason)}."


class StoreRefuses(ResultStoreError):
    """The database answers a statement with an error. Holds the address without its password."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address, self.reason = address, reason

    def __str__(self) -> str:
        return f"Result Store {self.address} refuses a statement: {explained(self.reason)}."


class TableMissing(ResultStoreError):
    """The requested table or column does not exist."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address, self.reason = address, reason

    def __str__(self) -> str:
        return (
            f"Result Store {self.address} lacks a table or column: {self.reason}. "
            "Run `pharos store upgrade`; tables of the original's pipeline get theirs with the first run."
        )


class StoreNotReady(ResultStoreError):
    """The database has no tables of Pharos, or tables of an older release."""

    def __init__(self, address: str, found: str | None, expected: str) -> None:
        super().__init__(address, found, expected)
        self.address, self.found, self.expected = address, found, expected

    def __str__(self) -> str:
        found = f"version {self.found}" if self.found else "no tables of Pharos"
        return (
            f"Result Store {self.address} has {found}, this release needs version {self.expected}. "
            "Run `pharos store upgrade`."
        )


class StoreIsNewer(ResultStoreError):
    """The database was upgraded by a later release. An older release must not write to it."""

    def __init__(self, address: str, found: str, expected: str) -> None:
        super().__init__(address, found, expected)
        self.address, self.found, self.expected = address, found, expected

    def __str__(self) -> str:
        return (
            f"Result Store {self.address} has version {self.found}, which this release does not know; it "
            f"needs version {self.expected}. Install the later release again, and to go back let it do "
            f"`pharos store downgrade {self.expected}` first."
        )


class ContractViolation(ResultStoreError):
    """Rows do not fit their table. `row` is the first offending row, if there is a single one."""

    def __init__(self, table: str, column: str, problem: str, row: dict[str, object] | None = None) -> None:
        super().__init__(table, column, problem, row)
        self.table, self.column, self.problem, self.row = table, column, problem, row

    def __str__(self) -> str:
        at = f"; first such row: {self.row}" if self.row is not None else ""
        return (
            f"{self.table}.{self.column}: {self.problem}{at}. Nothing was published; the table is unchanged."
        )


class EmptyResult(ResultStoreError):
    """A result is empty but its table has rows: most likely an input is missing."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table

    def __str__(self) -> str:
        return (
            f"{self.table}: the new result has no rows and the published table has some. It was left as it "
            "is: look for missing input, or publish with allow_empty if the result is really empty."
        )


class StoreAltered(ResultStoreError):
    """Published rows are missing: somebody else wrote into the table, or emptied it."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table

    def __str__(self) -> str:
        return (
            f"{self.table}: the table is not as it was published; somebody else wrote into it. The next "
            "`pharos run` publishes it whole."
        )


class LossRefused(ResultStoreError):
    """A result has lost more than a tenth of the published rows or course runs: an input may be missing."""

    def __init__(self, table: str, lost: str, inputs: str) -> None:
        super().__init__(table, lost, inputs)
        self.table, self.lost, self.inputs = table, lost, inputs

    def __str__(self) -> str:
        return (
            f"{self.table}: the new result has lost {self.lost}, so it was not published; the old rows stay. "
            f"{self.inputs}, or, if the loss is right, say so once: pharos run --accept-loss {self.table}"
        )


class LeftWithSource(ResultStoreError):
    """A result is made from another one alone, which has lost too much: both stay as they were."""

    def __init__(self, table: str, source: str) -> None:
        super().__init__(table, source)
        self.table, self.source = table, source

    def __str__(self) -> str:
        return (
            f"{self.table}: it is made from {self.source}, which was not published; the old rows stay, and "
            f"it is published with {self.source}"
        )


class TableUnreadable(ResultStoreError):
    """The account has no right to read one table, or another program locks it. The other tables are
    published.
    """

    def __init__(self, table: str, reason: str) -> None:
        super().__init__(table, reason)
        self.table, self.reason = table, reason

    def __str__(self) -> str:
        return f"{self.table}: the table cannot be read, so it was left as it is: {explained(self.reason)}"


class ForeignRows(ResultStoreError):
    """A table holds rows that Pharos did not publish, most likely the history of the original."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table

    def __str__(self) -> str:
        return (
            f"{self.table}: the table holds rows that Pharos did not publish, so it was left as it is and is "
            "served so. To keep this history and publish results from this lake's first whole day on: "
            f"pharos store adopt. To drop the history: pharos run --accept-loss {self.table}"
        )


class StoreOfAnotherLake(ResultStoreError):
    """Another lake publishes to the store. Holds the address without its password; ids and homes of both."""

    def __init__(self, address: str, lake: str, home: str, own_lake: str, own_home: str) -> None:
        super().__init__(address, lake, home, own_lake, own_home)
        self.address, self.lake, self.home = address, lake, home
        self.own_lake, self.own_home = own_lake, own_home

    def __str__(self) -> str:
        return (
            f"Result Store {self.address} belongs to the lake {self.lake[:8]} of {self.home}; this home, "
            f"{self.own_home}, has the lake {self.own_lake[:8]}. Nothing was published. Give this home a "
            "store of its own (result_store.url). If the other home is gone for good: pharos store claim"
        )
