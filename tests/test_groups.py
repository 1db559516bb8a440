"""The tests of a group share a worker, so that its servers, or Spark, start once.

Nobody notices when they do not: all tests pass, and take more than twice as long.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = """
import pytest

@pytest.mark.parametrize("number", range(12))
@pytest.mark.xdist_group("one")
def test_one(number, worker_id):
    with open("workers", "a") as file:
        print(worker_id, file=file)

@pytest.mark.parametrize("number", range(12))
@pytest.mark.xdist_group("other")
def test_other(number):
    pass
"""


def test_the_tests_of_a_group_share_a_worker(tmp_path: Path) -> None:
    (tmp_path / "test_groups.py").write_text(TESTS)
    arguments = (
        "-m",
        "pytest",
        "-q",
        "-n",
        "3",
        "--dist",
        "loadgroup",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        ".",
    )
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    workers = (tmp_path / "workers").read_text().split()
    assert len(workers) == 12
    assert len(set(workers)) == 1
