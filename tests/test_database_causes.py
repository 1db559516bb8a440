from __future__ import annotations

import sqlite3

import pymysql
import pytest

from pharos.database_causes import cause, plain


@pytest.mark.parametrize(
    ("reason", "what"),
    [
        ("Access denied for user 'u'@'h' (using password: YES)", "wrong user name or password"),
        ('FATAL:  password authentication failed for user "u"', "wrong user name or password"),
        ("Access denied for user 'u'@'%' to database 'openedx'", "access denied"),
        ("SELECT command denied to user 'u'@'h' for table 'auth_user'", "access denied"),
        ("ERROR:  permission denied for table auth_user", "access denied"),
        ("must be owner of table answer_distribution", "access denied"),
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
        ("Duplicate entry 'a-No space left on device' for key 'uq_t' (1062)", "two rows have the same key"),
        ('duplicate key value violates unique constraint "uq_t" DETAIL: Key (a)=(b) already exists.',
         "two rows have the same key"),
        ("UNIQUE constraint failed: t.a, t.b", "two rows have the same key"),
        ("Data too long for column 'mode' at row 1 (1406)", "a value does not fit its column"),
        ("Out of range value for column 'count' at row 1 (1264)", "a value does not fit its column"),
        (r"Incorrect string value: '\xF0\x9F' for column 'title' at row 1 (1366)",
         "a value does not fit its column"),
        ("Column 'mode' cannot be null (1048)", "a value does not fit its column"),
        ("Field 'owner' doesn't have a default value (1364)", "a value does not fit its column"),
        ("value too long for type character varying(255)", "a value does not fit its column"),
        ('null value in column "mode" of relation "t" violates not-null constraint',
         "a value does not fit its column"),
        ("integer out of range", "a value does not fit its column"),
        ("NOT NULL constraint failed: t.mode", "a value does not fit its column"),
        ("Illegal mix of collations (latin1_swedish_ci,IMPLICIT) and (utf8mb4_bin,IMPLICIT) (1267)",
         "texts of two collations cannot be compared"),
        ("Got a packet bigger than 'max_allowed_packet' bytes (1153)",
         "a statement is larger than the server takes"),
        ("Table './a/t' is marked as crashed and should be repaired (145)", "a table is damaged"),
        ("The MariaDB server is running with the --read-only option so it cannot execute this statement",
         "the server only lets read"),
        ("cannot execute INSERT in a read-only transaction", "the server only lets read"),
        ("attempt to write a readonly database", "the file may not be opened"),
        ("canceling statement due to statement timeout",
         "the server ended a statement because it took too long"),
        ("Query execution was interrupted (max_statement_time exceeded)",
         "the server ended a statement because it took too long"),
        ("no answer within 30 s", "the server does not answer any more"),
        ("Lost connection to MySQL server during query (The read operation timed out) (2013)",
         "the server does not answer any more"),
        ("Unknown column 'bogus' in 'SELECT' (1054)", "no such column"),
        ('column "bogus" does not exist', "no such column"),
        ("You have an error in your SQL syntax; check the manual (1064)",
         "the server does not know a word of a statement"),
        ('invalid connection option "foo"', "the address has an option that is not known"),
        ("something new", "an error of an unknown kind"),
    ],
)  # fmt: skip
def test_every_failure_has_its_own_cause(reason: str, what: str) -> None:
    found = cause(reason, "lms.database")
    assert found.what == what
    assert "{" not in found.remedy


def test_a_driver_s_error_is_one_plain_line() -> None:
    error = pymysql.err.IntegrityError(1062, "Duplicate entry 'a'\n for key 'b'")
    assert plain(error) == "Duplicate entry 'a' for key 'b' (1062)"
    assert plain(pymysql.err.OperationalError(0, "")) == "error 0"
    assert plain(sqlite3.OperationalError("database is locked")) == "database is locked"
