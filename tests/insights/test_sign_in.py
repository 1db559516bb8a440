"""Signing in and out: spec 06 §4, §17.1-16, spec 07 §1."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import playwright.sync_api
import pytest
from tests.insights.world import World, fill, served, world_of

from pharos.demo.lms_sign_in import SignIn
from pharos.demo.releases import Release
from pharos.errors import ConfigurationError
from pharos.insights import admission, sessions
from pharos.insights import app as insights
from pharos.insights.language import COOKIE

SESSION = "pharos_session"


def test_signing_in_leads_to_the_page_one_wanted(world: World) -> None:
    wanted = f"/courses/{world.course_id}/enrollment/activity/?mode=audit"
    with world.client() as client:
        page = world.sign_in(client, "sofia", wanted)
        assert page.status_code == 200
        assert page.url.raw_path.decode() == wanted
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


# --- At an LMS as it comes: each release, and each way to check its tokens ---


def by_keys(lms: SignIn) -> dict[str, Any]:
    return {"jwt_keys": lms.public_keys}


def by_secret(lms: SignIn) -> dict[str, Any]:
    return {"jwt_secret": lms.secret}


@pytest.mark.parametrize(
    ("release", "checking"),
    [(release, None) for release in Release]
    + [(release, by_keys) for release in Release if release is not Release.OLIVE]
    + [(release, by_secret) for release in Release],
)
def test_people_sign_in_at_each_release(
    tmp_path: Path, release: Release, checking: Callable[[SignIn], dict[str, Any]] | None
) -> None:
    with (
        world_of(tmp_path, fill, release=release, lms_settings=checking) as world,
        world.client("ines") as client,
    ):
        assert client.get(f"/courses/{world.course_id}/").status_code == 200
        assert client.get(f"/courses/{world.campus.courses[1].id}/").status_code == 403


def test_keys_that_are_not_those_of_the_lms_are_the_operators_business(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def by_wrong_keys(lms: SignIn) -> dict[str, Any]:
        before = {"jwt_keys": lms.public_keys}
        for _ in range(2):
            lms.rotate()
        return before

    with (
        world_of(tmp_path, fill, release=Release.ULMO, lms_settings=by_wrong_keys) as world,
        world.client() as client,
    ):
        page = world.sign_in(client, "ines")
        assert page.status_code == 401
        assert "Your operator has to mend the settings" in page.text
        assert "lms.jwt_keys does not hold its key" in caplog.text
        assert client.get("/courses/", follow_redirects=False).status_code == 302


def test_a_rotation_of_the_keys_goes_unnoticed(tmp_path: Path) -> None:
    def by_file(lms: SignIn) -> dict[str, Any]:
        file = tmp_path / "jwks.json"
        file.write_text(lms.public_keys)
        return {"jwt_keys": str(file)}

    with world_of(tmp_path, fill, lms_settings=by_file) as world:
        with world.client("ines") as client:
            assert client.get("/courses/").status_code == 200
        lms: SignIn = world.lms.app.state.sign_in
        lms.rotate()
        (tmp_path / "jwks.json").write_text(lms.public_keys)
        with world.client("ines") as client:
            assert client.get("/courses/").status_code == 200


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"jwt_keys": "missing.json"}, "lms.jwt_keys: missing.json cannot be read"),
        ({"jwt_keys": "{}"}, "lms.jwt_keys: the text"),
        ({"url": "http://lms:8000"}, "lms.jwt_keys: needed to sign people in"),
    ],
)
def test_what_would_sign_nobody_in_is_told_at_start(world: World, change: dict[str, Any], text: str) -> None:
    wrong = world.settings.model_copy(update={"lms": world.settings.lms.model_copy(update=change)})
    with pytest.raises(ConfigurationError) as error:
        insights.create_app(wrong)
    [line] = str(error.value).splitlines()
    assert line.startswith(text)


# --- Whose fault it is ---


def test_who_cancels_at_the_lms_is_told_so_and_can_try_again(world: World) -> None:
    with world.client() as client:
        page = client.get(callback(world, client, "/definitions/", error="access_denied"))
        assert page.status_code == 401
        assert "You cancelled the sign-in" in page.text
        assert 'href="/login/?next=/definitions/"' in page.text


@pytest.mark.parametrize(
    "error", ["invalid_scope", "unauthorized_client", "invalid_request", "<script>alert(1)"]
)
def test_what_the_lms_refuses_is_the_operators_business(
    world: World, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    with world.client() as client:
        page = client.get(callback(world, client, "/courses/", error=error))
        assert page.status_code == 401
        assert "are not set up for each other" in page.text
        assert "SIGN-IN-SETTINGS" in page.text
        assert "<script>alert" not in page.text
        assert error in caplog.text


def test_a_clock_that_is_wrong_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pharos.lms.tokens.CLOCK_LEEWAY_S", -3600)
    with world.client() as client:
        page = world.sign_in(client, "ines")
        assert page.status_code == 401
        assert "A clock is wrong" in page.text


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


def callback(world: World, client: httpx.Client, page: str, **answer: str) -> str:
    """The address an LMS sends the browser back to, for a sign-in that the browser begins now."""
    away = client.get("/login/edx-oauth2/", params={"next": page}, follow_redirects=False)
    [state] = parse_qs(urlsplit(away.headers["location"]).query)["state"]
    return f"{world.url}/complete/edx-oauth2/?{httpx.QueryParams({'state': state, **answer})}"


def code_for(world: World, client: httpx.Client, persona: str, page: str) -> str:
    """As `callback`, with the code the LMS gives the persona."""
    form = {"username": persona, "password": f"{persona}-demo"}
    client.post(f"{world.lms_url}/login", data=form)
    away = client.get("/login/edx-oauth2/", params={"next": page}, follow_redirects=False)
    back = client.get(away.headers["location"], follow_redirects=False)
    return back.headers["location"]


def test_each_of_two_tabs_comes_to_its_page(world: World) -> None:
    pages = ["/definitions/", f"/courses/{world.course_id}/"]
    with world.client() as client:
        answers = [code_for(world, client, "ines", page) for page in pages]
        for answer, page in reversed(list(zip(answers, pages, strict=True))):
            assert client.get(answer).url.path == page


def test_the_callback_may_be_loaded_again(world: World) -> None:
    with world.client() as client:
        answer = code_for(world, client, "ines", "/definitions/")
        for _ in range(3):
            assert client.get(answer).url.path == "/definitions/"


def test_a_used_callback_signs_nobody_in_and_keeps_the_page(world: World) -> None:
    with world.client() as client:
        answer = code_for(world, client, "ines", "/definitions/")
        assert client.get(answer).status_code == 200
        client.get("/logout/")
        again = client.get(answer)
        assert again.status_code == 401
        assert "This sign-in is over" in again.text
        assert 'href="/login/?next=/definitions/"' in again.text
        assert client.get("/login/?next=/definitions/").url.path == "/definitions/"


def test_another_browser_cannot_finish_a_sign_in(world: World) -> None:
    """Else an attacker could sign others in as themselves, or steal an answer."""
    with world.client() as attacker, world.client() as victim:
        answer = code_for(world, attacker, "tomas", "/definitions/")
        for page in (victim.get(answer), victim.get(callback(world, attacker, "/", code="x"))):
            assert page.status_code == 401
            assert "This sign-in is over" in page.text
            assert SESSION not in victim.cookies
        victim.get("/login/edx-oauth2/", follow_redirects=False)
        assert victim.get(answer).status_code == 401


def test_a_sign_in_of_long_ago_keeps_the_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.client() as client:
        answer = code_for(world, client, "ines", "/definitions/")
        monkeypatch.setattr(sessions, "ATTEMPT_S", -1)
        page = client.get(answer)
        assert page.status_code == 401
        assert 'href="/login/?next=/definitions/"' in page.text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil",
        "/\n/evil",
        "///evil.example",
        "\\\\evil.example",
        "@evil.example",
        "/" + "x" * 5000,
    ],
)
def test_the_way_back_never_leads_elsewhere(world: World, target: str) -> None:
    with world.client() as client:
        assert str(world.sign_in(client, "sofia", target).url) == f"{world.url}/courses/"
        assert str(client.get("/logout_then_login/", params={"next": target}).url).startswith(world.url)


def test_new_rights_count_after_signing_out_and_in_and_the_page_is_kept(own_world: World) -> None:
    other = own_world.campus.courses[1].id
    with own_world.client("ines") as client:
        refused = client.get(f"/courses/{other}/")
        assert refused.status_code == 403
        assert (
            f'href="/logout_then_login/?next=/courses/{other.replace(":", "%3A").replace("+", "%2B")}/"'
            in (refused.text)
        )
        person = next(p for p in own_world.campus.personas if p.username == "ines")
        object.__setattr__(person, "courses", (*person.courses, other))
        page = client.get("/logout_then_login/", params={"next": f"/courses/{other}/"})
        assert page.status_code == 200
        assert page.url.path == f"/courses/{other}/"


# --- Cookies and what stays in a browser ---


def test_cookies_are_sealed_and_out_of_reach_of_scripts(world: World) -> None:
    with world.client() as client:
        world.sign_in(client, "sofia")
        for name in (SESSION, "pharos_sign_in"):
            cookie = next(c for c in client.cookies.jar if c.name == name)
            assert cookie.has_nonstandard_attr("HttpOnly")
            assert cookie.get_nonstandard_attr("SameSite") == "lax"
        value = client.cookies[SESSION]
        for forged in (f"{value}x", value[:-1], value[:20] + "A" + value[21:], "", "x", value.swapcase()):
            assert httpx.get(f"{world.url}/courses/", cookies={SESSION: forged}).status_code == 302


@pytest.fixture
def https_url(world: World) -> Iterator[str]:
    """Insights that browsers reach by https, as it answers the proxy before it."""
    settings = world.settings.model_copy(
        update={"insights": world.settings.insights.model_copy(update={"url": "https://insights.example"})}
    )
    with served(insights.create_app(settings)) as url:
        yield url


def test_every_cookie_is_secure_where_the_site_is(https_url: str) -> None:
    for path in ("/login/edx-oauth2/", "/logout/", "/?language=fr", "/logout_then_login/"):
        cookies = httpx.get(https_url + path).headers.get_list("set-cookie")
        assert cookies
        for cookie in cookies:
            assert "; Secure" in cookie
            assert "; HttpOnly" in cookie
            assert "; Path=/" in cookie
            assert cookie.startswith(("__Host-", COOKIE))
            assert "Domain" not in cookie


def test_nothing_of_a_signed_in_person_stays_in_the_cache_of_a_browser(world: World) -> None:
    with world.client("ines") as client:
        for path in (
            "/courses/",
            f"/courses/{world.course_id}/",
            f"/courses/{world.course_id}/enrollment/activity/",
            f"/courses/{world.course_id}/csv/enrollment/",
            "/definitions/",
            "/courses/no/such/course/",
            "/no-such-page",
        ):
            assert "no-store" in client.get(path).headers["cache-control"], path


# --- Signing out ---


def test_signing_out_ends_both_sessions_and_leads_back(world: World) -> None:
    with world.client("sofia") as client:
        away = client.post("/logout/", follow_redirects=False)
        assert away.status_code == 303
        assert str(away.next_request.url if away.next_request else "") == (
            f"{world.lms_url}/logout?client_id=insights&redirect_url="
            + f"{world.url}/".replace(":", "%3A").replace("/", "%2F")
        )
        assert client.get(away.headers["location"]).url == f"{world.url}/"
        at_lms = client.get("/login/")
        assert str(at_lms.url).startswith(f"{world.lms_url}/login")


def test_the_way_back_of_a_browser_shows_nothing_after_signing_out(
    world: World, browser: playwright.sync_api.Browser
) -> None:
    context = browser.new_context(base_url=world.url)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_role("button", name="Inês Carvalho").click()
    page.wait_for_url("**/courses/")
    page.goto(f"/courses/{world.course_id}/")
    assert page.locator("text=ines").count() > 0
    page.evaluate("document.querySelector('form[action=\"/logout/\"]').submit()")
    page.wait_for_url(f"{world.url}/")
    page.go_back()
    page.wait_for_load_state()
    assert world.course_id not in page.content()
    assert page.url.startswith(f"{world.lms_url}/login")
    context.close()


def test_signing_out_works_when_nobody_is_signed_in(world: World) -> None:
    with httpx.Client(base_url=world.url) as client:
        assert client.get("/logout/").headers["location"] == "/"
        assert client.get("/logout_then_login/").headers["location"] == "/login/?next=%2Fcourses%2F"


def test_the_lms_may_end_the_session_from_a_frame_of_its_own(world: World) -> None:
    with world.client("ines") as client:
        answer = client.get("/logout/?no_redirect=1")
        assert (answer.status_code, answer.content) == (200, b"")
        assert f"frame-ancestors 'self' {world.lms_url}" in answer.headers["content-security-policy"]
        assert "x-frame-options" not in answer.headers
        assert client.get("/courses/", follow_redirects=False).status_code == 302
        assert client.get("/").headers["x-frame-options"] == "DENY"


WAYS_OUT = ["/logout/", "/logout/?no_redirect=1", "/logout_then_login/", "POST"]


@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_copied_cookie_is_worthless_after_signing_out(world: World, way: str) -> None:
    with served(insights.create_app(world.settings)) as replica, world.client("sofia") as client:
        copied = {SESSION: client.cookies[SESSION]}
        assert httpx.get(f"{world.url}/courses/", cookies=copied).status_code == 200
        if way == "POST":
            client.post("/logout/", follow_redirects=False)
        else:
            client.get(way, follow_redirects=False)
        for url in (world.url, replica):
            for path in ("/courses/", f"/courses/{world.course_id}/", "/definitions/"):
                assert httpx.get(url + path, cookies=copied).status_code == 302
            assert "sofia" not in httpx.get(f"{url}/no-such-page", cookies=copied).text
        with served(insights.create_app(world.settings)) as restarted:
            assert httpx.get(f"{restarted}/courses/", cookies=copied).status_code == 302


def test_a_replica_learns_of_a_sign_out_at_another_within_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "SIGNED_OUT_FRESH_S", 0.0)
    with served(insights.create_app(world.settings)) as replica, world.client("sofia") as client:
        copied = {SESSION: client.cookies[SESSION]}
        assert httpx.get(f"{replica}/courses/", cookies=copied).status_code == 200
        client.get("/logout/", follow_redirects=False)
        assert httpx.get(f"{replica}/courses/", cookies=copied).status_code == 302


def test_a_new_sign_in_ends_the_session_before(world: World) -> None:
    with world.client("ines") as client:
        copied = {SESSION: client.cookies[SESSION]}
        client.get(code_for(world, client, "ines", "/courses/"))
        assert client.get("/courses/").status_code == 200
        assert httpx.get(f"{world.url}/courses/", cookies=copied).status_code == 302


def test_a_sign_out_counts_here_at_once_and_everywhere_when_the_data_api_is_back(
    own_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "SIGN_OUT_RETRY_S", 0.05)
    with own_world.client("sofia") as client:
        copied = {SESSION: client.cookies[SESSION]}
        own_world.api.down = True
        client.get("/logout/", follow_redirects=False)
        assert httpx.get(f"{own_world.url}/courses/", cookies=copied).status_code == 302
        before = len(own_world.api.requests)
        own_world.api.down = False
        while not any("sign_outs" in path for path in own_world.api.requests[before:]):
            time.sleep(0.01)
        with served(insights.create_app(own_world.settings)) as replica:
            assert httpx.get(f"{replica}/courses/", cookies=copied).status_code == 302


def test_a_data_api_that_is_older_knows_of_no_sign_outs_and_signs_nobody_out(own_world: World) -> None:
    """Upgraded last: until then a sign-out counts where it was made."""
    with own_world.client("sofia") as client:
        copied = {SESSION: client.cookies[SESSION]}
        api = own_world.api
        api.down, api.paths, api.status, api.body = True, ("/sign_outs/",), 404, b'{"status": 404}'
        with served(insights.create_app(own_world.settings)) as replica:
            assert httpx.get(f"{replica}/definitions/", cookies=copied).status_code == 200
        client.get("/logout/", follow_redirects=False)
        assert httpx.get(f"{own_world.url}/definitions/", cookies=copied).status_code == 302


def test_while_nobody_knows_whether_a_session_was_ended_it_shows_nothing(own_world: World) -> None:
    with own_world.client("sofia") as client:
        copied = {SESSION: client.cookies[SESSION]}
        own_world.api.down = True
        with served(insights.create_app(own_world.settings)) as replica:
            page = httpx.get(f"{replica}/courses/{own_world.course_id}/", cookies=copied)
            assert page.status_code == 503
            assert "sofia" not in page.text
            assert own_world.campus.courses[0].name not in page.text


# --- Rights of staff ---


@pytest.fixture
def quick_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights of staff count for no time at all."""
    for name in ("RIGHTS_FRESH_S", "RIGHTS_LONGEST_S", "RIGHTS_RETRY_S"):
        monkeypatch.setattr(admission, name, 0.0)


def demote(world: World, username: str) -> None:
    person = next(p for p in world.campus.personas if p.username == username)
    for claim in ("global_staff", "superuser"):
        object.__setattr__(person, claim, False)


def test_rights_of_staff_are_asked_for_again_at_least_every_ten_minutes() -> None:
    assert admission.RIGHTS_LONGEST_S <= 600


@pytest.mark.usefixtures("quick_rights")
@pytest.mark.parametrize("persona", ["sofia", "marek"])
def test_withdrawn_rights_of_staff_end_without_a_new_sign_in(own_world: World, persona: str) -> None:
    address = f"/courses/{own_world.course_id}/"
    with own_world.client(persona) as client:
        copied = {SESSION: client.cookies[SESSION]}
        assert client.get(address).status_code == 200
        demote(own_world, persona)
        assert client.get(address).status_code == 403
        assert client.get("/courses/").status_code == 403
        assert httpx.get(own_world.url + address, cookies=copied).status_code == 403


@pytest.mark.usefixtures("quick_rights")
def test_staff_goes_on_for_hours_with_one_sign_in(own_world: World) -> None:
    with own_world.client("sofia") as client:
        for _ in range(4):
            assert client.get("/definitions/", follow_redirects=False).status_code == 200


@pytest.mark.usefixtures("quick_rights")
def test_staff_whose_rights_the_lms_does_not_tell_any_more_signs_in_again(own_world: World) -> None:
    with own_world.client("sofia") as client:
        own_world.lms.app.state.sign_in._refreshing.clear()  # noqa: SLF001 - tokens revoked at the LMS
        assert client.get("/definitions/", follow_redirects=False).status_code == 302
        assert client.get("/definitions/").url.path == "/definitions/"


@pytest.mark.usefixtures("quick_rights", "usual_time")
def test_staff_goes_on_while_the_lms_does_not_answer(own_world: World) -> None:
    with own_world.client("sofia") as client:
        own_world.lms.down = True
        for status, delay_s in ((503, 0.0), (200, 60.0)):
            own_world.lms.status, own_world.lms.delay_s = status, delay_s
            page = client.get(f"/courses/{own_world.course_id}/", timeout=10)
            assert page.status_code == 200


# --- Language ---


@pytest.mark.parametrize(
    ("chosen", "lang"), [("es-419", "es"), ("fr", "fr"), ("ar", "ar-EG"), ("tlh", "en-GB"), (None, "en-GB")]
)
def test_the_language_is_that_of_the_account(own_world: World, chosen: str | None, lang: str) -> None:
    campus = own_world.campus
    changed = tuple(replace(person, language=chosen) for person in campus.personas)
    object.__setattr__(campus, "personas", changed)
    with own_world.client("sofia") as client:
        assert f'<html lang="{lang}' in client.get("/courses/").text


# --- An LMS in trouble ---


def test_sign_in_says_when_the_lms_is_down(own_world: World) -> None:
    with own_world.client() as client:
        own_world.lms.down, own_world.lms.paths = True, ("access_token",)
        page = own_world.sign_in(client, "sofia")
        assert page.status_code == 503
        assert "does not answer" in page.text


@pytest.mark.usefixtures("usual_time")
def test_a_slow_lms_is_heard_to_the_end_and_a_reload_finds_the_person(own_world: World) -> None:
    with own_world.client() as client:
        client.timeout = httpx.Timeout(10)
        answer = code_for(own_world, client, "ines", "/definitions/")
        own_world.lms.slow, own_world.lms.paths, own_world.lms.delay_s = True, ("access_token",), 4.0
        page = client.get(answer)
        assert page.status_code == 503
        assert "does not answer" in page.text
        own_world.lms.slow = False
        for _ in range(4):
            page = client.get(answer)
        assert page.url.path == "/definitions/"


@pytest.mark.usefixtures("usual_time")
def test_an_lms_that_never_answers_costs_a_new_person_a_page_in_words(own_world: World) -> None:
    with own_world.client("ines") as client:
        own_world.lms.down, own_world.lms.paths, own_world.lms.delay_s = True, ("",), 60.0
        for path in ("/courses/", f"/courses/{own_world.course_id}/"):
            page = client.get(path, timeout=10)
            assert page.status_code in {200, 503}
            assert "Traceback" not in page.text
