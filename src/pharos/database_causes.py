"""Why a database could not be used, by what servers and drivers of any kind say, and what to do then."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """What is wrong, and what a person can do about it; both as parts of a sentence."""

    what: str
    remedy: str


_ENCODING = "where % @ / : ? # in user and password are written %25 %40 %2F %3A %3F %23"
_AGAIN = "try again later"
_CHECK = "check {setting}"
# The first that fits counts: who denies one table says almost the same as who denies everything.
_CAUSES = tuple(
    (re.compile(pattern, re.IGNORECASE), Cause(what, remedy))
    for pattern, what, remedy in (
        (
            r"no space left|disk is full|table '[^']*' is full|error 28\b|errno: 28\b",
            "a disk is full",
            "make room, here or on the server, as the reason says",
        ),
        (
            r"to database '|command denied|permission denied for (table|schema|database|relation|view)",
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
            r"doesn't exist|relation \"[^\"]*\" does not exist|no such table|name \S+ does not exist",
            "no such table",
            "look whether the database is that of the LMS and whether its migrations ran",
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
    """What a driver's text says is wrong; `setting` is where the address of the database stands."""
    for pattern, found in _CAUSES:
        if pattern.search(reason):
            return Cause(found.what, found.remedy.format(setting=setting))
    return Cause("cannot be used", f"check {setting} and the account's rights")
