from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("room", ["insights", "data_api"])
def test_each_web_application_starts_without_the_other(room: str) -> None:
    """Address patterns are registered per process; each application brings its own."""
    command = [sys.executable, "-c", f"import pharos.{room}.app"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
