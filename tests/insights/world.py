"""The world of these tests: a real LMS stand-in, a Result Store with known numbers, the Data API over it, and
Insights before all of them, each a server of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pyarrow as pa
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from tests.insights import answers_given, flow_counted, learners_enrolled, videos_watched
from tests.ports import free_ports

from pharos.config import (
    LMS,
    Counting,
    DataAPISettings,
    InsightsSettings,
    Privacy,
    ResultStoreSettings,
    Settings,
)
from pharos.data_api import app as data_api
from pharos.data_api.tokens import create_token
from pharos.demo import lms
from pharos.demo.campus import Campus
from pharos.demo.lms_sign_in import Client, SignIn
from pharos.demo.lms_throttle import Throttle
from pharos.demo.releases import NEWEST, Release
from pharos.insights import app as insights
from pharos.result_store import store, tables
from pharos.result_store.store import Publication

UNTIL = date(2026, 11, 23)
DAYS = 90
CLIENT, SERVICE = Client("insights", "insights-secret"), Client("service", "service-secret")
TOKEN = "0123456789abcdef" * 2
OLD_STYLE = "CampusX/OLD101/2014_T1"
LAST_RUN = "course-v1:HarborX+NAV101+R2"
RUNS_APART = timedelta(weeks=26)
LAST_RUN_DAYS = 80
LAST_EVENT = datetime(2026, 11, 22, 23, 41, 7)
ACTIVITY = ("ACTIVE", "PLAYED_VIDEO", "ATTEMPTED_PROBLEM", "POSTED_FORUM")


@contextmanager
def served(app: Any, port: int = 0) -> Iterator[str]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        assert server.started
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Outage:
    """An ASGI application in front of another that can be told to fail, in each of the ways services do.

    `down`: it answers what is said here after `delay_s`; `slow`: the answer of the other is sent after it.
    """

    app: FastAPI
    down: bool = False
    slow: bool = False
    paths: tuple[str, ...] = ("",)
    status: int = 503
    body: bytes = b"down"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    delay_s: float = 0
    without_parameter: str = ""
    """Of the query: the other does not hear of it."""
    requests: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.requests.append(scope["path"])
            if self.down and any(part in scope["path"] for part in self.paths):
                await asyncio.sleep(self.delay_s)
                headers = [(b"content-type", b"application/json"), *self.headers]
                await send({"type": "http.response.start", "status": self.status, "headers": headers})
                await send({"type": "http.response.body", "body": self.body})
                return
            if self.slow and any(part in scope["path"] for part in self.paths):
                at_once, delay_s = send, self.delay_s

                async def send(message: Any) -> None:
                    if message["type"] == "http.response.start":
                        await asyncio.sleep(delay_s)
                    await at_once(message)

            if self.without_parameter:
                query = [
                    pair
                    for pair in parse_qsl(scope["query_string"].decode())
                    if pair[0] != self.without_parameter
                ]
                scope = scope | {"query_string": urlencode(query).encode()}
        await self.app(scope, receive, send)


@dataclass
class World:
    """Where everything listens, and what is true in it."""

    url: str
    api_url: str
    lms_url: str
    campus: Campus
    settings: Settings
    app: FastAPI
    lms: Outage
    api: Outage

    @property
    def course_id(self) -> str:
        return self.campus.courses[0].id

    @contextmanager
    def client(self, persona: str | None = None) -> Iterator[httpx.Client]:
        """A browser without scripts; signed in as the persona."""
        with httpx.Client(base_url=self.url, follow_redirects=True, timeout=30) as client:
            if persona is not None:
                self.sign_in(client, persona)
            yield client

    def sign_in(self, client: httpx.Client, persona: str, next_page: str = "/courses/") -> httpx.Response:
        """The whole authorization-code flow, through the LMS's own form."""
        form = client.get("/login/", params={"next": next_page})
        if form.url.host + f":{form.url.port}" == self.url.removeprefix("http://"):
            return form
        answers = {"username": persona, "password": f"{persona}-demo", "next": form.url.params["next"]}
        return client.post(str(form.url), data=answers)

    def api_rows(self, path: str) -> Any:
        """The Data API's own answer."""
        return httpx.get(f"{self.api_url}/api/v1/{path}", headers={"Authorization": f"Token {TOKEN}"}).json()


def enrollment_on(index: int) -> dict[str, int]:
    """Learners by mode on day number `index`, as the tests count them by hand."""
    return {"audit": 40 + 3 * index, "verified": index // 2, "masters": 5}


def mode_rows(course_ids: list[str], days: int = DAYS, until: date = UNTIL) -> pa.Table:
    rows = [
        (until - timedelta(days=days - i), course_id, mode, count, count + i // 3)
        for course_id in course_ids
        for i in range(days)
        for mode, count in enrollment_on(i).items()
    ]
    return rows_of(("date", "course_id", "mode", "count", "cumulative_count"), rows)


def daily_rows(course_ids: list[str], days: int = DAYS) -> pa.Table:
    rows = [
        (course_id, UNTIL - timedelta(days=days - i), sum(enrollment_on(i).values()), 60 + 4 * i)
        for course_id in course_ids
        for i in range(days)
    ]
    return rows_of(("course_id", "date", "count", "cumulative_count"), rows)


def flow_rows(course_ids: list[str], days: int = DAYS) -> pa.Table:
    """On day number i, i % 3 learners left; as many joined as the daily numbers grow by, and as many more."""
    counts = [sum(enrollment_on(i).values()) for i in range(days)]
    rows = [
        (course_id, UNTIL - timedelta(days=days - i), count - before + i % 3, i % 3)
        for course_id in course_ids
        for i, (before, count) in enumerate(zip([0, *counts], counts, strict=False))
    ]
    return rows_of(("course_id", "date", "joined", "left"), rows)


def activity_rows(course_ids: list[str], weeks: int = 12) -> pa.Table:
    monday = datetime(2026, 11, 23)
    rows = [
        (
            course_id,
            monday - timedelta(weeks=weeks - i),
            monday - timedelta(weeks=weeks - i - 1),
            label,
            (60 + 7 * i - 20 * (i % 3)) // (n + 1),
        )
        for course_id in course_ids
        for i in range(weeks)
        for n, label in enumerate(ACTIVITY)
    ]
    return rows_of(("course_id", "interval_start", "interval_end", "label", "count"), rows)


def summary_rows(courses: list[tuple[str, str | None]]) -> pa.Table:
    last, before = enrollment_on(DAYS - 1), enrollment_on(DAYS - 8)
    rows = [
        (
            c,
            title,
            None,
            None,
            None,
            None,
            None,
            mode,
            last[mode],
            last[mode] - before[mode],
            last[mode] + 29,
            0,
        )
        for c, title in courses
        for mode in last
    ]
    return rows_of(
        (
            "course_id",
            "catalog_course_title",
            "catalog_course",
            "start_time",
            "end_time",
            "pacing_type",
            "availability",
            "enrollment_mode",
            "count",
            "count_change_7_days",
            "cumulative_count",
            "passing_users",
        ),
        rows,
    )


def program_rows() -> pa.Table:
    """One program with the first course of the campus, one with the course of long ago."""
    rows = [
        ("course-v1:HarborX+NAV101+R3", "p-sea", "MicroMasters", "Seafaring"),
        (OLD_STYLE, "p-old", "XSeries", "Old Arts"),
    ]
    return rows_of(("course_id", "program_id", "program_type", "program_title"), rows)


def rows_of(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> pa.Table:
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})


def publish(
    engine: sa.Engine,
    results: dict[sa.Table, pa.Table],
    until: date = UNTIL,
    last_event: datetime = LAST_EVENT,
) -> None:
    for table, rows in results.items():
        wanted = {column.name: column for column in table.columns}
        del wanted["id"], wanted["created"]
        publication = Publication(
            fingerprint="world",
            until=datetime(until.year, until.month, until.day),
            last_event=last_event,
            version=1,
        )
        store.publish(engine, table, rows, publication)


@contextmanager
def world_of(
    folder: Path,
    fill: Callable[[sa.Engine, Campus], None],
    prepare: Callable[[Campus], None] = lambda campus: add_last_run(campus),  # noqa: PLW0108 - defined below
    *,
    release: Release = NEWEST,
    lms_settings: Callable[[SignIn], dict[str, Any]] | None = None,
    also_at: str | None = None,
    store_url: str | None = None,
    counting: Counting | None = None,
    learners: bool = False,
    privacy: Privacy | None = None,
    **insights_settings: Any,
) -> Iterator[World]:
    """A world of its own; `insights_settings` are settings of Insights that differ from the usual ones.

    `prepare` changes what the LMS knows. `lms_settings`: how Insights checks tokens, from what the LMS signs
    with; without, they come straight. `also_at`: a further address of Insights that the LMS knows.
    `store_url`: of the Result Store; without, it is a file. `learners`: whether single learners are shown.
    """
    campus = Campus(until=UNTIL, days=DAYS, learners=20)
    prepare(campus)
    url = store_url or f"sqlite:///{folder / 'result_store.sqlite'}"
    store.upgrade(url)
    engine = store.connect(url)
    create_token(engine, "insights", token=TOKEN, learners=True)
    fill(engine, campus)
    engine.dispose()
    with ExitStack() as running:
        [port] = free_ports(1)
        own = f"http://127.0.0.1:{port}"
        client = Client.of_insights(CLIENT.id, CLIENT.secret, own)
        if also_at is not None:
            further = Client.of_insights(CLIENT.id, CLIENT.secret, also_at).redirect_uris
            client = replace(client, redirect_uris=(*client.redirect_uris, *further))
        often = Throttle(100_000)  # tests open more pages in a minute than a course team
        stand_in = lms.create_app(campus, insights=client, service=SERVICE, release=release, throttle=often)
        lms_app = Outage(stand_in)
        lms_url = running.enter_context(served(lms_app))
        settings = Settings(
            home=folder,
            lms=LMS(
                url=lms_url,
                studio_url=lms_url.replace("127.0.0.1", "studio.localhost"),
                client_id=SERVICE.id,
                client_secret=SERVICE.secret,
                **(lms_settings(lms_app.app.state.sign_in) if lms_settings else {}),
            ),
            result_store=ResultStoreSettings(url=url),
            counting=counting or Counting(),
            data_api=DataAPISettings(token_requests_per_minute=100_000, learners=learners),
            privacy=privacy or Privacy(),
            insights=InsightsSettings(
                url=own,
                data_api_token=TOKEN,
                secret_key="a key for tests",
                client_id=CLIENT.id,
                client_secret=CLIENT.secret,
                **({"requests_per_minute": 100_000} | insights_settings),
            ),
        )
        api_app = Outage(data_api.create_app(settings))
        api_url = running.enter_context(served(api_app))
        settings = settings.model_copy(
            update={"insights": settings.insights.model_copy(update={"data_api_url": api_url})}
        )
        app = insights.create_app(settings)
        running.enter_context(served(app, port))
        yield World(own, api_url, lms_url, campus, settings, app, lms_app, api_app)


def add_last_run(campus: Campus) -> None:
    """The first course of the campus was held half a year earlier as well."""
    now = campus.courses[0]
    assert now.ends is not None
    earlier = replace(now, id=LAST_RUN, starts=now.starts - RUNS_APART, ends=now.ends - RUNS_APART)
    object.__setattr__(campus, "courses", (*campus.courses, earlier))


LAST_DAY = UNTIL - timedelta(days=1)
BIRTH_YEARS = {None: 40, 2004: 3, 1994: 2, 1984: 1, 1999: 60, 1975: 20, 1920: 2}
EDUCATION = {"bachelors": 30, "none": 10, None: 60, "masters": 12, "secondary": 25}
GENDERS = {"f": 100, "m": 400, "o": 500, None: 1000}
COUNTRIES = {"US": 60, None: 30, "FR": 10, "IN": 210, "GR": 90, "EG": 55, "BR": 41, "CN": 8, "ZA": 3, "AU": 1}


LANGUAGES = {"en": 200, "es": 150, "hi": 60, "fr": 20, "ar": 12, "zh": 6, "pt": 3, None: 50}
TRANSCRIPTS = {"en": 14, "es": 9, "pt-br": 2}


def demographic_rows(course_ids: list[str]) -> dict[sa.Table, pa.Table]:
    """Answers and countries of the last day; of gender, two days."""

    def latest(column: str, counts: dict[Any, int]) -> pa.Table:
        rows = [(LAST_DAY, c, value, n, n) for c in course_ids for value, n in counts.items()]
        return rows_of(("date", "course_id", column, "count", "cumulative_count"), rows)

    two_days = [
        (LAST_DAY - timedelta(days=back), c, gender, n - back, n)
        for c in course_ids
        for back in (0, 1)
        for gender, n in GENDERS.items()
    ]
    return {
        tables.course_enrollment_birth_year_daily: latest("birth_year", BIRTH_YEARS),
        tables.course_enrollment_education_level_daily: latest("education_level", EDUCATION),
        tables.course_enrollment_gender_daily: rows_of(
            ("date", "course_id", "gender", "count", "cumulative_count"), two_days
        ),
        tables.course_enrollment_location_current: latest("country_code", COUNTRIES),
        tables.course_enrollment_language_current: latest("language", LANGUAGES).drop_columns(
            "cumulative_count"
        ),
        tables.course_transcript_language: rows_of(
            ("course_id", "language", "videos", "course_videos"),
            [(c, language, n, 14) for c in course_ids for language, n in TRANSCRIPTS.items()],
        ),
    }


def answer_rows(campus: Campus) -> list[dict[str, Any]]:
    """Answers to all problems of two courses, and to one of the course of long ago."""
    rows = [row for course in campus.courses[:2] for row in answers_given.rows_of_course(course)]
    return [*rows, *answers_given.odd_rows(OLD_STYLE)]


def fill(engine: sa.Engine, campus: Campus) -> None:
    """Three courses with numbers (one with an old-style id), the others with none."""
    ids = [campus.courses[0].id, campus.courses[1].id, OLD_STYLE]
    publish(
        engine,
        {
            tables.course_enrollment_mode_daily: pa.concat_tables(
                [mode_rows(ids), mode_rows([LAST_RUN], LAST_RUN_DAYS, UNTIL - RUNS_APART)]
            ),
            tables.course_enrollment_daily: daily_rows(ids),
            tables.course_enrollment_flow_daily: flow_rows(ids),
            tables.course_activity: activity_rows(ids),
            **demographic_rows(ids),
            tables.answer_distribution: answers_given.as_table(answer_rows(campus)),
            tables.item_quality: answers_given.item_table(campus.courses[0]),
            tables.item_answer: answers_given.item_answer_table(campus.courses[0]),
            tables.finding: answers_given.finding_table(
                campus.courses[0], videos_watched.finding_rows(campus.courses[0])
            ),
            tables.tags_distribution: answers_given.tag_rows(campus.courses[:2], OLD_STYLE),
            **videos_watched.rows_of(campus.courses[:2], LAST_RUN, OLD_STYLE),
            **learners_enrolled.rows_of(ids, LAST_DAY),
            **flow_counted.rows_of(campus.courses[:2], LAST_RUN, OLD_STYLE),
            tables.course_program_metadata: program_rows(),
            tables.course_meta_summary_enrollment: summary_rows(
                [(i, None) for i in ids[:2]] + [(ids[2], "Old")]
            ),
        },
    )
