"""Pages in a real browser: accessible, by keyboard, in every look, light in weight, within the policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request
from tests.insights.world import World

AXE = next((Path(__file__).parent / "vendor").glob("axe-core-*.js")).read_text(encoding="utf-8")
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1360, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}, "has_touch": True},
    "arabic": {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
    "wide": {"color_scheme": "light", "viewport": {"width": 2560, "height": 1300}},
}
REPORTS = (
    "",
    "enrollment/activity/",
    "enrollment/activity/?period=30d&compare=before",
    "enrollment/activity/?compare=run",
    "enrollment/demographics/age/",
    "enrollment/demographics/education/",
    "enrollment/demographics/gender/",
    "enrollment/geography/",
    "engagement/content/",
    "learners/?q=o&segment=not_inactive&sort=-problems_attempted",
    "learners/learner_57/",
    "learner_addresses/?segment=struggling",
)


def addresses(world: World) -> list[str]:
    course = f"/courses/{world.course_id}/"
    empty = f"/courses/{world.campus.courses[2].id}/"
    return [
        "/courses/",
        "/courses/?q=nothing",
        "/courses/portfolio/",
        "/courses/portfolio/?by=program&q=sea",
        "/definitions/",
        "/nowhere/",
        f"{empty}enrollment/activity/",
        f"{empty}learners/",
        *(course + r for r in REPORTS),
    ]


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest, browser: Browser, world: World) -> Iterator[BrowserContext]:
    """A signed-in browser window of one look, that remembers what it complained about."""
    context = browser.new_context(**LOOKS[request.param], base_url=world.url)
    context.set_default_timeout(10_000)
    page = context.new_page()
    sign_in(page, world)
    if request.param == "arabic":
        page.goto("/courses/?language=ar")
    page.close()
    yield context
    context.close()


@pytest.fixture
def desk(browser: Browser, world: World) -> Iterator[Page]:
    context = browser.new_context(**LOOKS["light"], base_url=world.url)
    context.set_default_timeout(10_000)
    page = context.new_page()
    sign_in(page, world)
    yield page
    context.close()


def sign_in(page: Page, world: World, persona: str = "sofia") -> None:
    with world.client(persona) as client:
        cookies = [
            {"name": cookie.name, "value": cookie.value or "", "url": world.url}
            for cookie in client.cookies.jar
            if cookie.name.startswith("pharos")
        ]
    page.context.add_cookies(cookies)  # type: ignore[arg-type]


def complaints(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA and best practice, no rule excepted."""
    page.evaluate(AXE)  # as the debugger: the page's own policy admits no foreign script
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{item['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for item in found["violations"]
        for node in item["nodes"]
    ]


def test_axe_finds_nothing(look: BrowserContext, world: World) -> None:
    page = look.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    for address in addresses(world):
        page.goto(address, wait_until="load")
        if page.locator("figure[data-chart]").count():
            page.wait_for_selector(".chart svg")
        menu = page.locator(".menu")
        if menu.is_visible():
            menu.click()
        assert complaints(page) == [], address
        wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= shown, f"{address} scrolls sideways"
    assert [text for text in heard if "404" not in text] == []


@pytest.mark.parametrize("name", LOOKS)
def test_pages_without_a_session_are_accessible(browser: Browser, world: World, name: str) -> None:
    context = browser.new_context(**LOOKS[name], base_url=world.url)
    page = context.new_page()
    for address in ("/", "/complete/edx-oauth2/"):
        page.goto(address + ("?language=ar" if name == "arabic" else ""))
        assert complaints(page) == []
    context.close()


def test_titles(page: Page, world: World) -> None:
    """Spec 06 §7.2: of a course page with its course, of the front page the application alone."""
    page.goto(f"{world.url}/")
    assert page.title() == "Pharos Insights"
    sign_in(page, world, "sofia")
    page.goto(f"{world.url}/courses/")
    assert page.title() == "Courses | Pharos Insights"
    page.goto(f"{world.url}/courses/{world.course_id}/enrollment/activity/")
    course = "/".join(world.course_id.removeprefix("course-v1:").split("+"))
    assert page.title() == f"Enrollment Activity - {course} | Pharos Insights"


def test_a_refusal_is_accessible(page: Page, world: World) -> None:
    sign_in(page, world, "lena")
    page.goto(f"{world.url}/courses/")
    assert "Access Denied" in page.title()
    assert complaints(page) == []


@pytest.mark.parametrize("code", ["en", "es", "fr", "ar", "zh"])
def test_charts_write_numbers_as_their_tables_do(desk: Page, world: World, code: str) -> None:
    """Two formatters, one form: the browser's for the drawing, the server's for the table."""
    desk.goto(f"/courses/{world.course_id}/enrollment/demographics/gender/?language={code}")
    numbers = desk.locator("#table tbody tr").first.locator("td").all_inner_texts()
    as_charts_do = 'new Intl.NumberFormat(document.documentElement.lang, {useGrouping: "always"})'
    assert desk.evaluate(f"{as_charts_do}.format(2000)") == numbers[0]
    desk.goto(f"/courses/{world.course_id}/enrollment/geography/")
    desk.wait_for_selector(".chart svg")
    for key in ("ArrowDown", "ArrowDown"):
        desk.locator(".chart").press(key)
    said = desk.locator("figure [aria-live]").inner_text()
    second = desk.locator("#table tbody tr").nth(1)
    cells = [second.locator("th").inner_text(), *second.locator("td").all_inner_texts()[:2]]
    assert all(cell in said for cell in cells), (said, cells)


def test_a_person_signs_in_reads_a_number_and_signs_out(page: Page, world: World) -> None:
    page.goto(world.url)
    page.get_by_role("link", name="Sign in with your learning platform account").click()
    page.locator("form", has=page.locator("input[value=sofia]")).get_by_role("button").click()
    page.wait_for_url(f"{world.url}/courses/")
    page.get_by_role("link", name=world.campus.courses[0].name).first.click()
    page.get_by_role("navigation", name="Reports").get_by_role("link", name="Activity").click()
    said = world.api_rows(f"courses/{world.course_id}/enrollment/mode/")[-1]["count"]
    assert page.locator("#table tbody tr").first.locator("td").first.inner_text() == str(said)
    page.locator("details.user summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_load_state()
    page.goto(f"{world.url}/courses/")
    assert not page.url.startswith(f"{world.url}/courses/")


def test_keyboard_reaches_everything(desk: Page, world: World) -> None:
    desk.goto(f"/courses/{world.course_id}/enrollment/activity/")
    desk.wait_for_selector(".chart svg")
    desk.keyboard.press("Tab")
    assert desk.evaluate("document.activeElement.className") == "skip"
    desk.keyboard.press("Enter")
    assert desk.evaluate("document.activeElement.id") == "content"
    desk.locator(".chart").focus()
    desk.keyboard.press("ArrowLeft")
    assert "22 November 2026: All tracks 356" in desk.locator("figure [aria-live]").inner_text()
    desk.keyboard.press("ArrowLeft")
    assert "21 November 2026: All tracks 353" in desk.locator("figure [aria-live]").inner_text()
    desk.keyboard.press("Escape")
    desk.locator("details.user summary").focus()
    desk.keyboard.press("Enter")
    assert desk.get_by_role("button", name="Sign out").is_visible()
    desk.keyboard.press("Escape")
    assert not desk.get_by_role("button", name="Sign out").is_visible()
    assert desk.evaluate("document.activeElement.tagName") == "SUMMARY"
    desk.locator(".sort").nth(1).focus()
    desk.keyboard.press("Enter")
    desk.wait_for_url("**sort=-count**")
    assert desk.locator("th[aria-sort=descending]").inner_text().strip() == "Current"


def test_the_list_by_keyboard(desk: Page) -> None:
    desk.goto("/courses/")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    assert desk.evaluate("document.activeElement.id") == "results"
    desk.get_by_role("searchbox", name="Search courses").focus()
    desk.keyboard.type("old")
    desk.keyboard.press("Enter")
    desk.wait_for_url("**q=old**")
    assert desk.get_by_role("status").inner_text() == "1 of 6 courses"
    desk.get_by_label("Program").focus()
    desk.keyboard.press("O")
    desk.wait_for_url("**program=p-old**")
    chips = desk.locator(".chip")
    assert [chip.partition(",")[0].strip() for chip in chips.all_inner_texts()] == [
        "Search: “old”",
        "Program: Old Arts",
    ]
    chips.first.focus()
    desk.keyboard.press("Enter")
    desk.wait_for_url(lambda url: "q=" not in url)
    desk.go_back()
    assert "q=old" in desk.url


def test_a_chart_without_room_waits_for_it(desk: Page, world: World) -> None:
    """As while a page is being laid out: the map has no projection onto nothing."""
    heard: list[str] = []
    desk.on("pageerror", lambda error: heard.append(str(error)))
    desk.add_init_script(
        "new MutationObserver(() => { const box = document.querySelector('.chart:not(.seen)');"
        "if (box) { box.classList.add('seen'); box.style.height = '4px'; } })"
        ".observe(document, {childList: true, subtree: true})"
    )
    desk.goto(f"/courses/{world.course_id}/enrollment/geography/")
    desk.wait_for_load_state("networkidle")
    assert desk.locator(".chart svg").count() == 0
    desk.locator(".chart").evaluate("box => { box.style.height = '300px'; }")
    desk.wait_for_selector(".chart svg")
    assert heard == []


def test_sparklines_are_drawn_beside_their_numbers(desk: Page, world: World) -> None:
    desk.goto("/courses/")
    desk.wait_for_selector(f'[data-shape="{world.course_id}"] path[d]', state="attached")


def test_periods_and_dates_by_keyboard(desk: Page, world: World) -> None:
    desk.goto(f"/courses/{world.course_id}/enrollment/activity/")
    desk.get_by_role("link", name="30 days").focus()
    desk.keyboard.press("Enter")
    desk.wait_for_url("**period=30d**")
    desk.get_by_label("Compared with").focus()
    desk.keyboard.press("L")
    desk.wait_for_url("**compare=run**")
    assert desk.get_by_role("columnheader", name="Last run").is_visible()
    desk.locator("details.dates summary").focus()
    desk.keyboard.press("Enter")
    assert desk.get_by_label("From").is_visible()
    desk.keyboard.press("Escape")
    assert not desk.get_by_label("From").is_visible()


def test_the_menu_of_a_phone_by_keyboard(browser: Browser, world: World) -> None:
    context = browser.new_context(**LOOKS["phone"], base_url=world.url)
    page = context.new_page()
    sign_in(page, world)
    page.goto(f"/courses/{world.course_id}/")
    menu = page.get_by_role("button", name="Reports")
    menu.focus()
    page.keyboard.press("Enter")
    assert menu.get_attribute("aria-expanded") == "true"
    assert page.get_by_role("link", name="Geography").is_visible()
    page.keyboard.press("Escape")
    assert menu.get_attribute("aria-expanded") == "false"
    assert not page.get_by_role("link", name="Geography").is_visible()
    context.close()


def test_a_sheet_has_the_report_and_no_controls(desk: Page, world: World, tmp_path: Path) -> None:
    desk.goto(f"/courses/{world.course_id}/enrollment/activity/")
    desk.wait_for_selector(".chart svg")
    screen = desk.locator(".chart svg").get_attribute("viewBox")
    desk.pdf(path=tmp_path / "sheet.pdf", format="A4")
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    assert desk.locator("details.counted").get_attribute("open") is not None
    assert desk.locator(".chart svg").get_attribute("viewBox") == screen
    desk.emulate_media(media="print")
    for part in (".bar", ".side", ".btn", ".pager"):
        assert not any(element.is_visible() for element in desk.locator(part).all()), part
    assert desk.get_by_role("heading", name="How is this counted?").is_visible()
    assert desk.locator(".where").is_visible()


def test_theme_switch_holds_on_the_next_page(desk: Page, world: World) -> None:
    desk.goto(f"/courses/{world.course_id}/enrollment/activity/")
    desk.get_by_role("button", name="Dark theme").click()
    desk.goto("/courses/")
    assert desk.evaluate("document.documentElement.dataset.theme") == "dark"
    assert desk.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 25, 34)"


def test_the_chart_is_a_picture_on_request(desk: Page, world: World, tmp_path: Path) -> None:
    desk.goto(f"/courses/{world.course_id}/enrollment/activity/")
    desk.wait_for_selector(".chart svg")
    with desk.expect_download() as waiting:
        desk.get_by_role("button", name="Download PNG").click()
    waiting.value.save_as(tmp_path / "chart.png")
    content = (tmp_path / "chart.png").read_bytes()
    assert waiting.value.suggested_filename == "HarborX-NAV101-R3-enrollment.png"
    assert content.startswith(b"\x89PNG")
    assert len(content) > 10_000


def test_pages_work_without_scripts(browser: Browser, world: World) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=world.url)
    page = context.new_page()
    sign_in(page, world)
    page.goto(f"/courses/{world.course_id}/enrollment/activity/?period=7d")
    assert page.get_by_text("The chart needs JavaScript").is_visible()
    page.select_option("select[name=compare]", "before")
    page.get_by_role("button", name="Compare").click()
    assert "compare=before" in page.url
    assert "period=7d" in page.url
    assert page.get_by_role("columnheader", name="Period before").is_visible()
    context.close()


def test_weight_and_origin_of_a_first_visit(browser: Browser, world: World) -> None:
    """At most 250 KB compressed, and all of it from us."""
    for address in ("enrollment/activity/", "enrollment/geography/"):
        context = browser.new_context(base_url=world.url)
        page = context.new_page()
        sign_in(page, world)
        finished: list[Request] = []

        def note(request: Request, finished: list[Request] = finished) -> None:
            finished.append(request)

        page.on("requestfinished", note)
        page.goto(f"/courses/{world.course_id}/{address}", wait_until="networkidle")
        sizes = {request.url: request.sizes()["responseBodySize"] for request in finished}
        assert all(url.startswith(world.url) for url in sizes)
        assert len(sizes) >= 5
        assert sum(sizes.values()) <= 250_000, json.dumps(sizes, indent=1)
        context.close()


def test_no_page_is_framed_or_runs_foreign_code(world: World) -> None:
    with world.client("sofia") as client:
        for address in (*addresses(world), "/", "/static/x"):
            headers = client.get(address).headers
            policy = headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["x-content-type-options"] == "nosniff"


def test_static_files_are_for_ever(world: World) -> None:
    with world.client() as client:
        page = client.get("/").text
        address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] in {"br", "gzip"}
        assert client.get("/static/../app.py").status_code == 404


def test_old_numbers_are_told_on_every_page_and_size(browser: Browser, world: World) -> None:
    """The newest event of this world is of 22 November 2026, 23:41."""
    for look in ("light", "phone"):
        context = browser.new_context(**LOOKS[look], base_url=world.url)
        page = context.new_page()
        sign_in(page, world)
        for address in ("/courses/", f"/courses/{world.course_id}/", "/definitions/"):
            page.goto(address)
            assert page.get_by_text("newest event counted is of 22 November 2026, 23:41 UTC").is_visible()
        context.close()


def test_how_the_chart_is_drawn_stands_in_the_address(desk: Page, world: World) -> None:
    desk.goto(f"/courses/{world.course_id}/enrollment/activity/?period=30d")
    desk.wait_for_selector(".chart svg")
    assert desk.locator("figure").get_attribute("data-mode") == "stacked"
    desk.get_by_role("navigation", name="Draw as").get_by_role("link", name="Lines").click()
    desk.wait_for_url("**period=30d&draw=lines**")
    assert desk.locator("figure").get_attribute("data-mode") == "lines"
    desk.get_by_role("link", name="7 days").click()
    desk.wait_for_url("**draw=lines**")
    desk.get_by_label("Compared with").select_option("before")
    desk.wait_for_url("**compare=before**")
    assert "draw=lines" in desk.url


def test_the_numbers_of_a_phone_fit(browser: Browser, world: World) -> None:
    """At 390 pixels the columns that matter stand without scrolling: enrolled, change, verified."""
    context = browser.new_context(
        **(LOOKS["phone"] | {"viewport": {"width": 390, "height": 844}}), base_url=world.url
    )
    page = context.new_page()
    sign_in(page, world)
    course = f"/courses/{world.course_id}/"
    for address in (
        "/courses/",
        f"{course}enrollment/activity/",
        f"{course}enrollment/activity/?compare=run",
        f"{course}engagement/content/",
        f"{course}engagement/content/?compare=run",
    ):
        page.goto(address)
        wide, shown = page.evaluate(
            "(({scrollWidth: w, clientWidth: c}) => [w, c])(document.querySelector('.scroll'))"
        )
        assert wide <= shown, address
    context.close()


def test_on_a_wide_screen_the_table_stands_beside_its_chart(browser: Browser, world: World) -> None:
    context = browser.new_context(**LOOKS["wide"], base_url=world.url)
    page = context.new_page()
    sign_in(page, world)
    page.goto(f"/courses/{world.course_id}/enrollment/activity/")
    chart, table = page.locator("figure").bounding_box(), page.locator("#table").bounding_box()
    assert chart
    assert table
    assert table["x"] > chart["x"] + chart["width"]
    assert table["x"] + table["width"] > 2000
    context.close()


@pytest.mark.parametrize("width", [1800, 1920, 2560])
def test_a_table_beside_its_chart_has_room_for_its_columns(
    browser: Browser, world: World, width: int
) -> None:
    """All columns, that of the last run too, stand without scrolling, and the chart can still be read."""
    context = browser.new_context(viewport={"width": width, "height": 1000}, base_url=world.url)
    page = context.new_page()
    sign_in(page, world)
    for report in ("enrollment/activity/", "engagement/content/", "enrollment/geography/"):
        page.goto(f"/courses/{world.course_id}/{report}?compare=run")
        wide, shown = page.evaluate("(t => [t.scrollWidth, t.clientWidth])(document.querySelector('#table'))")
        assert wide <= shown, report
        chart, table = page.locator("figure").bounding_box(), page.locator("#table").bounding_box()
        assert chart
        assert table
        assert chart["width"] > 500, report
        assert table["x"] > chart["x"] + chart["width"], report
        assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()


def test_from_a_report_to_the_same_report_of_another_course(desk: Page, world: World) -> None:
    desk.goto(f"/courses/{world.course_id}/engagement/content/")
    search = desk.get_by_role("searchbox", name="Go to another course")
    search.fill("old101")
    search.press("Enter")
    desk.wait_for_url("**/courses/CampusX/OLD101/2014_T1/engagement/content/")
    search.fill("sea")
    search.press("Enter")
    desk.wait_for_url("**/courses/?q=sea#results")
    desk.goto(f"/courses/{world.course_id}/")
    desk.get_by_role("navigation", name="Reports").get_by_role("link", name="Your courses").click()
    desk.wait_for_url("**/courses/")


def test_how_it_is_counted_is_told_on_request_and_more_exactly_on_a_second(desk: Page, world: World) -> None:
    desk.goto(f"/courses/{world.course_id}/enrollment/activity/?period=7d")
    said = desk.get_by_text("A learner counts on a day if they are enrolled when that day ends")
    exact = desk.locator("[data-definition=course_enrollment_mode_daily]")
    assert not said.is_visible()
    desk.get_by_role("heading", name="How is this counted?").click()
    assert said.is_visible()
    assert not exact.is_visible()
    desk.get_by_text("The exact definition").click()
    assert exact.is_visible()
    rows = desk.get_by_role("link", name="The rows behind these numbers").get_attribute("href")
    assert rows
    assert rows.endswith("/csv/enrollment/?from=2026-11-16&to=2026-11-22")
