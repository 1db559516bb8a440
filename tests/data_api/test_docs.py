"""The snippets of docs/data-api.md run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "data-api.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
CURL = re.findall(r"^    (curl .*)$", TEXT, re.MULTILINE)


def output(api: httpx.Client, command: list[str]) -> str:
    known = {"API": str(api.base_url).rstrip("/"), "TOKEN": "a" * 40}
    done = subprocess.run(command, env=os.environ | known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_snippets() -> None:
    assert (len(PYTHON), len(CURL)) == (2, 1)


@pytest.mark.parametrize("snippet", PYTHON)
def test_python(api: httpx.Client, snippet: str) -> None:
    assert "course-v1:OrgX+ABC101+2031_T1" in output(api, [sys.executable, "-c", snippet])


@pytest.mark.parametrize("command", CURL)
def test_curl(api: httpx.Client, command: str) -> None:
    assert "course-v1:OrgX+ABC101+2031_T1" in output(api, ["/bin/sh", "-c", command])
