"""What tests of deploy/ share: its files, and tools that are installed for the tests and for nothing else.

Tutor is AGPL, and the schemas of Kubernetes are large: both come into an environment of their own, from the
package index that pip is set up with. Without an index these tests are skipped, and say so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from pharos import config

CHECKOUT = Path(__file__).parents[2]
DEPLOY = CHECKOUT / "deploy"
TOOLS = (
    "tutor>=19", "kubernetes-validate>=1.30", "openedx-filters>=3.4",
    str(DEPLOY / "tutor"), str(DEPLOY / "openedx-instructor-tab"),
)  # fmt: skip
INSTALL_S = 540


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the programs of an environment with Tutor, our plugin, and Kubernetes' schemas."""
    folder = tmp_path_factory.mktemp("tools")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    done = subprocess.run(
        [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *TOOLS],
        check=False, capture_output=True, text=True, timeout=INSTALL_S,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"Tutor cannot be installed from the package index: {done.stderr.strip()[-300:]}")
    return folder / "bin"


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """The process's environment, with these variables."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def settings(text: str, folder: Path, **variables: str) -> config.Settings:
    """What Pharos makes of a settings file and variables; a misspelt key is an error."""
    path = folder / "pharos.yaml"
    path.write_text(text, encoding="utf-8")
    with environment(variables):
        return config.load(config=path)


def documents(text: str) -> list[dict[str, Any]]:
    """The documents of a YAML file that are not empty."""
    return [document for document in yaml.safe_load_all(text) if document]


CHECK = """
import sys, yaml, kubernetes_validate
for document in yaml.safe_load_all(sys.stdin):
    if document and document["kind"] != "Kustomization":
        kubernetes_validate.validate(document, "1.30", strict=True)
        print(document["kind"], document["metadata"]["name"])
"""


def checked_by_schema(tools: Path, manifests: str) -> list[str]:
    """`Kind name` of each document; fails on a field that Kubernetes does not know."""
    done = subprocess.run(
        [tools / "python", "-c", CHECK], input=manifests, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout.splitlines()
