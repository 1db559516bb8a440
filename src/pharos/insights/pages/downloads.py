"""CSV downloads of a course: the Data API's own CSV under a telling name (spec 06 §10)."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, HTTPException, Response

from pharos.insights.access import CourseInView
from pharos.insights.site import TheSite

router = APIRouter()
AGE = "enrollment/demographics/age"


@dataclass(frozen=True)
class Download:
    """Which question of the Data API a file answers."""

    question: str
    suffix: str
    whole_history: bool
    version: str = "v1"


DOWNLOADS = {
    "enrollment": Download("enrollment/mode", "enrollment", whole_history=True),
    "enrollment/geography": Download("enrollment/location", "enrollment-location", whole_history=False),
    AGE: Download("enrollment/birth_year", "enrollment-by-birth-year", whole_history=False, version="v0"),
    "enrollment/demographics/education": Download(
        "enrollment/education", "enrollment-by-education", whole_history=False
    ),
    "enrollment/demographics/gender": Download(
        "enrollment/gender", "enrollment-by-gender", whole_history=True
    ),
    "engagement/activity_trend": Download("activity", "engagement-activity", whole_history=True),
}


@router.get("/courses/{course_id:course_page}/csv/{name:path}/")
async def download(course: CourseInView, name: str, site: TheSite) -> Response:
    """The rows behind a report."""
    wanted = DOWNLOADS.get(name)
    if wanted is None or (name == AGE and not site.settings.insights.show_age):
        raise HTTPException(404)
    content = await site.api.csv(
        course.course_id, wanted.question, whole_history=wanted.whole_history, version=wanted.version
    )
    if content is None:
        raise HTTPException(404)
    file = "-".join((*course.parts, "")) + f"-{wanted.suffix}.csv"
    ascii_name = file.encode("ascii", "replace").decode().replace("?", "_")
    headers = {"Content-Disposition": f'attachment; filename="{ascii_name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
