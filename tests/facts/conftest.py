"""Facts are tested from lines of a log, taken in as by the program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ibis
import pytest
from tests import lines

from pharos import config
from pharos.engine import Engine
from pharos.lake import schema
from pharos.lake.lake import Lake
from pharos.pipeline.facts import dated
from pharos.pipeline.ingestion import ingest_only

EventsOf = Callable[[list[str]], ibis.Table]


@pytest.fixture
def events_of(engine: Engine, tmp_path: Path) -> EventsOf:
    """`events_of(lines)` are the lake's events of a log with these lines, for the engine under test."""

    def read(log: list[str]) -> ibis.Table:
        settings = config.load(tmp_path / "home")
        ingest_only(settings, logs=[str(lines.write(tmp_path / "tracking.log", log))])
        files = Lake(settings.lake).events()
        return dated(engine.read(files, schema.EVENTS))

    return read
