"""Answers of small logs with right values beside them, and of a real one, on both engines. `spec 02`"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.conformance.naive_answers import distribution
from tests.conftest import one_on_spark
from tests.pipeline.conftest import computing

from pharos import config
from pharos.config import EngineSettings
from pharos.pipeline.run import run_pipeline

Rows = list[tuple[Any, ...]]
COLUMNS = (
    "part_id", "value_id", "answer_value_text", "answer_value_numeric", "correct", "first_response_count",
    "last_response_count",
)  # fmt: skip


def published(home: Path, engine: EngineSettings, log: Path, until: datetime, *names: str) -> Rows:
    """The answers of a log, in these columns, in order."""
    with computing("answer_distribution"):
        run_pipeline(config.load(home, engine=engine.model_dump()), logs=[str(log)], until=until)
    database = sa.create_engine(f"sqlite:///{home / 'result_store.sqlite'}")
    with database.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT {', '.join(names)} FROM answer_distribution").all()  # noqa: S608
    database.dispose()
    return sorted((tuple(row) for row in found), key=repr)


EXPECTED: dict[str, Rows] = {
    "answers-first-and-last": [
        ("aaa_2_1", "choice_0", "Red", None, 0, 1, 0),
        ("aaa_2_1", "choice_1", "Green", None, 1, 1, 1),
        ("aaa_2_1", "choice_2", "Blue", None, 0, 0, 1),
    ],
    "answers-several-parts": [
        ("aaa_2_1", "choice_0", "Red", None, 0, 1, 1),
        ("aaa_3_1", "[choice_0|choice_2]", "[A|C]", None, 1, 1, 1),
        ("aaa_4_1", None, "3.50", 3.5, 1, 1, 1),
    ],
}


@pytest.mark.parametrize(("engine_settings", "name"), one_on_spark(EXPECTED), indirect=["engine_settings"])
def test_small_logs(shared_data: Path, engine_settings: EngineSettings, tmp_path: Path, name: str) -> None:
    log = shared_data / "field" / "future" / f"{name}.log"
    found = published(tmp_path, engine_settings, log, datetime(2024, 3, 6), *COLUMNS)
    assert found == EXPECTED[name]


# That Spark gives the same rows is seen with the small logs and with a campus; for these logs it takes three
# minutes more.
@pytest.mark.parametrize("engine_settings", ["duckdb"], indirect=True)
@pytest.mark.parametrize("name", ["problem_response_tracking", "tags_dist_acceptance_tracking"])
def test_real_logs(shared_data: Path, engine_settings: EngineSettings, tmp_path: Path, name: str) -> None:
    """The same rows as the rules written down once more, literally, make of the lines."""
    log = shared_data / "tracking" / f"{name}.log"
    names = ("course_id", "module_id", *COLUMNS, "variant", "problem_display_name", "question_text")
    found = published(tmp_path, engine_settings, log, datetime(2017, 1, 1), *names)
    expected = distribution(log.read_text(encoding="utf-8").splitlines())
    assert Counter(found) == Counter(expected)
    assert found
