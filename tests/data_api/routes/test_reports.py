"""Spec 05 §9: links that expire, safe names, no way out of the folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from pyarrow import fs

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
    path = f"/api/v1/courses/{CID}/reports/problem_response/"
    lasting = serve_api().get(path).json()["download_url"]
    soon = serve_api(report_seconds=1).get(path).json()["download_url"]
    time.sleep(1.1)
    assert (httpx.get(lasting).status_code, httpx.get(soon).status_code) == (200, 404)


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


@pytest.fixture
def bucket(free_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[fs.FileSystem]:
    """An empty bucket `reports` of a server that the environment points to."""
    address = f"http://127.0.0.1:{free_port}"
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
    }.items():
        monkeypatch.setenv(name, value)
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(free_port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                httpx.get(f"{address}/moto-api/")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        store = fs.S3FileSystem(endpoint_override=address, allow_bucket_creation=True)
        store.create_dir("reports")
        yield store
    finally:
        server.terminate()
        server.wait()


@pytest.mark.xdist_group("s3")
def test_reports_of_an_object_store(serve_api: Callable[..., httpx.Client], bucket: fs.FileSystem) -> None:
    """All six keys, the name of the file and the end of the link, as for local files (spec 05 §9)."""
    api = serve_api(reports="s3://reports/grades")
    path = f"/api/v1/courses/{CID}/reports/problem_response/"
    assert api.get(path).status_code == 404
    text = b"a,b\r\n" * 500_000
    with bucket.open_output_stream("reports/grades/OrgX_ABC101_2031_T1_problem_response.csv") as file:
        file.write(text)
    report = api.get(path).json()
    assert set(report) == {
        "course_id",
        "report_name",
        "download_url",
        "last_modified",
        "expiration_date",
        "file_size",
    }
    assert report["file_size"] == len(text)
    download = httpx.get(report["download_url"])
    assert download.content == text
    assert download.headers["Content-Disposition"].startswith(
        "attachment; filename=OrgX_ABC101_2031_T1-problem_response-"
    )

    soon = serve_api(reports="s3://reports/grades", report_seconds=1).get(path).json()
    time.sleep(1.1)
    assert httpx.get(soon["download_url"]).status_code == 404


@pytest.mark.xdist_group("s3")
def test_an_object_store_that_cannot_tell(
    serve_api: Callable[..., httpx.Client], bucket: fs.FileSystem
) -> None:
    assert bucket is not None
    answer = serve_api(reports="carrier-pigeon://loft").get(
        f"/api/v1/courses/{CID}/reports/problem_response/"
    )
    assert (answer.status_code, answer.json()) == (
        501,
        {
            "error_code": "cannot_create_report_download_link",
            "developer_message": "Could not create a downloadable link to the report.",
        },
    )
