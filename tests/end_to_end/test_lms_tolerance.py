"""What an operator reads in `pharos status` when something of the LMS is missing, odd, down or slow."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from pydantic import SecretStr
from tests import edxapp
from typer.testing import CliRunner

from pharos import cli
from pharos.config import LMS, Settings
from pharos.errors import PharosError
from pharos.lake import lms_courses
from pharos.lake.lake import Lake
from pharos.lake.snapshots import state
from pharos.pipeline.run import import_only

KEPT = r"; the snapshot of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC is used"
AGE = r"\d+ \d:\d\d:\d\d ago {}\b"  # rows, how long ago they were read, table


class Platform:
    """The REST APIs of an LMS; the test says what is wrong with them."""

    def __init__(self) -> None:
        self.status = 200
        self.wait_s = 0.0
        self.app = FastAPI()
        self.app.post("/oauth2/access_token")(lambda: {"access_token": "t", "expires_in": 3600})
        self.app.get("/api/user/v1/me")(self._me)
        self.app.get("/api/courses/v1/blocks/")(self._blocks)
        self.app.get("/api/grades/v1/policy/courses/{course:path}/")(self._policy)

    async def _me(self) -> Any:
        await asyncio.sleep(self.wait_s)
        if self.status != 200:
            raise HTTPException(self.status)
        return {"username": "service"}

    def _blocks(self, course_id: str) -> Any:
        return {"root": course_id, "blocks": {course_id: {"type": "course", "display_name": course_id}}}

    def _policy(self) -> list[Any]:
        return []


class Site:
    """A Pharos beside an LMS."""

    def __init__(self, folder: Path, url: str, platform: Platform) -> None:
        self.platform, self.store = platform, f"sqlite:///{folder / 'lms.sqlite'}"
        self.folder = folder
        self.settings = Settings(
            home=folder / "home",
            lms=LMS(
                database=SecretStr(edxapp.create(self.store)),
                url=url,
                client_id="service",
                client_secret=SecretStr("secret"),
                timeout_s=0.3,
            ),
        )
        overviews = edxapp.course_overviews_courseoverview
        course = edxapp.harmless_row(overviews, id="course-v1:U+B+1")
        edxapp.change(self.store, overviews.insert().values(course))

    def status(self) -> str:
        """Import once more; what the status says then, on one line."""
        import_only(self.settings)
        done = CliRunner().invoke(cli.app, ["status", "--home", str(self.settings.home)])
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())


@pytest.fixture
def site(tmp_path: Path, serve: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch) -> Site:
    """Everything was imported once, and nothing was wrong."""
    monkeypatch.setattr(lms_courses, "PATIENCE_S", 0.2)
    platform = Platform()
    found = Site(tmp_path, serve(platform.app), platform)
    assert not re.search("cannot|could not|snapshot of|malformed|any more", found.status())
    return found


def test_a_table_that_is_gone(site: Site) -> None:
    edxapp.change(site.store, "DROP TABLE auth_userprofile")
    status = site.status()
    assert re.search("table auth_userprofile does not exist" + KEPT, status)
    assert re.search(AGE.format("auth_userprofile"), status)


def test_a_column_that_is_gone(site: Site) -> None:
    edxapp.change(site.store, "ALTER TABLE auth_user RENAME COLUMN email TO mail")
    status = site.status()
    assert re.search("table auth_user has no column email" + KEPT, status)
    assert re.search(AGE.format("auth_user"), status)


def test_a_row_that_does_not_fit(site: Site) -> None:
    edxapp.change(site.store, "UPDATE auth_userprofile SET year_of_birth = 'nineteen' WHERE user_id = 1")
    assert "auth_userprofile: 1 malformed rows; what could not be read of them is left out" in site.status()


def test_a_database_that_is_down(site: Site) -> None:
    (site.folder / "lms.sqlite").unlink()
    status = site.status()
    assert re.search("there is no such file.*" + KEPT, status)
    assert re.search(AGE.format("student_courseenrollment"), status)
    told = re.findall(r"there is no such file\)[^;]*;[^;]*" + KEPT, status)
    assert len(told) == 1  # one line for all its tables


def test_a_course_that_was_deleted(site: Site) -> None:
    edxapp.change(site.store, "DELETE FROM course_overviews_courseoverview WHERE id = 'course-v1:U+B+1'")
    status = site.status()
    assert "course_list: 1 courses are not in the LMS any more (course-v1:U+B+1)" in status
    assert re.search(AGE.format("course_list"), status)


@pytest.mark.parametrize("ill", ["down", "slow"])
def test_an_lms_that_is_ill(site: Site, ill: str) -> None:
    before = state(Lake(site.settings.lake), "course_blocks").snapshot
    if ill == "down":
        site.platform.status = 503
    else:
        site.platform.wait_s = 1.0
    status = site.status()
    reason = "status 503" if ill == "down" else "ReadTimeout"
    assert re.search(rf"gave no usable answer \({reason}.*check lms.url and try again" + KEPT, status)
    assert re.search(AGE.format("course_blocks"), status)
    assert state(Lake(site.settings.lake), "course_blocks").snapshot == before
    assert state(Lake(site.settings.lake), "auth_user").problem is None  # the rest went on


def test_nothing_to_import_from_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PharosError, match=r"lms\."):
        import_only(Settings(home=tmp_path))
