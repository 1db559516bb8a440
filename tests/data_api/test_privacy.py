"""`privacy.mode`: every route about learners, in every form, looked through for names and addresses."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from tests.data_api import conftest as rows
from tests.data_api.test_rights import Asked, Service, home, serve_rows  # noqa: F401 - fixtures

from pharos import config
from pharos.config import Settings
from pharos.data_api.app import create_app
from pharos.data_api.privacy import Privacy
from pharos.errors import ConfigurationError
from pharos.result_store import tables
from pharos.result_store.tables import ABOUT_LEARNERS
from pharos.result_store.tables.base import PERSONAL

KEY = "k" * 32
MODES = {
    "full": {"mode": "full"},
    "names": {"mode": "names"},
    "pseudonymous": {"mode": "pseudonymous", "key": KEY},
}
KINDS = {
    "user name": ("ann", "bob", "zoë", "zoe"),
    "name": ("ann example", "example"),
    "address": ("ann@example.com", "ann@customer.example.com"),
    "number": ("7", "8"),
}
SHOWN = {"full": {"user name", "name", "address"}, "names": {"user name", "name"}, "pseudonymous": set[str]()}
FORMS = ("", ".csv", ".ndjson", ".parquet")
ServeRows = Callable[..., Service]


def pseudonym(username: str) -> str:
    return Privacy(config.Privacy(mode="pseudonymous", key=KEY)).pseudonym(username)


def values(answer: httpx.Response) -> Iterator[str]:
    """All texts and numbers of an answer in any form, in small letters."""
    if answer.content[:4] == b"PAR1":
        for row in pq.read_table(io.BytesIO(answer.content)).to_pylist():
            yield from (str(value).lower() for value in row.values())
        return
    yield from re.split(r'[",\r\n{}\[\]]+|: ?', answer.text.lower())


def kinds_in(answer: httpx.Response) -> set[str]:
    found = set(values(answer))
    return {kind for kind in ("user name", "name", "address") if found & set(KINDS[kind])}


def asked_of(service: Service) -> Iterator[Asked]:
    """Every request about learners in every form; learners by the name they have in this mode."""
    for asked in service.about_learners():
        for form in FORMS:
            path = f"{asked.path.rstrip('/')}{form or '/'}"
            yield replace(asked, path=path)
            if "/ann" in path:
                yield replace(asked, path=path.replace("/ann", f"/{pseudonym('ann')}"))
            if asked.path.endswith("/learners/"):
                for text in ("ann", "example", "ann@example.com", "ann@example", pseudonym("ann")):
                    yield replace(asked, path=path, query=f"{asked.query}&text_search={text}")


@pytest.mark.parametrize("mode", MODES)
def test_what_leaves_by_any_route(serve_rows: ServeRows, mode: str) -> None:  # noqa: F811
    service = serve_rows(MODES[mode], learners=True)
    found: set[str] = set()
    answers = 0
    for asked in asked_of(service):
        answer = service.ask(asked, rows.TOKEN)
        if answer.is_success:
            kinds = kinds_in(answer)
            assert kinds <= SHOWN[mode], (asked, kinds)
            found |= kinds
            answers += 1
        else:
            assert answer.status_code in (403, 404, 406), asked
    assert found == SHOWN[mode]
    assert answers > 40


def test_pseudonyms_are_the_same_on_every_route(serve_rows: ServeRows) -> None:  # noqa: F811
    service, course = serve_rows(MODES["pseudonymous"], learners=True), f"?course_id={rows.CID}"
    course = course.replace("+", "%2B")

    def get(path: str) -> httpx.Response:
        return service.ask(Asked("GET", path, course), rows.TOKEN)

    ann = pseudonym("ann")
    assert re.fullmatch("p[a-z2-7]{16}", ann)
    listed = get("/api/v0/learners/").json()["results"]
    assert {item["username"] for item in listed} == {pseudonym(name) for name in ("ann", "Bob", "zoë")}
    learner = get(f"/api/v0/learners/{ann}/").json()
    assert (learner["username"], learner["name"], learner["email"]) == (ann, None, None)
    assert (learner["user_id"], learner["account_url"]) != (7, None)
    assert learner["engagements"]["problems_attempted"] == 3
    assert len(get(f"/api/v0/engagement_timelines/{ann}/").json()["days"]) == 3
    exported = get("/api/v1/tables/module_engagement/").json()
    assert {row["username"] for row in exported} == {ann, pseudonym("bob")}
    assert get("/api/v0/learners/ann/").status_code == 404
    assert get("/api/v0/engagement_timelines/ann/").status_code == 404


@pytest.mark.parametrize(
    ("mode", "text", "found"),
    [
        ("full", "ann@example.com", 1),
        ("names", "ann@example.com", 0),
        ("names", "ann", 1),
        ("pseudonymous", "ann", 0),
        ("pseudonymous", pseudonym("ann"), 1),
        ("pseudonymous", pseudonym("nobody"), 0),
    ],
)
def test_nobody_is_found_by_what_is_hidden(serve_rows: ServeRows, mode: str, text: str, found: int) -> None:  # noqa: F811
    service = serve_rows(MODES[mode], learners=True)
    course = rows.CID.replace("+", "%2B")
    asked = Asked("GET", "/api/v0/learners/", f"?course_id={course}&text_search={text}")
    assert service.ask(asked, rows.TOKEN).json()["count"] == found


@pytest.mark.parametrize("mode", ["names", "pseudonymous"])
def test_no_order_tells_an_address(serve_rows: ServeRows, mode: str) -> None:  # noqa: F811
    course = rows.CID.replace("+", "%2B")
    asked = Asked("GET", "/api/v0/learners/", f"?course_id={course}&order_by=email")
    assert serve_rows(MODES[mode], learners=True).ask(asked, rows.TOKEN).status_code == 400


def test_no_order_tells_a_name() -> None:
    """Rows that were inserted in the order of the names come in another one, always the same."""
    table = tables.module_engagement_roster
    orders = []
    for key in (KEY, KEY, "x" * 32):
        engine = sa.create_engine("sqlite://")
        table.metadata.create_all(engine, [table])
        blank = {column.name: 0 for column in table.columns if isinstance(column.type, sa.Integer)}
        learners = [
            blank | {"id": number, "course_id": "C", "username": f"u{number:02}", "segments": ""}
            for number in range(1, 41)
        ]
        privacy = Privacy(config.Privacy(mode="pseudonymous", key=key))
        with engine.begin() as connection:
            connection.execute(sa.insert(table), learners)
            query = sa.select(table.c.username).order_by(privacy.order(table))
            orders.append([name for (name,) in connection.execute(query)])
    assert orders[0] == orders[1] != orders[2]
    assert sum(a < b for a, b in zip(orders[0], orders[0][1:], strict=False)) in range(8, 32)


@pytest.mark.parametrize(
    "privacy", [{"hidden_organizations": ["OrgX"]}, {"organizations": ["OrgY"]}], ids=["hidden", "others"]
)
def test_learners_of_a_hidden_organisation(serve_rows: ServeRows, privacy: dict[str, list[str]]) -> None:  # noqa: F811
    service = serve_rows(privacy, learners=True)
    for asked in service.about_learners():
        answer = service.ask(asked, rows.TOKEN)
        if rows.CID in asked.path or asked.query:
            assert answer.status_code == 403, asked
        if "enterprise_user" not in asked.path and answer.is_success:
            assert kinds_in(answer) == set(), asked
    numbers = Asked("GET", f"/api/v1/courses/{rows.CID}/enrollment/", "")
    assert service.ask(numbers, rows.TOKEN).is_success


def test_reports_have_user_names(serve_rows: ServeRows) -> None:  # noqa: F811
    asked = Asked("GET", f"/api/v1/courses/{rows.CID}/reports/problem_response/", "")
    link = serve_rows(MODES["names"]).ask(asked, rows.TOKEN).json()["download_url"]
    hidden = serve_rows(MODES["pseudonymous"])
    assert hidden.ask(asked, rows.TOKEN).status_code == 404
    path, _, query = link.partition("/downloads/")[2].partition("?")
    assert hidden.ask(Asked("GET", f"/downloads/{path}", f"?{query}"), None).status_code == 404


def test_pseudonyms_need_a_key() -> None:
    with pytest.raises(ConfigurationError, match=r"privacy\.key"):
        create_app(Settings(privacy={"mode": "pseudonymous"}))


def test_columns_that_identify_learners_are_known() -> None:
    """Of each table about learners, the column that says whom it is about, and all that look like it."""
    looks = re.compile(r"user|name|mail|uid|address")
    harmless = {"problem_display_name", "user_country_code", "user_account_creation_timestamp"}
    for table in ABOUT_LEARNERS.values():
        assert table.info["definition"].persons in PERSONAL
        named = {column.name for column in table.columns if looks.search(column.name)}
        assert named - harmless <= set(PERSONAL), table.name
