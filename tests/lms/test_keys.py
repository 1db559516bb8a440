"""The LMS's public keys: in which forms, read how often, and what is said of wrong ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Response
from joserfc.jwk import ECKey, Key, OctKey, RSAKey
from tests.apart import run

from pharos.errors import ConfigurationError
from pharos.lms import keys
from pharos.lms.keys import KeyRing, keys_in

ONE, TWO = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
SECRET = OctKey.import_key("a secret of the issuer, long enough")
PRIVATE_PEM, PUBLIC_PEM = (ONE.as_pem(private=private).decode() for private in (True, False))


def key_set(*members: Any) -> str:
    return json.dumps({"keys": [m.as_dict(private=False) if isinstance(m, Key) else m for m in members]})


def thumbprints(found: Any) -> list[str]:
    return [key.thumbprint() for key in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (key_set(ONE), [ONE]),
        (key_set(ONE, TWO), [ONE, TWO]),
        (f"\ufeff \n{key_set(ONE)}\n", [ONE]),
        (json.dumps(ONE.as_dict(private=False)), [ONE]),
        (json.dumps([TWO.as_dict(private=False)]), [TWO]),
        (json.dumps(ONE.as_dict(private=True)), [ONE]),
        (key_set(EC), [EC]),
        (PUBLIC_PEM, [ONE]),
        (PRIVATE_PEM, [ONE]),
        (EC.as_pem(private=False).decode(), [EC]),
        (key_set({"kty": "OKP", "crv": "Ed25519", "x": "AA"}, ONE, {"kty": "new"}), [ONE]),
        (key_set({**ONE.as_dict(private=False), "use": "enc"}, TWO), [TWO]),
        (key_set({"kty": "RSA", "n": "!!", "e": "AQAB"}, TWO), [TWO]),
    ],
)
def test_keys_are_found_in_every_form(text: str, expected: list[Key]) -> None:
    assert thumbprints(keys_in(text)) == thumbprints(expected)


WRONG = [
    "",
    "nonsense",
    "null",
    "7",
    '"text"',
    "{}",
    "[]",
    "[1]",
    '{"keys": 1}',
    '{"keys": []}',
    '{"keys": [{}]}',
    '{"keys": [{"kty": 7}]}',
    '{"keys": [{"kty": "RSA"}]}',
    '{"keys": [{"kty": "RSA", "n": "x", "e": 1}]}',
    '{"keys": [{"kty": "RSA", "n": "!!", "e": "AQAB"}]}',
    '{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}',
    '{"keys": [{"kty": "new"}]}',
    '{"keys": [null]}',
    '{"keys": {"kty": "RSA"}}',
    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    key_set(SECRET.as_dict(private=True)),
]


@pytest.mark.parametrize("text", WRONG)
def test_each_wrong_form_is_one_line_at_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(text)
    sources = [str(file)]
    if text.startswith(("{", "[", "-----")):
        sources.append(text)
    for source in sources:
        with pytest.raises(ConfigurationError) as error:
            KeyRing(source)
        [line] = str(error.value).splitlines()
        assert line.startswith("lms.jwt_keys: ")
        assert "write a key set (JSON)" in line


@pytest.mark.parametrize(
    "source", ["ftp://lms.example/keys", "https://", "file:///etc/keys.json", "missing.json", "/", "  "]
)
def test_what_is_neither_text_nor_file_nor_address_is_one_line(source: str) -> None:
    with pytest.raises(ConfigurationError, match=r"lms\.jwt_keys") as error:
        KeyRing(source)
    assert len(str(error.value).splitlines()) == 1


def test_a_secret_is_no_public_key() -> None:
    with pytest.raises(ValueError, match=r"lms\.jwt_secret"):
        keys_in(key_set(SECRET.as_dict(private=True), ONE))


class Published:
    """Keys at an address, and how often they were asked for."""

    def __init__(self) -> None:
        self.text, self.asked, self.delay_s = key_set(ONE), 0, 0.0
        self.app = FastAPI()
        self.app.add_api_route("/keys", self._answer)

    async def _answer(self) -> Response:
        self.asked += 1
        await asyncio.sleep(self.delay_s)
        return Response(self.text)


@pytest.fixture
def published() -> Published:
    return Published()


def test_keys_at_an_address_are_read_once_and_again_when_none_fits(
    published: Published, serve: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{serve(published.app)}/keys"

    async def scene() -> None:
        ring = KeyRing(address)
        first, again = await asyncio.gather(ring.keys(), ring.keys())
        assert thumbprints(first) == thumbprints(again) == thumbprints([ONE])
        published.text = key_set(TWO, ONE)
        for _ in range(50):
            assert await ring.newer(first) == ()  # not twice in a minute
        assert published.asked == 1
        monkeypatch.setattr(keys, "AGAIN_S", 0.0)
        assert thumbprints(await ring.newer(first)) == thumbprints([TWO, ONE])
        assert published.asked == 2

    run(scene())


def test_old_keys_go_on_while_new_ones_are_read_and_for_five_minutes_at_most(
    published: Published, serve: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{serve(published.app)}/keys"
    monkeypatch.setattr(keys, "AGAIN_S", 0.0)

    async def scene() -> None:
        ring = KeyRing(address)
        await ring.keys()
        published.text, published.delay_s = key_set(TWO), 0.2
        ring._read_at -= 250  # noqa: SLF001 - a clock that need not be waited for
        assert thumbprints(await ring.keys()) == thumbprints([ONE])
        ring._read_at -= 60  # noqa: SLF001 - a withdrawn key is not believed after five minutes
        assert thumbprints(await ring.keys()) == thumbprints([TWO])

    run(scene())


def test_an_address_that_never_answers_costs_one_waiting_time_and_no_key(
    published: Published, serve: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{serve(published.app)}/keys"
    monkeypatch.setattr(keys, "READ_S", 0.2)

    async def scene() -> None:
        ring = KeyRing(address)
        published.delay_s = 1.0
        answers = [await ring.keys(0.3) for _ in range(100)]
        assert set(answers) == {()}
        assert published.asked == 1

    run(scene())


def test_unreadable_keys_change_nothing_for_a_day(
    published: Published, serve: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{serve(published.app)}/keys"
    for name in ("AGAIN_S", "FAILED_AGAIN_S"):
        monkeypatch.setattr(keys, name, 0.0)

    async def scene() -> None:
        ring = KeyRing(address)
        await ring.keys()
        published.text = "<html>a proxy</html>"
        ring._read_at -= 400  # noqa: SLF001
        assert thumbprints(await ring.keys()) == thumbprints([ONE])
        ring._read_at -= 24 * 3600  # noqa: SLF001
        assert await ring.keys() == ()

    run(scene())


def test_a_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(key_set(ONE))

    async def scene() -> None:
        ring = KeyRing(str(file))
        old = await ring.keys()
        file.write_text(PUBLIC_PEM if thumbprints(old) != thumbprints([ONE]) else key_set(TWO))
        assert thumbprints(await ring.newer(old)) == thumbprints([TWO])

    run(scene())
