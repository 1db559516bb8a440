"""The LMS's public keys: given as text, in a file or at an address (`lms.jwt_keys`), and renewed.

There is no default: an LMS does not serve its keys (spec 07 §1.1).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, RSAKey

from pharos.errors import ConfigurationError
from pharos.http_client import DeadlineClient

log = logging.getLogger(__name__)
SETTING = "lms.jwt_keys"
FRESH_S = 240.0  # older keys are read again, in the background
LONGEST_S = 300.0  # older ones are read again first: a withdrawn key is good for five minutes at most
AGAIN_S = 60.0  # between two readings because no key fits
FAILED_AGAIN_S = 10.0  # after a reading that failed
OUTAGE_S = 24 * 3600.0  # the last keys are good while they cannot be read
READ_S = 5.0  # longest time of one reading
FORMS = "a key set (JSON), a key (JSON or PEM), the path of a file with one of these, or its http(s) address"


class KeyRing:
    """The LMS's public keys. Callers get the keys in memory; one task at a time reads them anew.

    Keys in a file or text are read when the ring is made; unusable keys raise ConfigurationError.
    """

    def __init__(self, source: str) -> None:
        self._source = source.strip()
        self._keys: tuple[Key, ...] = ()
        self._read_at = self._tried_at = -float("inf")
        self._failed = False
        self._reading: asyncio.Task[None] | None = None
        self._is_text = self._source.startswith(("{", "[", "-----BEGIN"))
        self._is_address = "://" in self._source and not self._is_text
        if self._is_address:
            parts = urlsplit(self._source)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ConfigurationError(f"{SETTING}: {self._source} is no http(s) address; write {FORMS}")
            return
        try:
            self._take(self._source if self._is_text else Path(self._source).read_text("utf-8"))
        except OSError as error:
            raise ConfigurationError(
                f"{SETTING}: {self._source} cannot be read: {error.strerror or error}; write {FORMS}"
            ) from error
        except ValueError as error:
            place = "the text" if self._is_text else self._source
            raise ConfigurationError(f"{SETTING}: {place}: {error}; write {FORMS}") from error

    async def keys(self, patience_s: float = READ_S) -> tuple[Key, ...]:
        """The keys; empty if they were never read, or not for a day. Waits if they are too old."""
        age_s = time.monotonic() - self._read_at
        if age_s > FRESH_S and (reading := self._renewal()) is not None and age_s > LONGEST_S:
            await asyncio.wait({reading}, timeout=patience_s)
        return self._keys if time.monotonic() - self._read_at < OUTAGE_S else ()

    async def newer(self, tried: tuple[Key, ...], patience_s: float = READ_S) -> tuple[Key, ...]:
        """The keys after another reading, if they differ from `tried`; else an empty tuple."""
        if self._keys == tried and (reading := self._renewal()) is not None:
            await asyncio.wait({reading}, timeout=patience_s)
        return () if self._keys == tried else self._keys

    def _renewal(self) -> asyncio.Task[None] | None:
        """The running reading, begun now if it is due; else None."""
        if self._is_text:
            return None
        if self._reading is None or self._reading.done():
            pause_s = FAILED_AGAIN_S if self._failed else AGAIN_S
            if time.monotonic() - self._tried_at < pause_s:
                return None
            self._tried_at = time.monotonic()
            self._reading = asyncio.create_task(self._read())
        return self._reading

    async def _read(self) -> None:
        try:
            if self._is_address:
                async with DeadlineClient(READ_S) as http:
                    text = (await http.get(self._source)).raise_for_status().text
            else:
                text = await asyncio.to_thread(Path(self._source).read_text, "utf-8")
            self._take(text)
            self._failed = False
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            self._failed = True
            log.error(  # noqa: TRY400 - the reason is in the text; a trace says no more
                "%s: the keys of the LMS cannot be read from %s (%s); the last ones go on for a day",
                SETTING,
                self._source,
                str(error) or type(error).__name__,
            )

    def _take(self, text: str) -> None:
        keys = tuple(keys_in(text))
        if keys != self._keys:
            self._keys = keys
        self._read_at = time.monotonic()


def keys_in(text: str) -> list[Key]:
    """The signing keys of a text. Raises ValueError with the reason if the text is unusable."""
    text = text.strip("\ufeff \t\r\n")
    if text.startswith("-----BEGIN"):
        return [_from_pem(text)]
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError("is neither JSON nor PEM") from error
    found = value.get("keys", [value]) if isinstance(value, dict) else value
    if not isinstance(found, list) or not found:
        raise ValueError("holds no list of keys")
    if any(isinstance(item, dict) and item.get("kty") == "oct" for item in found):
        raise ValueError("holds a secret (oct) instead of a public key; secrets belong into lms.jwt_secret")
    keys, why = [], ""
    for number, item in enumerate(found, start=1):
        try:
            if (key := _from_json(item)) is not None:
                keys.append(key)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            why = f"key {number} cannot be used: {str(error) or type(error).__name__}"
    if not keys:
        raise ValueError(why or "holds no key that signs")
    return keys


def _from_json(item: Any) -> Key | None:
    """The key; None if no LMS signs with keys of this kind or use."""
    if not isinstance(item, dict) or not isinstance(item.get("kty"), str):
        raise ValueError("it names no key type (kty)")  # noqa: TRY004 - for people
    if item["kty"] not in {"RSA", "EC"} or item.get("use", "sig") != "sig":
        return None
    with warnings.catch_warnings():  # a short key is the LMS's choice
        warnings.simplefilter("ignore")
        key = JWKRegistry.import_key({name: value for name, value in item.items() if name != "key_ops"})
        _ = key.public_key if isinstance(key, RSAKey | ECKey) else None  # numbers that are none fail here
        return key


def _from_pem(text: str) -> Key:
    kinds: tuple[type[RSAKey | ECKey], ...] = (RSAKey, ECKey)
    for kind in kinds:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return kind.import_key(text)
        except (JoseError, ValueError, TypeError):
            continue
    raise ValueError("is PEM, but no RSA or EC key without a password")
