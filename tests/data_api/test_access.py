"""Who may read what: spec 05 §3.1-3.2."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from pharos.data_api.access import Caller
from pharos.data_api.reading import FRESH_FOR_S
from pharos.data_api.tokens import create_token, revoke_token

CID = "course-v1:OrgX+ABC101+2031_T1"
OTHER = "OrgY/XYZ/2031"
P1 = "block-v1:OrgX+ABC101+2031_T1+type@problem+block@p1"
ENROLLMENT = f"/api/v0/courses/{CID}/enrollment/"


def get(api: httpx.Client, path: str, authorization: str | None) -> httpx.Response:
    headers = {"Authorization": authorization} if authorization is not None else {}
    return httpx.get(f"{str(api.base_url).rstrip('/')}{path}", headers=headers)


@pytest.mark.parametrize(
    ("authorization", "detail"),
    [
        (None, "Authentication credentials were not provided."),
        ("Basic eDp5", "Authentication credentials were not provided."),
        ("Bearer x.y.z", "Authentication credentials were not provided."),
        ("Token nonsense", "Invalid token."),
        ("Token", "Invalid token header. No credentials provided."),
        ("Token a b", "Invalid token header. Token string should not contain spaces."),
        ("JWT nonsense", "Error decoding token."),
    ],
)
def test_refusals_in_the_originals_words(api: httpx.Client, authorization: str | None, detail: str) -> None:
    for path in (ENROLLMENT, "/authenticated/", "/api/v1/course_summaries/"):
        answer = get(api, path, authorization)
        assert (answer.status_code, answer.json()) == (401, {"detail": detail})
        assert answer.headers["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("word", ["Token", "token", "TOKEN"])
def test_the_scheme_is_known_in_any_case(api: httpx.Client, word: str) -> None:
    assert get(api, "/authenticated/", f"{word} {'a' * 40}").status_code == 200


def test_a_bad_credential_is_refused_even_where_none_is_needed(api: httpx.Client) -> None:
    assert get(api, "/status/", None).status_code == 200
    assert get(api, "/status/", "Token nonsense").status_code == 401


def test_a_token_of_one_course_reads_that_course_only(api: httpx.Client) -> None:
    mine = f"Token {'c' * 40}"
    assert get(api, f"/api/v0/courses/{OTHER}/enrollment/", mine).status_code == 200
    assert get(api, ENROLLMENT, mine).status_code == 403
    assert [s["course_id"] for s in get(api, "/api/v1/course_summaries/", mine).json()] == [OTHER]
    assert get(api, f"/api/v0/problems/{P1}/grade_distribution/", mine).status_code == 404
    assert get(api, f"/api/v0/videos/{CID}|v1/timeline/", mine).status_code == 404
    assert get(api, f"/api/v0/videos/{OTHER}|v9/timeline/", mine).status_code == 404
    assert get(api, "/api/v1/course_totals/", mine).json()["count"] == 3


def test_a_token_of_one_organisation_reads_its_courses_only(api: httpx.Client) -> None:
    mine = f"Token {'d' * 40}"
    assert get(api, ENROLLMENT, mine).status_code == 200
    assert get(api, f"/api/v0/courses/{OTHER}/enrollment/", mine).status_code == 403


def test_scopes_do_not_share_answers(api: httpx.Client) -> None:
    """An answer kept for one caller is never given to one who may see less."""
    everything, mine = f"Token {'a' * 40}", f"Token {'c' * 40}"
    path = "/api/v1/course_summaries/?fields=course_id"
    assert len(get(api, path, everything).json()) == 2
    assert len(get(api, path, mine).json()) == 1
    assert len(get(api, path, everything).json()) == 2


LEARNER_PATHS = (
    f"/api/v0/learners/?course_id={CID.replace('+', '%2B')}",
    f"/api/v0/learners/ann/?course_id={CID.replace('+', '%2B')}",
    f"/api/v0/engagement_timelines/ann/?course_id={CID.replace('+', '%2B')}",
    f"/api/v0/course_learner_metadata/{CID}/",
    f"/api/v0/courses/{CID}/user_engagement/",
    "/api/v0/enterprise/5c0dd495-e726-46fa-a6a8-2d8d26c716c9/engagements/",
)


@pytest.mark.parametrize("path", LEARNER_PATHS)
def test_data_of_learners_need_the_right_to_them(api: httpx.Client, path: str) -> None:
    assert api.get(path).status_code == 200
    assert get(api, path, f"Token {'b' * 40}").status_code == 403


def test_data_of_learners_are_off_by_default(serve_api: Callable[..., httpx.Client]) -> None:
    api = serve_api(learners=False)
    for path in LEARNER_PATHS:
        answer = api.get(path)
        assert (answer.status_code, answer.json()) == (404, {"status": 404})


def test_every_reading_of_learners_is_written_down(
    serve_api: Callable[..., httpx.Client], tmp_path: Path
) -> None:
    log = tmp_path / "audit" / "log.jsonl"
    api = serve_api(audit_log=log)
    for path in LEARNER_PATHS:
        api.get(path)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["path"] for line in lines] == [path.partition("?")[0] for path in LEARNER_PATHS]
    assert {line["caller"] for line in lines} == {"everything"}


def test_nothing_is_read_that_cannot_be_written_down(
    serve_api: Callable[..., httpx.Client], tmp_path: Path
) -> None:
    api = serve_api(audit_log=tmp_path)  # a folder
    answer = api.get(LEARNER_PATHS[0])
    assert (answer.status_code, answer.json()) == (500, {"status": 500})


def test_expired_and_revoked_tokens_are_refused(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pharos.data_api.reading.FRESH_FOR_S", 0)
    api = serve_api()
    old = create_token(engine, "old", expires=datetime(2020, 1, 1))
    assert get(api, ENROLLMENT, f"Token {old}").json() == {"detail": "Token has expired."}
    new = create_token(engine, "new", expires=datetime(2999, 1, 1))
    assert get(api, ENROLLMENT, f"Token {new}").status_code == 200
    revoke_token(engine, "new")
    assert get(api, ENROLLMENT, f"Token {new}").json() == {"detail": "Invalid token."}
    assert FRESH_FOR_S <= 1  # how long a revoked token may still work


def test_organisations_as_a_condition_agree_with_may_read(engine: sa.Engine) -> None:
    caller = Caller("x", courses=frozenset({OTHER}), organizations=frozenset({"Org_"}))
    ids = [OTHER, CID, "Org_/a/b", "OrgX/a/b", "course-v1:Org_+a+b", "course-v1:OrgZ+a+b", "Org_x/a/b"]
    table = sa.Table("ids", sa.MetaData(), sa.Column("course_id", sa.String(255)))
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(table), [{"course_id": course_id} for course_id in ids])
        found = connection.execute(sa.select(table).where(caller.sees(table.c.course_id))).scalars().all()
    assert found == [course_id for course_id in ids if caller.may_read(course_id)]
