"""DuckDB and Spark behind one small interface; the only room that names an engine."""

from __future__ import annotations

from pathlib import Path

from pharos.config import EngineSettings
from pharos.engine.base import Database, Engine, Workers
from pharos.engine.processes import Processes

__all__ = ["Database", "Engine", "Workers", "open_engine", "open_workers"]


def open_engine(settings: EngineSettings, scratch: Path) -> Engine:
    """Open the engine that `engine.name` chooses: DuckDB or Spark.

    `scratch` is a local folder for data that does not fit into memory. Only the library of the chosen engine
    is loaded.
    """
    if settings.name == "spark":
        from pharos.engine.spark import SparkEngine  # noqa: PLC0415 - only the chosen engine is loaded

        return SparkEngine(settings)
    from pharos.engine.duckdb import DuckDBEngine  # noqa: PLC0415

    return DuckDBEngine(settings, scratch)


def open_workers(settings: EngineSettings, scratch: Path) -> Workers:
    """Open the workers of the chosen engine: Spark itself, or local processes without loading DuckDB."""
    return open_engine(settings, scratch) if settings.name == "spark" else Processes(settings.threads)
