"""Attacks on the sign-in, over real HTTP: each is refused with a page in words, and signs nobody in.

The LMS is the stand-in at its defaults; what it signs with is set in Insights. The attacker may answer in its
place, or be a browser, or have copied something from one.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey
from tests.insights.test_sign_in import SESSION, by_keys, callback, code_for
from tests.insights.world import World, fill, world_of
from tests.lms.test_tokens import part

from pharos.demo.lms_sign_in import SignIn
from pharos.insights.sessions import Attempts, Session, Sessions
from pharos.lms.oauth import Person, SignedIn

THEIRS = RSAKey.generate_key(2048)
Forger = Callable[[World], str]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("attacked"), fill, lms_settings=by_keys) as running:
        yield running


def refused(page: httpx.Response) -> None:
    """In words, without a session, a trace or anybody's name."""
    assert page.status_code == 401
    assert "Sign in again" in page.text
    assert "Traceback" not in page.text
    assert not any(SESSION in cookie for cookie in page.headers.get_list("set-cookie"))


def nobody_is_signed_in(world: World, client: httpx.Client) -> None:
    assert client.get(f"{world.url}/courses/", follow_redirects=False).status_code == 302


# --- False tokens in the place of the LMS's ---


def claims(world: World, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {
        "iss": f"{world.lms_url}/oauth2",
        "aud": "openedx",
        "iat": now,
        "exp": now + 3600,
        "preferred_username": "sofia",
        "administrator": True,
        "superuser": True,
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def lms_of(world: World) -> SignIn:
    sign_in: SignIn = world.lms.app.state.sign_in
    return sign_in


def signed(
    key: Key | None = None, algorithm: str = "RS512", head: dict[str, Any] | None = None, **changes: Any
) -> Forger:
    """Signed with a key, by default that of the LMS."""

    def forge(world: World) -> str:
        header = {"alg": algorithm, **(head or {})}
        return jwt.encode(header, claims(world, **changes), key or lms_of(world).keys[0], [algorithm])

    return forge


def by_public_key(algorithm: str, form: str) -> Forger:
    """With the public key as the secret of an HMAC."""

    def forge(world: World) -> str:
        key = lms_of(world).keys[0]
        secret = {
            "pem": key.as_pem(private=False),
            "der": key.as_der(private=False),
            "jwk": json.dumps(key.as_dict(private=False)).encode(),
            "set": lms_of(world).public_keys.encode(),
            "n": str(key.as_dict(private=False)["n"]).encode(),
        }[form]
        text = f"{part({'alg': algorithm})}.{part(claims(world))}"  # by hand: no library does this
        return f"{text}.{part(hmac.digest(secret, text.encode(), algorithm.replace('HS', 'sha')))}"

    return forge


def raw(header: object, *, signature: bytes = b"", **changes: Any) -> Forger:
    return lambda world: f"{part(header)}.{part(claims(world, **changes))}.{part(signature)}"


def changed(change: Callable[[list[str], World], list[str]]) -> Forger:
    """A good token of the LMS for somebody else, whose parts are changed."""

    def forge(world: World) -> str:
        good = signed(preferred_username="lena", administrator=False, superuser=False)(world)
        return ".".join(change(good.split("."), world))

    return forge


TOKENS: dict[str, Forger] = {
    **{f"unsigned {name}": raw({"alg": name, "typ": "JWT"}) for name in ("none", "None", "NONE", "nOnE", "")},
    **{f"a signature of nothing {name}": raw({"alg": name}) for name in ("RS512", "RS256", "HS256", "ES256")},
    "no algorithm": raw({"typ": "JWT"}),
    "two algorithms": raw({"alg": ["RS512", "none"]}),
    **{
        f"public key as secret {algorithm} {form}": by_public_key(algorithm, form)
        for algorithm in ("HS256", "HS512")
        for form in ("pem", "der", "jwk", "set", "n")
    },
    "another key": signed(THEIRS),
    "another key that names itself": signed(THEIRS, head={"jwk": THEIRS.as_dict(private=False)}),
    "another key at an address": signed(THEIRS, head={"jku": "https://evil.example/jwks"}),
    "another key in a certificate": signed(THEIRS, head={"x5u": "https://evil.example/cert"}),
    "another key by a name of the LMS": signed(THEIRS, head={"kid": "openedx"}),
    "another kind of key": signed(ECKey.generate_key("P-256"), "ES256"),
    "key id of a file": signed(OctKey.import_key("\0" * 32), "HS256", {"kid": "/dev/null"}),
    "key id of a path": signed(OctKey.import_key("a" * 32), "HS256", {"kid": "../../jwks.json"}),
    "key id of a query": signed(OctKey.import_key("a" * 32), "HS256", {"kid": "x' UNION SELECT 'a"}),
    "the secret of the LMS where keys are set": lambda world: jwt.encode(
        {"alg": "HS256"}, claims(world), OctKey.import_key(lms_of(world).secret), ["HS256"]
    ),
    "other claims below a good signature": changed(lambda p, world: [p[0], part(claims(world)), p[2]]),
    "a signature cut off": changed(lambda p, _: [p[0], p[1], ""]),
    "a signature cut short": changed(lambda p, _: [p[0], p[1], p[2][:-8]]),
    "a signature turned round": changed(lambda p, _: [p[0], p[1], p[2][::-1]]),
    "a fourth part": changed(lambda p, _: [*p, "x"]),
    "an unencoded payload": changed(
        lambda p, _: [part({"alg": "RS512", "b64": False, "crit": ["b64"]}), p[1], p[2]]
    ),
    "encrypted": lambda _: f"{part({'alg': 'dir', 'enc': 'A256GCM'})}.x.x.x.x",
    "expired": signed(exp=int(time.time()) - 1),
    "expired long ago": signed(iat=1, exp=2),
    "without an end": signed(exp=None),
    "with an end that is text": signed(exp="9999999999"),
    "without an end that ends": signed(exp=float("inf")),
    "of the future": signed(iat=int(time.time()) + 36_000, exp=int(time.time()) + 72_000),
    "not valid before": signed(nbf=int(time.time()) + 36_000),
    "without a beginning": signed(iat=None),
    "of another LMS": signed(iss="https://lms.evil.example/oauth2"),
    "of an issuer that begins as ours": lambda world: signed(iss=f"{world.lms_url}/oauth2.evil.example")(
        world
    ),
    "of no issuer": signed(iss=None),
    "for another service": signed(aud="credentials"),
    "for nobody": signed(aud=None),
    "for a list without us": signed(aud=["credentials", "discovery"]),
    "for no person": signed(preferred_username=""),
    "for a person that is no text": signed(preferred_username=["sofia"]),
    "opaque": lambda _: "0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c",
    "nothing": lambda _: "",
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_false_token_signs_nobody_in(attacked: World, name: str) -> None:
    with attacked.client() as client:
        back = code_for(attacked, client, "lena", "/courses/")
        attacked.lms.down, attacked.lms.paths, attacked.lms.status = True, ("access_token",), 200
        attacked.lms.body = json.dumps({"access_token": TOKENS[name](attacked), "token_type": "JWT"}).encode()
        try:
            refused(client.get(back))
            nobody_is_signed_in(attacked, client)
        finally:
            attacked.lms.down = False


def test_the_attacks_would_succeed_with_a_good_token(attacked: World) -> None:
    """Else those above would be refused for another reason."""
    with attacked.client() as client:
        back = code_for(attacked, client, "lena", "/definitions/")
        attacked.lms.down, attacked.lms.paths, attacked.lms.status = True, ("access_token",), 200
        attacked.lms.body = json.dumps({"access_token": signed()(attacked)}).encode()
        try:
            assert client.get(back).status_code == 200
        finally:
            attacked.lms.down = False


# --- False answers to a sign-in ---


def without(name: str) -> Callable[[str, World], str]:
    def change(address: str, _: World) -> str:
        query = {key: values for key, values in parse_qs(urlsplit(address).query).items() if key != name}
        return f"{address.partition('?')[0]}?{httpx.QueryParams(query)}"

    return change


def state_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


def with_state(make: Callable[[str], str]) -> Callable[[str, World], str]:
    def change(address: str, world: World) -> str:
        return f"{without('state')(address, world)}&{httpx.QueryParams({'state': make(state_of(address))})}"

    return change


ANSWERS: dict[str, Callable[[str, World], str]] = {
    "no state": without("state"),
    "no code": without("code"),
    "an invented code": lambda address, world: f"{without('code')(address, world)}&code=invented",
    "an empty state": with_state(lambda _: ""),
    "a state cut short": with_state(lambda state: state[:-4]),
    "a state with more": with_state(lambda state: state + "x"),
    "a state with a bit changed": with_state(lambda s: s[:30] + ("A" if s[30] != "A" else "B") + s[31:]),
    "a state in other letters": with_state(str.swapcase),
    "a state of nothing": with_state(lambda _: part({"page": "/courses/", "browser": ""})),
    "a state with a zero": with_state(lambda _: "\0"),
    "a state of a megabyte": with_state(lambda _: "A" * 30_000),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_false_answer_signs_nobody_in(attacked: World, name: str) -> None:
    with attacked.client() as client:
        refused(client.get(ANSWERS[name](code_for(attacked, client, "lena", "/courses/"), attacked)))
        nobody_is_signed_in(attacked, client)


def test_a_code_stolen_from_another_sign_in_is_useless(attacked: World) -> None:
    """PKCE: the code of the one was asked for with the challenge of the one."""
    with attacked.client() as attacker, attacked.client() as victim:
        stolen = parse_qs(urlsplit(code_for(attacked, victim, "sofia", "/courses/")).query)["code"][0]
        refused(attacker.get(callback(attacked, attacker, "/courses/", code=stolen)))
        nobody_is_signed_in(attacked, attacker)


def test_a_sign_in_fixed_by_an_attacker_signs_the_victim_in_as_nobody(attacked: World) -> None:
    with attacked.client() as attacker, attacked.client() as victim:
        trap = code_for(attacked, attacker, "tomas", "/courses/")
        attacked.lms.requests.clear()
        refused(victim.get(trap))
        victim.get("/login/edx-oauth2/", follow_redirects=False)
        refused(victim.get(trap))
        assert "/oauth2/access_token" not in attacked.lms.requests  # PKCE would be the second line
        nobody_is_signed_in(attacked, victim)


def test_an_answer_replayed_in_another_browser_or_after_signing_out_is_useless(attacked: World) -> None:
    with attacked.client() as client, attacked.client() as other:
        back = code_for(attacked, client, "ines", "/courses/")
        client.get(back)
        refused(other.get(back))
        client.post("/logout/", follow_redirects=False)
        refused(client.get(back))
        nobody_is_signed_in(attacked, client)


def test_a_trap_does_not_end_the_session_of_who_walks_into_it(attacked: World) -> None:
    with attacked.client() as attacker, attacked.client("ines") as victim:
        refused(victim.get(code_for(attacked, attacker, "tomas", "/courses/")))
        assert "ines" in victim.get("/courses/").text


TARGETS = [
    *("https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example"),
    *(
        "http:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/\r\nSet-Cookie: a=b",
        "/\t/evil.example",
    ),
    *("@evil.example", ".evil.example", " //evil.example", "/\x0b/evil.example", "%2f%2fevil.example", "?x"),
]


@pytest.mark.parametrize("target", TARGETS)
def test_no_way_back_leads_elsewhere(attacked: World, target: str) -> None:
    with attacked.client() as client:
        answer = client.get(code_for(attacked, client, "ines", target), follow_redirects=False)
        assert answer.headers["location"] == "/courses/"
        again = client.get("/logout_then_login/", params={"next": target}, follow_redirects=False)
        assert again.headers["location"] == "/login/?next=%2Fcourses%2F"
        assert "a=b" not in str(again.headers)


# --- False sessions ---


def of_sofia(**changes: Any) -> Session:
    person = Person("sofia", 2, "", "", None, staff=True, superuser=True)
    session = Session.of(SignedIn(person, None))
    return Session(**{**vars(session), **changes})


def sealed(session: Session, key: str) -> str:
    answer = httpx.Response(200)

    class Writer:
        def set_cookie(self, name: str, value: str, **_: Any) -> None:
            answer.headers[name] = value

    Sessions(key, https=False).write(Writer(), session)  # type: ignore[arg-type]
    return answer.headers[SESSION]


def key_of(world: World) -> str:
    key = world.settings.insights.secret_key
    assert key is not None
    return key.get_secret_value()


def a_state(world: World) -> str:
    request = httpx.Request("GET", world.url)
    request.cookies = {}  # type: ignore[attr-defined]
    return Attempts(key_of(world), https=False).begin(request, "/")[0].state  # type: ignore[arg-type]


COOKIES: dict[str, Callable[[World], str]] = {
    "of another key": lambda _: sealed(of_sofia(), "another key, as long as it has to be"),
    "of half a day ago": lambda world: sealed(of_sofia(began=time.time() - 13 * 3600), key_of(world)),
    "staff asked long ago, without a way to ask again": lambda world: sealed(
        of_sofia(asked=time.time() - 601), key_of(world)
    ),
    "staff asked long ago, with a false refresh token": lambda world: sealed(
        of_sofia(asked=time.time() - 601, refresh_token="invented"), key_of(world)
    ),
    "a state for a session": a_state,
    "plain JSON": lambda _: json.dumps({"viewer": {"username": "sofia", "global_staff": True}}),
    "a name": lambda _: "sofia",
}


@pytest.mark.parametrize("name", COOKIES)
def test_a_false_session_shows_nothing(attacked: World, name: str) -> None:
    cookie = COOKIES[name](attacked)
    for path in ("/courses/", f"/courses/{attacked.course_id}/", "/definitions/"):
        answer = httpx.get(attacked.url + path, headers={"Cookie": f"{SESSION}={cookie}"})
        assert answer.status_code == 302, path
        assert answer.headers["location"].startswith("/login/?next=")


def test_a_session_as_insights_writes_it_would_be_believed(attacked: World) -> None:
    """Else the cookies above would be refused for another reason."""
    cookie = sealed(of_sofia(), key_of(attacked))
    assert httpx.get(f"{attacked.url}/definitions/", cookies={SESSION: cookie}).status_code == 200
