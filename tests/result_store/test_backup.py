from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from pharos.result_store import store, tables
from pharos.result_store.backup import copy_store
from pharos.result_store.errors import StoreUnreachable


def test_a_copy_is_of_one_moment_while_somebody_writes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    store.upgrade(url)
    engine = store.connect(url)
    row = {"target_table": "t"}
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.table_updates).values(update_id="before", **row))
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.table_updates).values(update_id="meanwhile", **row))
        assert copy_store(url, tmp_path / "copy.sqlite")
    engine.dispose()
    with sqlite3.connect(tmp_path / "copy.sqlite") as copy:
        assert copy.execute("SELECT update_id FROM table_updates").fetchall() == [("before",)]
    copy.close()
    store.connect(f"sqlite:///{tmp_path / 'copy.sqlite'}").dispose()


def test_a_server_is_left_to_its_own_tools(tmp_path: Path) -> None:
    assert not copy_store("mysql+pymysql://user@127.0.0.1/reports", tmp_path / "copy.sqlite")
    assert not (tmp_path / "copy.sqlite").exists()


def test_no_store_is_made_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="copied"):
        copy_store(f"sqlite:///{tmp_path / 'none.sqlite'}", tmp_path / "copy.sqlite")
    assert not (tmp_path / "none.sqlite").exists()
