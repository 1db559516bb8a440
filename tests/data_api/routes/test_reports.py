"""Spec 05 §9: links that expire, safe names, no way out of the folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha1
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa
from pyarrow import fs

from pharos.keys import file_name
from pharos.result_store import tables

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


def link(api: httpx.Client, course_id: str) -> str | None:
    """The link to the problem responses of the course; None if the API finds no such file."""
    answer = api.get(f"/api/v1/courses/{quote(course_id, safe='')}/reports/problem_response/")
    if answer.status_code == 404:
        assert answer.json()["error_code"] == "report_file_not_found"
        return None
    url: str = answer.json()["download_url"]
    return url


BLOCK = "block-v1:{}+type@problem+block@aaa"
ALIKE = [
    ("course-v1:A+B+C_D", "course-v1:A+B_C+D"),
    ("course-v1:Uní+BIO+2020", "course-v1:Unï+BIO+2020"),
    ("course-v1:Δ+BIO+2020", "course-v1:Ж+BIO+2020"),
    ("course-v1:A+B+C", "A/B/C"),
    ("ccx-v1:A+B+C+ccx@1", "course-v1:A+B+C_ccx_1"),
]


@pytest.mark.parametrize(
    ("form", "mine", "others"),
    [
        (form, *pair)
        for both in ALIKE
        for pair in (both, both[::-1])
        for form in ("course_id", "problem_id", "ModuleID", "folder")
        if ":" in pair[0] or form in ("course_id", "folder")  # old block ids do not name the run
    ],
)
def test_courses_of_one_file_name_do_not_open_each_others_reports(
    serve_api: Callable[..., httpx.Client], reports: Path, form: str, mine: str, others: str
) -> None:
    safe = file_name(mine)
    assert file_name(others) == safe
    folder, text = reports, f"username,{form}\r\nann,{mine}\r\n"
    if form in ("problem_id", "ModuleID"):
        key = mine.replace("course-v1:", "block-v1:").replace("ccx-v1:", "ccx-block-v1:")
        text = f"username,answer,{form}\r\nann,{BLOCK.format('x+y+z')},{key}+type@problem+block@aaa\r\n"
    elif form == "folder":
        folder, text = reports / sha1(mine.encode(), usedforsecurity=False).hexdigest(), "a,b\r\n"
        folder.mkdir()
    (folder / f"{safe}_problem_response.csv").write_text(text, encoding="utf-8", newline="")
    api = serve_api()
    assert link(api, others) is None
    url = link(api, mine)
    assert url is not None
    answer = httpx.get(url)
    assert answer.content.decode() == text
    assert answer.headers["Content-Disposition"].startswith(f"attachment; filename={safe}-problem_response-")


def test_a_file_that_names_no_course_is_of_the_only_known_course_it_can_be(
    serve_api: Callable[..., httpx.Client], reports: Path, engine: sa.Engine
) -> None:
    """`reports` holds one for `OrgX_ABC101_2031_T1`, and the store knows `course-v1:OrgX+ABC101+2031_T1`."""
    twin = "course-v1:OrgX+ABC101_2031+T1"
    api = serve_api()
    assert link(api, CID) is not None
    assert link(api, twin) is None
    summary = tables.course_meta_summary_enrollment
    row = {"course_id": twin, "enrollment_mode": "audit", "count": 1, "cumulative_count": 1}
    with engine.begin() as connection:
        connection.execute(sa.insert(summary), row)
    assert (link(api, CID), link(api, twin)) == (None, None)
    (reports / "OrgX_ABC101_2031_T1_problem_response.csv").write_text("")
    assert link(api, CID) is None


@pytest.mark.usefixtures("reports")
def test_a_link_does_not_lead_to_the_file_that_replaced_its_own(
    serve_api: Callable[..., httpx.Client], reports: Path
) -> None:
    """Two courses of one file name may be written in turn."""
    url = link(serve_api(), CID)
    assert url is not None
    (reports / "OrgX_ABC101_2031_T1_problem_response.csv").write_text("c,d\r\n")
    assert httpx.get(url).status_code == 404


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
