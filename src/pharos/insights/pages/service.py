"""Addresses for machines: health, metrics and static files (spec 06 §9.19)."""

from __future__ import annotations

from contextlib import suppress

from fastapi import APIRouter, HTTPException, Request, Response

from pharos.insights.api import DataAPIError
from pharos.insights.site import TheSite
from pharos.insights.static_files import StaticFiles
from pharos.telemetry import metrics as telemetry

router = APIRouter()


@router.get("/status/")
async def status() -> Response:
    """200 without content, while the process answers."""
    return Response()


@router.get("/health/")
async def health(site: TheSite) -> dict[str, object]:
    """Always OK while the process answers: an outage of the Data API must not take Insights out of service.

    `detailed_status` is for people.
    """
    data_api = "OK" if await site.api.answers() else "UNAVAILABLE"
    return {"overall_status": "OK", "detailed_status": {"data_api": data_api}}


@router.get("/metrics")
async def figures(request: Request, site: TheSite) -> Response:
    """Metrics for Prometheus: requests, and the freshness of the numbers on the pages."""
    counted: telemetry.Metrics = request.app.state.metrics
    answers = await site.api.answers()
    further = [telemetry.gauge("pharos_data_api_up", "Whether the Data API answers.", {"": float(answers)})]
    if answers:
        with suppress(DataAPIError):
            known = (await site.api.definitions()).values()
            until = min((item.until.replace(tzinfo=None) for item in known if item.until), default=None)
            text = "All numbers shown describe the time before this moment."
            further.append(telemetry.gauge("pharos_results_until_timestamp_seconds", text, {"": until}))
    return Response(counted.text(further), headers={"Content-Type": telemetry.CONTENT_TYPE})


@router.get("/static/{path:path}")
async def static(request: Request, path: str) -> Response:
    """A static file; its address contains a hash of its content."""
    files: StaticFiles = request.app.state.static
    response = files.response(request, path)
    if response is None:
        raise HTTPException(404)
    return response
