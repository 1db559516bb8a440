"""Weak settings: each refused for what it is, and the strong ones beside them accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pharos import config
from pharos.hardening import SHORTEST_KEY, weak_settings

LONG, OTHER = "a" * SHORTEST_KEY, "b" * SHORTEST_KEY


@pytest.mark.parametrize(
    ("sections", "key"),
    [
        ({"insights": {"secret_key": LONG[1:]}}, "insights.secret_key: has 31 characters"),
        ({"data_api": {"secret_key": "changeme"}}, "data_api.secret_key: has 8 characters"),
        ({"insights": {"secret_key": LONG}, "data_api": {"secret_key": LONG}}, "are the same"),
        ({"data_api": {"cors_origins": ["https://a.example", "*"]}}, "data_api.cors_origins"),
        ({"data_api": {"cors_origins": ["null"]}}, "data_api.cors_origins: 'null'"),
        ({"insights": {"url": "http://insights.example.org"}}, "insights.url"),
        ({"insights": {"url": "http://10.0.0.5:8110"}}, "insights.url"),
    ],
)
def test_a_weak_setting_is_named(sections: dict[str, Any], key: str) -> None:
    (line,) = weak_settings(config.load(**sections), None)
    assert key in line


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"insights": {"secret_key": LONG}, "data_api": {"secret_key": OTHER}},
        {"data_api": {"cors_origins": ["https://a.example"]}},
        {"insights": {"url": "https://insights.example.org"}},
        {"insights": {"url": "http://localhost:8110"}},
        {"insights": {"url": "http://[::1]:8110"}},
        {"insights": {"url": "http://insights.example.org", "plain_http": True}},
    ],
)
def test_strong_settings_are_accepted(sections: dict[str, Any]) -> None:
    assert weak_settings(config.load(**sections), None) == []


@pytest.mark.parametrize(("mode", "is_weak"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
def test_secrets_that_everybody_may_read(mode: int, is_weak: bool, tmp_path: Path) -> None:
    file = tmp_path / "pharos.yaml"
    file.write_text(yaml.safe_dump({"lms": {"database": "mysql://pharos:secret@host/edxapp"}}))
    file.chmod(mode)
    lines = weak_settings(config.load(config=file), file)
    assert [f"{file}: everybody" in line and "lms.database" in line for line in lines] == [True] * is_weak
    assert not any("mysql" in line for line in lines)


def test_a_readable_file_without_secrets_is_fine(tmp_path: Path) -> None:
    file = tmp_path / "pharos.yaml"
    file.write_text("lms: {url: 'https://lms.example.org'}\n")
    file.chmod(0o644)
    assert weak_settings(config.load(config=file), file) == []
