"""Spec 05 §9: links that expire, safe names, no way out of the folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

CID = "course-v1:OrgX+ABC101+2031_T1"


@pytest.fixture
def reports(home: Path) -> Path:
    folder = home / "reports"
    folder.mkdir()
    report = folder / "OrgX_ABC101_2031_T1_problem_response.csv"
    report.write_text("a,b\r\n")
    os.utime(report, (1930000000, 1930000000))
    return folder


@pytest.mark.usefixtures("reports")
def test_a_link_to_the_report_works_without_credentials(serve_api: Callable[..., httpx.Client]) -> None:
    api = serve_api()
    report = api.get(f"/api/v1/courses/{CID}/reports/problem_response/").json()
    url = report.pop("download_url")
    assert report.pop("expiration_date")
    assert report == {
        "course_id": "OrgX_ABC101_2031_T1",
        "report_name": "problem_response",
        "last_modified": "2031-02-27T230640",
        "file_size": 5,
    }
    download = httpx.get(url)
    assert download.text == "a,b\r\n"
    assert download.headers["Content-Type"].startswith("text/csv")
    assert download.headers["Content-Disposition"] == (
        "attachment; filename=OrgX_ABC101_2031_T1-problem_response-20310227T230640Z.csv"
    )
    for changed in (
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.replace("expires=", "expires=9"),
        url.replace("OrgX", "OrgY"),
        url.partition("?")[0],
    ):
        assert httpx.get(changed).status_code == 404


@pytest.mark.usefixtures("reports")
def test_a_link_expires(serve_api: Callable[..., httpx.Client]) -> None:
    api = serve_api(report_seconds=1)
    url = api.get(f"/api/v1/courses/{CID}/reports/problem_response/").json()["download_url"]
    assert httpx.get(url).status_code == 200
    time.sleep(1.1)
    assert httpx.get(url).status_code == 404


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize(
    ("course_id", "name", "shown"),
    [
        (CID, "other_report", CID),
        ("course-v1:OrgX+ABC101+other", "problem_response", "OrgX_ABC101_other"),
        ("ccx-v1:OrgX+ABC101+2031_T1+ccx@15", "problem_response", "OrgX_ABC101_2031_T1_ccx_15"),
    ],
)
def test_reports_there_are_not(
    serve_api: Callable[..., httpx.Client], course_id: str, name: str, shown: str
) -> None:
    answer = serve_api().get(f"/api/v0/courses/{course_id}/reports/{name}/")
    assert answer.status_code == 404
    assert answer.json() == {
        "error_code": "report_file_not_found",
        "developer_message": f"Could not find report '{name}' for course {shown}.",
    }


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize("name", ["../secret", "..%2Fsecret", "x/../../secret.csv", "%00"])
def test_no_way_out_of_the_folder(serve_api: Callable[..., httpx.Client], home: Path, name: str) -> None:
    (home / "secret.csv").write_text("secret")
    api = serve_api()
    for path in (f"/api/v0/courses/{CID}/reports/{name}/", f"/downloads/{name}?expires=99999999999"):
        answer = api.get(path)
        assert 400 <= answer.status_code < 500
        assert "secret" not in answer.text or "error" in answer.text
