"""The course list as a file: all courses the viewer may see, regardless of filters (spec 06 §10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request, Response

from pharos.insights import files
from pharos.insights.access import CoursesInView, VisibleCourses
from pharos.insights.api import Row
from pharos.insights.enrollment_days import NO_FLOW
from pharos.insights.files import Sheet
from pharos.insights.site import TheSite
from pharos.lms.rest import CourseDetails

router = APIRouter()


@router.get("/courses/csv/course_list/")
async def as_csv(request: Request, view: CoursesInView, site: TheSite) -> Response:
    """The list as CSV."""
    return await _file(request, view, site, files.CSV)


@router.get("/courses/xlsx/course_list/")
async def as_xlsx(request: Request, view: CoursesInView, site: TheSite) -> Response:
    """The list as a workbook."""
    return await _file(request, view, site, files.XLSX)


async def _file(request: Request, view: VisibleCourses, site: TheSite, kind: str) -> Response:
    counted = [row for row in await site.api.summaries() if row["course_id"] in view.visible]
    known = await site.directory.known()
    rows = [*counted, *_not_counted(counted, [known[c] for c in known if c in view.visible])]
    if not rows:
        raise HTTPException(404)
    programs, flows = await site.api.programs(), await site.api.enrollment_flows()
    flow_of = None if flows is None else {flow["course_id"]: flow for flow in flows}
    flat = [_flat(row, programs) | _flow(row, flow_of) for row in rows]
    columns = sorted({key for row in flat for key in row})
    name = f"{datetime.now(UTC).replace(microsecond=0).isoformat()}--course-list"
    definition = request.state.definitions.get("course_meta_summary_enrollment")
    return await files.response(request.state.language, Sheet(name, columns, flat, definition), kind)


def _not_counted(counted: Sequence[Row], known: Sequence[CourseDetails]) -> list[Row]:
    """Rows of the courses that the LMS knows and nobody has joined yet: the page lists them too."""
    there = {row["course_id"] for row in counted}
    return [
        {
            "course_id": details.course_id,
            "catalog_course_title": details.name,
            "start_date": _moment(details.start),
            "end_date": _moment(details.end),
            "count": 0,
            "cumulative_count": 0,
            "recent_count_change": 0,
        }
        for details in known
        if details.course_id not in there
    ]


def _moment(value: datetime | None) -> str | None:
    """As the Data API writes moments."""
    return value.strftime("%Y-%m-%dT%H%M%S") if value else None


def _flow(row: Row, flow_of: Mapping[str, Row] | None) -> Row:
    """Learners who joined and left in the last seven days counted; no columns if this is not computed."""
    if flow_of is None:
        return {}
    flow = flow_of.get(row["course_id"], NO_FLOW)
    return {"recent_joined": flow["joined"], "recent_left": flow["left"]}


def _flat(row: Row, programs: Sequence[Row]) -> Row:
    flat = {k: v for k, v in row.items() if k not in {"created", "enrollment_modes", "programs"}}
    for mode, counts in row.get("enrollment_modes", {}).items():
        flat |= {f"enrollment_modes.{mode}.{k}": v for k, v in counts.items() if k != "count_change_7_days"}
    mine = sorted(
        (p for p in programs if row["course_id"] in p["course_ids"]), key=lambda p: p["program_title"] or ""
    )
    flat["program_ids"] = " | ".join(p["program_id"] for p in mine)
    flat["program_titles"] = " | ".join(p["program_title"] or "" for p in mine)
    return flat
