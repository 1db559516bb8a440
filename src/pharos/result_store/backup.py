"""A copy of a Result Store that is a file, made while it is in use. Servers have tools of their own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from pharos.result_store.errors import StoreUnreachable


def copy_store(url: str, target: Path) -> bool:
    """Copy a store in a SQLite file to `target`, as it is at one moment; False for any other database.

    Raises StoreUnreachable if the file is missing or cannot be copied.
    """
    address = make_url(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        return False
    part = target.with_name(f".{target.name}.tmp")
    part.unlink(missing_ok=True)
    try:
        with (
            closing(
                sqlite3.connect(f"{Path(address.database).absolute().as_uri()}?mode=ro", uri=True)
            ) as store,
            closing(sqlite3.connect(part)) as copy,
        ):
            store.backup(copy)
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise StoreUnreachable(url, f"it cannot be copied to {target} ({error})") from error
    return True
