from __future__ import annotations

import pytest

from pharos.database_causes import cause


@pytest.mark.parametrize(
    ("reason", "what"),
    [
        ("Access denied for user 'u'@'h' (using password: YES)", "wrong user name or password"),
        ('FATAL:  password authentication failed for user "u"', "wrong user name or password"),
        ("Access denied for user 'u'@'%' to database 'openedx'", "access denied"),
        ("SELECT command denied to user 'u'@'h' for table 'auth_user'", "access denied"),
        ("ERROR:  permission denied for table auth_user", "access denied"),
        ("Unknown database 'edxapp'", "unknown database"),
        ('FATAL:  database "edxapp" does not exist', "unknown database"),
        ("Table 'openedx.auth_user' doesn't exist", "no such table"),
        ('ERROR:  relation "auth_user" does not exist', "no such table"),
        ("no such table: auth_user", "no such table"),
        ("database is locked", "locked by another program"),
        ("Lock wait timeout exceeded; try restarting transaction", "locked by another program"),
        ("database or disk is full", "a disk is full"),
        ("The table '/tmp/#sql1' is full", "a disk is full"),
        ('could not extend file "base/1": No space left on device', "a disk is full"),
        ("Can't connect to server on '10.0.0.1' (115)", "no server answers there"),
        ('server at "10.0.0.1", port 5432 failed: Connection refused', "no server answers there"),
        ("Can't connect to server on '10.0.0.1' (113)", "no route to the server"),
        ("connection to server failed: timeout expired", "no route to the server"),
        ("Unknown server host 'h' (-2)", "unknown host"),
        ('could not translate host name "h" to address', "unknown host"),
        ("Host '10.0.0.9' is not allowed to connect to this MySQL server",
         "the server lets this account not in from this machine"),
        ("Too many connections", "the server has no connection left"),
        ("TLS/SSL error: self-signed certificate", "TLS failed"),
        ("Lost connection to server during query", "the connection broke"),
        ("FATAL:  the database system is starting up", "the connection broke"),
        ("file is not a database", "no SQLite database, or a damaged one"),
        ("Authentication plugin 'sha256_password' cannot be loaded",
         "the server wants a way to sign in that is not known here"),
        ("something new", "cannot be used"),
    ],
)  # fmt: skip
def test_every_failure_has_its_own_cause(reason: str, what: str) -> None:
    found = cause(reason, "lms.database")
    assert found.what == what
    assert "{" not in found.remedy
