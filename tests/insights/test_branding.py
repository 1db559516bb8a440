"""The site's own name, logo, colour, links and announcement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser
from tests.insights.test_browser import complaints, sign_in
from tests.insights.world import fill, world_of

from pharos.config import InsightsSettings
from pharos.errors import ConfigurationError
from pharos.insights.branding import DARK_GROUND, LEAST_CONTRAST, branding, contrast, for_dark
from pharos.insights.static_files import StaticFiles

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><circle cx="5" cy="5" r="5"/></svg>'


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@given(st.integers(0, 0xFFFFFF))
def test_every_accent_can_be_read_on_the_dark_ground(colour: int) -> None:
    assert contrast(for_dark(f"#{colour:06x}"), DARK_GROUND) >= LEAST_CONTRAST


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"accent": "#ffff00"}, "contrast of 1.1"),
        ({"logo": Path("nowhere.svg")}, "cannot be read (No such file or directory)"),
        ({"logo": Path("logo.exe")}, "must be an .svg or .png file"),
    ],
)
def test_what_cannot_be_used_is_refused_at_the_start(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        branding(InsightsSettings(**settings), StaticFiles())
    assert reason in str(refused.value)


def test_pages_show_the_site_and_stay_accessible(tmp_path: Path, browser: Browser) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(LOGO)
    own: dict[str, Any] = {
        "site_name": "Harbor <U>",
        "logo": logo,
        "accent": "#0a5c36",
        "footer_links": {"Privacy": "https://harbor.example/privacy"},
        "announcement": "Maintenance on Sunday & Monday.",
    }
    with world_of(tmp_path, fill, **own) as world:
        for scheme, accent in (("light", "rgb(10, 92, 54)"), ("dark", None)):
            context = browser.new_context(base_url=world.url, color_scheme=scheme)  # type: ignore[arg-type]
            page = context.new_page()
            sign_in(page, world)
            page.goto("/courses/")
            assert page.title() == "Courses | Harbor <U> Insights"
            assert page.locator(".brand").inner_text().split() == ["Harbor", "<U>", "Insights"]
            assert page.locator(".brand img").evaluate("image => image.naturalWidth") > 0
            assert page.get_by_text("Maintenance on Sunday & Monday.").is_visible()
            link = page.get_by_role("link", name="Privacy")
            assert link.get_attribute("href") == "https://harbor.example/privacy"
            shown = page.locator(".sort").first.evaluate(
                "() => {const i = document.createElement('i');"
                "i.style.color = 'var(--accent)'; document.body.append(i); return getComputedStyle(i).color}"
            )
            assert accent is None or shown == accent
            assert complaints(page) == []
            context.close()
