"""How fast Insights answers and how much it sends: 5,000 courses in the store, one of each page.

Prints, per page, the time the server takes at the 50th and 95th percentile and the compressed size of the
page; what a first visit transfers; and how long Chromium needs from a click to the drawn list of courses.
LMS stand-in, Data API, Insights and browser share the machine. Run it with
`python benchmarks insights [--courses N --visits N]`.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from benchmarks.data_api import MODES, course, free_port, summaries, wait_for
from playwright.sync_api import Browser, BrowserContext, Request, sync_playwright
from rich.console import Console
from rich.table import Table

from pharos.data_api.tokens import create_token
from pharos.result_store import store, tables
from pharos.result_store.store import Publication

UNTIL = datetime(2026, 11, 23)  # noqa: DTZ001 - UTC by definition
DAYS = 3 * 365
CHROMIUM = "/usr/bin/chromium"
COURSE = f"/courses/{course(0)}/"
PAGES = {
    "front page": "/",
    "courses": "/courses/",
    "courses, searched": "/courses/?q=C12&sort=-current",
    "sparklines of 50 courses": "/courses/shapes/?" + urlencode([("course", course(n)) for n in range(50)]),
    "course home": COURSE,
    "enrollment, three years": COURSE + "enrollment/activity/",
    "enrollment, compared": COURSE + "enrollment/activity/?period=30d&compare=before",
    "age": COURSE + "enrollment/demographics/age/",
    "education": COURSE + "enrollment/demographics/education/",
    "gender": COURSE + "enrollment/demographics/gender/",
    "geography": COURSE + "enrollment/geography/",
    "engagement": COURSE + "engagement/content/",
    "definitions": "/definitions/",
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--courses", type=int, default=5000)
    options.add_argument("--visits", type=int, default=60)
    given = options.parse_args()
    console = Console(width=100)
    with tempfile.TemporaryDirectory() as folder:
        token = fill(Path(folder), given.courses)
        with served(Path(folder), token, given.courses) as url, sync_playwright() as driver:
            client = signed_in(url)
            console.print(times(client, given.visits))
            chromium = driver.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            console.print(first_visits(chromium, url, client))
            console.print(list_in_browser(chromium, url, client, given.courses))
            chromium.close()


# --- The store -------------------------------------------------------------------------------------------


def fill(folder: Path, courses: int) -> str:
    """Summaries and twelve weeks of all courses, everything of one; a token."""
    url = f"sqlite:///{folder / 'result_store.sqlite'}"
    store.upgrade(url)
    engine = store.connect(url)
    publication = Publication(fingerprint="bench", until=UNTIL, last_event=UNTIL, version=1)
    names = pa.array([course(number) for number in range(courses)])
    results = {tables.course_meta_summary_enrollment: summaries(names), **reports(courses)}
    for table, rows in results.items():
        store.publish(engine, table, rows, publication)
    token = create_token(engine, "bench", requests_per_minute=10**9)
    engine.dispose()
    return token


def reports(courses: int) -> dict[sa.Table, pa.Table]:
    """The results behind the pages of the first course, and the sparklines of all."""
    days = [(UNTIL - timedelta(days=DAYS - n)).date() for n in range(DAYS)]
    weeks = [UNTIL - timedelta(weeks=160 - n) for n in range(160)]
    labels = ("ACTIVE", "ATTEMPTED_PROBLEM", "PLAYED_VIDEO", "POSTED_FORUM")
    many = [(n, day) for n in range(courses) for day in days[-84:]] + [(0, day) for day in days[:-84]]

    def answers(name: str, values: list[object]) -> pa.Table:
        return rows_of(
            ("date", "course_id", name, "count", "cumulative_count"),
            [(days[-1], course(0), value, 10 + n * 37 % 91, 100) for n, value in enumerate(values)],
        )

    return {
        tables.course_enrollment_daily: rows_of(
            ("course_id", "date", "count", "cumulative_count"),
            [(course(n), day, 4000 + day.toordinal() % 977, 9000) for n, day in many],
        ),
        tables.course_enrollment_mode_daily: rows_of(
            ("course_id", "date", "mode", "count", "cumulative_count"),
            [(course(0), day, mode, 900 + day.toordinal() % 97, 2000) for day in days for mode in MODES],
        ),
        tables.course_enrollment_birth_year_daily: answers("birth_year", [None, *range(1931, 2020)]),
        tables.course_enrollment_education_level_daily: answers(
            "education_level", [None, "none", "primary", "secondary", "bachelors", "masters", "doctorate"]
        ),
        tables.course_enrollment_gender_daily: rows_of(
            ("course_id", "date", "gender", "count", "cumulative_count"),
            [(course(0), day, gender, 500, 600) for day in days for gender in ("f", "m", "o", None)],
        ),
        tables.course_enrollment_location_current: answers(
            "country_code", [None, *(np.array(["US", "IN", "BR", "FR", "DE", "GR", "EG", "CN", "ZA", "AU"]))]
        ),
        tables.course_activity: rows_of(
            ("course_id", "interval_start", "interval_end", "label", "count"),
            [(course(0), week, week + timedelta(weeks=1), label, 700) for week in weeks for label in labels],
        ),
    }


def rows_of(names: tuple[str, ...], rows: list[tuple[object, ...]]) -> pa.Table:
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})


# --- The services ----------------------------------------------------------------------------------------


SERVER = """
import sys, uvicorn
from pathlib import Path
sys.path.insert(0, str(Path(sys.argv[1]).parents[1]))
from benchmarks import insights
_, _, which, port, *given = sys.argv
uvicorn.run(insights.application(which, *given), port=int(port), log_level="warning", access_log=False)
"""


def application(which: str, folder: str, token: str, courses: str, lms: str, api: str, web: str) -> object:
    """One of the three services, for a process of its own."""
    from pharos.config import Settings  # noqa: PLC0415 - the other process needs none of it
    from pharos.data_api.app import create_app as create_data_api  # noqa: PLC0415
    from pharos.demo.campus import Campus  # noqa: PLC0415
    from pharos.demo.lms import create_app as create_lms  # noqa: PLC0415
    from pharos.demo.lms_sign_in import Client  # noqa: PLC0415
    from pharos.demo.lms_throttle import Throttle  # noqa: PLC0415
    from pharos.insights.app import create_app as create_insights  # noqa: PLC0415

    if which == "lms":
        campus = Campus(until=UNTIL.date(), learners=1)
        first = campus.courses[0]
        runs = tuple(
            replace(first, id=course(n), name=f"Course number {n}", starts=datetime(2026, 2, 2, tzinfo=UTC))
            for n in range(int(courses))
        )
        object.__setattr__(campus, "courses", runs)
        client = Client.of_insights("insights", "x", web)
        often = Throttle(100_000)  # the list of courses is asked for at once, not over an hour
        return create_lms(campus, insights=client, service=Client("service", "x"), throttle=often)
    settings = Settings(
        home=Path(folder),
        lms={"url": lms, "client_id": "service", "client_secret": "x"},
        result_store={"url": f"sqlite:///{folder}/result_store.sqlite"},
        insights={
            "requests_per_minute": 10**9,
            "url": web,
            "data_api_url": api,
            "data_api_token": token,
            "secret_key": "bench",
            "client_id": "insights",
            "client_secret": "x",
        },
    )
    return create_data_api(settings) if which == "data_api" else create_insights(settings)


@contextmanager
def served(folder: Path, token: str, courses: int) -> Iterator[str]:
    """The three services in processes of their own; the address of Insights."""
    lms, api, web = (free_port() for _ in range(3))
    urls = [f"http://127.0.0.1:{port}" for port in (lms, api, web)]
    common = [str(folder), token, str(courses), *urls]
    running = [
        subprocess.Popen([sys.executable, "-c", SERVER, __file__, which, str(port), *common])
        for which, port in (("lms", lms), ("data_api", api), ("insights", web))
    ]
    try:
        for port in (lms, api, web):
            wait_for(port)
        yield urls[-1]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def signed_in(url: str) -> httpx.Client:
    """A client that went through the sign-in as global staff."""
    client = httpx.Client(base_url=url, follow_redirects=True, timeout=60)
    form = client.get("/login/")
    answers = {"username": "sofia", "password": "sofia-demo", "next": form.url.params["next"]}
    page = client.post(str(form.url), data=answers)
    while (
        page.status_code == httpx.codes.SERVICE_UNAVAILABLE
    ):  # the first answers may take longer than a page
        page = client.get("/courses/")
    page.raise_for_status()
    if page.url.path != "/courses/":
        raise SystemExit(f"the sign-in ended at {page.url}")
    return client


# --- What is measured ------------------------------------------------------------------------------------


def times(client: httpx.Client, visits: int) -> Table:
    """Time to the whole answer, one visitor after the other, the caches warm as on a site in use."""
    table = Table("page", "p50 ms", "p95 ms", "KB sent", title="Server time")
    for address in (*PAGES.values(), *PAGES.values()):
        client.get(address).raise_for_status()
    time.sleep(5)  # until the names of all courses are there
    for name, address in PAGES.items():
        taken, size = [], 0
        for _ in range(visits):
            started = time.perf_counter()
            with client.stream("GET", address) as answer:
                answer.read()
                size = answer.num_bytes_downloaded
            taken.append((time.perf_counter() - started) * 1000)
        cuts = statistics.quantiles(taken, n=20)
        table.add_row(name, f"{statistics.median(taken):.0f}", f"{cuts[-1]:.0f}", f"{size / 1000:.0f}")
    return table


def first_visits(chromium: Browser, url: str, client: httpx.Client) -> Table:
    """Everything a browser with an empty cache fetches for one page."""
    table = Table("page", "requests", "KB compressed", title="First visit")
    for name in ("courses", "course home", "enrollment, three years", "geography", "engagement"):
        context = chromium.new_context(base_url=url)
        sign_in(context, client, url)
        page = context.new_page()
        finished: list[Request] = []

        def note(request: Request, finished: list[Request] = finished) -> None:
            finished.append(request)

        page.on("requestfinished", note)
        page.goto(PAGES[name], wait_until="networkidle")
        size = sum(request.sizes()["responseBodySize"] for request in finished)
        table.add_row(name, str(len(finished)), f"{size / 1000:.0f}")
        context.close()
    return table


def list_in_browser(chromium: Browser, url: str, client: httpx.Client, courses: int) -> Table:
    """From the request to the list drawn with its sparklines, in a browser that was here before."""
    table = Table("the list", "median ms to drawn", "to sparklines", title=f"{courses:,} courses in Chromium")
    context = chromium.new_context(base_url=url)
    sign_in(context, client, url)
    page = context.new_page()
    for name, address in {
        "as it is": "/courses/",
        "sorted": "/courses/?sort=-current",
        "searched": "/courses/?q=C12",
    }.items():
        drawn, shaped = [], []
        for _ in range(7):
            page.goto(address, wait_until="load")
            drawn.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
            page.wait_for_selector(".spark path[d]", state="attached")
            shaped.append(page.evaluate("performance.now()"))
        table.add_row(name, f"{statistics.median(drawn):.0f}", f"{statistics.median(shaped):.0f}")
    context.close()
    return table


def sign_in(context: BrowserContext, client: httpx.Client, url: str) -> None:
    """The browser has the session of the client."""
    for cookie in client.cookies.jar:
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": url}])


if __name__ == "__main__":
    main()
