"""The public front page: a description of Insights, and the sign-in (spec 06 §9.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from pharos.insights.language import Language
from pharos.insights.rendering import Page
from pharos.insights.site import TheSite

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class LandingPage(Page):
    """What can I learn about my course?"""

    template: ClassVar[str] = "landing.html"


@router.get("/")
async def landing(request: Request, site: TheSite) -> Response:
    """The front page; signed-in people are redirected to their courses."""
    if request.state.viewer is not None:
        return RedirectResponse("/courses/", 302)
    words: Language = request.state.language
    page = LandingPage(title="", question=words.text("What is happening in my course?"))
    return site.renderer.render(request, page)
