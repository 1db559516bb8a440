"""A page is there in time, whatever the LMS and the Data API do: with values of before, or with words.

A page that waits for a service that hangs would take a minute here: the browser of these tests waits for a
fraction of that. The deadline itself, three seconds, is made shorter.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa
from tests.apart import run
from tests.insights.world import TOKEN, Outage, World, fill, world_of
from tests.wires import Wire

from pharos.data_api import reading
from pharos.insights import waiting

HANGS_S, BROWSER_S = 60.0, 20.0


def hang(service: Outage) -> None:
    service.down, service.paths, service.status, service.body = True, ("",), 200, b"[]"
    service.delay_s = HANGS_S


def addresses(world: World) -> list[str]:
    course = f"/courses/{world.course_id}/"
    reports = ("", "enrollment/activity/", "enrollment/geography/", "engagement/content/", "csv/enrollment/")
    return [
        "/",
        "/courses/",
        "/definitions/",
        "/courses/csv/course_list/",
        *(course + path for path in reports),
    ]


def ask(url: str, cookies: dict[str, str], **headers: str) -> httpx.Response:
    page = httpx.get(url, cookies=cookies, headers=headers, timeout=BROWSER_S, follow_redirects=False)
    assert "Traceback" not in page.text
    return page


def first_visit(url: str, cookies: dict[str, str]) -> httpx.Response:
    """The page while all is well; asked again while a busy machine lets its short time pass."""
    for _ in range(20):
        page = ask(url, cookies)
        if page.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
    return page


@pytest.mark.usefixtures("usual_time")
def test_the_time_of_a_page() -> None:
    assert waiting.LMS_S <= 2
    assert waiting.PAGE_S < 3


@pytest.fixture
def short_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PAGE_S", 0.4)
    monkeypatch.setattr(waiting, "LMS_S", 0.3)


@pytest.mark.usefixtures("short_time")
@pytest.mark.parametrize("visited_before", [True, False])
@pytest.mark.parametrize("hanging", [("lms",), ("api",), ("lms", "api")])
def test_no_page_waits_for_a_service_that_hangs(
    own_world: World, hanging: tuple[str, ...], visited_before: bool
) -> None:
    with own_world.client("ines") as client:
        cookies = dict(client.cookies)
        if visited_before:
            for address in addresses(own_world):
                assert first_visit(own_world.url + address, cookies).status_code in {200, 302}
    for name in hanging:
        hang(getattr(own_world, name))
    for address in addresses(own_world):
        page = ask(own_world.url + address, cookies)
        assert page.status_code in {200, 302, 503}, address
        if page.status_code == 503:
            assert "could not be loaded" in page.text or "does not say which courses" in page.text
    if hanging == ("lms",) and visited_before:
        assert own_world.course_id in ask(f"{own_world.url}/courses/csv/course_list/", cookies).text


@pytest.mark.usefixtures("short_time")
def test_fifty_readers_do_not_wait_for_each_other_either(own_world: World) -> None:
    with own_world.client("ines") as client:
        cookies = dict(client.cookies)
        ask(own_world.url + addresses(own_world)[4], cookies)
    hang(own_world.lms)
    hang(own_world.api)
    with ThreadPoolExecutor(50) as readers:
        pages = list(readers.map(lambda _: ask(own_world.url + addresses(own_world)[4], cookies), range(50)))
    assert {page.status_code for page in pages} <= {200, 503}


@pytest.mark.usefixtures("short_time")
def test_fifty_readers_while_the_lms_hangs_and_the_database_is_frozen(
    mariadb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told what is documented: an old page, or one in words; the Data API says whose fault it is."""
    monkeypatch.setattr(reading, "ANSWER_S", 2)
    monkeypatch.setattr(reading, "SHORT_S", 2)
    whole = sa.make_url(mariadb_url).set(database="frozen")
    wire = Wire((whole.host or "", whole.port or 0))
    url = whole.set(port=wire.port).render_as_string(hide_password=False)
    try:
        with world_of(tmp_path, fill, store_url=url) as world:
            with world.client("ines") as client:
                cookies = dict(client.cookies)
            visited, fresh = addresses(world)[4], addresses(world)[5]
            assert first_visit(world.url + visited, cookies).status_code == 200
            hang(world.lms)
            wire.freeze()

            def read(number: int) -> httpx.Response:
                return ask(world.url + (visited, fresh)[number % 2], cookies)

            with ThreadPoolExecutor(50) as readers:
                pages = list(readers.map(read, range(50)))
            assert {page.status_code for page in pages} <= {200, 503}
            assert all("<h1" in page.text for page in pages)
            path = f"/api/v1/courses/{quote(world.course_id, safe='')}/problems/"
            answer = ask(world.api_url + path, {}, Authorization=f"Token {TOKEN}")
            assert answer.status_code == 503
            assert answer.json()["detail"] == "The Result Store does not answer."
            wire.go_on()
            while ask(world.url + fresh, cookies).status_code != 200:
                time.sleep(0.1)
    finally:
        wire.close()


def test_health_is_told_while_everything_hangs(own_world: World) -> None:
    hang(own_world.lms)
    hang(own_world.api)
    for path in ("/health/", "/status/", "/metrics"):
        assert httpx.get(own_world.url + path, timeout=BROWSER_S).status_code == 200


def test_time_left_is_that_of_the_page_and_none_is_left_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        assert (waiting.for_lms(), waiting.for_services(10)) == (waiting.LMS_S, 10)
        waiting.begin()
        assert waiting.for_services(10) <= waiting.PAGE_S
        assert waiting.for_services(0.1) == 0.1
        monkeypatch.setattr(waiting, "PAGE_S", 0.0)
        monkeypatch.setattr(waiting, "LMS_S", 0.0)
        assert (waiting.for_lms(5), waiting.for_services(10)) == (0, 0)
        outside = asyncio.get_running_loop().create_task(_later(), context=waiting.outside())
        assert await outside == 10

    async def _later() -> float:
        return waiting.for_services(10)

    run(scene())
