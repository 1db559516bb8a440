"""Links to report files, and the files (spec 05 §9)."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import sqlalchemy as sa
from fastapi import Path, Request, Response
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import CourseID
from pharos.data_api.cache import accepts_gzip
from pharos.data_api.errors import NoData, NotFoundCoded
from pharos.data_api.formats import attachment
from pharos.data_api.reading import ResultStore
from pharos.data_api.report_files import Reports, download_name
from pharos.data_api.routing import Subject
from pharos.data_api.streaming import Stream, Streamed, Streams, gzipped
from pharos.data_api.times import compact
from pharos.keys import file_name
from pharos.result_store import tables

subject = Subject("Reports")

LARGEST_EXPIRY_DIGITS = 12


class Report(TypedDict):
    course_id: Annotated[str, Field(description="Safe form, as in file names.", examples=["edX_DemoX_2031"])]
    report_name: str
    download_url: Annotated[str, Field(description="Works until expiration_date, without credentials.")]
    last_modified: Annotated[str, Field(description="UTC.", examples=["2031-03-02T040506"])]
    expiration_date: Annotated[str, Field(description="UTC.", examples=["2031-03-02T040706"])]
    file_size: Annotated[int, Field(description="Bytes.")]


@subject.get("courses/{course_id:course}/reports/{report_name}/", cached=False)
def report(
    course_id: CourseID,
    report_name: Annotated[
        str, Path(description="Name of the report.", pattern="^[a-zA-Z0-9_]+$", examples=["problem_response"])
    ],
    request: Request,
    store: ResultStore,
) -> Report:
    """A link to the newest report of the course. Reports have user names: with pseudonyms there is none."""
    reports: Reports = request.app.state.reports
    if report_name not in reports.names or request.app.state.privacy.is_pseudonymous:
        raise _missing(report_name, course_id)
    found = reports.file(course_id, report_name, lambda: _known_courses(store))
    if found is None:
        raise _missing(report_name, file_name(course_id))
    expires = int(datetime.now(UTC).timestamp()) + reports.seconds
    return {
        "course_id": file_name(course_id),
        "report_name": report_name,
        "download_url": reports.link(str(request.base_url), found, expires),
        "last_modified": compact(found.last_modified),
        "expiration_date": compact(datetime.fromtimestamp(expires, UTC).replace(tzinfo=None)),
        "file_size": found.size_bytes,
    }


def _known_courses(store: ResultStore) -> set[str]:
    column = tables.course_meta_summary_enrollment.c.course_id
    return {row["course_id"] for row in store.rows(sa.select(column).distinct())}


def _missing(report_name: str, course_id: str) -> NotFoundCoded:
    return NotFoundCoded(
        "report_file_not_found", f"Could not find report '{report_name}' for course {course_id}."
    )


async def download(request: Request, file_name: str, expires: str = "", signature: str = "") -> Response:
    """The file a link leads to."""
    reports: Reports = request.app.state.reports
    downloads: Streams = request.app.state.downloads
    if not (expires.isascii() and expires.isdigit() and len(expires) <= LARGEST_EXPIRY_DIGITS):
        raise NoData
    if request.app.state.privacy.is_pseudonymous:
        raise NoData
    found = await asyncio.get_running_loop().run_in_executor(
        downloads.threads, reports.linked, file_name, int(expires), signature
    )
    if found is None:
        raise NoData
    headers = {
        "Content-Disposition": attachment(download_name(found, reports.names)),
        "Cache-Control": "private, no-store",
        "Vary": "Accept-Encoding",
    }
    chunks = reports.content(found)
    if accepts_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        chunks = gzipped(chunks)
    else:
        headers["Content-Length"] = str(found.size_bytes)
    stream = await Stream.opened(downloads, request.client.host if request.client else "", chunks)
    if stream is None:
        return Response(headers=headers | {"Content-Length": "0"}, media_type="text/csv")
    return Streamed(stream, headers, "text/csv")
