"""Tables that Pharos did not create: those of the original's server (its models) and of its pipeline.

Their columns are those of spec 05 §12. On MariaDB each table has another character set and collation, as in
databases that were upgraded for ten years.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Literal
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import mysql
from tests.data_api.conftest import CID, ENTERPRISE, I4X, P1, ROWS, TOKEN

from pharos.config import Settings
from pharos.data_api.app import create_app
from pharos.data_api.tokens import create_token
from pharos.result_store import store
from pharos.result_store.connecting import engine_for

Form = Literal["models", "pipeline"]
COLLATIONS = ("utf8mb3_general_ci", "latin1_swedish_ci", "utf8mb4_unicode_ci", "utf8mb4_general_ci")
TEXT, NUMBER, DAY, MOMENT = "text", "number", "day", "moment"
OF_COURSE = {"course_id": TEXT}
BY_DAY = OF_COURSE | {"date": DAY, "count": NUMBER}
COUNTS = dict.fromkeys(("count", "cumulative_count", "count_change_7_days", "passing_users"), NUMBER)
MODELS: dict[str, dict[str, str]] = {
    "course_activity": OF_COURSE
    | {"interval_start": MOMENT, "interval_end": MOMENT, "label": TEXT, "count": NUMBER},
    "course_enrollment_daily": BY_DAY,
    "course_enrollment_mode_daily": BY_DAY | {"mode": TEXT, "cumulative_count": NUMBER},
    "course_enrollment_birth_year_daily": BY_DAY | {"birth_year": NUMBER},
    "course_enrollment_education_level_daily": BY_DAY | {"education_level": TEXT},
    "course_enrollment_gender_daily": BY_DAY | {"gender": TEXT},
    "course_enrollment_location_current": BY_DAY | {"country_code": TEXT},
    "course_meta_summary_enrollment": OF_COURSE
    | dict.fromkeys(
        ("catalog_course_title", "catalog_course", "pacing_type", "availability", "enrollment_mode"), TEXT
    )
    | {"start_time": MOMENT, "end_time": MOMENT}
    | COUNTS,
    "course_program_metadata": OF_COURSE
    | dict.fromkeys(("program_id", "program_type", "program_title"), TEXT),
    "answer_distribution": OF_COURSE
    | dict.fromkeys(
        ("module_id", "part_id", "value_id", "answer_value_text", "problem_display_name", "question_text"),
        TEXT,
    )
    | dict.fromkeys(("variant", "first_response_count", "last_response_count"), NUMBER)
    | {"correct": "truth"},
    "tags_distribution": OF_COURSE
    | dict.fromkeys(("module_id", "tag_name", "tag_value"), TEXT)
    | dict.fromkeys(("total_submissions", "correct_submissions"), NUMBER),
    "grade_distribution": OF_COURSE
    | {"module_id": TEXT}
    | dict.fromkeys(("grade", "max_grade", "count"), NUMBER),
    "sequential_open_distribution": OF_COURSE | {"module_id": TEXT, "count": NUMBER},
    "video": OF_COURSE
    | dict.fromkeys(("pipeline_video_id", "encoded_module_id"), TEXT)
    | dict.fromkeys(("duration", "segment_length", "users_at_start", "users_at_end"), NUMBER),
    "video_timeline": {"pipeline_video_id": TEXT}
    | dict.fromkeys(("segment", "num_users", "num_views"), NUMBER),
    "module_engagement": BY_DAY | dict.fromkeys(("username", "entity_type", "entity_id", "event"), TEXT),
    "module_engagement_metric_ranges": OF_COURSE
    | {"start_date": DAY, "end_date": DAY, "metric": TEXT, "range_type": TEXT}
    | {"low_value": "fraction", "high_value": "fraction"},
    "enterprise_user": {"enterprise_id": TEXT, "user_username": TEXT}
    | dict.fromkeys(("lms_user_id", "enterprise_user_id"), NUMBER),
}
WITH_CUMULATIVE = [name for name in MODELS if name.startswith("course_enrollment_")]
MORE_IN_PIPELINE = {name: {"cumulative_count": NUMBER} for name in WITH_CUMULATIVE} | {
    "answer_distribution": {"answer_value_numeric": "fraction"},
    "tags_distribution": {"org_id": TEXT},
    "video": {"total_viewed_seconds": NUMBER},
}
"""Further columns of the pipeline's tables. The models lack them."""


def type_of(kind: str, collation: str) -> sa.types.TypeEngine[Any]:
    character_set = collation.partition("_")[0]
    text = mysql.VARCHAR(191, charset=character_set, collation=collation)
    types: dict[str, sa.types.TypeEngine[Any]] = {
        TEXT: sa.String(255).with_variant(text, "mysql", "mariadb"),
        NUMBER: sa.Integer(),
        DAY: sa.Date(),
        MOMENT: sa.DateTime(),
        "truth": sa.Boolean(),
        "fraction": sa.Double(),
    }
    return types[kind]


def tables(form: Form) -> dict[str, sa.Table]:
    """The tables as the original's server, or its pipeline, creates them."""
    made, metadata = {}, sa.MetaData()
    for (name, columns), collation in zip(MODELS.items(), itertools.cycle(COLLATIONS), strict=False):
        more = MORE_IN_PIPELINE.get(name, {}) if form == "pipeline" else {}
        number = sa.Integer() if form == "models" else sa.BigInteger().with_variant(sa.Integer, "sqlite")
        made[name] = sa.Table(
            name,
            metadata,
            sa.Column("id", number, primary_key=True),
            *(sa.Column(each, type_of(kind, collation)) for each, kind in (columns | more).items()),
            sa.Column("created", sa.TIMESTAMP if form == "pipeline" else sa.DateTime),
            sa.Column("of_another_plugin", sa.Integer),
        )
    return made


@pytest.fixture(params=["models", "pipeline"])
def adopted(request: pytest.FixtureRequest, store_url: str) -> str:
    """A store of tables with the rows of the examples, upgraded."""
    engine = engine_for(store_url)
    with engine.begin() as connection:
        for name, table in tables(request.param).items():
            table.create(connection)
            (rows,) = (found for ours, found in ROWS.items() if ours.name == name)
            for row in rows:
                known = {key: value for key, value in row.items() if key in table.c}
                connection.execute(sa.insert(table), known)
    engine.dispose()
    store.upgrade(store_url)
    engine = store.connect(store_url)
    create_token(engine, "everything", learners=True, token=TOKEN)
    engine.dispose()
    return store_url


@pytest.fixture
def asking(serve: Callable[[Any], str]) -> Callable[[str], httpx.Client]:
    """`asking(url)` gives a client of the Data API over the store."""

    def ask(url: str) -> httpx.Client:
        app = create_app(Settings(result_store={"url": url}, data_api={"learners": True}))
        return httpx.Client(
            base_url=f"{serve(app)}/api/", headers={"Authorization": f"Token {TOKEN}"}, timeout=60
        )

    return ask


COURSE = quote(CID, safe="")
PATHS = (
    *(
        f"v1/courses/{COURSE}/{name}/"
        for name in (
            *("activity", "recent_activity", "enrollment", "enrollment/mode", "enrollment/education"),
            *("enrollment/gender", "enrollment/location", "problems", "problems_and_tags", "videos"),
            "user_engagement",
        )
    ),
    f"v0/courses/{COURSE}/enrollment/birth_year/",
    f"v1/problems/{quote(P1, safe='')}/answer_distribution/",
    f"v1/problems/{quote(I4X, safe='')}/answer_distribution/",
    f"v1/problems/{quote(P1, safe='')}/sequential_open_distribution/",
    f"v1/videos/{COURSE}|v1/timeline/",
    "v1/course_summaries/?programs=true&recent_date=2024-01-01",
    f"v1/course_summaries/?programs=true&course_ids={COURSE}",
    "v1/course_totals/",
    "v1/programs/",
    f"v0/enterprise/{ENTERPRISE}/engagements/",
    f"v0/engagement_timelines/ann/?course_id={COURSE}",
)


def test_every_endpoint_answers_from_tables_of_the_original(
    adopted: str, asking: Callable[[str], httpx.Client], api: httpx.Client
) -> None:
    """As from our own tables."""
    with asking(adopted) as client:
        for path in PATHS:
            answer, ours = client.get(path), api.get(f"/api/{path}")
            assert (answer.status_code, answer.json()) == (ours.status_code, ours.json()), path
        grades = client.get(f"v1/problems/{quote(P1, safe='')}/grade_distribution/")
        assert grades.status_code == 200
        for name in MODELS:
            lines = client.get(f"v1/tables/{name}.csv")
            assert lines.status_code == 200, (name, lines.text)
            assert "of_another_plugin" not in lines.text
        assert client.get("v1/course_learner_metadata/x/").status_code == 404
        assert client.get("v1/health/").status_code == 200


CASES: list[Callable[[str], str]] = [str, str.lower, str.upper, str.title]
VARIANTS = st.tuples(
    st.sampled_from(CASES),
    st.sampled_from(["", " ", "  ", "\t"]),
    st.sampled_from([("o", "o"), ("O", "Ó"), ("e", "é"), ("1", "\uff11"), ("X", "Ж"), ("C", "\U0001f600")]),
).map(lambda found: str(found[0](CID.replace(*found[2]))) + found[1])


@contextmanager
def with_rows(url: str, ids: list[str]) -> Iterator[None]:
    """Each of these courses has a number of learners, of answers and of viewers, that of its place."""
    engine = engine_for(url)
    made = tables("pipeline")
    created = datetime(2031, 3, 2, 4, 5, 6)
    rows: dict[str, dict[str, Any]] = {
        "course_enrollment_daily": {"date": date(2031, 3, 1)},
        "course_activity": {
            "label": "ACTIVE",
            "interval_start": datetime(2031, 2, 17),
            "interval_end": datetime(2031, 2, 24),
        },
        "sequential_open_distribution": {},
    }
    with engine.begin() as connection:
        for name, row in rows.items():
            connection.execute(sa.delete(made[name]))
            for number, each in enumerate(ids):
                more = {"module_id": each} if name == "sequential_open_distribution" else {}
                try:
                    with connection.begin_nested():
                        connection.execute(
                            sa.insert(made[name]),
                            {"course_id": each, "count": number, "created": created, **row, **more},
                        )
                except sa.exc.DataError:  # the character set of the table has no such character
                    continue
    engine.dispose()
    yield


@pytest.mark.parametrize("adopted", ["pipeline"], indirect=True)
def test_an_id_finds_what_has_exactly_this_id(adopted: str, asking: Callable[[str], httpx.Client]) -> None:
    """Not that of another case, with other accents or with blanks behind it."""
    with asking(adopted) as client:

        @settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(st.lists(VARIANTS, min_size=1, max_size=6, unique=True), VARIANTS)
        def finds(ids: list[str], wanted: str) -> None:
            engine = engine_for(adopted)
            with with_rows(adopted, ids), engine.connect() as connection:
                for name, path, key in (
                    ("course_enrollment_daily", "courses/{}/enrollment/", "count"),
                    ("course_activity", "courses/{}/activity/", "any"),
                    ("course_activity", "courses/{}/recent_activity/", "count"),
                    ("sequential_open_distribution", "problems/{}/sequential_open_distribution/", "count"),
                ):
                    table = tables("pipeline")[name]
                    stored = connection.execute(sa.select(table.c.course_id, table.c["count"]))
                    expected = [count for course_id, count in stored if course_id == wanted]
                    answer = client.get(f"v1/{path.format(quote(wanted, safe=''))}")
                    assert answer.status_code == (200 if expected else 404), (path, answer.text)
                    items = answer.json() if expected else []
                    found = [item[key] for item in (items if isinstance(items, list) else [items])]
                    assert found == expected, path
                summaries = client.get("v1/tables/course_enrollment_daily.json", params={"course_id": wanted})
                assert summaries.status_code in (200, 404)
            engine.dispose()

        finds()


def test_a_character_that_no_database_has_is_no_data(
    store_url: str, asking: Callable[[str], httpx.Client]
) -> None:
    store.upgrade(store_url)
    engine = store.connect(store_url)
    create_token(engine, "everything", learners=True, token=TOKEN)
    engine.dispose()
    with asking(store_url) as client:
        for path in (
            "v1/courses/a%00/b/c/enrollment/",
            "v1/courses/a/b/c%00/problems/",
            "v1/problems/x%00/answer_distribution/",
            "v1/videos/a/b/c%00%7Cv/timeline/",
            "v1/tables/video.csv?course_id=a/b/c%00",
            "v0/learners/?course_id=a/b/c&cohort=%00",
            "v0/engagement_timelines/ann/?course_id=a/b/c%00",
        ):
            assert client.get(path).status_code == 404, path
        assert client.get("v1/programs/?program_ids=%00").status_code == 404
        assert client.get("v1/course_summaries/?course_ids=a/b/c%00").status_code == 400


@pytest.mark.parametrize("adopted", ["pipeline"], indirect=True)
def test_only_a_database_that_is_away_is_called_so(
    adopted: str, asking: Callable[[str], httpx.Client]
) -> None:
    engine = engine_for(adopted)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE course_activity")
        connection.exec_driver_sql("ALTER TABLE video DROP COLUMN duration")
    engine.dispose()
    with asking(adopted) as client:
        for path in (f"v1/courses/{COURSE}/activity/", f"v1/courses/{COURSE}/videos/"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert "lacks a table or column" in answer.json()["detail"]
        assert client.get(f"v1/courses/{COURSE}/enrollment/").status_code == 200
