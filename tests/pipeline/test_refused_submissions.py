"""What the status says of submissions that tell no answers."""

from __future__ import annotations

from datetime import datetime

from tests.pipeline.conftest import Installation
from tests.problems import PART, line, part, payload

from pharos.lake.lake import Lake
from pharos.pipeline.refused_submissions import submissions_by_reason


def test_reasons_are_counted_and_told(installation: Installation) -> None:
    """Days that are computed anew count once; the most frequent reason is named first."""
    good = [line(f"2024-03-02 10:{minute:02}", payload({PART: part("a")})) for minute in range(3)]
    empty = line("2024-03-02 11:00", payload({PART: part("a")}, answers={}))
    odd = [line(f"2024-03-03 1{hour}:00", [1]) for hour in range(2)]
    assert submissions_by_reason(Lake(installation.settings.lake)) == {}
    assert "refused submissions" not in {problem.kind for problem in installation.run(good).problems}
    report = installation.run([*good, empty, *odd], datetime(2024, 3, 4))
    found = submissions_by_reason(Lake(installation.settings.lake))
    assert found == {"": 3, "no answers": 1, "the payload is no object": 2}
    [problem] = [problem for problem in report.problems if problem.kind == "refused submissions"]
    assert problem.text == (
        "3 of 6 submissions of problems tell no answers: the payload is no object 2, no answers 1."
    )
