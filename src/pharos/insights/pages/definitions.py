"""All definitions on one page, in the Data API's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response

from pharos.insights import navigation
from pharos.insights.access import SignedIn
from pharos.insights.api import Definition
from pharos.insights.language import Language
from pharos.insights.rendering import Page
from pharos.insights.site import TheSite

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class DefinitionsPage(Page):
    """How are the numbers counted?"""

    template: ClassVar[str] = "definitions.html"
    shown: tuple[Definition, ...]
    """Those of the numbers that the reports show."""
    others: tuple[Definition, ...]
    """Those of results that are read elsewhere."""


@router.get("/definitions/")
async def definitions(request: Request, _: SignedIn, site: TheSite) -> Response:
    """How are the numbers counted?"""
    words: Language = request.state.language
    found = await site.api.definitions()
    page = DefinitionsPage(
        title=words.text("All definitions"),
        question=words.text("How are the numbers counted?"),
        answer=words.htmls(
            "<strong>%(n)s definition</strong>, each the same in the code, the documentation and the pages.",
            "<strong>%(n)s definitions</strong>, each the same in the code, the documentation and the pages.",
            len(found),
        ),
        shown=tuple(found[name] for name in navigation.tables_shown() if name in found),
        others=tuple(d for name, d in found.items() if name not in navigation.tables_shown()),
    )
    return site.renderer.render(request, page)
