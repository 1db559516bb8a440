"""Whether everything the settings name can be reached, without changing anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from pharos.config import Settings
from pharos.errors import PharosError
from pharos.lake import logs
from pharos.result_store import store
from pharos.result_store.errors import StoreNotReady

SHORT_S = 5


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    is_good: bool
    text: str


def check(settings: Settings) -> list[Finding]:
    """A finding for every part of the settings."""
    return [*_home(settings), *_logs(settings), *_result_store(settings), *_lms(settings)]


def _home(settings: Settings) -> Iterator[Finding]:
    folder = settings.home
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    yield Finding(
        os.access(existing, os.W_OK),
        f"home {folder}: "
        + ("can be written" if os.access(existing, os.W_OK) else f"{existing} cannot be written"),
    )


def _logs(settings: Settings) -> Iterator[Finding]:
    if not settings.logs.sources:
        yield Finding(is_good=False, text="logs.sources: none named; `pharos run` needs --logs PATH then")
    for name, source in settings.logs.sources.items():
        try:
            files = logs.discover({name: source})
        except PharosError as error:
            yield Finding(is_good=False, text=f"logs.sources.{name}: {error}")
            continue
        unreadable = [file.path for file in files if not os.access(file.path, os.R_OK)]
        size_mb = sum(file.size for file in files) / 1e6
        yield Finding(
            bool(files) and not unreadable,
            f"logs.sources.{name}: {len(files)} files, {size_mb:,.1f} MB"
            + (f"; not readable for this user: {', '.join(map(str, unreadable[:5]))}" if unreadable else ""),
        )


def _result_store(settings: Settings) -> Iterator[Finding]:
    address = settings.store_url
    if address.startswith("sqlite:///") and not Path(address.removeprefix("sqlite:///")).exists():
        yield Finding(is_good=True, text="result_store: a new SQLite file; the first run creates it")
        return
    try:
        store.connect(address).dispose()
    except StoreNotReady as error:
        yield Finding(is_good=True, text=f"result_store: answers; {error}")
    except PharosError as error:
        yield Finding(is_good=False, text=f"result_store: {error}")
    else:
        yield Finding(is_good=True, text="result_store: answers and has this release's tables")


def _lms(settings: Settings) -> Iterator[Finding]:
    if settings.lms.url is None:
        yield Finding(
            is_good=True, text="lms.url: not named; logs can be computed without it, Insights needs it"
        )
        return
    try:
        answer = httpx.get(settings.lms.url, timeout=SHORT_S)
    except httpx.HTTPError as error:
        yield Finding(is_good=False, text=f"lms.url {settings.lms.url}: {error or type(error).__name__}")
    else:
        is_good = answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR
        yield Finding(is_good, f"lms.url {settings.lms.url}: answers with status {answer.status_code}")
