"""Provenance, conditional requests, and answers that are kept until their table is published again."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pyarrow as pa
import pytest
import sqlalchemy as sa

from pharos.data_api.cache import BESIDE_BODY, Cache, Kept, stamp
from pharos.data_api.reading import ResultStore
from pharos.result_store import contract, store, tables
from pharos.result_store.store import Publication

PATH = "/api/v1/courses/a/b/c/enrollment/"


def publish(engine: sa.Engine, count: int, until: datetime = datetime(2031, 3, 2)) -> None:
    rows = pa.table(
        {"course_id": ["a/b/c"], "date": [date(2031, 3, 1)], "count": [count], "cumulative_count": [count]}
    )
    publication = Publication(
        fingerprint=f"f{count}", until=until, last_event=datetime(2031, 3, 1, 23, 5), version=3
    )
    store.publish(engine, tables.course_enrollment_daily, rows, publication)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publications are noticed at once."""
    monkeypatch.setattr("pharos.data_api.reading.FRESH_FOR_S", 0)


@pytest.mark.usefixtures("fresh")
def test_answers_say_where_they_come_from(serve_api: Callable[..., httpx.Client], engine: sa.Engine) -> None:
    publish(engine, 5)
    headers = serve_api().get(PATH).headers
    assert headers["X-Pharos-As-Of"] == "2031-03-02T00:00:00Z"
    assert headers["X-Pharos-Last-Event"] == "2031-03-01T23:05:00Z"
    assert headers["X-Pharos-Source"] == "course_enrollment_daily; version=3; fingerprint=f5"
    assert parsedate_to_datetime(headers["Last-Modified"])


@pytest.mark.usefixtures("fresh")
def test_an_answer_the_client_has_is_not_sent_again(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    publish(engine, 5)
    api = serve_api()
    first = api.get(PATH)
    tag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    for headers in (
        {"If-None-Match": tag},
        {"If-None-Match": f'W/{tag}, "x"'},
        {"If-Modified-Since": modified},
    ):
        again = api.get(PATH, headers=headers)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == tag
    for headers in (
        {"If-None-Match": '"x"'},
        {"If-None-Match": '"x"', "If-Modified-Since": modified},
        {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"If-Modified-Since": "nonsense"},
    ):
        assert api.get(PATH, headers=headers).status_code == 200
    assert api.get(f"{PATH}?format=csv").headers["ETag"] != tag
    publish(engine, 6)
    changed = api.get(PATH, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()[0]["count"]) == (200, 6)


@pytest.mark.usefixtures("fresh")
def test_equal_rows_for_a_later_moment_move_the_moment(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    publish(engine, 5)
    api = serve_api()
    api.get(PATH)
    publish(engine, 5, until=datetime(2031, 3, 4))
    assert api.get(PATH).headers["X-Pharos-As-Of"] == "2031-03-04T00:00:00Z"


@pytest.mark.usefixtures("fresh")
def test_compressed_and_plain_answers_do_not_mix(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    publish(engine, 5)
    api = serve_api()
    path = "/api/v1/course_summaries/"
    for encoding in ("gzip", "identity", "gzip"):
        answer = api.get(path, headers={"Accept-Encoding": encoding})
        assert answer.headers.get("Content-Encoding", "identity") == encoding
        assert len(answer.json()) == 2


def test_rows_that_were_not_published_are_never_kept(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    api = serve_api()
    path = "/api/v0/courses/OrgY/XYZ/2031/enrollment/"
    first = api.get(path)
    assert "ETag" not in first.headers
    with engine.begin() as connection:
        connection.execute(sa.update(tables.course_enrollment_daily).values(count=99))
    assert api.get(path).json()[0]["count"] == 99


def test_the_cache_forgets_before_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pharos.data_api.cache.MAX_BYTES", 8 * (BESIDE_BODY + 100))
    known = {
        "video": Publication(fingerprint="f", until=datetime(2031, 3, 2), last_event=None, version=1),
    }
    current = stamp(known, ["video"])
    cache = Cache()
    for number in range(20):
        cache.put(str(number), Kept(b"x" * 100, (), ("video",), current))
    assert [cache.get(str(number), known) is not None for number in range(20)] == [False] * 12 + [True] * 8
    cache.put("large", Kept(b"x" * 101, (), ("video",), current))
    assert cache.get("large", known) is None
    assert cache.get("0", known) is None
    assert cache.get("19", known) is not None
    assert cache.get("19", {}) is None
    assert stamp({}, ["video"]) == ""


def test_kept_answers_are_counted_and_refused_like_others(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    publish(engine, 5)
    api = serve_api(token_requests_per_minute=3)
    assert [api.get(PATH).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert httpx.get(f"{api.base_url}{PATH}").status_code == 401
    other = {"Authorization": f"Token {'d' * 40}"}
    assert httpx.get(f"{api.base_url}{PATH}", headers=other).status_code == 403


def test_those_who_ask_the_same_at_once_wait_for_one_answer(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(engine, 5)
    asked, read = [], ResultStore.tuples

    def slowly(self: ResultStore, statement: sa.Select[Any], *values: Any) -> Any:
        asked.append(statement)
        time.sleep(0.3)
        return read(self, statement, *values)

    monkeypatch.setattr(ResultStore, "tuples", slowly)
    api = serve_api()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.get(PATH).json()[0]["count"], range(8)))
    assert (answers, len(asked)) == ([5] * 8, 1)


def test_an_answer_that_failed_is_tried_again(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    publish(engine, 5)
    api = serve_api()
    nowhere = PATH.replace("a/b/c", "x/y/z")
    assert [api.get(nowhere).status_code for _ in range(3)] == [404, 404, 404]


@pytest.mark.usefixtures("fresh")
def test_links_and_tags_are_of_the_scheme(serve_api: Callable[..., httpx.Client], engine: sa.Engine) -> None:
    """Behind a proxy the same answer is asked for with http and with https."""
    summary = tables.course_meta_summary_enrollment
    values = {"enrollment_mode": "audit", "count": 1, "count_change_7_days": 0, "cumulative_count": 1}
    rows = pa.Table.from_pylist(
        [{"course_id": f"a/b/{run}", **values} for run in "cd"], contract.schema(summary)
    )
    publication = Publication(fingerprint="f", until=datetime(2031, 3, 2), last_event=None, version=1)
    store.publish(engine, summary, rows, publication)
    api = serve_api()
    answers = {
        scheme: api.get("/api/v1/course_summaries/?page=1&page_size=1", headers={"X-Forwarded-Proto": scheme})
        for scheme in ("http", "https", "http")
    }
    for scheme, answer in answers.items():
        assert answer.json()["next"].startswith(f"{scheme}://")
        assert answer.headers["Link"].startswith(f"<{scheme}://")
    assert answers["http"].headers["ETag"] != answers["https"].headers["ETag"]


@pytest.mark.usefixtures("fresh")
def test_an_answer_has_a_tag_for_each_encoding(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pharos.data_api.cache.COMPRESSED_FROM_BYTES", 1)
    publish(engine, 5)
    api = serve_api()
    tags = {}
    for accepted in ("gzip", "gzip;q=0", "identity", "*", "gzip;q=0.5, br"):
        answer = api.get(PATH, headers={"Accept-Encoding": accepted})
        assert answer.json()[0]["count"] == 5
        assert ("content-encoding" in answer.headers) == (accepted in ("gzip", "*", "gzip;q=0.5, br"))
        tags[accepted] = answer.headers["ETag"]
        known = {"Accept-Encoding": accepted, "If-None-Match": answer.headers["ETag"]}
        assert api.get(PATH, headers=known).status_code == 304
    assert tags["gzip"] == tags["*"] == tags["gzip;q=0.5, br"]
    assert tags["identity"] == tags["gzip;q=0"] != tags["gzip"]


def test_large_headers_of_kept_answers_count() -> None:
    small = Kept(b"x", (), ("video",), "")
    assert Kept(b"x", ((b"link", b"y" * 60_000),), ("video",), "").size >= small.size + 60_000
