"""Course runs and outlines from the imported tables of the LMS's database, in the form of its REST APIs.

spec 07 §3.4 and 3.5: every course run with its dates; sections and subsections, but no lower levels; and when
a course run was last published. The tables are small and fit into memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pharos.lake import snapshots
from pharos.lake.lake import Lake
from pharos.lms.rest import CourseDetails, one_line

OVERVIEWS = "course_overviews_courseoverview"
CONTEXTS = "learning_sequences_learningcontext"
_SECTIONS, _SUBSECTIONS = "learning_sequences_coursesection", "learning_sequences_learningsequence"
_KINDS = {"course-v1": "block-v1", "ccx-v1": "ccx-block-v1"}
_PLACES = "learning_sequences_coursesectionsequence"


def courses(lake: Lake) -> list[CourseDetails] | None:
    """All course runs; None if the LMS's database was never read, or has no table of them."""
    if snapshots.state(lake, OVERVIEWS).snapshot is None:
        return None
    return [_details(row) for row in snapshots.rows(lake, OVERVIEWS).to_pylist()]


def published(lake: Lake) -> dict[str, datetime]:
    """Course run -> time of its last publication (UTC, naive), if the LMS's database has it."""
    rows = snapshots.rows(lake, CONTEXTS)
    return dict(zip(rows["context_key"].to_pylist(), rows["published_at"].to_pylist(), strict=True))


def outlines(lake: Lake) -> Iterator[tuple[str, dict[str, Any]]]:
    """(course id, block tree) of course runs: their sections and subsections; see `lms.outline`."""
    names = {row["id"]: row for row in snapshots.rows(lake, _SUBSECTIONS).to_pylist()}
    below: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(snapshots.rows(lake, _PLACES).to_pylist(), key=lambda row: row["ordering"]):
        if row["sequence_id"] in names:
            below[row["section_id"]].append(names[row["sequence_id"]])
    sections: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(snapshots.rows(lake, _SECTIONS).to_pylist(), key=lambda row: row["ordering"]):
        sections[row["course_context_id"]].append(row)
    for context in snapshots.rows(lake, CONTEXTS).to_pylist():
        if sections[context["id"]]:
            yield context["context_key"], _tree(context, sections[context["id"]], below)


def _tree(
    context: dict[str, Any], sections: list[dict[str, Any]], below: dict[int, list[dict[str, Any]]]
) -> dict[str, Any]:
    root = _root(context["context_key"])
    blocks = {root: _block("course", context["title"], [section["usage_key"] for section in sections])}
    for section in sections:
        children = below[section["id"]]
        keys = [child["usage_key"] for child in children]
        blocks[section["usage_key"]] = _block("chapter", section["title"], keys)
        blocks |= {child["usage_key"]: _block("sequential", child["title"], []) for child in children}
    return {"root": root, "blocks": blocks}


def _root(course_id: str) -> str:
    """Usage key of the root block of a course run; old course ids have no outline in the database."""
    kind, _, rest = course_id.partition(":")
    return f"{_KINDS.get(kind, kind)}:{rest}+type@course+block@course"


def _block(kind: str, title: str | None, children: list[str]) -> dict[str, Any]:
    return {"type": kind, "display_name": title, "children": children}


def _details(row: dict[str, Any]) -> CourseDetails:
    return CourseDetails(
        course_id=row["id"],
        name=one_line(row["display_name"]) or row["id"],
        start=_utc(row["start"]),
        end=_utc(row["end"]),
        pacing=None if row["self_paced"] is None else "self" if row["self_paced"] else "instructor",
        org=one_line(row["display_org_with_default"]),
        number=one_line(row["display_number_with_default"]),
        short_description=one_line(row["short_description"]),
        enrollment_start=_utc(row["enrollment_start"]),
        enrollment_end=_utc(row["enrollment_end"]),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(tzinfo=UTC)
