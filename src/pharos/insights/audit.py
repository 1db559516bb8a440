"""Writes sign-ins, refusals, views of single learners and downloads about them to the audit log.

Addresses are written without the query, which may contain the code of a sign-in.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import anyio.to_thread
from fastapi import Request

from pharos.insights.site import site_of

log = logging.getLogger(__name__)


async def note_sign_in(request: Request, username: str) -> None:
    """Record a sign-in."""
    await anyio.to_thread.run_sync(lambda: _note(request, "signed_in", username))


async def note_download(request: Request) -> None:
    """Record the download of a file about single learners. Raises OSError: without a record no download."""
    viewer = request.state.viewer
    who, path = viewer.username if viewer else "", request.url.path
    address = request.client.host if request.client else ""
    audit = site_of(request).audit
    await anyio.to_thread.run_sync(lambda: audit.note("downloaded", who=who, address=address, path=path))


async def note_look(request: Request, course_id: str, learners: str, columns: Sequence[str]) -> None:
    """Record a view of single learners: whom, and which columns. Raises OSError: without a record no view."""
    viewer = request.state.viewer
    audit, who = site_of(request).audit, viewer.username if viewer else ""
    address = request.client.host if request.client else ""
    facts = {"path": request.url.path, "query": request.url.query}
    facts |= {"course": course_id, "learners": learners, "columns": ", ".join(columns)}
    await anyio.to_thread.run_sync(lambda: audit.note("looked", who=who, address=address, **facts))


async def note_refusal(request: Request, reason: str) -> None:
    """Record a refusal: of a viewer, or of an unknown person who could not sign in."""
    viewer = request.state.viewer
    await anyio.to_thread.run_sync(
        lambda: _note(request, "refused", viewer.username if viewer else "", reason)
    )


def _note(request: Request, event: str, who: str, reason: str = "") -> None:
    """Record an event. A failure is only logged for the operator, so that people can still sign in."""
    audit = site_of(request).audit
    address = request.client.host if request.client else ""
    try:
        if event == "refused":
            audit.note_refusal(who=who, address=address, path=request.url.path, reason=reason)
        else:
            audit.note(event, who=who, address=address, path=request.url.path)
    except OSError as error:
        log.error("audit log: %s", error)  # noqa: TRY400 - the message says it all
