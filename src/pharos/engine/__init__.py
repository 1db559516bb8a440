"""DuckDB and Spark behind one small interface; the only room that names an engine."""

from __future__ import annotations

from pathlib import Path

from pharos.config import EngineSettings
from pharos.engine.base import Database, Engine, Workers
from pharos.engine.processes import Processes

__all__ = ["Database", "Engine", "Workers", "open_engine", "open_workers"]


def open_engine(settings: EngineSettings, scratch: Path) -> Engine:
    """The engine the settings name. `scratch` is a local folder for what does not fit into memory."""
    if settings.name == "spark":
        from pharos.engine.spark import SparkEngine  # noqa: PLC0415 - only the chosen engine is loaded

        return SparkEngine(settings)
    from pharos.engine.duckdb import DuckDBEngine  # noqa: PLC0415

    return DuckDBEngine(settings, scratch)


def open_workers(settings: EngineSettings, scratch: Path) -> Workers:
    """What spreads work as `open_engine` would, without loading an engine where that can be done without."""
    return open_engine(settings, scratch) if settings.name == "spark" else Processes(settings.threads)
