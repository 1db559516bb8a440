"""The file that describes parts of old events. `spec 02 §4.3`"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.pipeline.conftest import Installation
from tests.problems import PART, line, old

from pharos.errors import ConfigurationError
from pharos.pipeline import answer_metadata


def test_what_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "metadata.json"
    file.write_text(
        json.dumps(
            {
                "p1": {
                    "problem_display_name": "Name", "response_type": "choiceresponse", "question": 7,
                    "input_type": "x", "answer_value_id_map": {"choice_0": "A"},
                },
                "p2": {"answer_value_id_map": "odd"},
                "p3": "odd",
            }
        )
    )  # fmt: skip
    assert answer_metadata.read(file).to_pylist() == [
        {
            "part_id": "p1", "problem_name": "Name", "response_type": "choiceresponse", "question": None,
            "names": '{"choice_0": "A"}',
        },
        {"part_id": "p2", "problem_name": None, "response_type": None, "question": None, "names": None},
    ]  # fmt: skip
    assert answer_metadata.read(None).num_rows == 0


@pytest.mark.parametrize(("text", "why"), [("{", "is not JSON"), ("[]", "no object"), (None, "No such file")])
def test_a_file_that_is_none(tmp_path: Path, text: str | None, why: str) -> None:
    file = tmp_path / "metadata.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=rf"problems\.answer_metadata: .*metadata\.json.*{why}"):
        answer_metadata.read(file)


def test_a_new_file_changes_the_answers(tmp_path: Path) -> None:
    """And nothing is computed while it stays as it is."""
    file = tmp_path / "metadata.json"
    file.write_text("{}")
    installation = Installation(tmp_path, problems={"answer_metadata": str(file)})
    log = [line("2024-03-02 10:00", old("choice_0"))]
    installation.run(log)
    assert installation.rows_of("answer_distribution") == []
    names = {"choice_0": "Nucleus"}
    file.write_text(json.dumps({PART: {"response_type": "choiceresponse", "answer_value_id_map": names}}))
    assert (
        dict(installation.run(log).why)["answer_distribution"]
        == "1 of 1 course runs: answer_metadata changed"
    )
    [row] = installation.rows_of("answer_distribution")
    assert {"choice_0", "Nucleus"} <= set(row)
    assert installation.run(log).why == []
