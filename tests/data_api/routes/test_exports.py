"""Whole tables in every form, as far as the caller may see them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date, datetime, timedelta

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from pharos.data_api.routes import exports
from pharos.result_store import store, tables
from pharos.result_store.store import Publication

CID = "course-v1:OrgX+ABC101+2031_T1"
OTHER = "OrgY/XYZ/2031"
PATH = "/api/v1/tables/course_enrollment_daily"
FIRST = {"course_id": CID, "date": "2031-02-27", "count": 8, "cumulative_count": 8}


def test_the_same_rows_in_every_form(api: httpx.Client) -> None:
    items = api.get(f"{PATH}/").json()
    assert (len(items), FIRST in items) == (4, True)
    assert items == sorted(items, key=lambda item: (item["course_id"], item["date"]))
    assert [json.loads(line) for line in api.get(f"{PATH}.ndjson").text.splitlines()] == items
    lines = list(csv.DictReader(io.StringIO(api.get(f"{PATH}.csv").text)))
    assert lines[0] == {name: str(value) for name, value in items[0].items()}
    parquet = api.get(f"{PATH}.parquet")
    assert parquet.headers["Content-Disposition"] == "attachment; filename=course_enrollment_daily.parquet"
    table = pq.read_table(io.BytesIO(parquet.content))
    assert table.schema.field("date").type == pa.date32()
    assert table.column("count").to_pylist() == [item["count"] for item in items]


def test_exports_say_where_they_come_from(serve_api: Callable[..., httpx.Client], engine: sa.Engine) -> None:
    rows = pa.table(
        {"course_id": ["a/b/c"], "date": [date(2031, 3, 1)], "count": [1], "cumulative_count": [1]}
    )
    publication = Publication(fingerprint="f", until=datetime(2031, 3, 2), last_event=None, version=1)
    store.publish(engine, tables.course_enrollment_daily, rows, publication)
    for form in ("json", "csv", "ndjson", "parquet"):
        headers = serve_api().get(f"{PATH}.{form}").headers
        assert headers["X-Pharos-As-Of"] == "2031-03-02T00:00:00Z"
        assert headers["X-Pharos-Source"] == "course_enrollment_daily; version=1; fingerprint=f"


def test_rows_of_one_course(api: httpx.Client) -> None:
    assert len(api.get(f"{PATH}/", params={"course_id": OTHER}).json()) == 1
    assert api.get(f"{PATH}/", params={"course_id": "a/b/c"}).status_code == 404


def test_callers_see_their_courses(api: httpx.Client) -> None:
    mine = {"Authorization": f"Token {'c' * 40}"}
    rows = httpx.get(f"{api.base_url}{PATH}/", headers=mine).json()
    assert {row["course_id"] for row in rows} == {OTHER}
    timeline = httpx.get(f"{api.base_url}/api/v1/tables/video_timeline/", headers=mine)
    assert timeline.status_code == 403


@pytest.mark.parametrize("table", ["module_engagement", "module_engagement_roster", "enterprise_user"])
def test_tables_of_learners_need_the_right_to_them(
    api: httpx.Client, serve_api: Callable[..., httpx.Client], table: str
) -> None:
    path = f"/api/v1/tables/{table}/"
    assert api.get(path).status_code == 200
    other = {"Authorization": f"Token {'b' * 40}"}
    assert httpx.get(f"{api.base_url}{path}", headers=other).status_code == 403
    assert serve_api(learners=False).get(path).status_code == 404


@pytest.mark.parametrize("table", ["nonsense", "pharos_token", "pharos_publication", "table_updates"])
def test_only_results_are_exported(api: httpx.Client, table: str) -> None:
    assert api.get(f"/api/v1/tables/{table}/").status_code == 404


@pytest.mark.parametrize("form", ["json", "csv", "ndjson", "parquet"])
def test_more_rows_than_are_read_at_once(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine, form: str
) -> None:
    count = exports.ROWS_AT_ONCE * 2 + 1
    row = {"course_id": "a/b/c", "count": 1, "cumulative_count": 1}
    days = [date(1900, 1, 1) + timedelta(days=number) for number in range(count)]
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.course_enrollment_daily), [{**row, "date": day} for day in days])
    content = serve_api().get(f"{PATH}.{form}", params={"course_id": "a/b/c"}).content
    counted: dict[str, Callable[[], int]] = {
        "json": lambda: len(json.loads(content)),
        "csv": lambda: content.count(b"\r\n") - 1,
        "ndjson": lambda: content.count(b"\n"),
        "parquet": lambda: pq.read_table(io.BytesIO(content)).num_rows,
    }
    assert counted[form]() == count


def test_the_tables_are_listed_for_who_may_read_them(api: httpx.Client) -> None:
    listed = {table["table"]: table for table in api.get("/api/v1/tables/").json()}
    assert set(listed) == set(tables.RESULTS)
    assert listed["course_enrollment_daily"]["columns"] == list(FIRST)
    mine = {"Authorization": f"Token {'c' * 40}"}
    names = {table["table"] for table in httpx.get(f"{api.base_url}/api/v1/tables/", headers=mine).json()}
    assert "course_enrollment_daily" in names
    assert not {"video_timeline", "module_engagement"} & names


def test_columns_and_days_are_chosen(api: httpx.Client) -> None:
    chosen = {"columns": "count,date", "start_date": "2031-02-28", "end_date": "2031-03-05", "format": "csv"}
    assert api.get(f"{PATH}/", params=chosen).text == "count,date\r\n9,2031-02-28\r\n12,2031-03-01\r\n"
    parquet = api.get(f"{PATH}.parquet", params={"columns": "date"}).content
    assert pq.read_schema(io.BytesIO(parquet)).names == ["date"]
    assert api.get(f"{PATH}/", params={"columns": "id"}).status_code == 400
    video = api.get("/api/v1/tables/video/", params={"start_date": "2031-01-01"})
    assert (video.status_code, "no days" in video.text) == (400, True)


def test_row_groups_are_large(serve_api: Callable[..., httpx.Client], engine: sa.Engine) -> None:
    row = {"course_id": "a/b/c", "count": 1, "cumulative_count": 1}
    days = [date(1900, 1, 1) + timedelta(days=number) for number in range(exports.ROWS_AT_ONCE * 2 + 1)]
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.course_enrollment_daily), [{**row, "date": day} for day in days])
    content = serve_api().get(f"{PATH}.parquet").content
    assert pq.ParquetFile(io.BytesIO(content)).num_row_groups == 1


def test_every_table_of_another_program_can_be_asked_for(api: httpx.Client) -> None:
    """Those without row numbers as well."""
    for name in tables.RESULTS:
        assert api.get(f"/api/v1/tables/{name}/").status_code in (200, 404), name
