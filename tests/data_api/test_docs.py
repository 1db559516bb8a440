"""The snippets of docs/data-api.md run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "data-api.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
R = re.findall(r"```r\n(.*?)```", TEXT, re.DOTALL)
CURL = re.findall(r"^    (curl .*)$", TEXT, re.MULTILINE)


def output(api: httpx.Client, command: list[str]) -> str:
    known = {"API": str(api.base_url).rstrip("/"), "TOKEN": "a" * 40}
    done = subprocess.run(command, env=os.environ | known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_snippets() -> None:
    assert (len(PYTHON), len(CURL), len(R)) == (3, 1, 1)


@pytest.mark.parametrize("snippet", PYTHON)
def test_python(api: httpx.Client, snippet: str) -> None:
    assert "course-v1:OrgX+ABC101+2031_T1" in output(api, [sys.executable, "-c", snippet])


@pytest.mark.parametrize("command", CURL)
def test_curl(api: httpx.Client, command: str) -> None:
    assert "course-v1:OrgX+ABC101+2031_T1" in output(api, ["/bin/sh", "-c", command])


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="no interpreter of R here")
@pytest.mark.parametrize("snippet", R)
def test_r(api: httpx.Client, snippet: str) -> None:
    program = f"{snippet}\nprint(days)"
    assert "course-v1:OrgX+ABC101+2031_T1" in output(api, ["Rscript", "-e", program])
