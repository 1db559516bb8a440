"""Signing in and out: spec 06 §4, §17.1-16."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.insights.world import World


def test_signing_in_leads_to_the_page_one_wanted(world: World) -> None:
    wanted = f"/courses/{world.course_id}/enrollment/activity/"
    with world.client() as client:
        page = world.sign_in(client, "sofia", wanted)
        assert page.status_code == 200
        assert page.url.path == wanted
        assert "Enrollment Activity" in page.text


def test_sign_in_asks_with_pkce_and_state(world: World) -> None:
    with httpx.Client(base_url=world.url) as client:
        first = client.get("/login/?next=/courses/")
        assert first.status_code == 302
        assert first.headers["location"] == "/login/edx-oauth2/?next=/courses/"
        query = parse_qs(urlsplit(client.get(first.headers["location"]).headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["code_challenge"][0]) == 43
    assert len(query["state"][0]) >= 32
    assert query["scope"] == ["user_id profile email"]


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?code=x&state=wrong", "?error=access_denied&state=x", "?state=%00%FF"]
)
def test_a_wrong_answer_signs_nobody_in(world: World, query: str) -> None:
    with httpx.Client(base_url=world.url) as client:
        client.get("/login/edx-oauth2/")
        page = client.get(f"/complete/edx-oauth2/{query}")
        assert page.status_code == 401
        assert "Sign in again" in page.text
        assert "Traceback" not in page.text
        assert client.get("/courses/").status_code == 302


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil"],
)
def test_the_way_back_never_leads_elsewhere(world: World, target: str) -> None:
    with world.client() as client:
        assert str(world.sign_in(client, "sofia", target).url).startswith(world.url)


def test_cookies_are_signed_and_out_of_reach_of_scripts(world: World) -> None:
    with world.client() as client:
        world.sign_in(client, "sofia")
        cookie = next(c for c in client.cookies.jar if c.name == "pharos_session")
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "lax"
        forged = httpx.get(f"{world.url}/courses/", cookies={"pharos_session": f"{cookie.value}x"})
        assert forged.status_code == 302


def test_signing_out_ends_both_sessions(world: World) -> None:
    with world.client("sofia") as client:
        assert client.get("/courses/").status_code == 200
        away = client.post("/logout/", follow_redirects=False)
        assert away.status_code == 303
        assert away.headers["location"].startswith(f"{world.lms_url}/logout?")
        assert client.get("/courses/", follow_redirects=False).status_code == 302


def test_signing_out_works_when_nobody_is_signed_in(world: World) -> None:
    with httpx.Client(base_url=world.url) as client:
        assert client.get("/logout/").headers["location"] == "/"
        assert client.get("/logout/?no_redirect=1").status_code == 200
        assert client.get("/logout/?no_redirect=1").content == b""
        assert client.get("/logout_then_login/").headers["location"] == "/login/"


def test_sign_in_says_when_the_lms_is_down(own_world: World) -> None:
    with own_world.client() as client:
        own_world.lms.down, own_world.lms.paths = True, ("access_token",)
        page = own_world.sign_in(client, "sofia")
        assert page.status_code == 503
        assert "does not answer" in page.text
