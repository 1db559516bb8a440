"""Settings: what wins, what is refused, and in which words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, SecretStr

from pharos import config
from pharos.errors import ConfigurationError
from pharos.result_store import store

PHAROS = str(Path(sys.executable).with_name("pharos"))


@pytest.fixture(autouse=True)
def _environment_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("PHAROS_"):
            monkeypatch.delenv(name)


def written(folder: Path, text: str | bytes, name: str = "pharos.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def mistakes(home: Path, text: str | bytes = "", **overrides: Any) -> list[str]:
    """What is wrong with a file of this text, line by line."""
    written(home, text)
    with pytest.raises(ConfigurationError) as caught:
        config.load(home, **overrides)
    assert str(caught.value) == "\n".join(caught.value.mistakes)
    return list(caught.value.mistakes)


# --- What wins -------------------------------------------------------------------------------------------


def test_without_anything_there_are_defaults(tmp_path: Path) -> None:
    settings = config.load(tmp_path)
    assert settings.engine.name == "duckdb"
    assert settings.lake == tmp_path / "lake"
    assert settings.store_url == f"sqlite:///{tmp_path / 'result_store.sqlite'}"
    assert settings.logs.sources == {}


def test_the_file_wins_over_defaults(tmp_path: Path) -> None:
    written(tmp_path, "engine: {threads: 3}\nlogs: {sources: {lms: {paths: [/var/log], since: 2024-03-01}}}")
    settings = config.load(tmp_path)
    assert (settings.engine.threads, settings.engine.name) == (3, "duckdb")
    assert settings.logs.sources["lms"].paths == ["/var/log"]
    assert settings.logs.sources["lms"].since == date(2024, 3, 1)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "engine: {threads: 3, memory_mb: 500}")
    monkeypatch.setenv("PHAROS_ENGINE__THREADS", "5")
    settings = config.load(tmp_path)
    assert (settings.engine.threads, settings.engine.memory_mb) == (5, 500)


def test_the_command_line_wins_over_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "data_api: {port: 1, host: a}")
    monkeypatch.setenv("PHAROS_DATA_API__PORT", "2")
    settings = config.load(tmp_path, data_api={"port": 3, "host": None})
    assert (settings.data_api.port, settings.data_api.host) == (3, "a")


def test_home_and_file_may_be_named_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHAROS_HOME", str(tmp_path))
    written(tmp_path, "engine: {threads: 3}")
    assert (config.load().home, config.load().engine.threads) == (tmp_path, 3)
    other = written(tmp_path, "engine: {threads: 4}", "other.yaml")
    assert config.load(config=other).engine.threads == 4
    assert config.load(tmp_path / "elsewhere").engine.threads == 0


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PHAROS_LOGS__SOURCES", '{"lms": {"paths": ["/var/log"]}}'),
        ("PHAROS_LOGS__SOURCES__LMS__PATHS", '["/var/log"]'),
        ("PHAROS_LOGS__SOURCES__lms__PATHS", '["/var/log"]'),
    ],
)
def test_sources_may_stand_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert config.load(tmp_path).logs.sources["lms"].paths == ["/var/log"]


def test_every_setting_is_an_environment_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in leaves(config.Settings):
        variable = "PHAROS_" + "__".join(key).upper()
        assert any(
            accepted(tmp_path, monkeypatch, variable, value)
            for value in [
                "duckdb",
                "json",
                "UTC",
                "2024-03-02",
                "700",
                "0.5",
                "true",
                "CH",
                "sunday",
                "#0a6e5d",
                "names",
                "https://count.example/x",
                "help@example.org",
                '["text"]',
                '["help@example.org"]',
                '{"a": "b"}',
                '{"a": "https://example.org/"}',
                "{}",
            ]
        ), variable


def leaves(model: type[BaseModel], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            found += leaves(type(field.default), (*above, name))
        else:
            found.append((*above, name))
    return found


def accepted(home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> bool:
    with monkeypatch.context() as patch:
        patch.setenv(variable, value)
        try:
            config.load(home)
        except ConfigurationError:
            return False
        return True


# --- Mistakes --------------------------------------------------------------------------------------------


def test_each_mistake_is_a_line_with_its_key(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        "engine: {name: hive, threads: many, colour: red}\n"
        "logs: {sources: {lms: {paths: [a], pattern: '('}}}\n"
        "speed: 5\ndata_api: {port: 99999}",
    )
    keys = [line.split(":")[0] for line in found]
    assert sorted(keys) == [
        "data_api.port", "engine.colour", "engine.name", "engine.threads", "logs.sources.lms.pattern",
        "speed",
    ]  # fmt: skip
    assert all("\n" not in line and str(tmp_path / "pharos.yaml") in line for line in found)
    assert any("engine.colour: no such setting" in line for line in found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("engine: [", "is not YAML"),
        ("- a\n- b", "expected `section:` lines, found list"),
        ("text", "found str"),
        (b"engine: \xff", "is not UTF-8"),
        ("1: 2", "1: no such setting"),
        ("true: 2", "no such setting"),
        ("engine: 5", "engine: "),
        ("logs: {sources: {lms: /var/log}}", "logs.sources.lms: "),
        ("logs: {sources: {lms: {}}}", "logs.sources.lms.paths: "),
        ("logs: {sources: {lms: {paths: /var/log}}}", "logs.sources.lms.paths: "),
        ("\0", "is not YAML"),
        ("insights: {footer_links: {Terms: 'javascript:alert(1)'}}", "insights.footer_links.Terms: "),
        ("insights: {help_url: help.example.org}", "insights.help_url: 'help.example.org' is no link"),
        ("insights: {support_email: nobody}", "insights.support_email: 'nobody' is no e-mail address"),
        ("alerts: {email_to: [ops@example.org, nonsense]}", "alerts.email_to.1: 'nonsense' is no"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str | bytes, says: str) -> None:
    (line,) = mistakes(tmp_path, text)
    assert says in line
    assert str(tmp_path / "pharos.yaml") in line
    assert "\n" not in line


@pytest.mark.parametrize("text", ["", "# only a comment", "---", "logs:\nengine:\nlms:\n", "lms:\n  url:\n"])
def test_what_is_left_empty_has_its_default(tmp_path: Path, text: str) -> None:
    written(tmp_path, text)
    assert config.load(tmp_path) == config.Settings(home=tmp_path)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml: cannot be read: No such file"):
        config.load(tmp_path, tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        config.load(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("PHAROS_ENGINE__NAM", "spark", "PHAROS_ENGINE__NAM: no such setting"),
        ("PHAROS_ENGIN__NAME", "spark", "PHAROS_ENGIN__NAME: no such setting"),
        ("PHAROS_ENGINE_NAME", "spark", "PHAROS_ENGINE_NAME: no such setting"),
        ("PHAROS_ENGINE__NAME", "hive", "engine.name: "),
        ("PHAROS_ENGINE__THREADS", "many", "engine.threads: "),
        ("PHAROS_LOGS__SOURCES", "{broken", 'field "logs"'),
    ],
)
def test_mistakes_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    (line,) = mistakes(tmp_path)
    assert says in line


def test_a_mistake_does_not_tell_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHAROS_RESULT_STORE__URL", "mysql://u:hunter2@host/db")
    settings = config.load(tmp_path)
    assert settings.result_store.url == SecretStr("mysql://u:hunter2@host/db")
    assert "hunter2" not in repr(settings) + str(settings)
    assert "hunter2" not in "".join(
        mistakes(tmp_path, "lms: {database: [hunter2]}\nengine: {threads: hunter2}")
    )


def test_the_program_ends_with_two_and_one_line_per_mistake(tmp_path: Path) -> None:
    written(tmp_path, "engine: {name: hive}\nspeed: 5")
    ended = subprocess.run(
        [PHAROS, "status", "--home", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert sorted(line.split(":")[0] for line in lines) == ["engine.name", "speed"]


# --- The template ----------------------------------------------------------------------------------------


def test_the_template_changes_nothing_as_it_is(tmp_path: Path) -> None:
    written(tmp_path, config.template())
    assert config.load(tmp_path) == config.Settings(home=tmp_path)


def test_the_template_is_accepted_when_its_comments_are_taken_away(tmp_path: Path) -> None:
    text = re.sub(r"^# ( *[a-z_0-9]+:)", r"\1", config.template(), flags=re.MULTILINE)
    values = yaml.safe_load(text)
    assert sorted(values) == sorted(config.Settings.model_fields)
    for section, keys in values.items():
        if isinstance(keys, dict):
            assert list(keys) == list(type(config.Settings.model_fields[section].default).model_fields)
    written(tmp_path, text)
    assert config.load(tmp_path) == config.Settings(home=tmp_path)


def test_the_store_lies_in_the_home_folder_whatever_its_name(tmp_path: Path) -> None:
    for name in ("plain", "with space", "a?b", "100%25#é", "50%"):
        home = tmp_path / name
        store.upgrade(config.Settings(home=home).store_url)
        assert (home / "result_store.sqlite").is_file()


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = config.load(tmp_path)
    with pytest.raises(Exception, match="frozen"):
        settings.home = tmp_path  # type: ignore[misc]
    with pytest.raises(Exception, match="frozen"):
        settings.engine.threads = 5  # type: ignore[misc]
