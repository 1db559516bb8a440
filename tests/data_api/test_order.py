"""An answer depends on the rows of the store alone, not on the editions in which they were published."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx
import pyarrow as pa
import pytest
import sqlalchemy as sa
from tests.data_api.conftest import CID, ENTERPRISE, FIRST_OF_MARCH, I4X, OTHER, P1, PROGRAM, ROWS, TOKEN

from pharos.config import Settings
from pharos.data_api.app import create_app
from pharos.result_store import contract, store, tables
from pharos.result_store.editions import Change
from pharos.result_store.store import Publication

CREATED = datetime(2031, 3, 2, 4, 5, 6)
COURSE_LISTS = (
    *("activity", "enrollment", "enrollment/mode", "enrollment/education", "enrollment/gender"),
    *("enrollment/location", "problems", "problems_and_tags", "videos", "user_engagement"),
)
PATHS = (
    *(f"v1/courses/{CID}/{name}/?start_date=2031-01-01&modes=true" for name in COURSE_LISTS),
    f"v0/courses/{CID}/enrollment/birth_year/",
    f"v1/problems/{P1}/answer_distribution/",
    f"v1/problems/{I4X}/answer_distribution/",
    f"v1/problems/{P1}/grade_distribution/",
    f"v1/problems/{P1}/sequential_open_distribution/",
    f"v1/videos/{CID}|v1/timeline/",
    "v1/course_summaries/?programs=true",
    f"v1/course_summaries/?programs=true&course_ids={CID},{OTHER}".replace("+", "%2B"),
    "v1/programs/",
    f"v0/enterprise/{ENTERPRISE}/engagements/",
    f"v0/learners/?course_id={CID}".replace("+", "%2B"),
    f"v0/engagement_timelines/ann/?course_id={CID}".replace("+", "%2B"),
    f"v0/course_learner_metadata/{CID}/",
    *(f"v1/tables/{table.name}.csv" for table in ROWS),
)
MORE: dict[sa.Table, list[dict[str, Any]]] = {
    tables.course_program_metadata: [
        {"course_id": CID, "program_id": program, "program_type": "x", "program_title": "x"}
        for program in ("zz", "aa", "mm")
    ],
    tables.course_enrollment_mode_daily: [
        {"course_id": CID, "date": FIRST_OF_MARCH, "mode": mode, "count": 1, "cumulative_count": 1}
        for mode in ("zz", "aa", "mm")
    ],
}


def rows_of(table: sa.Table) -> pa.Table:
    """The rows of the examples and more, in the reverse of their order."""
    columns = contract.columns(table)
    rows = [*ROWS[table], *MORE.get(table, [])][::-1]
    plain = [{column.name: row.get(column.name) for column in columns} for row in rows]
    return pa.Table.from_pylist(plain, contract.schema(table))


def publish(engine: sa.Engine, number: int, *changes: dict[str, Any]) -> None:
    """An edition; all of its rows have the same time."""
    publication = Publication(
        fingerprint=f"f{number}", until=datetime(2031, 3, 2), last_event=None, version=1
    )
    written = store.publish_edition(engine, [Change(publication=publication, **change) for change in changes])
    assert not [found.problem for found in written.values() if found.problem]
    with engine.begin() as connection:
        for change in changes:
            connection.execute(sa.update(change["table"]).values(created=CREATED))


def given(rows: pa.Table) -> Callable[[], Iterator[pa.Table]]:
    return lambda: iter([rows])


@pytest.fixture
def api(
    serve: Callable[[Any], str],
    store_url: str,
    fill_store: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[httpx.Client]:
    monkeypatch.setattr("pharos.data_api.reading.FRESH_FOR_S", 0)
    fill_store(store_url)
    app = create_app(Settings(result_store={"url": store_url}, data_api={"learners": True}))
    with httpx.Client(
        base_url=f"{serve(app)}/api/", headers={"Authorization": f"Token {TOKEN}"}, timeout=60
    ) as client:
        yield client


def answers(api: httpx.Client) -> dict[str, bytes]:
    """Every answer. An engagement's `id` is the number of the row, which is new when the row is."""
    found = {}
    for path in PATHS:
        answer = api.get(path)
        assert answer.status_code == 200, (path, answer.text)
        found[path] = re.sub(rb'"id":\d+,', b"", answer.content)
    return found


def test_answers_do_not_tell_in_which_editions_their_rows_came(api: httpx.Client, store_url: str) -> None:
    engine = store.connect(store_url)
    whole = {table: rows_of(table) for table in ROWS}
    everything = [{"table": table, "new": given(rows), "is_whole": True} for table, rows in whole.items()]
    publish(engine, 1, *everything)
    first = answers(api)
    half = {
        table: rows.take(list(range(0, rows.num_rows, 2)))
        for table, rows in whole.items()
        if table.info["key"]
    }
    gone = [
        {"table": table, "gone": given(rows.select(list(table.info["key"])))} for table, rows in half.items()
    ]
    publish(engine, 2, *gone)
    publish(engine, 3, *({"table": table, "new": given(rows)} for table, rows in half.items()))
    store_backwards(engine, tables.answer_distribution)
    engine.dispose()
    again = answers(api)
    assert {path for path in PATHS if again[path] != first[path]} == set()
    modes = first[f"v1/courses/{CID}/enrollment/mode/?start_date=2031-01-01&modes=true"]
    assert modes.index(b'"aa"') < modes.index(b'"mm"') < modes.index(b'"zz"')
    programs = f'"programs":["{PROGRAM}","aa","mm","zz"]'
    assert programs.encode() in first["v1/course_summaries/?programs=true"]


def store_backwards(engine: sa.Engine, table: sa.Table) -> None:
    """Store the rows of a table again, the last first: of one without a key, editions name no rows."""
    with engine.begin() as connection:
        rows = [dict(row) for row in connection.execute(sa.select(table).order_by(table.c.id)).mappings()]
        connection.execute(sa.delete(table))
        for row in rows[::-1]:
            del row["id"]
            connection.execute(sa.insert(table), row)
