"""Every route of the application, asked by callers without a right: no token, wrong course, no learners, …

Which routes are about learners is taken from the SQL that they send, not from how they are declared.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.routing import APIRoute
from tests.data_api import conftest as rows

from pharos.config import Settings
from pharos.data_api.access import OfCallers
from pharos.data_api.app import create_app
from pharos.data_api.tokens import create_token, revoke_token
from pharos.result_store import contract, store, tables
from pharos.result_store.store import Publication

OPEN = {
    "/",
    "/docs/",
    "/downloads/{file_name:path}",  # the link is signed
    "/metrics",
    "/api-token-auth/",
    *(f"{prefix}/{name}/" for prefix in ("", "/api/v0", "/api/v1") for name in ("status", "health")),
}
VALUES = {
    "course_id": rows.CID,
    "username": "ann",
    "enterprise_id": rows.ENTERPRISE,
    "problem_id": rows.P1,
    "video_id": f"{rows.CID}|v1",
    "report_name": "problem_response",
    "session": "s" * 16,
}
BODIES = {"POST": {}, "PUT": {"until": 0}}
OF_LEARNERS = re.compile(
    r"\b(enrollment_difference|module_engagement(_roster(_token)?|_summary|_user_segments)?|enterprise_user|"
    r"student_engagement_\w+|learner_status)\b"
)
OF_A_WEEK: dict[str, Any] = {
    "course_id": rows.CID,
    "username": "ann",
    "start_date": date(2031, 2, 23),
    "end_date": date(2031, 3, 2),
}
FURTHER_ROWS: dict[str, dict[str, Any]] = {
    "enrollment_difference": {"course_id": rows.CID, "user_id": 7, "reason": "only_in_lms"},
    "module_engagement_summary": OF_A_WEEK
    | dict.fromkeys(
        ("problem_attempts", "problems_attempted", "problems_completed", "videos_viewed", "days_active"), 0
    )
    | {"discussion_contributions": 0},
    "module_engagement_user_segments": OF_A_WEEK | {"segment": "struggling", "reason": "x"},
    **{
        f"student_engagement_{period}": {
            "course_id": rows.CID,
            "username": "ann",
            "end_date": date(2031, 3, 2),
        }
        | {"last_subsection_viewed": ""}
        for period in ("daily", "weekly", "all")
    },
}
LEARNERS = ("ann", "Bob", "bob", "zoë", "Ann Example")
NOT_THEIRS = (rows.CID, "OrgX", "Abecedarium", *LEARNERS)


@dataclass(frozen=True)
class Asked:
    """A request to a route."""

    method: str
    path: str
    query: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}{self.query}"


class Service:
    """The Data API over published tables, and what it asks of the database."""

    def __init__(self, home: Path, app: FastAPI, url: str) -> None:
        self.app, self.audit = app, home / "audit.jsonl"
        self._client = httpx.Client(base_url=url, timeout=30)
        self.requests = [asked for route in app.routes for asked in _requests(route)]

    def ask(self, asked: Asked, token: str | None) -> httpx.Response:
        headers = {"Authorization": f"Token {token}"} if token else {}
        return self._client.request(
            asked.method, f"{asked.path}{asked.query}", headers=headers, json=BODIES.get(asked.method)
        )

    def close(self) -> None:
        self._client.close()

    def audited(self) -> list[dict[str, str]]:
        text = self.audit.read_text() if self.audit.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def about_learners(self) -> list[Asked]:
        """The requests whose answers are made from tables of learners."""
        found = []
        statements: list[str] = []
        note = lambda *arguments: statements.append(arguments[2])  # noqa: E731
        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            for asked in self.requests:
                for store in self.app.state.stores.values():
                    store._derived.clear()  # noqa: SLF001 - counts that are kept would not be asked for
                statements.clear()
                self.ask(asked, rows.TOKEN)
                if any(OF_LEARNERS.search(statement) for statement in statements):
                    found.append(asked)
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)
        return found


def _requests(route: Any) -> Iterator[Asked]:
    """One request to the route for each of its methods; to the exports one for each table."""
    if not isinstance(route, APIRoute) or route.path in OPEN:
        return
    query = f"?course_id={rows.CID.replace('+', '%2B')}"
    has_course = any(parameter.name == "course_id" for parameter in route.dependant.query_params)
    for table in tables.RESULTS if "{table}" in route.path else [""]:
        path = re.sub(r"\{(\w+)(:\w+)?\}", r"{\1}", route.path).format(**VALUES, table=table)
        for method in route.methods or ():
            yield Asked(method, path, query if has_course and not table else "")


@pytest.fixture(scope="module")
def home(filled_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose tables are published, so that answers may be kept, and a report."""
    home = tmp_path_factory.mktemp("rights")
    shutil.copy(filled_file, home / "result_store.sqlite")
    (home / "reports").mkdir()
    (home / "reports" / "OrgX_ABC101_2031_T1_problem_response.csv").write_text("a\r\n")
    engine = store.connect(f"sqlite:///{home / 'result_store.sqlite'}")
    publication = Publication(fingerprint="f", until=datetime(2031, 3, 6), last_event=None, version=1)
    for table in tables.RESULTS.values():
        columns = [column for column in table.columns if column.name not in ("id", "created")]
        with engine.connect() as connection:
            found = [dict(row) for row in connection.execute(sa.select(*columns)).mappings()]
        found += [FURTHER_ROWS[table.name]] if table.name in FURTHER_ROWS else []
        if found:
            filled = pa.Table.from_pylist(found, contract.schema(table))
            store.publish(engine, table, filled, publication)
    create_token(engine, "revoked", learners=True, token="r" * 40)
    revoke_token(engine, "revoked")
    create_token(engine, "expired", learners=True, token="e" * 40, expires=datetime(2020, 1, 1))
    create_token(engine, "other course, learners", learners=True, courses=[rows.OTHER], token="o" * 40)
    create_token(engine, "other organisation", learners=True, organizations=["OrgY"], token="y" * 40)
    engine.dispose()
    return home


@pytest.fixture
def serve_rows(home: Path, serve: Callable[[Any], str]) -> Iterator[Callable[..., Service]]:
    """`serve_rows(learners=True)` serves the store above."""
    with ExitStack() as running:

        def start(privacy: dict[str, Any] | None = None, **ours: Any) -> Service:
            (home / "audit.jsonl").unlink(missing_ok=True)
            ours = {"audit_log": home / "audit.jsonl", **ours}
            app = create_app(Settings(home=home, data_api=ours, privacy=privacy or {}))
            return running.enter_context(closing(Service(home, app, serve(app))))

        yield start


@pytest.fixture
def service(serve_rows: Callable[..., Service]) -> Service:
    return serve_rows(learners=True)


def test_routes_are_of_known_callers_or_known_to_be_open(service: Service) -> None:
    for route in service.app.routes:
        if isinstance(route, APIRoute):
            assert (route.path in OPEN) != isinstance(route, OfCallers), route.path


def test_who_has_all_rights_gets_answers(service: Service) -> None:
    """Or nothing below would be worth much."""
    without_rows = {f"/api/v1/tables/{name}/" for name in tables.RESULTS} - {
        f"/api/v1/tables/{name}/" for name in (*(table.name for table in rows.ROWS), *FURTHER_ROWS)
    }
    for asked in service.requests:
        answer = service.ask(asked, rows.TOKEN)
        assert answer.status_code == 404 if asked.path in without_rows else answer.is_success, asked


@pytest.mark.parametrize(
    "token", [None, "n" * 40, "r" * 40, "e" * 40], ids=["none", "wrong", "revoked", "old"]
)
def test_without_a_valid_token_there_is_no_answer(service: Service, token: str | None) -> None:
    for asked in service.requests:
        assert service.ask(asked, token).status_code == 401, asked


@pytest.mark.parametrize("token", ["o" * 40, "y" * 40], ids=["course", "organisation"])
def test_whoever_may_not_read_a_course_sees_nothing_of_it(service: Service, token: str) -> None:
    """Refused where the address names the course; elsewhere the course is missing from the answer."""
    for asked in service.requests:
        answer = service.ask(asked, token)
        if f"/{rows.CID}/" in asked.path or asked.query:
            assert answer.status_code == 403, asked
        assert answer.status_code in ((403, 404) if "OrgX" in asked.path else (200, 403, 404)), asked
        assert not [text for text in NOT_THEIRS if f'"{text}' in answer.text], asked


def test_data_of_learners_need_the_right_to_them(service: Service) -> None:
    about_learners = service.about_learners()
    assert len(about_learners) >= 14  # six endpoints, one of them in two versions, and seven tables
    for asked in service.requests:
        answer = service.ask(asked, rows.TOKEN_WITHOUT_LEARNERS)
        assert (answer.status_code == 403) == (asked in about_learners), asked


def test_data_of_learners_are_served_nowhere_unless_switched_on(
    serve_rows: Callable[..., Service],
) -> None:
    about_learners, off = serve_rows(learners=True).about_learners(), serve_rows()
    for asked in about_learners:
        answer = off.ask(asked, rows.TOKEN)
        assert (answer.status_code, answer.json()) == (404, {"status": 404}), asked


def test_every_reading_of_learners_is_written_down_and_no_answer_is_kept(service: Service) -> None:
    for asked in service.about_learners():
        before = len(service.audited())
        answers = [service.ask(asked, rows.TOKEN) for _ in range(2)]
        lines = service.audited()[before:]
        assert [(line["event"], line["caller"], line["path"]) for line in lines] == [
            ("read", "everything", asked.path)
        ] * 2, asked
        for answer in answers:
            assert answer.headers["Cache-Control"] == "private, no-store", asked
            assert "ETag" not in answer.headers, asked
        assert service.ask(asked, rows.TOKEN_WITHOUT_LEARNERS).status_code == 403, asked


def test_other_answers_are_kept(service: Service) -> None:
    """Or the test above would say nothing."""
    asked = next(asked for asked in service.requests if asked.path.endswith(f"{rows.CID}/enrollment/"))
    assert "ETag" in service.ask(asked, rows.TOKEN).headers
    assert service.audited() == []
