"""Insights below a path of a site: `insights.url: https://example.org/insights`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from typing import Any

import httpx
import playwright.sync_api
import pytest
from tests.insights.world import CLIENT, World, served
from tests.ports import free_ports

from pharos.demo.lms_sign_in import Client
from pharos.errors import ConfigurationError
from pharos.insights import app as insights

PATH = "/learning/insights"
LINKS = re.compile(r'\s(?:href|src|action|formaction)="([^"]*)"')


class Stripping:
    """A proxy that takes the path away before it passes a request on."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            assert scope["path"].startswith(f"{PATH}/")
            scope = scope | {"path": scope["path"].removeprefix(PATH)}
        await self.app(scope, receive, send)


@contextmanager
def below_a_path(world: World, *, stripping: bool) -> Iterator[World]:
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}{PATH}"
    settings = world.settings.model_copy(
        update={"insights": world.settings.insights.model_copy(update={"url": url})}
    )
    sign_in = world.lms.app.state.sign_in
    before = sign_in._insights  # noqa: SLF001 - registered anew at the LMS
    sign_in._insights = Client.of_insights(CLIENT.id, CLIENT.secret, url)  # noqa: SLF001
    app = insights.create_app(settings)
    try:
        with served(Stripping(app) if stripping else app, port):
            yield replace(world, url=url, settings=settings, app=app)
    finally:
        sign_in._insights = before  # noqa: SLF001


def signed_in(world: World, client: httpx.Client, page: str) -> httpx.Response:
    form = client.get(f"{world.url}/login/", params={"next": page})
    answers = {"username": "sofia", "password": "sofia-demo", "next": form.url.params["next"]}
    return client.post(str(form.url), data=answers)


@pytest.mark.parametrize("stripping", [True, False])
def test_every_link_of_every_page_stays_below_the_path(world: World, stripping: bool) -> None:
    with below_a_path(world, stripping=stripping) as below, httpx.Client(follow_redirects=True) as client:
        course = f"/courses/{below.course_id}/"
        assert "/learning/insights/login/" in client.get(f"{below.url}/").text
        page = signed_in(below, client, course)
        assert page.url.path == PATH + course
        seen: set[str] = set()
        waiting = [str(page.url)]
        while waiting and len(seen) < 60:
            address = waiting.pop(0)
            if address in seen or "/logout" in address:
                continue
            seen.add(address)
            answer = client.get(address)
            assert answer.status_code == 200, address
            assert answer.url.path.startswith(f"{PATH}/"), address
            if "text/html" not in answer.headers["content-type"]:
                continue
            for link in map(unescape, LINKS.findall(answer.text)):
                if link.startswith("/"):
                    assert link.startswith(f"{PATH}/"), (address, link)
                    waiting.append(below.url.removesuffix(PATH) + link.partition("#")[0])
        assert len(seen) > 20
        for wrong in ("/nowhere/", "/complete/edx-oauth2/"):
            found = LINKS.findall(client.get(below.url + wrong).text)
            assert not [link for link in found if link.startswith("/") and not link.startswith(f"{PATH}/")]
        assert client.get(f"{below.url}/courses/?language=fr").status_code == 200
        out = client.post(f"{below.url}/logout/")
        assert str(out.url) == f"{below.url}/"
        assert client.get(f"{below.url}/courses/", follow_redirects=False).headers["location"] == (
            f"{PATH}/login/?next=/courses/"
        )


def test_scripts_find_their_way(world: World, browser: playwright.sync_api.Browser) -> None:
    with below_a_path(world, stripping=True) as below, httpx.Client(follow_redirects=True) as client:
        signed_in(below, client, "/courses/")
        context = browser.new_context()
        context.add_cookies(
            [{"name": c.name, "value": c.value or "", "url": below.url} for c in client.cookies.jar]
        )
        page = context.new_page()
        page.goto(f"{below.url}/courses/")
        page.wait_for_selector(f'[data-shape="{below.course_id}"] path[d]', state="attached", timeout=15_000)
        context.close()


def test_a_path_that_insights_has_itself_is_refused(world: World) -> None:
    for path in ("/courses", "/static/x", "/login"):
        changes = {"insights": world.settings.insights.model_copy(update={"url": f"https://i.example{path}"})}
        with pytest.raises(ConfigurationError, match=r"^insights\.url: the path"):
            insights.create_app(world.settings.model_copy(update=changes))


@pytest.mark.parametrize("name", ["url", "public_url"])
def test_an_address_that_is_none_is_refused(world: World, name: str) -> None:
    changes = {"lms": world.settings.lms.model_copy(update={name: "lms.example.org"})}
    with pytest.raises(ConfigurationError, match=rf"^lms\.{name}: lms\.example\.org is no address"):
        insights.create_app(world.settings.model_copy(update=changes))
