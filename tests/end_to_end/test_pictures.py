"""The pictures of the documentation: every page in every look, drawn from the simulated campus.

They are drawn on request, which takes a minute: `pytest tests/end_to_end/test_pictures.py --draw-pictures`.
Without that they are looked at: each page has its picture, of the right width, small, of this version.
Fonts for Chinese and Arabic must be installed to draw them (Debian: fonts-noto-cjk, fonts-noto-core).
"""

from __future__ import annotations

import base64
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

import pharos
from pharos.config import Settings
from pharos.demo.campus import Campus
from pharos.demo.serving import serving

FEWER_COLOURS = (Path(__file__).parent / "fewer_colours.js").read_text(encoding="utf-8")
PICTURES = Path(__file__).parents[2] / "docs" / "images"
UNTIL = datetime.now(UTC).date()
"""Of pictures that are drawn: beyond two days every page says that its numbers are old."""
COURSE = "/courses/course-v1:HarborX+NAV101+R3/"
LIVE = "/courses/course-v1:HarborX+LIGHT2.1x+R1/"
PAGES = {
    "front": "/",
    "courses": "/courses/",
    "home": LIVE,
    "enrollment": f"{COURSE}enrollment/activity/",
    "age": f"{COURSE}enrollment/demographics/age/",
    "education": f"{COURSE}enrollment/demographics/education/",
    "gender": f"{COURSE}enrollment/demographics/gender/",
    "geography": f"{COURSE}enrollment/geography/",
    "engagement": f"{COURSE}engagement/content/?period=12w",
    "flow": f"{COURSE}engagement/course_flow/",
    "video": f"{COURSE}engagement/video_map/",
    "problem": f"{COURSE}performance/course_map/",
    "map": f"{COURSE}performance/course_map/",
    "learners": f"{COURSE}learners/",
    "definitions": "/definitions/",
    "empty": "/courses/course-v1:HarborX+NAV101+R4/enrollment/activity/",
    "error": "/complete/edx-oauth2/",
}
SIGNED_OUT = {"front", "error"}
FOLLOWED = {"video", "problem"}
"""Pages of the block that the first finding of a map is about; in PAGES stands the map."""
COLOURS = 80
MOST_BYTES = 66_000


@dataclass(frozen=True)
class Look:
    """One way a page is looked at."""

    width: int
    height: int
    theme: str = "light"
    language: str = "en"


LOOKS = {
    "light": Look(1280, 960),
    "dark": Look(1280, 960, theme="dark"),
    "phone": Look(390, 844),
    "arabic": Look(1280, 960, language="ar"),
}


def path_of(page: str, look: str) -> Path:
    return PICTURES / f"{page}-{look}.png"


# --- Looking at them -------------------------------------------------------------------------------------


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    position = 8
    while position < len(content):
        (length,) = struct.unpack_from(">I", content, position)
        yield content[position + 4 : position + 8], content[position + 8 : position + 8 + length]
        position += 12 + length


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("page", PAGES)
def test_each_page_has_its_picture(page: str, look: str) -> None:
    content = path_of(page, look).read_bytes()
    parts = dict(chunks(content))
    width, height, depth, colours = struct.unpack(">IIBB", parts[b"IHDR"][:10])
    assert (width, height) == (LOOKS[look].width, LOOKS[look].height)
    assert (depth, colours) == (8, 3)
    assert 5_000 < len(content) <= MOST_BYTES
    assert parts[b"tEXt"] == f"Software\0Pharos {pharos.__version__}".encode()


def test_no_picture_is_left_over_and_each_is_shown_where_its_name_stands() -> None:
    drawn = {path.name for path in PICTURES.glob("*.png")}
    assert drawn == {path_of(page, look).name for page in PAGES for look in LOOKS}
    root = PICTURES.parents[1]
    for document in [root / "README.md", *PICTURES.parent.glob("*.md")]:
        for line in document.read_text(encoding="utf-8").splitlines():
            for part in line.split("images/")[1:]:
                assert part.partition(".png")[0] + ".png" in drawn, f"{document.name}: {line}"


# --- Drawing them ----------------------------------------------------------------------------------------


def test_draw(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if not request.config.getoption("--draw-pictures", default=False):
        pytest.skip("on request: --draw-pictures")
    browser: Browser = request.getfixturevalue("browser")
    with campus_served(tmp_path) as url:
        signed_in = sign_in(browser, url)
        for name, address in PAGES.items():
            state = None if name in SIGNED_OUT else signed_in
            if name in FOLLOWED:
                address = first_finding(browser, url, address, state)  # noqa: PLW2901
            for look_name, look in LOOKS.items():
                with window(browser, url, look, state) as page:
                    draw(page, address, path_of(name, look_name))


@contextmanager
def campus_served(folder: Path) -> Iterator[str]:
    """The simulated campus, computed and served; the address of Insights."""
    program = [str(Path(sys.executable).parent / "pharos"), "demo", "--no-serve", "--home", str(folder)]
    subprocess.run([*program, "--until", UNTIL.isoformat()], check=True, capture_output=True)
    settings = Settings(home=folder, insights={"port": 0}, data_api={"port": 0, "learners": True})
    with serving(settings, Campus(until=UNTIL)) as addresses:
        yield addresses.insights


def sign_in(browser: Browser, url: str) -> Any:
    context = browser.new_context(base_url=url)
    page = context.new_page()
    page.goto("/courses/")
    page.get_by_role("button", name="Sofia").click()
    page.wait_for_url(f"{url}/courses/")
    state = context.storage_state()
    context.close()
    return state


def first_finding(browser: Browser, url: str, address: str, state: Any) -> str:
    """The address of the block that the first finding of the page is about."""
    with window(browser, url, LOOKS["light"], state) as page:
        page.goto(address)
        return page.locator(".findings a").first.get_attribute("href") or ""


@contextmanager
def window(browser: Browser, url: str, look: Look, state: Any) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(
        base_url=url,
        storage_state=state,
        viewport={"width": look.width, "height": look.height},
        color_scheme="dark" if look.theme == "dark" else "light",
        locale="en-GB",
    )
    page = context.new_page()
    if look.language != "en":
        page.goto(f"/?language={look.language}")
    yield page
    context.close()


def draw(page: Page, address: str, path: Path) -> None:
    page.goto(address, wait_until="networkidle")
    if page.locator("figure[data-chart]").count():
        page.wait_for_selector(".chart svg")
    shown = base64.b64encode(page.screenshot(scale="css")).decode()
    blank = page.context.new_page()  # whose policy admits the script that counts colours
    palette, indices = blank.evaluate(FEWER_COLOURS, [shown, COLOURS])
    blank.close()
    size = page.viewport_size
    assert size is not None
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(png(size["width"], size["height"], base64.b64decode(palette), base64.b64decode(indices)))


def png(width: int, height: int, palette: bytes, indices: bytes) -> bytes:
    """A PNG with a palette, and with the version that drew it."""
    lines = b"".join(b"\0" + indices[y * width : (y + 1) * width] for y in range(height))
    software = f"Software\0Pharos {pharos.__version__}".encode()
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"tEXt", software),
            (b"PLTE", palette),
            (b"IDAT", zlib.compress(lines, 9)),
            (b"IEND", b""),
        )
    )
