"""Spec 05 §4, the catalogue of metrics, and the documentation page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import httpx
import playwright.sync_api
import pyarrow as pa
import pytest
import sqlalchemy as sa

from pharos.result_store import contract, data_problems, store, tables
from pharos.result_store.data_problems import DataProblem, LogSource
from pharos.result_store.store import Publication
from pharos.result_store.tables import RESULTS


@pytest.mark.parametrize("prefix", ["", "/api/v0", "/api/v1"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_alive_healthy_and_known(api: httpx.Client, prefix: str, slash: str) -> None:
    assert api.get(f"{prefix}/status{slash}").json() == {}
    assert api.get(f"{prefix}/authenticated{slash}").json() == {}
    health = api.get(f"{prefix}/health{slash}")
    assert health.headers["Cache-Control"] == "no-store"
    assert health.json() == {
        "overall_status": "OK",
        "detailed_status": {"default_db_status": "OK", "analytics_db_status": "OK"},
        "data_until": None,
        "newest_event": None,
        "problems": [],
    }


def test_a_store_that_is_gone_is_unavailable_not_a_fault(
    serve_api: Callable[..., httpx.Client], home: Path
) -> None:
    api = serve_api()
    (home / "result_store.sqlite").unlink()
    for headers in ({"Authorization": ""}, {}):
        health = api.get("/health/", headers=headers)
        assert health.status_code == 503
        assert health.json() == {
            "overall_status": "UNAVAILABLE",
            "detailed_status": {"default_db_status": "UNAVAILABLE", "analytics_db_status": "UNAVAILABLE"},
        }
    for path in ("course_summaries/", "tables/video.csv"):
        answer = api.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["detail"]) == (503, "The Result Store does not answer.")
    assert not (home / "result_store.sqlite").exists()
    assert str(home) not in answer.text


def test_a_store_of_a_later_release_is_healthy_and_said_to_be(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    """So that replicas can be upgraded one after the other."""
    api = serve_api()
    assert "schema" not in api.get("/health/").json()
    version = sa.table(store.VERSION_TABLE, sa.column("version_num"))
    with engine.begin() as connection:
        connection.execute(sa.update(version).values(version_num="9999"))
    health = api.get("/health/")
    assert (health.status_code, health.json()["schema"]) == (200, "newer")
    assert api.get("/api/v1/course_summaries/").status_code == 200
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE video"))
    health = api.get("/health/")
    assert (health.status_code, health.json()["overall_status"]) == (503, "UNAVAILABLE")


def test_an_unhealthy_second_store_is_named(serve_api: Callable[..., httpx.Client], tmp_path: Path) -> None:
    api = serve_api(v1_url=f"sqlite:///{tmp_path / 'missing.sqlite'}")
    assert api.get("/health/").json()["detailed_status"] == {
        "default_db_status": "OK",
        "analytics_db_status": "UNAVAILABLE",
    }


def test_v1_reads_its_own_store_if_it_has_one(serve_api: Callable[..., httpx.Client], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'second.sqlite'}"
    store.upgrade(url)
    second = store.connect(url)
    with second.begin() as connection:
        connection.execute(
            sa.insert(tables.sequential_open_distribution),
            {"course_id": "a/b/c", "module_id": "m", "count": 1},
        )
    api = serve_api(v1_url=url)
    path = "problems/m/sequential_open_distribution/"
    assert api.get(f"/api/v0/{path}").status_code == 404
    assert api.get(f"/api/v1/{path}").json()[0]["count"] == 1


def test_the_catalogue_explains_every_table_and_its_age(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    rows = pa.table({"course_id": ["a/b/c"], "module_id": ["m"], "count": [1]})
    publication = Publication(fingerprint="f1", until=datetime(2031, 3, 2), last_event=None, version=1)
    store.publish(engine, tables.sequential_open_distribution, rows, publication)
    metrics = {metric["table"]: metric for metric in serve_api().get("/api/v1/metrics/").json()}
    assert set(metrics) == set(RESULTS)
    assert metrics["course_activity"]["freshness"] is None
    fresh = metrics["sequential_open_distribution"]["freshness"]
    assert (fresh["until"], fresh["fingerprint"], fresh["rows"]) == ("2031-03-02T00:00:00Z", "f1", 1)


def test_the_days_of_another_program_are_told(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    """In the catalogue, in the list of tables and with each answer; other answers have no such header."""
    rows = pa.table(
        {"course_id": ["a/b/c"], "date": [date(2031, 3, 1)], "count": [1], "cumulative_count": [1]}
    )
    publication = Publication(fingerprint="f1", until=datetime(2031, 3, 2), last_event=None, version=1)
    store.publish(engine, tables.course_enrollment_daily, rows, publication)
    api, answer = serve_api(), "/api/v1/courses/a%2Fb%2Fc/enrollment/"
    assert "X-Pharos-History-Until" not in api.get(answer).headers
    with engine.begin() as connection:
        connection.execute(sa.update(tables.publications).values(history_until=date(2030, 5, 3)))
    api = serve_api()
    assert api.get(answer).headers["X-Pharos-History-Until"] == "2030-05-03"
    listed = {table["table"]: table["history_until"] for table in api.get("/api/v1/tables/").json()}
    assert listed["course_enrollment_daily"] == "2030-05-03"
    assert listed["course_activity"] is None
    metrics = {metric["table"]: metric["freshness"] for metric in api.get("/api/v1/metrics/").json()}
    assert metrics["course_enrollment_daily"]["history_until"] == "2030-05-03"


def test_the_kept_catalogue_follows_every_publication(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pharos.data_api.reading.FRESH_FOR_S", 0)
    api, path = serve_api(), "/api/v1/metrics/"
    assert "ETag" not in api.get(path).headers  # nothing is published yet
    tag = None
    for version, table in enumerate((tables.sequential_open_distribution, tables.grade_distribution)):
        values = {"course_id": "a/b/c", "module_id": "m", "count": 1, "grade": 1.0, "max_grade": 2.0}
        rows = pa.table({column.name: [values[column.name]] for column in contract.columns(table)})
        publication = Publication(
            fingerprint="f", until=datetime(2031, 3, 2), last_event=None, version=version
        )
        store.publish(engine, table, rows, publication)
        answer = api.get(path, headers={"If-None-Match": tag or ""})
        fresh = {metric["table"]: metric["freshness"] for metric in answer.json()}
        assert fresh[table.name]["version"] == version
        tag = answer.headers["ETag"]
        again = api.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.headers["Cache-Control"]) == (304, "private, no-cache")


def test_the_documentation_page_works_without_the_internet(
    api: httpx.Client, page: playwright.sync_api.Page
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{api.base_url}/docs/")
    page.get_by_role("heading", name="Course summaries").wait_for()
    if not page.locator(".opblock-summary").first.is_visible():
        page.locator(".opblock-tag").first.click()
    page.locator(".opblock-summary").first.click()
    page.locator(".opblock-body").first.wait_for()
    assert all(url.startswith((str(api.base_url), "data:")) for url in asked)
    assert [text for text in complaints if "Content Security Policy" in text] == []


def test_root_leads_to_the_documentation_and_json_is_the_openapi_document(api: httpx.Client) -> None:
    assert api.get("/").headers["Location"].rstrip("/") == "/docs"
    document = api.get("/docs", headers={"Accept": "application/json"}).json()
    assert document["openapi"].startswith("3.")
    description = document["paths"]["/api/v1/courses/{course_id}/enrollment/"]["get"]["description"]
    assert "A learner is enrolled from an activation until the next deactivation" in description


def test_a_token_is_given_for_its_name_and_itself(api: httpx.Client) -> None:
    """Spec 05 §3.1, for clients that log in first."""
    login = {"username": "everything", "password": "a" * 40}
    url = f"{api.base_url}/api-token-auth/"
    for answer in (httpx.post(url, data=login), httpx.post(url, json=login)):
        assert (answer.status_code, answer.json()) == (200, {"token": "a" * 40})
    for wrong in ({"username": "no learners"}, {"password": "b" * 40}, {"password": "é b"}):
        answer = httpx.post(f"{api.base_url}/api-token-auth", data=login | wrong)
        assert answer.status_code == 400
        assert answer.json() == {"non_field_errors": ["Unable to log in with provided credentials."]}
    answer = httpx.post(f"{api.base_url}/api-token-auth/", data={"username": "everything"})
    assert (answer.status_code, answer.json()) == (400, {"password": ["This field is required."]})
    assert httpx.get(f"{api.base_url}/api-token-auth/").status_code == 405


def test_passwords_cannot_be_tried_at_will(serve_api: Callable[..., httpx.Client]) -> None:
    url = f"{serve_api(requests_per_minute=3).base_url}/api-token-auth/"
    tried = [httpx.post(url, data={"username": "x", "password": "y"}).status_code for _ in range(4)]
    assert tried == [400, 400, 400, 429]


def test_health_and_metrics_tell_the_condition_of_the_data(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    """Kinds and numbers only: both need no credentials. A source that went silent since counts, too."""
    long_ago = datetime(2024, 3, 1, 12)
    lms = LogSource(name="lms", newest=long_ago, logs=1, lines=9, events=8, quarantined=1)
    found = [DataProblem(kind="LMS import", about="", text="no rights on secret_table")]
    data_problems.record(engine, found, [lms], long_ago)
    api = serve_api()
    health = api.get("/health/", headers={"Authorization": ""})
    assert health.status_code == 200
    assert health.json()["overall_status"] == "OK"
    assert health.json()["problems"] == ["LMS import", "old events"]
    figures = api.get("/metrics").text
    assert 'pharos_data_problems{kind="LMS import"} 1.0' in figures
    assert 'pharos_data_problems{kind="old events"} 1.0' in figures
    assert 'pharos_data_problems{kind="clock skew"} 0.0' in figures
    assert 'event_timestamp_seconds{source="lms"} 1.7092944e+09' in figures
    assert 'pharos_log_source_quarantined_lines{source="lms"} 1.0' in figures
    assert "secret_table" not in health.text + figures


def test_without_tokens_the_service_is_not_healthy(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    """Without credentials, as load balancers ask: all who have some would be answered 503."""
    api = serve_api()
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE pharos_token")
    for headers in ({"Authorization": ""}, {}):
        health = api.get("/health/", headers=headers)
        assert health.status_code == 503
        assert health.json()["detailed_status"]["default_db_status"] == "UNAVAILABLE"
