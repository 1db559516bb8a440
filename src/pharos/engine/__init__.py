"""DuckDB and Spark behind one small interface; the only room that names an engine."""

from __future__ import annotations

from pathlib import Path

from pharos.config import EngineSettings
from pharos.engine.base import Database, Engine
from pharos.engine.duckdb import DuckDBEngine
from pharos.engine.spark import SparkEngine

__all__ = ["Database", "Engine", "open_engine"]


def open_engine(settings: EngineSettings, scratch: Path) -> Engine:
    """The engine the settings name. `scratch` is a local folder for what does not fit into memory."""
    return SparkEngine(settings) if settings.name == "spark" else DuckDBEngine(settings, scratch)
