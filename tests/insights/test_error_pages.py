"""Faults of other services: the pages say so, calmly, and give nothing away (spec 06 §2, §9.18)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.insights.world import TOKEN, World, fill, world_of

from pharos.config import InsightsSettings

TRACE = (
    b'Traceback (most recent call last):\n  File "secret.py", line 1, in query\nOperationalError: password'
)
REPORTS = (
    "",
    "enrollment/activity/",
    "enrollment/demographics/age/",
    "enrollment/demographics/education/",
    "enrollment/demographics/gender/",
    "enrollment/geography/",
    "engagement/content/",
)


@pytest.fixture
def impatient_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> Iterator[World]:
    """Gives a slow Data API three seconds; in one second, a busy machine may not answer what it should."""
    if way == "slow":
        monkeypatch.setattr("pharos.insights.app.TIMEOUT_S", 3.0)
    with world_of(tmp_path, fill) as running:
        yield running


def fails(world: World, way: str) -> None:
    world.api.down = True
    world.api.status, world.api.body, world.api.delay_s = {
        "down": (503, b"down", 0.0),
        "fault": (500, TRACE, 0.0),
        "refuses": (401, b'{"detail": "Invalid token."}', 0.0),
        "nonsense": (200, b"<html>a proxy</html>", 0.0),
        "another shape": (200, b'{"rows": 1}', 0.0),
        "slow": (200, b"[]", 4.5),
    }[way]


def gives_nothing_away(world: World, text: str) -> bool:
    secrets = ("Traceback", "secret.py", "OperationalError", "password", TOKEN, world.api_url, "a proxy")
    return not any(secret in text for secret in secrets)


@pytest.mark.parametrize("way", ["down", "fault", "refuses", "nonsense", "another shape", "slow"])
def test_every_page_says_that_numbers_could_not_be_loaded(impatient_world: World, way: str) -> None:
    world = impatient_world
    with world.client("sofia") as client:
        fails(world, way)
        for address in [f"/courses/{world.course_id}/{report}" for report in REPORTS]:
            page = client.get(address)
            assert page.status_code == 503, address
            assert "These numbers could not be loaded" in page.text
            assert f'href="{address}"' in page.text  # try again
            assert "Still failing?" in page.text
            assert gives_nothing_away(world, page.text)
            if way == "slow":
                break
        world.api.down = False
        assert client.get(f"/courses/{world.course_id}/enrollment/activity/").status_code == 200


def test_a_busy_data_api_is_not_shown_as_an_outage(own_world: World) -> None:
    with own_world.client("sofia") as client:
        own_world.api.down = True
        own_world.api.status, own_world.api.body = 429, b'{"detail": "Request was throttled."}'
        own_world.api.headers = [(b"retry-after", b"17")]
        page = client.get(f"/courses/{own_world.course_id}/enrollment/activity/")
        assert (page.status_code, page.headers["Retry-After"]) == (503, "17")
        assert "More is asked for than can be answered at once" in page.text
        assert "could not be loaded" not in page.text
        own_world.api.headers = []
        page = client.get(f"/courses/{own_world.course_id}/enrollment/activity/")
        assert (page.status_code, page.headers["Retry-After"]) == (503, "1")


def test_files_and_sparklines_fail_as_calmly(own_world: World) -> None:
    with own_world.client("sofia") as client:
        fails(own_world, "fault")
        file = client.get(f"/courses/{own_world.course_id}/csv/enrollment/")
        assert file.status_code == 503
        assert "attachment" not in file.headers.get("content-disposition", "")
        assert gives_nothing_away(own_world, file.text)
        shapes = client.get("/courses/shapes/", params={"course": own_world.course_id})
        assert shapes.json() == {}


def test_the_course_list_goes_on_with_what_it_last_heard(own_world: World) -> None:
    with own_world.client("sofia") as client:
        assert "6 of 6 courses" in client.get("/courses/").text
        fails(own_world, "down")
        assert "6 of 6 courses" in client.get("/courses/").text


def test_one_part_that_fails_leaves_the_rest_of_the_page(own_world: World) -> None:
    with own_world.client("sofia") as client:
        own_world.api.paths = ("/activity/",)
        fails(own_world, "fault")
        home = client.get(f"/courses/{own_world.course_id}/")
        assert home.status_code == 200
        assert "Some numbers could not be loaded" in home.text
        assert "grew 7.2%" in home.text
        own_world.api.paths = ("/enrollment/",)
        content = client.get(f"/courses/{own_world.course_id}/engagement/content/")
        assert content.status_code == 200
        assert "Enrollment could not be loaded" in content.text
        assert "learners were active" in content.text


@pytest.mark.parametrize(("status", "body"), [(503, b"down"), (500, TRACE), (200, b"<html>"), (200, b"[1]")])
def test_without_the_lms_pages_have_numbers_and_ids(own_world: World, status: int, body: bytes) -> None:
    with own_world.client("sofia") as client:
        own_world.lms.down, own_world.lms.paths = True, ("/api/",)
        own_world.lms.status, own_world.lms.body = status, body
        for report in REPORTS:
            page = client.get(f"/courses/{own_world.course_id}/{report}")
            assert page.status_code == 200
            assert own_world.course_id in page.text
            assert gives_nothing_away(own_world, page.text)


def test_deadlines_appear_when_the_lms_tells_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pharos.insights.directory.FAILED_S", 0.0)
    with world_of(tmp_path, fill) as world, world.client("sofia") as client:
        address = f"/courses/{world.course_id}/enrollment/activity/"
        world.lms.down, world.lms.paths = True, ("/blocks/",)
        assert "Homework 1" not in client.get(address).text
        world.lms.down = False
        assert "Homework 1" in client.get(address).text
        assert "Course starts" in client.get(address).text


def test_an_lms_that_is_down_is_not_asked_for_every_page(own_world: World) -> None:
    with own_world.client("sofia") as client:
        own_world.lms.down, own_world.lms.paths = True, ("/api/",)
        client.get(f"/courses/{own_world.course_id}/enrollment/activity/")
        own_world.lms.requests.clear()
        client.get(f"/courses/{own_world.course_id}/enrollment/activity/")
        assert own_world.lms.requests == []


def test_access_counts_for_a_minute_at_most() -> None:
    assert InsightsSettings().permissions_seconds <= 60
