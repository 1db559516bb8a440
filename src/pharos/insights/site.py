"""The parts of the running application, for use in requests."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from pharos.config import Settings
from pharos.insights.admission import Admission
from pharos.insights.api import DataAPI
from pharos.insights.directory import CourseDirectory
from pharos.insights.exchanges import Exchanges
from pharos.insights.listing import Listing
from pharos.insights.permissions import Permissions
from pharos.insights.rendering import Renderer
from pharos.insights.sessions import Attempts, Sessions
from pharos.insights.shapes import Shapes
from pharos.limits import Limits, Turns
from pharos.lms.oauth import SignIn, public_url
from pharos.telemetry.audit import AuditLog


@dataclass(frozen=True)
class Site:
    """The running application's parts."""

    settings: Settings
    api: DataAPI
    directory: CourseDirectory
    listing: Listing
    shapes: Shapes
    permissions: Permissions
    sessions: Sessions
    attempts: Attempts
    sign_in: SignIn
    exchanges: Exchanges
    admission: Admission
    renderer: Renderer
    log: logging.Logger
    audit: AuditLog
    limits: Limits
    turns: Turns

    @property
    def lms_url(self) -> str:
        """The LMS's address for browsers."""
        return public_url(self.settings.lms)


def site_of(request: Request) -> Site:
    """The parts of the application that answers the request."""
    site: Site = request.app.state.site
    return site


TheSite = Annotated[Site, Depends(site_of)]
