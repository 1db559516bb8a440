"""Negotiation and forms: spec 05 §2.2-2.3 and §2.6."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime

import httpx
import pyarrow.parquet as pq
import pytest

from pharos.data_api.formats import as_csv, as_parquet, attachment, cell

CID = "course-v1:OrgX+ABC101+2031_T1"
ENROLLMENT = f"/api/v0/courses/{CID}/enrollment/"
COLUMNS = {
    "activity/?start_date=2031-02-24": "any,course_id,created,interval_end,interval_start,played_video",
    "enrollment/": "count,course_id,created,date",
    "enrollment/mode/": "audit,count,course_id,created,credit,cumulative_count,date,honor,masters,"
    "professional,verified",
    "enrollment/birth_year/": "birth_year,count,course_id,created,date",
    "enrollment/education/": "count,course_id,created,date,education_level",
    "enrollment/gender/": "course_id,created,date,female,male,other,unknown",
    "enrollment/location/": "count,country.alpha2,country.alpha3,country.name,course_id,created,date",
    "problems/": "correct_submissions,created,module_id,part_ids,total_submissions",
    "problems_and_tags/": "correct_submissions,created,module_id,tags.difficulty,tags.learning_outcome,"
    "total_submissions",
    "videos/": "created,duration,encoded_module_id,pipeline_video_id,segment_length,users_at_end,"
    "users_at_start",
    "user_engagement/": "correct_problems_last_week,correct_problems_overall,date_last_active,"
    "forum_posts_last_week,forum_posts_overall,problems_attempts_last_week,problems_attempts_overall,"
    "problems_last_week,problems_overall,username,videos_last_week,videos_overall",
}
SLUGS = {
    "activity/?start_date=2031-02-24": "engagement-activity",
    "enrollment/": "enrollment",
    "enrollment/mode/": "enrollment_mode",
    "enrollment/birth_year/": "enrollment-age",
    "enrollment/education/": "enrollment-education",
    "enrollment/gender/": "enrollment-gender",
    "enrollment/location/": "enrollment-location",
    "problems/": "problems",
    "problems_and_tags/": "problems-and-tags",
    "videos/": "videos",
    "user_engagement/": "user-engagement",
}


@pytest.mark.parametrize("path", COLUMNS)
def test_csv_of_every_course_list(api: httpx.Client, path: str) -> None:
    """Columns sorted by name; a file name only for exactly text/csv."""
    answer = api.get(f"/api/v0/courses/{CID}/{path}", headers={"Accept": "text/csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.split("\r\n")[0] == COLUMNS[path]
    assert answer.headers["Content-Disposition"] == (
        f"attachment; filename=OrgX-ABC101-2031_T1--{SLUGS[path]}.csv"
    )
    for accept in ("text/csv, */*", "*/*"):
        other = api.get(f"/api/v0/courses/{CID}/{path}", params={"format": "csv"}, headers={"Accept": accept})
        assert "Content-Disposition" not in other.headers


def test_an_activity_nobody_had_in_one_week_is_an_empty_cell(api: httpx.Client) -> None:
    answer = api.get(f"/api/v0/courses/{CID}/activity.csv?start_date=2031-02-17")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["posted_forum"] for row in rows] == ["2", ""]


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"b": None, "a": True}, "a,b\r\nTrue,\r\n"),
        ({"list": ["x", "y"], "deep": {"er": {"est": 1}}}, 'deep.er.est,list\r\n1,"x, y"\r\n'),
        ({"a": 'say "hi"', "b": "ü\n"}, 'a,b\r\n"say ""hi""","ü\n"\r\n'),
    ],
)
def test_cells(item: dict[str, object], text: str) -> None:
    assert as_csv([item]).decode() == text


@pytest.mark.parametrize("value", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\tx"])
def test_formulas_are_defused(value: str) -> None:
    assert cell(value) == f"'{value}"


@pytest.mark.parametrize("value", [-1, "-5", "+1.5e3", "-.5", "a=b", None, True])
def test_numbers_and_plain_texts_are_not(value: object) -> None:
    assert cell(value) == value


def test_fields_choose_columns_of_a_csv_and_nothing_of_json(api: httpx.Client) -> None:
    answer = api.get(f"{ENROLLMENT}?fields=date,nonsense,count", headers={"Accept": "text/csv"})
    assert answer.text == "date,count\r\n2031-03-01,12\r\n"
    assert set(api.get(f"{ENROLLMENT}?fields=date").json()[0]) == {"course_id", "date", "count", "created"}


@pytest.mark.parametrize(
    ("path", "accept", "content_type"),
    [
        ("", "*/*", "application/json"),
        ("", "application/json, text/csv", "application/json"),
        ("", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("", "text/*", "text/html; charset=utf-8"),
        (".csv", "*/*", "text/csv; charset=utf-8"),
        (".json", "*/*", "application/json"),
        (".ndjson", "*/*", "application/x-ndjson"),
        (".parquet", "*/*", "application/vnd.apache.parquet"),
        ("/?format=csv", "*/*", "text/csv; charset=utf-8"),
    ],
)
def test_the_form_asked_for(api: httpx.Client, path: str, accept: str, content_type: str) -> None:
    answer = api.get(ENROLLMENT.rstrip("/") + path, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == content_type
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/?format=csv", "application/json", 406),
        ("/?format=json", "text/csv", 406),
        ("/", "image/png", 406),
        ("/?format=xml", "*/*", 404),
        (".xml", "*/*", 404),
    ],
)
def test_forms_there_are_not(api: httpx.Client, path: str, accept: str, status: int) -> None:
    answer = api.get(ENROLLMENT.rstrip("/") + path, headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"


def test_one_object_is_a_csv_of_one_line(api: httpx.Client) -> None:
    """An empty body in the original."""
    answer = api.get(f"/api/v0/courses/{CID}/recent_activity.csv?fields=count,activity_type")
    assert answer.text == "count,activity_type\r\n41,any\r\n"


def test_errors_are_json_whatever_was_asked_for(api: httpx.Client) -> None:
    csv_please = {"Accept": "text/csv"}
    for path in ("/api/v0/courses/foo+bar+baz/enrollment/", "/api/v0/courses/a/b/c/recent_activity/"):
        answer = api.get(path, headers=csv_please)
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
        assert "Content-Disposition" not in answer.headers
    nobody = httpx.get(f"{api.base_url}{ENROLLMENT}", headers=csv_please)
    assert nobody.status_code == 401


def test_ndjson_and_parquet_hold_the_same_items(api: httpx.Client) -> None:
    path = f"/api/v0/courses/{CID}/enrollment/location"
    items = api.get(f"{path}/").json()
    assert [json.loads(line) for line in api.get(f"{path}.ndjson").text.splitlines()] == items
    table = pq.read_table(io.BytesIO(api.get(f"{path}.parquet").content))
    assert table.column("count").to_pylist() == [item["count"] for item in items]


def test_names_of_files_in_any_script() -> None:
    assert attachment("a-b--c.csv") == "attachment; filename=a-b--c.csv"
    assert attachment("é.csv") == "attachment; filename=\"_.csv\"; filename*=UTF-8''%C3%A9.csv"
    assert "\n" not in attachment('a"\r\nX: y')


def test_parquet_has_days_and_moments() -> None:
    items = [
        {"date": "2031-03-01", "created": "2031-03-02T040506", "at": "2031-03-02T04:05:06Z", "name": "2031"},
        {"date": None, "created": "2031-03-02T040507", "at": None, "name": "2031-03-01"},
    ]
    table = pq.read_table(io.BytesIO(as_parquet(items)))
    assert [str(table.schema.field(name).type) for name in ("date", "created", "at", "name")] == [
        "date32[day]",
        "timestamp[ms]",
        "timestamp[ms]",
        "string",
    ]
    assert table.to_pylist()[0]["created"] == datetime(2031, 3, 2, 4, 5, 6)
    assert table.to_pylist()[1]["date"] is None
