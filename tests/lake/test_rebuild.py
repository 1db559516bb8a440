"""The lake loses nothing: each row gives back the object that stood in the log."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lake.place import Place
from tests.lake.strategies import any_objects, objects

from pharos.engine import Engine
from pharos.lake.rebuild import original

events = objects.map(lambda value: json.dumps(value).encode()) | any_objects


@settings(max_examples=100, deadline=None)
@given(drawn=st.lists(events, min_size=1, max_size=15))
def test_each_row_gives_back_the_object_that_was_written(embedded: Engine, drawn: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "lake", embedded)
        (Path(folder) / "tracking.log").write_bytes(b"\n".join(drawn) + b"\n")
        place.read(Path(folder) / "tracking.log")
        for row in place.events():
            assert written(original(row)) == written(json.loads(drawn[row["line"] - 1]))


def written(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
