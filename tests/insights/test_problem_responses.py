"""The report of responses: offered where it is, fetched by a signed link, and written down."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from tests.insights.world import World, fill, world_of

from pharos.insights.files import BOM
from pharos.keys import file_name

GRADED = "performance/graded_content/"
ADDRESS = "csv/problem_responses/"


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose first course has the report."""
    with world_of(tmp_path_factory.mktemp("reported"), fill) as running:
        folder = running.settings.home / "reports"
        folder.mkdir(exist_ok=True)
        (folder / f"{file_name(running.course_id)}_problem_response.csv").write_text(
            "a,b\r\n1,2\r\n", "utf-8"
        )
        yield running


def test_the_page_leads_to_the_file_and_the_link_works_without_credentials(reported: World) -> None:
    course = f"/courses/{reported.course_id}/"
    with reported.client("ines") as client:
        assert f'href="{course}{ADDRESS}"' in client.get(course + GRADED).text
        answer = client.get(course + ADDRESS, follow_redirects=False)
    assert answer.status_code == 302
    file = httpx.get(answer.headers["location"])
    assert file.text.removeprefix(BOM) == "a,b\r\n1,2\r\n"
    assert "attachment" in file.headers["content-disposition"]
    forged = answer.headers["location"].replace("signature=", "signature=0")
    assert httpx.get(forged).status_code == 404
    lines = (reported.settings.home / "insights_audit.jsonl").read_text("utf-8").splitlines()
    found = [entry for entry in map(json.loads, lines) if entry["event"] == "downloaded"]
    assert [(entry["caller"], entry["path"]) for entry in found] == [("ines", course + ADDRESS)]


def test_who_may_not_see_the_course_gets_no_link(reported: World) -> None:
    other = reported.campus.courses[1].id
    with reported.client("ines") as client:
        assert client.get(f"/courses/{other}/{ADDRESS}", follow_redirects=False).status_code == 403
    with reported.client() as client:
        answer = client.get(f"/courses/{reported.course_id}/{ADDRESS}", follow_redirects=False)
        assert "/login/" in answer.headers["location"]


def test_a_course_without_the_report_offers_none(reported: World) -> None:
    other = f"/courses/{reported.campus.courses[1].id}/"
    with reported.client("sofia") as client:
        page = client.get(other + GRADED)
        assert page.status_code == 200
        assert "problem_responses" not in page.text
        assert client.get(other + ADDRESS).status_code == 404


def test_while_nobody_can_say_the_page_is_there_without_it(reported: World) -> None:
    course = f"/courses/{reported.course_id}/"
    reported.api.down, reported.api.paths = True, ("/reports/",)
    try:
        with reported.client("sofia") as client:
            page = client.get(course + GRADED)
        assert page.status_code == 200
        assert "problem_responses" not in page.text
    finally:
        reported.api.down, reported.api.paths = False, ("",)
