"""What the status says of submissions and events that are not used, or not as they were written."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tests import lines, videos
from tests.pipeline.conftest import Installation
from tests.problems import PART, line, part, payload

from pharos.lake.lake import Lake
from pharos.pipeline import parted
from pharos.pipeline.parted import Parted
from pharos.pipeline.refused_submissions import (
    changed_modes,
    enrollment_events_by_use,
    submissions_by_reason,
    video_events_by_reason,
)


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


def test_events_of_players_are_counted_and_told(installation: Installation) -> None:
    good = [videos.line(row) for row in videos.moves(1, "10:00:00 play 0 · 10:00:05 pause 5")]
    odd = [lines.event("2024-03-05 11:00", "stop_video", event={"id": "v"})]
    assert video_events_by_reason(Lake(installation.settings.lake)) == {}
    assert "unused video events" not in {problem.kind for problem in installation.run(good).problems}
    report = installation.run([*good, *odd], datetime(2024, 3, 6))
    assert video_events_by_reason(Lake(installation.settings.lake)) == {"": 2, "no position": 1}
    [problem] = [problem for problem in report.problems if problem.kind == "unused video events"]
    assert problem.text == "1 of 3 events of video players are not used: no position 1."


def test_enrollment_events_that_do_not_count_are_told(installation: Installation) -> None:
    """One twice, one without a valid course run, one without a learner, one without a mode."""
    good = lines.enrollment("2024-03-02 10:00", "activated")
    again = lines.enrollment("2024-03-02 10:00", "activated", host="another")
    report = installation.run([good, again])
    assert enrollment_events_by_use(Lake(installation.settings.lake)) == {"": 2}
    assert "unused enrollment events" not in {problem.kind for problem in report.problems}
    odd: list[dict[str, object]] = [{"course": "course-v1:" + "C" * 300}, {"user": "seven"}, {"mode": ["a"]}]
    some = [lines.enrollment(f"2024-03-03 1{n}:00", "activated", **what) for n, what in enumerate(odd)]
    report = installation.run([good, again, *some], datetime(2024, 3, 6))
    [problem] = [problem for problem in report.problems if problem.kind == "unused enrollment events"]
    assert problem.text == (
        "3 of 5 enrollment events do not count: no valid course run, learner or mode in the payload 3."
    )


def test_enrollment_events_with_another_mode_are_counted(installation: Installation) -> None:
    """A day that is computed anew counts once."""
    lake = Lake(installation.settings.lake)
    odd = [lines.enrollment(f"2024-03-02 1{hour}:00", "activated", mode=f"a\0{hour}") for hour in range(3)]
    assert changed_modes(lake) == 0
    installation.run(odd[:1])
    installation.run([*odd, lines.enrollment("2024-03-03 10:00", "activated", mode="audit")])
    assert changed_modes(lake) == 3


def test_files_of_a_release_that_did_not_look_say_nothing(tmp_path: Path) -> None:
    lake, staged = Lake(tmp_path / "lake"), tmp_path / "old.parquet"
    pq.write_table(pa.table({"date": [date(2024, 3, 2)], "mode": ["m" * 100]}), staged)
    folder = Parted(folder=lake.root / "facts" / "enrollment_event")
    folder.folder.mkdir(parents=True)
    parts = pa.table({"part": ["2024-03-02"], "inputs": [""], "rows": [1], "digest": [0]})
    parted.save(parted.added(folder, staged, "old.parquet", parts))
    assert changed_modes(lake) == 0
