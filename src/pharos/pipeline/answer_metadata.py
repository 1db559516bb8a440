"""Texts about parts of problems, which events lack, from a file of the operator. `spec 02 §4.3`

One JSON object: id of a part -> object with the texts `problem_display_name`, `response_type` and `question`,
and the object `answer_value_id_map` from ids of choices to their texts. Values of another type are ignored.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import xxhash

from pharos.errors import ConfigurationError

SCHEMA = pa.schema(
    [
        ("part_id", pa.string()),
        ("problem_name", pa.string()),
        ("response_type", pa.string()),
        ("question", pa.string()),
        ("names", pa.string()),  # of choices by their ids, as JSON
    ]
)
_NAMES = {"problem_name": "problem_display_name", "response_type": "response_type", "question": "question"}


def read(path: Path | None) -> pa.Table:
    """The parts that the file describes; empty without a file. Raises ConfigurationError."""
    if path is None:
        return SCHEMA.empty_table()
    try:
        known = json.loads(_content(path))
    except ValueError as error:
        raise ConfigurationError(f"problems.answer_metadata: {path} is not JSON: {error}") from error
    if not isinstance(known, dict):
        raise ConfigurationError(f"problems.answer_metadata: {path} holds no object of parts by their ids")
    rows = [_row(part_id, part) for part_id, part in known.items() if isinstance(part, dict)]
    return pa.Table.from_pylist(rows, SCHEMA)


def fingerprint(path: Path | None) -> str:
    """A digest of the file's content; empty without a file. Raises ConfigurationError."""
    return "" if path is None else xxhash.xxh3_64_hexdigest(_content(path))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"problems.answer_metadata: {path}: {error.strerror}") from error


def _row(part_id: str, part: dict[str, Any]) -> dict[str, str | None]:
    names = part.get("answer_value_id_map")
    texts = {column: _text(part.get(name)) for column, name in _NAMES.items()}
    known = json.dumps(names) if isinstance(names, dict) else None
    return {"part_id": part_id, **texts, "names": known}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
