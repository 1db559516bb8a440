"""The card in the LMS's dashboard: true, framed by the LMS alone, and only for those who may see it."""

from __future__ import annotations

from playwright.sync_api import Browser, Page
from tests.insights.test_browser import complaints, sign_in
from tests.insights.world import OLD_STYLE, World


def framed(page: Page, at: str, card: str) -> str:
    """What a page of the origin `at` shows in a frame of the card."""
    page.goto(at)
    page.evaluate(
        """address => {
        document.body.innerHTML = '';
        const frame = document.createElement('iframe');
        frame.src = address;
        document.body.append(frame);
        return new Promise(done => { frame.onload = done; });
    }""",
        card,
    )
    frame = page.frames[-1]
    return frame.locator("body").inner_text() if frame.url.startswith("http") else ""


def test_the_lms_frames_it_and_nobody_else_does(browser: Browser, world: World) -> None:
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, world)
    card = f"{world.url}/embed/courses/{world.course_id}/"
    said = framed(page, f"{world.lms_url}/login", card)
    assert "Enrollment grew 7.2% from 332 to 356" in said
    assert "learners were active in the week of 16–22 Nov 2026" in said
    assert "Enrollment grew" not in framed(page, f"{world.api_url}/health/", card)
    page.goto(card)
    assert complaints(page) == []
    context.close()


def test_whoever_may_not_see_the_course_sees_no_number(world: World) -> None:
    for persona, words in ((None, "Sign in to Insights"), ("ines", "Your account does not see this course")):
        with world.client(persona) as client:
            page = client.get(f"/embed/courses/{OLD_STYLE}/")
            assert words in page.text
            assert "Enrollment" not in page.text
            policy = page.headers["content-security-policy"]
            assert f"frame-ancestors {world.lms_url}" in policy
            assert "x-frame-options" not in page.headers


def test_a_course_without_numbers_says_so(world: World) -> None:
    with world.client("sofia") as client:
        page = client.get(f"/embed/courses/{world.campus.courses[2].id}/").text
    assert "Nothing has been counted yet." in page


def test_a_card_without_its_numbers_is_framed_too_and_says_so(own_world: World) -> None:
    """The browser would show a page of an error in no frame, and the LMS an empty place."""
    with own_world.client("sofia") as client:
        own_world.api.down = True
        page = client.get(f"/embed/courses/{own_world.course_id}/", params={"language": "en"})
    assert page.status_code == 503
    assert "Numbers could not be loaded" in page.text
    assert f"frame-ancestors {own_world.lms_url}" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
