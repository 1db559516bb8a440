"""A number whose rule changes says so by the version of its definition."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
RUN = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"

Check = Callable[[str, str, str], str]


def complaints(package: Path) -> str:
    """What `scripts/definitions.py --check` says of the package in this folder."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        RUN,
        str(CHECKOUT / "scripts" / "definitions.py"),
        "--check",
    ]
    done = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not done.stderr), done.stderr
    return done.stderr


def test_no_code_changed_without_its_version() -> None:
    """If this fails, the message says what to do."""
    assert not complaints(CHECKOUT / "src")


@pytest.fixture
def changed(tmp_path: Path) -> Check:
    """`changed(file, old, new)`: the complaints about a copy of the program with this text replaced."""

    def check(file: str, old: str, new: str) -> str:
        copy = tmp_path / "src" / "pharos"
        kept_out = shutil.ignore_patterns("__pycache__", "static", "templates", "countries.mmdb")
        shutil.copytree(CHECKOUT / "src" / "pharos", copy, ignore=kept_out)
        text = (copy / file).read_text(encoding="utf-8")
        assert old in text
        (copy / file).write_text(text.replace(old, new), encoding="utf-8")
        return complaints(copy.parent)

    return check


COUNTRY, GENDER = "course_enrollment_location_current", "course_enrollment_gender_daily"


@pytest.mark.parametrize(
    ("file", "old", "new", "concerned", "others"),
    [
        ("metrics/activity.py", "days=7", "days=8", "course_activity", GENDER),
        ("facts/interaction.py", '"play_video"', '"play"', "course_activity", GENDER),
        (
            "metrics/enrollment_states.py",
            "joined > left",
            "joined >= left",
            "course_grade_by_mode",
            "course_activity",
        ),
        ("keys.py", "{24}", "{25}", GENDER, "course_activity"),  # a constant of a helper
        ("geolocation/countries.py", "== 172", "== 173", COUNTRY, "course_activity"),
        ("result_store/tables/activity.py", "version=3", "version=1", "course_activity", GENDER),
    ],
)
def test_a_changed_rule_is_noticed(
    file: str, old: str, new: str, concerned: str, others: str, changed: Check
) -> None:
    said = changed(file, old, new)
    assert f"{concerned}: " in said
    assert "version" in said
    assert f"{others}: " not in said


def test_what_computes_nothing_else_is_not_noticed(changed: Check) -> None:
    file, line = "metrics/activity.py", "from typing import TYPE_CHECKING\n"
    assert not changed(file, line, f"{line}\n# A comment.\n_UNUSED   =   1\n")


def test_a_docstring_is_not_noticed(changed: Check) -> None:
    assert not changed("metrics/activity.py", '"""Distinct learners by course', '"""Learners by course')
