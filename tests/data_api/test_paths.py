"""Every spelling of an address: spec 05 §2.1-2.2."""

from __future__ import annotations

import httpx
import pytest

CID = "course-v1:OrgX+ABC101+2031_T1"


@pytest.mark.parametrize(
    "course_id",
    [
        CID,
        CID.replace("+", "%2B"),
        CID.replace("+", "%2B").replace(":", "%3A"),
    ],
)
def test_both_encodings_of_a_modern_id(api: httpx.Client, course_id: str) -> None:
    for version in ("v0", "v1"):
        for slash in ("/", ""):
            answer = api.get(f"/api/{version}/courses/{course_id}/enrollment{slash}?start_date=2031-03-01")
            assert answer.json()[0]["course_id"] == CID


@pytest.mark.parametrize("course_id", ["OrgY/XYZ/2031", "OrgY%2FXYZ%2F2031"])
def test_both_encodings_of_an_old_id(api: httpx.Client, course_id: str) -> None:
    assert api.get(f"/api/v0/courses/{course_id}/enrollment/").json()[0]["count"] == 3


@pytest.mark.parametrize(
    "course_id",
    ["ccx-v1:edx+1.005x-CCX+rerun+ccx@15", "course-v1:edX+Insights+Fake+Data", "foo+bar+baz"],
)
def test_a_path_id_is_looked_up_not_validated(api: httpx.Client, course_id: str) -> None:
    answer = api.get(f"/api/v0/courses/{course_id}/enrollment/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


@pytest.mark.parametrize("course_id", ["foo", "course-v1:edX+DemoX", "a/b/c/d"])
def test_ids_without_three_pieces_have_no_route(api: httpx.Client, course_id: str) -> None:
    answer = api.get(f"/api/v0/courses/{course_id}/enrollment/")
    assert (answer.status_code, answer.json()) == (404, {"status": 404})


def test_double_slashes_are_kept(api: httpx.Client) -> None:
    for problem in ("i4x://OrgY/XYZ/problem/x", "i4x%3A%2F%2FOrgY%2FXYZ%2Fproblem%2Fx"):
        assert api.get(f"/api/v0/problems/{problem}/answer_distribution/").status_code == 200


def test_case_and_spaces_make_another_id(api: httpx.Client) -> None:
    for course_id in (CID.lower(), f"{CID}%20"):
        assert api.get(f"/api/v0/courses/{course_id}/enrollment/").status_code == 404


def test_head_is_get_without_the_body(api: httpx.Client) -> None:
    path = f"/api/v0/courses/{CID}/enrollment/"
    head, get = api.head(path), api.get(path)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == str(len(get.content))


def test_options_and_other_methods(api: httpx.Client) -> None:
    path = f"/api/v0/courses/{CID}/enrollment/"
    assert api.options(path).headers["Allow"] == "GET, HEAD, OPTIONS"
    for method in ("PUT", "DELETE", "PATCH", "POST"):
        answer = api.request(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert answer.json() == {"detail": f'Method "{method}" not allowed.'}


def test_answers_name_the_methods_of_their_address(api: httpx.Client) -> None:
    for path, methods in (("courses/a/b/c/enrollment/", "GET"), ("course_summaries/", "GET, POST")):
        refused = api.delete(f"/api/v1/{path}")
        assert (refused.status_code, refused.headers["Allow"]) == (405, f"{methods}, HEAD, OPTIONS")
    for _ in range(2):  # made and kept
        assert api.get("/api/v1/course_summaries/").headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_every_answer_forbids_sniffing_and_framing(api: httpx.Client) -> None:
    for path in ("/status/", "/nonsense", f"/api/v0/courses/{CID}/enrollment/"):
        headers = api.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/docs/", 200),
        ("/api/v1/course_summaries.api", 200),
        ("/api/v1/course_summaries/?recent_date=nonsense", 400),
        ("/api/v1/nothing/", 404),
        ("/static/docs.js", 200),
    ],
)
def test_no_page_runs_or_shows_what_comes_from_elsewhere(api: httpx.Client, path: str, status: int) -> None:
    answer = api.get(path)
    assert answer.status_code == status
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
