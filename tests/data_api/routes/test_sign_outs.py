"""Sessions of Insights that were ended: known everywhere, and forgotten when they would be over."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from tests.data_api.conftest import TOKEN_OF_ONE_COURSE, TOKEN_OF_ONE_ORGANISATION

from pharos.config import ResultStoreSettings, Settings
from pharos.data_api.app import create_app
from pharos.data_api.tokens import create_token
from pharos.result_store import store
from pharos.result_store.tables import sign_outs

SESSION, OTHER = "AbCdEf-_0123456789abcd", "abcdef-_0123456789abcd"
PATH = f"/api/v1/sign_outs/{SESSION}/"


def in_an_hour() -> dict[str, int]:
    return {"until": int(time.time()) + 3600}


def test_a_session_is_signed_out_once_it_is_told(store_url: str, serve: Callable[[Any], str]) -> None:
    """On every database; ids that differ in case only are two."""
    store.upgrade(store_url)
    engine = store.connect(store_url)
    token = create_token(engine, "insights")
    engine.dispose()
    app = create_app(Settings(result_store=ResultStoreSettings(url=store_url)))
    with httpx.Client(base_url=serve(app), headers={"Authorization": f"Token {token}"}) as api:
        assert api.get(PATH).json() == {"signed_out": False}
        for _ in range(2):
            assert api.put(PATH, json=in_an_hour()).status_code == 204
        assert api.get(PATH).json() == {"signed_out": True}
        assert api.get(PATH.replace(SESSION, OTHER)).json() == {"signed_out": False}


def test_sessions_that_would_be_over_are_forgotten(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    past = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=1)
    with engine.begin() as connection:
        connection.execute(sa.insert(sign_outs).values(session=OTHER, until=past))
    api = serve_api()
    assert api.put(PATH, json={"until": 10**18}).status_code == 204
    with engine.connect() as connection:
        [(session, until)] = connection.execute(sa.select(sign_outs)).all()
    assert session == SESSION
    assert until < datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1, minutes=1)


@pytest.mark.parametrize("token", ["", TOKEN_OF_ONE_COURSE, TOKEN_OF_ONE_ORGANISATION, "x" * 40])
def test_it_is_for_a_token_that_reads_everything(api: httpx.Client, token: str) -> None:
    headers = {"Authorization": f"Token {token}" if token else ""}
    for answer in (api.get(PATH, headers=headers), api.put(PATH, headers=headers, json=in_an_hour())):
        assert answer.status_code in {401, 403}
    assert api.get(PATH).json() == {"signed_out": False}


@pytest.mark.parametrize(
    "session", ["short", "a" * 65, "with.a.dot.in.it.and.long", "%2e%2e%2fetc%2fpasswd%2f"]
)
def test_only_ids_of_sessions_are_taken(api: httpx.Client, session: str) -> None:
    assert api.put(f"/api/v1/sign_outs/{session}/", json=in_an_hour()).status_code in {400, 404}


@pytest.mark.parametrize("body", [{}, {"until": "x"}, [], {"until": None}])
def test_a_body_without_a_time_is_refused(api: httpx.Client, body: object) -> None:
    assert api.put(PATH, json=body).status_code == 400


def test_it_is_no_part_of_the_documented_api(api: httpx.Client) -> None:
    assert "sign_outs" not in api.get("/openapi.json").text
