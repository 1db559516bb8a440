"""Files for a host: systemd, cron, Jenkins, shell; and every command in deploy/ is one that there is."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import RawConfigParser
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from cronsim import CronSim

from pharos.cli import app

from .conftest import CHECKOUT, DEPLOY, settings

UNITS = sorted((DEPLOY / "systemd").glob("pharos*.[st]*e[rv]*"))
SCRIPTS = sorted(DEPLOY.glob("**/*.sh"))
TEXTS = [path for path in sorted(DEPLOY.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
COMMAND = re.compile(r"(?<![\w./:-])(?:/opt/pharos/bin/)?pharos((?:,? +[\"']?[\w./:=-]+[\"']?)+)")


class Unit(RawConfigParser):
    """A unit's sections; of a key that stands there twice, the last."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, interpolation=None)
        self.optionxform = str  # type: ignore[assignment, method-assign]
        self.read_string(path.read_text(encoding="utf-8"))


def test_units_belong_together() -> None:
    services = {path.stem for path in UNITS if path.suffix == ".service"}
    timers = {path.stem for path in UNITS if path.suffix == ".timer"}
    assert services == {
        f"pharos{part}" for part in ("", "-data-api", "-insights", "-ingest", "-run", "-backup")
    }
    assert timers <= services
    for path in UNITS:
        unit = Unit(path)
        if path.suffix == ".timer":
            assert unit["Timer"]["OnCalendar"]
        else:
            assert unit["Service"]["User"] == "pharos"
            assert unit["Service"]["ProtectSystem"] == "strict"
            assert (unit["Service"]["Type"] == "oneshot") == (path.stem in timers)
            assert unit["Service"]["UMask"] == "0077"
            assert unit["Service"]["StateDirectoryMode"] == "0700"


def test_services_may_hold_a_descriptor_for_each_connection() -> None:
    for name in ("pharos", "pharos-data-api", "pharos-insights"):
        assert int(Unit(DEPLOY / f"systemd/{name}.service")["Service"]["LimitNOFILE"]) >= 65_536


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for path in UNITS:  # the program need not be installed where the tests run
        text = path.read_text(encoding="utf-8").replace("/opt/pharos/bin/pharos", "/bin/true")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    complaints = [line for line in done.stderr.splitlines() if "pharos" in line]
    assert complaints == []
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [DEPLOY / "systemd/pharos.yaml"])
def test_settings_of_hosts_are_valid(path: Path, tmp_path: Path) -> None:
    assert str(settings(path.read_text(encoding="utf-8"), tmp_path).home) == "/var/lib/pharos"


def test_cron_lines_have_times_a_user_and_a_program() -> None:
    lines = (DEPLOY / "cron/pharos").read_text(encoding="utf-8").splitlines()
    jobs = [line for line in lines if re.match(r"[*\d]", line)]
    assert len(jobs) == 3
    for line in jobs:
        *times, user, command = line.split(maxsplit=6)
        CronSim(" ".join(times), datetime(2031, 1, 1, tzinfo=UTC))  # raises where it is no time
        assert user == "pharos"
        assert "%" not in command  # means a new line to cron
        subprocess.run(["sh", "-n"], input=command, text=True, check=True)


def test_the_pipeline_of_jenkins_is_whole() -> None:
    """Jenkins alone can read it wholly; brackets, quotes and the shell scripts can be judged without."""
    text = (DEPLOY / "jenkins/Jenkinsfile").read_text(encoding="utf-8")
    scripts = re.findall(r"sh '''(.*?)'''", text, re.DOTALL) + re.findall(r"sh '([^'\n]+)'", text)
    assert len(scripts) == 3
    for script in scripts:
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    bare = re.sub(
        r"'''.*?'''|'[^'\n]*'|\"[^\"\n]*\"",
        "''",
        re.sub(r"^\s*//.*$|(?<=\s)//.*$", "", text, flags=re.MULTILINE),
        flags=re.DOTALL,
    )
    for opening, closing in ("{}", "()", "[]"):
        assert bare.count(opening) == bare.count(closing)
    assert re.findall(r"^ {4}(\w+)", bare, re.MULTILINE) == [
        "agent", "triggers", "options", "parameters", "environment", "stages", "post",
    ]  # fmt: skip
    named = set(re.findall(r"credentials\('([\w-]+)'\)", text))
    assert named == set(re.findall(r"^//   (pharos-[\w-]+)", text, re.MULTILINE))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_executable_and_parse(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    shell = script.read_text(encoding="utf-8").splitlines()[0].removeprefix("#!").strip()
    subprocess.run([shell, "-n", str(script)], check=True)


def commands() -> list[tuple[str, list[str]]]:
    """(file, words) of every command of ours that stands in a file, in whichever notation."""
    found = []
    for path in [*TEXTS, *sorted((CHECKOUT / "docs/operations").glob("*.md"))]:
        for match in COMMAND.finditer(path.read_text(encoding="utf-8")):
            words = [word.strip("\"',") for word in match[1].split()]
            found.append((path.relative_to(CHECKOUT).as_posix(), words))
    return found


def test_every_command_is_one_that_there_is() -> None:
    program = typer.main.get_command(app)
    verbs = program.commands  # type: ignore[attr-defined]
    checked = 0
    for file, words in commands():
        command = verbs.get(words[0])
        if command is None:
            continue  # the name of the project, not the program
        if hasattr(command, "commands"):
            assert words[1] in command.commands, f"{file}: {words}"
            command = command.commands[words[1]]
        known = {option for parameter in command.params for option in parameter.opts}
        used = {word for word in words if word.startswith("--")}
        assert used <= known, f"{file}: {words}"
        checked += 1
    assert checked > 50


DOCUMENTS = [
    *sorted((CHECKOUT / "docs").rglob("*.md")),
    *sorted(DEPLOY.rglob("*.md")),
    CHECKOUT / "README.md",
]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
            assert anchor in anchors, link
