"""Who may read what: spec 05 §3.1-3.2."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pharos.data_api.access import Caller
from pharos.data_api.reading import FRESH_FOR_S
from pharos.data_api.tokens import create_token, revoke_token
from pharos.keys import is_course_id, organisation
from pharos.result_store import store
from pharos.result_store.column_types import Exact

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


def test_refusals_are_written_down_with_who(
    serve_api: Callable[..., httpx.Client],
    engine: sa.Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pharos.data_api.reading.FRESH_FOR_S", 0)
    log = tmp_path / "audit" / "log.jsonl"
    api = serve_api(audit_log=log)
    old = create_token(engine, "old", expires=datetime(2020, 1, 1))
    gone = create_token(engine, "gone")
    revoke_token(engine, "gone")
    get(api, ENROLLMENT, "Token nonsense")
    get(api, ENROLLMENT, f"Token {old}")
    get(api, ENROLLMENT, f"Token {gone}")
    get(api, ENROLLMENT, f"Token {'c' * 40}")
    get(api, LEARNER_PATHS[0], f"Token {'b' * 40}")
    get(api, "/status/", "Token nonsense")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {(line["event"], line["address"]) for line in lines} == {("refused", "127.0.0.1")}
    assert [(line["caller"], line["reason"], line["path"]) for line in lines] == [
        ("", "Invalid token.", ENROLLMENT),
        ("old", "Token has expired.", ENROLLMENT),
        ("gone", "Invalid token.", ENROLLMENT),
        ("one course", "This token may not read this course.", ENROLLMENT),
        ("no learners", "This token may not read data of single learners.", "/api/v0/learners/"),
        ("", "Invalid token.", "/status/"),
    ]


def test_a_refusal_stands_if_it_cannot_be_written_down(
    serve_api: Callable[..., httpx.Client], tmp_path: Path
) -> None:
    api = serve_api(audit_log=tmp_path)  # a folder
    assert get(api, ENROLLMENT, "Token nonsense").status_code == 401


def test_one_more_than_the_rate_is_refused_and_says_when_to_come_back(
    serve_api: Callable[..., httpx.Client],
) -> None:
    api = serve_api(token_requests_per_minute=5)
    answers = [api.get("/authenticated/") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    wait = int(answers[-1].headers["Retry-After"])
    assert 1 <= wait <= 60
    assert answers[-1].json() == {"detail": f"Request was throttled. Expected available in {wait} seconds."}
    other = httpx.get(f"{api.base_url}/authenticated/", headers={"Authorization": f"Token {'b' * 40}"})
    assert other.status_code == 200
    assert api.get("/status/").status_code == 200
    assert api.get("/health/").status_code == 200


ORGANIZATIONS = (
    *("DeltaU", "deltau", "DELTAU", "Delta", "DeltaUx", "Deltá", "DeltáU", "Delta\u0301U", "ΔeltaU"),
    *("D_ltaU", "D%ltaU", "DeltaU-", "DeltaU.", "straße", "strasse", "ss", "ß"),
)
FORMS = ("course-v1:{}+C+R", "{}/C/R", "ccx-v1:{}+C+R+ccx@1", "library-v1:{}+L", "slashes:{}+C+R")
IDS = sorted(
    {form.format(org) for org in ORGANIZATIONS for form in FORMS}
    | {f"course-v1:DeltaU+{rest}" for rest in ("C+R ", "c+r", "Ć+R", "C+R\t", "C+R+branch@x")}
    | {" course-v1:DeltaU+C+R", "course-v1:DeltaU +C+R", "COURSE-V1:DeltaU+C+R", "DeltaU /C/R", "DeltaU", ""}
)
LENIENT = {  # how tables of others may compare: without regard to case, accents or trailing blanks
    "sqlite": ("NOCASE", "RTRIM"),
    "mysql": ("utf8mb4_general_ci", "utf8mb4_unicode_ci"),
    "postgresql": (None,),
}


@pytest.fixture
def columns_of_ids(store_url: str) -> Iterator[tuple[sa.Connection, list[sa.Column[str]]]]:
    """A table on each database that holds the ids in a column as ours are, and in some as those of others."""
    store.upgrade(store_url)
    engine = store.connect(store_url)
    types = [Exact(255), *(sa.String(255, collation) for collation in LENIENT[engine.dialect.name])]
    columns = [sa.Column(f"id_{number}", type_) for number, type_ in enumerate(types)]
    table = sa.Table("ids", sa.MetaData(), *columns)
    with engine.connect() as connection:
        table.create(connection)
        connection.execute(
            sa.insert(table), [dict.fromkeys(table.columns.keys(), course_id) for course_id in IDS]
        )
        yield connection, columns
    engine.dispose()


def test_a_scope_is_compared_by_every_character_on_every_database(
    columns_of_ids: tuple[sa.Connection, list[sa.Column[str]]],
) -> None:
    connection, columns = columns_of_ids

    @settings(max_examples=60, deadline=None)
    @given(
        courses=st.frozensets(st.sampled_from(IDS), max_size=4) | st.none(),
        organizations=st.frozensets(st.sampled_from(ORGANIZATIONS), max_size=3) | st.none(),
    )
    @example(courses=None, organizations=frozenset({"deltau"}))
    @example(courses=frozenset({"course-v1:DeltaU+C+R"}), organizations=None)
    def check(courses: frozenset[str] | None, organizations: frozenset[str] | None) -> None:
        caller = Caller("x", courses, organizations)
        allowed = [course_id for course_id in IDS if caller.may_read(course_id)]
        for column in columns:
            found = connection.execute(sa.select(column).where(caller.sees(column))).scalars().all()
            assert sorted(found) == allowed
        if (courses, organizations) != (None, None):
            for course_id in filter(is_course_id, IDS):
                by_organisation = organisation(course_id) in (organizations or ())
                assert (course_id in allowed) == (by_organisation or course_id in (courses or ()))

    check()


@pytest.mark.parametrize("name", ["", "a+b", "a/b", "+", "/"])
def test_a_name_that_no_organisation_can_have_opens_nothing(name: str) -> None:
    """`a+b` would begin the ids of course b of organisation a, and an empty name those of many."""
    caller = Caller("x", frozenset(), frozenset({name}))
    assert not any(caller.may_read(text) for text in ("course-v1:a+b+c", "a/b/c", "course-v1:+x+y", "/a/b"))
