"""The whole application: the official client, every endpoint on every kind of store, CORS, faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
import sqlalchemy as sa
from analyticsclient.client import Client
from analyticsclient.constants import data_formats, demographics
from analyticsclient.exceptions import ClientError, InvalidRequestError, NotFoundError
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pharos.config import Settings
from pharos.data_api.app import create_app

CID = "course-v1:OrgX+ABC101+2031_T1"
OTHER = "OrgY/XYZ/2031"
P1 = "block-v1:OrgX+ABC101+2031_T1+type@problem+block@p1"
I4X = "i4x://OrgY/XYZ/problem/x"
PROGRAM = "2f6bb1e0-0000-4000-8000-000000000001"
TOKEN = "a" * 40
AUTHORIZED = {"Authorization": f"Token {TOKEN}"}
COURSE = quote(CID, safe="")
VERSIONS = ("v0", "v1")

OF_BOTH = (
    f"courses/{CID}/activity/?start_date=2031-02-01",
    f"courses/{CID}/recent_activity/",
    f"courses/{CID}/enrollment/?start_date=2031-02-01",
    f"courses/{CID}/enrollment/mode/?start_date=2031-02-01",
    f"courses/{CID}/enrollment/education/",
    f"courses/{CID}/enrollment/gender/",
    f"courses/{CID}/enrollment/location/",
    f"courses/{CID}/problems/",
    f"courses/{CID}/problems_and_tags/",
    f"courses/{CID}/videos/",
    f"courses/{CID}/user_engagement/",
    f"problems/{P1}/answer_distribution/",
    f"problems/{I4X}/answer_distribution/",
    f"problems/{P1}/grade_distribution/",
    f"problems/{P1}/sequential_open_distribution/",
    f"videos/{CID}|v1/timeline/",
    "course_summaries/?programs=true&recent_date=2020-01-01",
    f"course_summaries/?course_ids={COURSE}&text_search=abec&order_by=start_date",
    "course_totals/",
    "programs/",
)
OF_V0 = (
    f"courses/{CID}/enrollment/birth_year/",
    "enterprise/5c0dd495-e726-46fa-a6a8-2d8d26c716c9/engagements/?page_size=2",
    f"learners/?course_id={COURSE}&segments=struggling,highly_engaged&order_by=email&sort_order=desc",
    f"learners/?course_id={COURSE}&order_by=problem_attempts_per_completed&text_search=%C3%AB",
    f"learners/ann/?course_id={COURSE}",
    f"engagement_timelines/ann/?course_id={COURSE}",
    f"course_learner_metadata/{CID}/",
)


@pytest.mark.filterwarnings("ignore:recent_activity has been deprecated:DeprecationWarning")
@pytest.mark.parametrize("version", VERSIONS)
def test_every_method_of_the_official_client(api: httpx.Client, version: str) -> None:
    """Spec 05 §15: unmodified, in JSON and in CSV."""
    base = f"{api.base_url}/api/{version}"
    client = Client(base, auth_token=TOKEN, timeout=10)
    assert client.status.alive
    assert client.status.authenticated
    assert client.status.healthy
    course = client.courses(CID)
    calls: dict[str, Callable[..., Any]] = {
        f"courses/{CID}/activity/": course.activity,
        f"courses/{CID}/recent_activity/": course.recent_activity,
        f"courses/{CID}/enrollment/": course.enrollment,
        f"courses/{CID}/enrollment/mode/": lambda **form: course.enrollment("mode", **form),
        f"courses/{CID}/enrollment/gender/": lambda **form: course.enrollment(demographics.GENDER, **form),
        f"courses/{CID}/enrollment/location/": lambda **form: course.enrollment(
            demographics.LOCATION, **form
        ),
        f"courses/{CID}/enrollment/education/": lambda **form: course.enrollment(
            demographics.EDUCATION, **form
        ),
        f"courses/{CID}/problems/": course.problems,
        f"courses/{CID}/problems_and_tags/": course.problems_and_tags,
        f"courses/{CID}/videos/": course.videos,
        f"problems/{P1}/answer_distribution/": client.modules(CID, P1).answer_distribution,
        f"problems/{P1}/grade_distribution/": client.modules(CID, P1).grade_distribution,
        f"problems/{P1}/sequential_open_distribution/": client.modules(CID, P1).sequential_open_distribution,
        f"videos/{CID}|v1/timeline/": client.modules(CID, f"{CID}|v1").video_timeline,
        f"course_summaries/?course_ids={COURSE}": lambda **form: client.course_summaries().course_summaries(
            [CID], **form
        ),
        "course_summaries/": client.course_summaries().course_summaries,
        "course_totals/": client.course_totals().course_totals,
        "programs/": client.programs().programs,
    }
    if version == "v0":
        calls[f"courses/{CID}/enrollment/birth_year/"] = lambda **form: course.enrollment(
            demographics.BIRTH_YEAR, **form
        )
    for path, call in calls.items():
        assert call() == httpx.get(f"{base}/{path}", headers=AUTHORIZED).json(), path
        as_csv = httpx.get(f"{base}/{path}", headers={**AUTHORIZED, "Accept": "text/csv"}).text
        assert call(data_format=data_formats.CSV) == as_csv, path


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_official_client_does_with_long_lists_dates_and_errors(
    api: httpx.Client, version: str
) -> None:
    client = Client(f"{api.base_url}/api/{version}", auth_token=TOKEN, timeout=10)
    many = [CID, *(f"course-v1:OrgX+C{number}+R" for number in range(20))]
    assert len(client.course_summaries().course_summaries(many, exclude=["programs"])) == 1
    assert len(client.course_summaries().course_summaries(request_all=True, page_size=1)) == 2
    assert client.course_summaries().course_summaries(recent_date="2020-01-01")[0]["recent_count_change"] == 3
    assert client.programs().programs([PROGRAM], fields=["program_id"]) == [{"program_id": PROGRAM}]
    days = client.courses(CID).enrollment(start_date="2031-02-28", end_date="2031-03-01")
    assert [day["date"] for day in days] == ["2031-02-28"]
    with pytest.raises(NotFoundError):
        client.courses("a/b/c").enrollment()
    with pytest.raises(NotFoundError):
        client.courses(CID).reports("problem_response")
    with pytest.raises(InvalidRequestError):
        client.course_summaries().course_summaries(["nonsense"])
    stranger = Client(f"{api.base_url}/api/{version}", auth_token="nonsense")
    assert not stranger.status.authenticated
    with pytest.raises(ClientError):
        stranger.courses(CID).enrollment()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_report_through_the_official_client(
    serve_api: Callable[..., httpx.Client], home: Path, version: str
) -> None:
    (home / "reports").mkdir()
    (home / "reports" / "OrgX_ABC101_2031_T1_problem_response.csv").write_text("a,b")
    client = Client(f"{serve_api().base_url}/api/{version}", auth_token=TOKEN, timeout=10)
    report = client.courses(CID).reports("problem_response")
    assert httpx.get(report["download_url"]).text == "a,b"


def test_every_kind_of_store_gives_the_same_answers(
    api: httpx.Client, serve: Callable[[Any], str], store_url: str, fill_store: Callable[[str], None]
) -> None:
    fill_store(store_url)
    ours = {"learners": True, "account_url": "http://lms.example.org/api/user/v1/accounts/"}
    app = create_app(Settings(result_store={"url": store_url}, data_api={**ours, "audit_log": "/dev/null"}))
    url = serve(app)
    for version in VERSIONS:
        for path in (*OF_BOTH, *(OF_V0 if version == "v0" else ())):
            expected = api.get(f"/api/{version}/{path}")
            answer = httpx.get(f"{url}/api/{version}/{path}", headers=AUTHORIZED)
            assert answer.status_code == expected.status_code == 200, path
            assert answer.text.replace(url, str(api.base_url)) == expected.text, path
    app.state.stores["v0"].close()


def test_ids_are_matched_exactly_on_every_kind_of_store(
    serve: Callable[[Any], str], store_url: str, fill_store: Callable[[str], None]
) -> None:
    fill_store(store_url)
    app = create_app(Settings(result_store={"url": store_url}))
    url = serve(app)
    for course_id in (CID.lower(), f"{CID}%20", CID.replace("X", "%C3%97")):
        for path in (f"courses/{course_id}/enrollment/", f"courses/{course_id}/activity/"):
            answer = httpx.get(f"{url}/api/v0/{path}", headers=AUTHORIZED)
            assert answer.status_code == 404, path
    app.state.stores["v0"].close()


CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = [
    found.ok()
    for found in schemathesis.openapi.from_dict(create_app(Settings()).openapi()).get_all_operations()
    if isinstance(found, Ok)
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_no_request_gets_a_fault_or_an_undocumented_answer(api: httpx.Client, operation: Any) -> None:
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        case.call_and_validate(base_url=str(api.base_url), headers=AUTHORIZED, checks=CHECKS)

    ask()


@pytest.mark.parametrize(
    "path",
    [
        "courses/' OR 1=1 --/x/y/enrollment/",
        'courses/"; DROP TABLE video; --/x/y/enrollment/',
        "courses/%00/%00/%00/enrollment/",
        "courses/a/b/c/enrollment/?start_date=" + "9" * 5000,
        "courses/" + "a" * 3000 + "/b/c/enrollment/",
        "course_summaries/?course_ids=" + "a" * 6000,
        "course_summaries/?text_search=%25%5F%5C%27",
        "problems/%F0%9F%98%80/grade_distribution/",
        "courses/%FF/%FE/x/enrollment/",
        "videos/../../../../etc/passwd/timeline/",
    ],
)
def test_hostile_requests_are_the_clients_mistake(api: httpx.Client, path: str) -> None:
    for version in VERSIONS:
        answer = api.get(f"/api/{version}/{path}")
        assert 400 <= answer.status_code < 500
        assert "Traceback" not in answer.text
    assert api.get(f"/api/v0/courses/{CID}/videos/").status_code == 200


@pytest.mark.parametrize(
    "path",
    [f"courses/{CID}/reports/no-name/", f"learners/a%20b/?course_id={COURSE}", "courses/a/b/c/d/videos/"],
)
def test_names_that_no_address_has(api: httpx.Client, path: str) -> None:
    answer = api.get(f"/api/v0/{path}")
    assert (answer.status_code, answer.json()) == (404, {"status": 404})


def test_tables_made_by_the_original_server_are_read(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    """Spec 05 §12: they lack columns that the original's pipeline adds."""
    lacking = {"tags_distribution": "org_id", "video": "total_viewed_seconds"}
    lacking |= dict.fromkeys(
        [f"course_enrollment_{name}" for name in ("daily", "gender_daily", "location_current")],
        "cumulative_count",
    )
    with engine.begin() as connection:
        for table, column in lacking.items():
            connection.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN {column}"))
    api = serve_api()
    for path in ("problems_and_tags", "videos", "enrollment", "enrollment/gender", "enrollment/location"):
        assert api.get(f"/api/v0/courses/{CID}/{path}/").status_code == 200


def test_only_named_origins_may_ask(serve_api: Callable[..., httpx.Client]) -> None:
    preflight = {"Origin": "http://localhost:1991", "Access-Control-Request-Method": "GET"}
    preflight |= {"Access-Control-Request-Headers": "use-jwt-cookie"}
    path = f"/api/v0/courses/{CID}/enrollment/"
    closed = serve_api().options(path, headers=preflight)
    assert closed.status_code == 200
    assert "Access-Control-Allow-Origin" not in closed.headers
    opened = serve_api(cors_origins=["http://localhost:1991"])
    answer = opened.options(path, headers=preflight)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:1991"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    other = opened.options(path, headers={**preflight, "Origin": "http://evil.example.org"})
    assert "Access-Control-Allow-Origin" not in other.headers


def test_a_fault_tells_nothing(serve: Callable[[Any], str], home: Path) -> None:
    app = create_app(Settings(home=home))
    app.state.stores = {}
    answer = httpx.get(f"{serve(app)}/api/v0/courses/{OTHER}/enrollment/", headers=AUTHORIZED)
    assert (answer.status_code, answer.json()) == (500, {"status": 500})


def test_who_refuses_gzip_gets_none(api: httpx.Client) -> None:
    for accepted, encoding in (("gzip", "gzip"), ("gzip;q=0", None), ("identity", None), ("*;q=0", None)):
        answer = api.get("/openapi.json", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == encoding
        assert answer.json()["openapi"]
