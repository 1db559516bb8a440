"""Which course run an id stands for. `spec 01 §1.6, §10.5`"""

from __future__ import annotations

import pyarrow as pa
from tests.facts.conftest import EventsOf
from tests.lines import COURSE, enrollment, event

from pharos import keys
from pharos.engine import Engine
from pharos.facts.course import course_run, is_library
from pharos.facts.enrollment import enrollment_event
from pharos.facts.interaction import interaction

VERSION = "version@519665f6223ebd6980884f2b"
RUNS = {
    "course-v1:U+C+R": "course-v1:U+C+R",
    "course-v1:U+C+R+branch@draft": "course-v1:U+C+R",
    f"course-v1:U+C+R+{VERSION}": "course-v1:U+C+R",
    f"course-v1:U+C+R+branch@published-branch+{VERSION}": "course-v1:U+C+R",
    "course-v1:U+C+R+type@problem+block@p1": "course-v1:U+C+R",
    "slashes:U+C+R": "course-v1:U+C+R",
    "ccx-v1:U+C+R+ccx@13": "ccx-v1:U+C+R+ccx@13",
    f"ccx-v1:U+C+R+branch@draft+{VERSION}+ccx@13": "ccx-v1:U+C+R+ccx@13",
    "library-v1:U+L": "library-v1:U+L",
    f"library-v1:U+L+branch@library+{VERSION}": "library-v1:U+L",
    "library-v1:U+L+more": "library-v1:U+L",
    f"course-v1:{VERSION}": f"course-v1:{VERSION}",
    "U/C/R": "U/C/R",
    "U/C/": "U/C/",
}


def test_branches_and_versions_are_the_run_itself(engine: Engine) -> None:
    assert all(keys.is_course_id(text) for text in [*RUNS, *RUNS.values()])
    rows = engine.table(pa.table({"text": list(RUNS)}))
    found = engine.fetch(rows.select(rows.text, run=course_run(rows.text), library=is_library(rows.text)))
    assert dict(zip(found["text"].to_pylist(), found["run"].to_pylist(), strict=True)) == RUNS
    libraries = {row["text"] for row in found.to_pylist() if row["library"]}
    assert libraries == {text for text in RUNS if text.startswith("library")}


def test_facts_are_of_runs(engine: Engine, events_of: EventsOf) -> None:
    draft = f"{COURSE}+branch@draft"
    events = events_of(
        [
            enrollment("2024-03-02 09:00", "activated", course=f" {draft}"),
            event("2024-03-02 10:00", "seek_video", course=draft),
            event("2024-03-02 11:00", "seek_video", course=COURSE),
        ]
    )
    [enrolled] = engine.fetch(enrollment_event(events)).to_pylist()
    [active] = engine.fetch(interaction(events)).to_pylist()
    assert enrolled["course_id"] == COURSE
    assert (active["course_id"], active["count"]) == (COURSE, 2)
