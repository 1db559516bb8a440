"""Finds cause and remedy of a database error from the texts of servers and drivers."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """The cause of an error and its remedy; both as parts of a sentence."""

    what: str
    remedy: str


_ENCODING = "where % @ / : ? # in user and password are written %25 %40 %2F %3A %3F %23"
_AGAIN = "try again later"
_CHECK = "check {setting}"
# The first match counts: a refusal of one table reads almost like a refusal of everything, and what is
# said of values may have any word in it.
_CAUSES = tuple(
    (re.compile(pattern, re.IGNORECASE), Cause(what, remedy))
    for pattern, what, remedy in (
        (
            r"^duplicate entry|^duplicate key value|^unique constraint failed",
            "two rows have the same key",
            "look at the rows of the table that have this key, and remove those that another program wrote",
        ),
        (
            (
                r"^data too long|^out of range value|^incorrect \S+ value|^value too long for type"
                r"|^column '[^']*' cannot be null|^null value in column|doesn't have a default value"
                r"|^invalid byte sequence|^numeric field overflow|^\w+ out of range$|^data truncated"
                r"|^(not null|check) constraint failed|violates check constraint|^constraint .* failed"
            ),
            "a value does not fit its column",
            "compare the columns of the table with those in the documentation, and change those that differ",
        ),
        (
            r"illegal mix of collations",
            "texts of two collations cannot be compared",
            "give all texts of the table one collation of utf8mb4",
        ),
        (
            r"packet bigger than|packet too large|max_allowed_packet",
            "a statement is larger than the server takes",
            "let its administrator raise max_allowed_packet",
        ),
        (
            r"marked as crashed|incorrect (key|index) file|index .* is corrupted|could not read block",
            "a table is damaged",
            "repair the table, or restore the database from a backup",
        ),
        (
            r"--read-only|read_only|read-only (transaction|mode)|table '[^']*' is read only",
            "the server only lets read",
            f"{_CHECK}: the host has to be the server that takes changes, not a copy of it",
        ),
        (
            r"statement timeout|max_statement_time|maximum statement execution time",
            "the server ended a statement because it took too long",
            f"{_AGAIN}, or let its administrator allow more time",
        ),
        (
            r"no answer within|(read|write) operation timed out",
            "the server does not answer any more",
            f"look at its load and its log, and {_AGAIN}",
        ),
        (
            r"no space left|disk is full|table '[^']*' is full|error 28\b|errno: 28\b",
            "a disk is full",
            "make room, here or on the server, as the reason says",
        ),
        (
            (
                r"to database '|command denied|must be owner of"
                r"|permission denied for (table|schema|database|relation|view)"
            ),
            "access denied",
            "give the account the right to SELECT from all tables of the database",
        ),
        (
            (
                r"access denied for user|password authentication failed|no password supplied"
                r"|role \"[^\"]*\" does not exist|authentication failed"
            ),
            "wrong user name or password",
            f"{_CHECK}, {_ENCODING}",
        ),
        (
            r"not allowed to connect|no pg_hba\.conf entry|is blocked because",
            "the server lets this account not in from this machine",
            "let its administrator allow it",
        ),
        (
            r"unknown database|database \"[^\"]*\" does not exist|there is no such file",
            "unknown database",
            f"{_CHECK}: the name at its end",
        ),
        (
            r"unknown column|no such column|has no column|column \S+ does not exist",
            "no such column",
            "look whether the database is that of the LMS and whether its migrations ran",
        ),
        (
            r"doesn't exist|relation \"[^\"]*\" does not exist|no such table|name \S+ does not exist",
            "no such table",
            "look whether the database is that of the LMS and whether its migrations ran",
        ),
        (
            r"option of the address is unknown|invalid connection option",
            "the address has an option that is not known",
            f"{_CHECK}: what stands after its question mark",
        ),
        (
            (
                r"unknown (mysql )?server host|could not translate host name|name or service not known"
                r"|name resolution|unknownhost|nodename nor servname"
            ),
            "unknown host",
            f"{_CHECK}: the name of the host",
        ),
        (
            r"no route to host|network is unreachable|timed out|timeout expired|\(113\b|\(110\b",
            "no route to the server",
            "check the network and its firewalls between here and there",
        ),
        (
            r"connection refused|can't connect to|socket fail to connect",
            "no server answers there",
            f"{_CHECK}: host and port, and that the server runs",
        ),
        (
            r"is locked|lock wait timeout|deadlock|lock timeout|could not obtain lock",
            "locked by another program",
            _AGAIN,
        ),
        (
            r"too many (connections|clients)|remaining connection slots",
            "the server has no connection left",
            f"{_AGAIN}, or let its administrator allow more",
        ),
        (
            r"file is not a database|malformed|file is encrypted",
            "no SQLite database, or a damaged one",
            f"{_CHECK}: the file",
        ),
        (
            r"unable to open database|permission denied|read-?only",
            "the file may not be opened",
            "give the user that runs Pharos the right to read it",
        ),
        (
            r"plugin",
            "the server wants a way to sign in that is not known here",
            "give the account caching_sha2_password or mysql_native_password",
        ),
        (
            r"\bssl|\btls\b|certificate",
            "TLS failed",
            f"{_CHECK}: ssl_mode or sslmode and the files beside it",
        ),
        (
            r"error in your sql|syntax error",
            "the server does not know a word of a statement",
            "look whether it is of a version that is supported; if so, report this message",
        ),
        (
            (
                r"lost connection|gone away|closed the connection|terminat(ed|ing)|was killed|reset by"
                r"|broken pipe|starting up|shutting down"
            ),
            "the connection broke",
            f"{_AGAIN}; the log of the server may say why",
        ),
    )
)


def cause(reason: str, setting: str) -> Cause:
    """The cause that a driver's text indicates; `setting` holds the address of the database."""
    for pattern, found in _CAUSES:
        if pattern.search(reason):
            return Cause(found.what, found.remedy.format(setting=setting))
    return Cause("an error of an unknown kind", f"check {setting} and the account's rights")


def plain(error: BaseException) -> str:
    """The text of a driver's error in one line. PyMySQL's errors are a number and a text: the text comes
    first.
    """
    match error.args:
        case (int(number), str(text)):
            said = f"{text} ({number})" if text else f"error {number}"
        case _:
            said = str(error)
    return " ".join(said.split())
