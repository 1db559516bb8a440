"""DuckDB and Spark behind one small interface; the only room that names an engine."""
