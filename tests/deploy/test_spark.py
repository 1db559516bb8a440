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
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pyspark
import pytest

from pharos.demo.campus import Campus
from pharos.demo.lms_database import write_lms_database
from pharos.demo.log_files import write_logs
from pharos.pipeline.graph import METRICS

from .conftest import DEPLOY

SPARK = Path(pyspark.__path__[0])
START_S = 60
# Weeks of the site are those of ISO, there is no catalog, and the LMS's tables are of a later time.
WITHOUT_ROWS = {
    "course_activity_site_week", "course_program_metadata", "enrollment_difference",
    "enrollment_reconciliation",
}  # fmt: skip
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
@pytest.mark.xdist_group("cluster")
def test_a_cluster_gives_the_numbers_of_one_process(tmp_path: Path) -> None:
    """Every table, of logs and LMS database: the only run of the tests with all tables on Spark."""
    campus = Campus(seed=3, learners=80, days=20, until=date(2026, 3, 18))
    database = tmp_path / "lms.sqlite"
    write_lms_database(database, campus, write_logs(tmp_path / "logs", campus).records)
    run = (
        "--until", campus.end.replace(tzinfo=None).isoformat(),
        "--logs", str(tmp_path / "logs"),
    )  # fmt: skip
    settings = {
        "PHAROS_LMS__DATABASE": f"sqlite:///{database}",
        "PHAROS_REPORTS__STUDENT_ENGAGEMENT": "true",
    }
    here = ("--host", "127.0.0.1", "--webui-port", "0")
    with (
        daemon(tmp_path, "Master", r"spark://127\.0\.0\.1:\d+", *here, "--port", "0") as master,
        daemon(
            tmp_path, "Worker", "Successfully registered", *here, "--cores", "2", "--memory", "1g", master[0]
        ),
    ):
        done = subprocess.run(
            [
                DEPLOY / "spark/submit.sh", master[0], "--home", str(tmp_path / "cluster"), *run,
            ],
            check=False, capture_output=True, text=True,
            env={
                **os.environ, **LOCAL, **settings,
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
        [program, "run", "--home", str(tmp_path / "alone"), *run],
        check=True, capture_output=True, env={**os.environ, **settings},
    )  # fmt: skip
    alone = numbers(tmp_path / "alone")
    assert alone.keys() == {name for name, metric in METRICS.items() if metric.is_published}
    assert {name for name, (rows, _) in alone.items() if not rows} == WITHOUT_ROWS
    assert numbers(tmp_path / "cluster") == alone


def numbers(home: Path) -> dict[str, tuple[int, str]]:
    """Of each table: the number of rows, and the digest of them."""
    database = sqlite3.connect(home / "result_store.sqlite")
    found = database.execute("SELECT table_name, row_count, content FROM pharos_publication").fetchall()
    database.close()
    return {name: (rows, content) for name, rows, content in found}
