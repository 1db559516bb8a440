"""`submit.sh` on a real standalone cluster: a master, a worker, executors in processes of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark
import pytest

from .conftest import CHECKOUT, DEPLOY

CAMPUS = CHECKOUT / "tests/data/previous/campus.tar.gz"
SPARK = Path(pyspark.__path__[0])
UNTIL = "2026-02-27"
START_S = 60
# Little data: compiling queries would take longer than answering them.
SMALL = {
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}
LOCAL = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "127.0.0.1", "PYTHON": sys.executable}


@contextmanager
def daemon(folder: Path, kind: str, ready: str, *arguments: str) -> Iterator[re.Match[str]]:
    """A daemon of Spark, from when its log says so."""
    log = folder / f"{kind}.log"
    command = [str(SPARK / "bin/spark-class"), f"org.apache.spark.deploy.{kind.lower()}.{kind}", *arguments]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output,
            env={**os.environ, **LOCAL, "SPARK_WORKER_DIR": str(folder / "work")},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + START_S
        while not (found := re.search(ready, log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@pytest.mark.slow
@pytest.mark.xdist_group("spark")
def test_a_cluster_gives_the_numbers_of_one_process(tmp_path: Path) -> None:
    with tarfile.open(CAMPUS) as archive:
        archive.extractall(tmp_path, filter="data")
    logs = str(tmp_path / "logs")
    here = ("--host", "127.0.0.1", "--webui-port", "0")
    with (
        daemon(tmp_path, "Master", r"spark://127\.0\.0\.1:\d+", *here, "--port", "0") as master,
        daemon(
            tmp_path, "Worker", "Successfully registered", *here, "--cores", "2", "--memory", "1g", master[0]
        ),
    ):
        done = subprocess.run(
            [
                DEPLOY / "spark/submit.sh", master[0],
                "--home", str(tmp_path / "cluster"), "--until", UNTIL, "--logs", logs,
            ],
            check=False, capture_output=True, text=True,
            env={
                **os.environ, **LOCAL,
                "PHAROS_ENGINE__SPARK_CONF": json.dumps(SMALL),
                "EXECUTOR_MEMORY": "512m", "EXECUTOR_CORES": "2", "EXECUTORS": "1", "DRIVER_MEMORY": "1g",
            },
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        executors = list((tmp_path / "work").glob("app-*/0"))
    assert executors  # it was not this machine's driver alone that worked

    program = shutil.which("pharos", path=str(Path(sys.executable).parent))
    assert program
    subprocess.run(
        [program, "run", "--home", str(tmp_path / "alone"), "--until", UNTIL, "--logs", logs],
        check=True, capture_output=True,
    )  # fmt: skip
    assert numbers(tmp_path / "cluster") == numbers(tmp_path / "alone")


def numbers(home: Path) -> list[tuple[str, int, str]]:
    """Table, rows, and the digest of them."""
    database = sqlite3.connect(home / "result_store.sqlite")
    found = database.execute("SELECT table_name, row_count, content FROM pharos_publication ORDER BY 1")
    rows = found.fetchall()
    database.close()
    assert sum(count for _, count, _ in rows) > 50
    return rows
