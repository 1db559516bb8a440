"""Checks at the LMS: a row of each table, a token for each OAuth client, keys, courses, catalog."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from pharos.check.finding import Finding, fails, named, works
from pharos.config import LMS, Settings
from pharos.database_addresses import database_address
from pharos.engine import open_engine
from pharos.errors import ConfigurationError, PharosError
from pharos.lms.errors import LMSError
from pharos.lms.oauth import base_url, kind_of_token
from pharos.lms.tables import TABLES
from pharos.lms.tokens import Fault, TokenRefused, Tokens, checked_by, is_straight

WAIT_S = 10.0
CALLBACK = "/complete/edx-oauth2/"
LMS_SIDE = "; make the client again as docs/operations/install.md says"


class NoAnswer(Exception):
    """The LMS, or a proxy before it, gave an unusable answer; the text describes it."""


def database(settings: Settings) -> Iterator[Finding]:
    """A row of each table that is imported, with the columns that are imported."""
    if settings.lms.database is None:
        yield works("lms.database: not named; no demographics, grades and comparison of enrollments then")
        return
    failed = 0
    try:
        address = database_address(settings.lms.database.get_secret_value())
        with tempfile.TemporaryDirectory() as scratch:
            engine = open_engine(settings.engine, Path(scratch))
            try:
                with engine.database(address) as opened:
                    for table in TABLES.values():
                        try:
                            opened.probe(table.name, table.schema)
                        except LMSError as error:
                            failed += 1
                            yield fails(f"lms.database: {error}")
            finally:
                engine.close()
    except PharosError as error:
        yield fails(named("lms.database", error))
        return
    if not failed:
        yield works(f"lms.database: {address}: a row of each of {len(TABLES)} tables was read")


def site(settings: Settings) -> Iterator[Finding]:
    """The LMS answers at its address for this machine and at its address for browsers."""
    if settings.lms.url is None:
        yield works("lms.url: not named; logs can be computed without it, Insights needs it")
    else:
        yield _answers("lms.url", settings.lms.url)
    if settings.lms.public_url is not None:
        yield _answers("lms.public_url", settings.lms.public_url)


def _answers(setting: str, address: str) -> Finding:
    try:
        answer = _get(address)
    except NoAnswer as error:
        return fails(f"{setting}: {error}")
    is_good = answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR
    return Finding(is_good, f"{setting}: {address} answers with status {answer.status_code}")


def service_account(settings: Settings) -> Iterator[Finding]:
    """A token for `lms.client_id`, and with it a page of the course list and of a person's course ids."""
    lms = settings.lms
    if not lms.client_id:
        yield works("lms.client_id: not named; no titles and outlines of courses then")
        return
    if not lms.url:
        yield fails("lms.client_id: is of no use without lms.url, the address of the LMS")
        return
    try:
        token = _service_token(lms)
    except NoAnswer as error:
        yield fails(f"lms.client_id: {error}{LMS_SIDE}")
        return
    yield works("lms.client_id: the LMS gives a token")
    base = base_url(lms)
    try:
        listed = _first_page(f"{base}/api/courses/v1/courses/", token)
    except NoAnswer as error:
        yield fails(f"lms.url: the course list: {error}")
    else:
        yield Finding(bool(listed), f"lms.url: the course list {'can be read' if listed else 'is empty'}")
    try:
        asked = {"username": "pharos", "role": "staff", "page_size": "1"}
        answer = _get(f"{base}/api/courses/v1/course_ids/", token, **asked)
        if answer.status_code != httpx.codes.NOT_FOUND:  # 404: no such user; this is a valid answer, too
            _json(answer)
    except NoAnswer as error:
        yield fails(f"lms.client_id: may not ask who teaches which course: {error}; make it global staff")
    else:
        yield works("lms.client_id: may ask who teaches which course")


def tokens(settings: Settings) -> Iterator[Finding]:
    """A token of the LMS passes the checks of a sign-in: signature, issuer, audience, times."""
    lms = settings.lms
    if not lms.url or not (settings.insights.client_id or lms.jwt_keys):
        return
    try:
        how, checks = checked_by(lms), Tokens(lms, lms.jwt_audience)
        if not lms.client_id:
            yield works(f"lms.jwt_keys: tokens are {how}; tried only with a service account (lms.client_id)")
            return
        token = _service_token(lms, kind_of_token(lms))
        if is_straight(lms):
            checks.straight(token)
        else:
            asyncio.run(checks.claims(token))
    except ConfigurationError as error:
        yield fails(str(error))
    except TokenRefused as error:
        setting = {Fault.ISSUER: "lms.jwt_issuer", Fault.AUDIENCE: "lms.jwt_audience"}.get(
            error.fault, "lms.jwt_keys"
        )
        yield fails(f"{setting}: {error}")
    except NoAnswer:
        return  # told of the service account
    else:
        yield works(f"lms.jwt_keys: a token of the LMS is {how}, and good")


def sign_in(settings: Settings) -> Iterator[Finding]:
    """The LMS accepts Insights' client id and secret: it refuses only the invented code."""
    ours, lms = settings.insights, settings.lms
    if not ours.client_id:
        yield works("insights.client_id: not named; nobody can sign in to Insights then")
        return
    if not lms.url:
        yield fails("insights.client_id: is of no use without lms.url, the address of the LMS")
        return
    form = {
        "grant_type": "authorization_code",
        "code": "pharos-check",
        "redirect_uri": f"{ours.url.rstrip('/')}{CALLBACK}",
        "client_id": ours.client_id,
        "client_secret": ours.client_secret.get_secret_value() if ours.client_secret else "",
    }
    try:
        answer = _post(f"{base_url(lms)}/oauth2/access_token", form)
        error = _error_of(answer)
    except NoAnswer as problem:
        yield fails(f"insights.client_id: {problem}")
        return
    if error == "invalid_grant":
        yield works("insights.client_id: the LMS knows this client and its secret")
    else:
        yield fails(f"insights.client_id: the LMS says {error or answer.status_code}{LMS_SIDE}")


def catalog(settings: Settings) -> Iterator[Finding]:
    """The catalog returns a course run."""
    lms = settings.lms
    if not lms.catalog_url:
        return
    if not lms.url or not lms.client_id:
        yield fails("lms.catalog_url: is read with lms.url and lms.client_id, which are not both named")
        return
    try:
        token = _service_token(lms)
        _first_page(f"{lms.catalog_url.rstrip('/')}/course_runs/", token)
    except NoAnswer as error:
        yield fails(f"lms.catalog_url: {error}")
    else:
        yield works("lms.catalog_url: lists course runs")


def _service_token(lms: LMS, kind: Mapping[str, str] | None = None) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": lms.client_id or "",
        "client_secret": lms.client_secret.get_secret_value() if lms.client_secret else "",
    }
    answer = _post(f"{base_url(lms)}/oauth2/access_token", {**form, **(kind or {"token_type": "jwt"})})
    token = _json(answer).get("access_token") if answer.is_success else None
    if not isinstance(token, str) or not token:
        raise NoAnswer(f"the LMS gives no token ({_error_of(answer) or answer.status_code})")
    return token


def _first_page(address: str, token: str) -> list[Any]:
    """The first page of a list, of one item."""
    found = _json(_get(address, token, page_size="1")).get("results")
    if not isinstance(found, list):
        raise NoAnswer("the answer is no list")
    return found


def _get(address: str, token: str | None = None, **parameters: str) -> httpx.Response:
    headers = {"Authorization": f"JWT {token}"} if token else {}
    try:
        return httpx.get(address, params=parameters or None, headers=headers, timeout=WAIT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoAnswer(f"{address}: {error or type(error).__name__}") from error


def _post(address: str, form: dict[str, str]) -> httpx.Response:
    try:
        return httpx.post(address, data=form, timeout=WAIT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoAnswer(f"{address}: {error or type(error).__name__}") from error


def _json(answer: httpx.Response) -> dict[str, Any]:
    """The object of a good answer."""
    if not answer.is_success:
        raise NoAnswer(f"status {answer.status_code}")
    try:
        found = answer.json()
    except ValueError as error:
        raise NoAnswer("the answer is no JSON") from error
    if not isinstance(found, dict):
        raise NoAnswer("the answer is no object")
    return found


def _error_of(answer: httpx.Response) -> str:
    """The error code of an answer by RFC 6749 5.2; empty if it has none."""
    try:
        found = answer.json()
    except ValueError:
        return ""
    return str(found.get("error") or "") if isinstance(found, dict) else ""
