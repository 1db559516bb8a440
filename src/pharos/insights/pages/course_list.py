"""The course list as CSV: all courses a viewer may see, whatever the page shows (spec 06 §10)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Response

from pharos.insights.access import CoursesInView
from pharos.insights.api import Row
from pharos.insights.site import TheSite

router = APIRouter()


@router.get("/courses/csv/course_list/")
async def course_list(view: CoursesInView, site: TheSite) -> Response:
    """All courses of the viewer as CSV; filters of the page do not count (spec 06 §10)."""
    rows = [row for row in await site.api.summaries() if row["course_id"] in view.visible]
    if not rows:
        raise HTTPException(404)
    programs = await site.api.programs()
    name = f"{datetime.now(UTC).replace(microsecond=0).isoformat()}--course-list.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(course_list_csv(rows, programs), media_type="text/csv; charset=utf-8", headers=headers)


def course_list_csv(rows: Sequence[Row], programs: Sequence[Row]) -> str:
    """The course list with its columns in alphabetical order and CRLF line ends (spec 06 §10)."""
    flat = [_flat(row, programs) for row in rows]
    columns = sorted({key for row in flat for key in row})
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\r\n", restval="")
    writer.writeheader()
    writer.writerows({key: _safe(value) for key, value in row.items()} for row in flat)
    return file.getvalue()


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


def _safe(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula is quoted for it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value
