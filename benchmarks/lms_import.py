"""How fast and in how much memory the LMS database is imported, beside `mysqldump` of the same table.

Fills `courseware_studentmodule` on a private MariaDB server, then runs the program: the first import, one
that finds nothing new, one that finds some changes, and one that also compares all ids.
Run it with `python benchmarks lms_import [--rows N]`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from benchmarks import measuring
from benchmarks.data_api import mariadb
from rich.console import Console
from rich.table import Table
from tests import edxapp

from pharos.database_addresses import database_address

PROGRAM = Path(sys.executable).parent / "pharos"
FILL = """
INSERT INTO courseware_studentmodule
    (id, module_type, module_id, course_id, state, grade, max_grade, done, created, modified, student_id)
SELECT seq, IF(MOD(seq, 4), 'problem', 'sequential'),
    CONCAT('block-v1:UniX+C', MOD(seq, 7), '+2026+type@problem+block@', MD5(MOD(seq, 500))),
    CONCAT('course-v1:UniX+C', MOD(seq, 7), '+2026'),
    CONCAT('{"attempts": 2, "seed": 1, "student_answers": {"', MD5(seq), '_2_1": "', REPEAT('x', 200), '"}}'),
    MOD(seq, 3), 2, 'na', '2025-01-01' + INTERVAL seq SECOND, '2025-01-01' + INTERVAL seq SECOND, seq DIV 500
FROM seq_%(first)d_to_%(last)d
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    rows: int = parser.parse_args().rows
    console = Console()
    with tempfile.TemporaryDirectory() as folder, mariadb(Path(folder)) as url:
        server = sa.create_engine(sa.make_url(url).set(database="mysql"), poolclass=sa.NullPool)
        with server.begin() as connection:
            connection.execute(sa.text("CREATE DATABASE reports"))
        database = sa.create_engine(url, poolclass=sa.NullPool)
        with database.begin() as connection:
            edxapp.TABLES.create_all(connection)
            connection.execute(sa.text("CREATE INDEX modified ON courseware_studentmodule (modified)"))
            began = time.perf_counter()
            connection.execute(sa.text(FILL % {"first": 1, "last": rows}))
        console.print(f"{rows:,} rows written in {time.perf_counter() - began:.0f} s")
        address = url.partition("?")[0]
        console.print(measured(Path(folder) / "home", address, database, rows))


def measured(home: Path, url: str, database: sa.Engine, rows: int) -> Table:
    command = [str(PROGRAM), "import", "--home", str(home), "--lms-database", url]
    table = Table("what", "wall s", "CPU s", "peak MB", "rows/s")

    def add(what: str, found: measuring.Measured) -> None:
        speed = f"{rows / found.wall_s:,.0f}"
        table.add_row(what, f"{found.wall_s:.1f}", f"{found.cpu_s:.1f}", f"{found.peak_mb:.0f}", speed)

    add("mysqldump", measuring.run(dump(url)))
    add("first import", measuring.run(command))
    add("nothing new", measuring.run(command))
    with database.begin() as connection:
        connection.execute(sa.text(FILL % {"first": rows + 1, "last": rows + 1000}))
        modules = edxapp.courseware_studentmodule
        connection.execute(modules.delete().where(modules.c.id <= rows // 100))
    add("1,000 new rows", measuring.run(command))
    long_ago(home)
    add("ids compared, 1 % deleted", measuring.run(command))
    add("mysqldump", measuring.run(dump(url)))
    return table


def dump(url: str) -> list[str]:
    """The plain way, all columns, to nowhere."""
    address = database_address(url)
    options = ["--no-defaults", "--single-transaction", "--quick"]
    who = ["--host", address.host, "--port", str(address.port), "--user", address.user]
    program = shutil.which("mysqldump") or "mariadb-dump"
    return [program, *options, *who, f"--password={address.password}", address.database,
            "courseware_studentmodule"]  # fmt: skip


def long_ago(home: Path) -> None:
    """Make the last comparison of ids old, so that the next import compares."""
    path = home / "lake" / "lms" / "courseware_studentmodule" / "snapshot.json"
    state = json.loads(path.read_text("utf-8"))
    state["snapshot"]["compared"] = "2000-01-01T00:00:00"
    path.write_text(json.dumps(state), "utf-8")


if __name__ == "__main__":
    main()
