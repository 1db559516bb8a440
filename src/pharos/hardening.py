"""Finds settings that would leave a service open: services refuse to start with them, `pharos check` lists
them.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from pharos import config
from pharos.config import Settings
from pharos.errors import ConfigurationError

SHORTEST_KEY = 32  # characters; 128 bits as hexadecimal digits, the least that cannot be guessed
OTHERS = stat.S_IRWXO


def strong(settings: Settings, file: Path | None) -> Settings:
    """The settings, read from this file, if none is weak. Raises ConfigurationError."""
    if weak := weak_settings(settings, file):
        raise ConfigurationError(*weak)
    return settings


def weak_settings(settings: Settings, file: Path | None) -> list[str]:
    """A line for each weak setting: its name, the reason and the remedy. Empty if there is none.

    `file` is the file of the settings, if there is one. Raises ConfigurationError if it is missing.
    """
    return [
        *_keys({
            "insights.secret_key": settings.insights.secret_key,
            "data_api.secret_key": settings.data_api.secret_key,
            "privacy.key": settings.privacy.key,
        }),
        *_origins(settings.data_api.cors_origins),
        *_plain_http(settings),
        *_readable_secrets(file),
    ]  # fmt: skip


def _keys(keys: dict[str, SecretStr | None]) -> Iterator[str]:
    known = {name: key.get_secret_value() for name, key in keys.items() if key is not None}
    for name, key in known.items():
        if len(key) < SHORTEST_KEY:
            yield (
                f"{name}: has {len(key)} characters and can be guessed; "
                f"take {SHORTEST_KEY} or more (openssl rand -hex 32)"
            )
    if len(set(known.values())) < len(known):
        yield f"{' and '.join(known)}: are the same; give each a key of its own (openssl rand -hex 32)"


def _origins(origins: list[str]) -> Iterator[str]:
    for origin in ("*", "null"):  # any site can make a frame whose origin is `null`
        if origin in origins:
            yield (
                f"data_api.cors_origins: '{origin}' lets every web site ask the Data API as the person who "
                "visits it; name the origins that may"
            )


def _plain_http(settings: Settings) -> Iterator[str]:
    url = urlsplit(settings.insights.url)
    if (
        url.scheme != "https"
        and not _is_this_machine(url.hostname or "")
        and not settings.insights.plain_http
    ):
        yield (
            f"insights.url: {settings.insights.url} sends session cookies unencrypted; put TLS in front and "
            "write https://, or say insights.plain_http: true for a trial"
        )


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761: names of this machine


def _readable_secrets(file: Path | None) -> Iterator[str]:
    """A mistake if the settings file has secrets and everybody on the host can read it."""
    keys = config.secrets_in(file)
    if file is None or not keys:
        return
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & OTHERS:
        yield (
            f"{file}: everybody on this host may read {', '.join(keys)} (mode {mode:o}); "
            "chmod 640, or move secrets into the environment"
        )
