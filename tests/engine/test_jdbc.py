from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests import edxapp

from pharos.database_addresses import database_address
from pharos.engine.database import scanned
from pharos.lms.tables import TABLES

DRIVERS = {
    "mysql": Path("/usr/share/java/mariadb-java-client.jar"),
    "postgresql": Path("/usr/share/java/postgresql.jar"),
}
# Drivers are given to Spark when it starts, so this is a Spark of its own.
READ = """
import json, sys
from pathlib import Path
from pharos.config import EngineSettings
from pharos.engine import open_engine
from pharos.engine.jdbc import JDBCDatabase
from pharos.database_addresses import database_address
from pharos.lms.errors import LMSDatabaseFailed
from pharos.lms.tables import TABLES

settings = EngineSettings(name="spark", spark_master="local[2]", spark_conf={
    "spark.jars": sys.argv[3], "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.sql.codegen.wholeStage": "false", "spark.sql.shuffle.partitions": "2", "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"})
engine = open_engine(settings, Path(sys.argv[2]))
with engine.database(database_address(sys.argv[1])) as database:
    assert isinstance(database, JDBCDatabase), database
    assert database.columns("no_such_table") == set()
    found = {}
    for table in TABLES.values():
        database.probe(table.name, table.schema)
        copied = database.copy(table.name, table.schema, Path(sys.argv[2]) / f"{table.name}.parquet")
        found[table.name] = [sorted(database.columns(table.name)), copied.rows, copied.malformed]
    try:
        database.probe("no_such_table", table.schema)
    except LMSDatabaseFailed as error:
        found["missing"] = str(error)
    try:
        database.copy("no_such_table", table.schema, Path(sys.argv[2]) / "none.parquet")
    except LMSDatabaseFailed as error:
        found["error"] = str(error)
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("store_url", ["mariadb", "postgres"], indirect=True)
def test_spark_reads_the_same_through_a_driver(store_url: str, tmp_path: Path) -> None:
    url = edxapp.create(store_url)
    driver = DRIVERS[database_address(url).kind]
    if not driver.exists():
        pytest.skip(f"{driver} is not installed; scripts/system-packages installs it")
    arguments = [url, str(tmp_path), str(driver)]
    done = subprocess.run(
        [sys.executable, "-c", READ, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert "no_such_table" in found["error"]
    assert "no_such_table" in found["missing"]
    with scanned(database_address(url)) as database:
        for name, table in TABLES.items():
            plain = tmp_path / "plain.parquet"
            copied = database.copy(name, table.schema, plain)
            assert found[name] == [sorted(database.columns(name)), copied.rows, 0]
            assert rows(tmp_path / f"{name}.parquet", table.schema) == rows(plain, table.schema)


def rows(file: Path, schema: pa.Schema) -> list[tuple[object, ...]]:
    """Spark writes moments with a zone, UTC."""
    return sorted((tuple(row.values()) for row in pq.read_table(file).cast(schema).to_pylist()), key=repr)
