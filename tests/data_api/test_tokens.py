"""Tokens are made, listed, revoked, on every kind of store; in clear they are shown once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
import sqlalchemy as sa

from pharos.data_api.tokens import (
    NoSuchToken,
    TokenNameTaken,
    create_token,
    hashed,
    list_tokens,
    revoke_token,
)
from pharos.result_store import store
from pharos.result_store.tables import tokens


@pytest.fixture
def empty(store_url: str) -> Iterator[sa.Engine]:
    store.upgrade(store_url)
    engine = store.connect(store_url)
    yield engine
    engine.dispose()


def test_only_the_hash_is_kept(empty: sa.Engine) -> None:
    clear = create_token(empty, "insights")
    assert len(clear) == 40
    with empty.connect() as connection:
        row = connection.execute(sa.select(tokens)).mappings().one()
    assert clear not in str(dict(row))
    assert row["hash"] == hashed(clear)


def test_what_a_token_may_do_is_listed(empty: sa.Engine) -> None:
    expires = datetime(2999, 1, 1)
    create_token(empty, "a", courses=["x/y/z"], organizations=["Org"], learners=True, expires=expires)
    (token,) = list_tokens(empty)
    assert (token.name, token.courses, token.organizations) == (
        "a",
        frozenset({"x/y/z"}),
        frozenset({"Org"}),
    )
    assert (token.learners, token.expires, token.requests_per_minute) == (True, expires, None)
    assert token.is_valid(datetime(2998, 12, 31))
    assert not token.is_valid(expires)


def test_a_name_is_free_again_when_its_token_is_revoked(empty: sa.Engine) -> None:
    create_token(empty, "a")
    with pytest.raises(TokenNameTaken, match="valid token named 'a'"):
        create_token(empty, "a")
    revoke_token(empty, "a")
    with pytest.raises(NoSuchToken, match="no valid token named 'a'"):
        revoke_token(empty, "a")
    create_token(empty, "a")
    assert len(list_tokens(empty)) == 1
