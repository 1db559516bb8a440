"""Nothing from elsewhere, but for what a site has set to count the use of Insights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from playwright.sync_api import Browser
from pydantic import ValidationError
from tests.insights.test_browser import complaints, sign_in
from tests.insights.world import fill, served, world_of

from pharos.config import LMS, InsightsSettings, Settings
from pharos.insights.policy import content_policy

SCRIPT = "fetch(new URL('/seen', document.currentScript.src), {mode: 'no-cors'});"


def policy(**insights: str) -> dict[str, str]:
    """The directives of the policy."""
    settings = Settings(lms=LMS(url="https://lms.example"), insights=InsightsSettings(**insights))
    parts = [part.partition(" ") for part in content_policy(settings).split("; ")]
    return {name: sources for name, _, sources in parts}


def test_without_a_setting_nothing_comes_from_elsewhere() -> None:
    found = policy()
    assert found["default-src"] == "'none'"
    assert (found["script-src"], found["connect-src"]) == ("'self'", "'self'")
    assert found["img-src"] == "'self' blob:"


def test_the_host_of_what_counts_is_allowed_and_no_other() -> None:
    found = policy(
        usage_script="https://count.example:8443/js/script.js?site=a",
        usage_pixel="https://pixel.example/p.gif",
    )
    assert found["script-src"] == "'self' https://count.example:8443"
    assert found["connect-src"] == "'self' https://count.example:8443"
    assert found["img-src"] == "'self' blob: https://count.example:8443 https://pixel.example"


@pytest.mark.parametrize(
    "address", ["count.js", "https://a.example;script-src *", "javascript:alert(1)", "https://a.example/x y"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        InsightsSettings(usage_script=address)


def test_use_is_counted_without_cookies_where_a_site_wants_that(tmp_path: Path, browser: Browser) -> None:
    asked: list[tuple[str, str, str]] = []
    counter = FastAPI()

    @counter.get("/{name}")
    async def count(name: str, request: Request) -> Response:
        asked.append((name, request.headers.get("cookie", ""), request.headers.get("referer", "")))
        media_type = "text/javascript" if name == "script.js" else "image/svg+xml"
        return Response(SCRIPT if name == "script.js" else "<svg/>", media_type=media_type)

    with served(counter) as address:
        elsewhere = address.replace("127.0.0.1", "localhost")
        own: dict[str, Any] = {
            "usage_script": f"{elsewhere}/script.js",
            "usage_pixel": f"{elsewhere}/pixel.svg",
        }
        with world_of(tmp_path, fill, **own) as world:
            context = browser.new_context(base_url=world.url)
            page = context.new_page()
            sign_in(page, world)
            page.goto(f"/courses/{world.course_id}/enrollment/activity/", wait_until="networkidle")
            assert {name for name, _, _ in asked} == {"script.js", "pixel.svg", "seen"}
            assert {cookie for _, cookie, _ in asked} == {""}
            assert not any(world.course_id in referer for _, _, referer in asked)
            assert {cookie["domain"] for cookie in context.cookies()} == {"127.0.0.1"}
            assert complaints(page) == []
            context.close()
