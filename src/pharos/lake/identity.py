"""The id of a lake: random, made once, unchanged by a move or a restore. Stores record it."""

from __future__ import annotations

import re
import uuid

from pharos.lake.lake import Lake

NAME = "id"
_FORM = re.compile(r"[0-9a-f]{32}")


def identity(lake: Lake) -> str | None:
    """The id; None before the first run, or if its file is damaged."""
    try:
        text = lake.place.read(NAME).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if _FORM.fullmatch(text) else None


def identify(lake: Lake) -> str:
    """The id; made if it is missing. The lake must be locked. Raises LakeNotWritable."""
    known = identity(lake)
    if known is None:
        known = uuid.uuid4().hex
        put(lake, known)
    return known


def put(lake: Lake, id_: str) -> None:
    """Set the id: a copy gets the id of its original."""
    lake.place.put(NAME, f"{id_}\n".encode("ascii"))
