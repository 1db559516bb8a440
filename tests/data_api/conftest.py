"""A Result Store that holds the rows of the examples of spec 05, and the Data API over it."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uvicorn

from pharos.config import Settings
from pharos.data_api.app import create_app
from pharos.data_api.tokens import create_token
from pharos.result_store import store
from pharos.result_store import tables as t
from pharos.result_store.folding import tokens, words

CID = "course-v1:OrgX+ABC101+2031_T1"
OTHER = "OrgY/XYZ/2031"
P1 = "block-v1:OrgX+ABC101+2031_T1+type@problem+block@p1"
I4X = "i4x://OrgY/XYZ/problem/x"
CREATED = datetime(2031, 3, 2, 4, 5, 6)
LATER = datetime(2031, 3, 2, 4, 5, 7)
FIRST_OF_MARCH = date(2031, 3, 1)
PROGRAM = "2f6bb1e0-0000-4000-8000-000000000001"
ENTERPRISE = "5c0dd495-e726-46fa-a6a8-2d8d26c716c9"
TOKEN = "a" * 40
TOKEN_WITHOUT_LEARNERS = "b" * 40
TOKEN_OF_ONE_COURSE = "c" * 40
TOKEN_OF_ONE_ORGANISATION = "d" * 40


def _rows(names: str, *values: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [{"created": CREATED} | dict(zip(names.split(), row, strict=True)) for row in values]


def _week(day: int) -> dict[str, datetime]:
    starts = {17: datetime(2031, 2, 17), 24: datetime(2031, 2, 24)}
    ends = {17: datetime(2031, 2, 24), 24: datetime(2031, 3, 3)}
    return {"interval_start": starts[day], "interval_end": ends[day]}


def _engagement(username: str, day: date, kind: str, entity: str, event: str, count: int) -> dict[str, Any]:
    return {
        "course_id": CID,
        "username": username,
        "date": day,
        "entity_type": kind,
        "entity_id": entity,
        "event": event,
        "count": count,
        "created": CREATED,
    }


def _learner(username: str, **facts: Any) -> dict[str, Any]:
    zeros = dict.fromkeys(
        ("problem_attempts", "problems_attempted", "problems_completed", "videos_viewed"), 0
    )
    return {
        "course_id": CID,
        "username": username,
        "segments": "",
        "discussion_contributions": 0,
        "attempt_ratio_order": 0,
        "created": CREATED,
        **zeros,
        **facts,
    }


ANSWER = {
    "course_id": CID,
    "module_id": P1,
    "problem_display_name": "Capitals",
    "created": CREATED,
    "variant": None,
}

_QUALITY = _rows(
    "course_id module_id part_id variant problem_display_name question_text response_type variants "
    "seen tried right_first right_last attempts attempts_mean attempts_median attempts_p90 "
    "difficulty discrimination discrimination_low discrimination_high discrimination_learners "
    "strong_learners strong_right weak_learners weak_right shown_answer hinted "
    "changed_at tried_since right_first_since",
    (
        CID, P1, "p1_3_1", 5, "Capitals", "Pick", "choiceresponse", 2, None, 12, 3, 4, 15, 1.25, 1.0, 2.0,
        0.75, None, None, None, 9, 3, 1, 3, 0, None, None, None, None, None,
    ),
    (
        CID, P1, "p1_3_1", None, "Capitals", "Pick", "choiceresponse", 2, 40, 30, 0, 0, 41, 1.4, 1.0, 2.5,
        1.0, None, None, None, 28, 10, 0, 9, 0, 3, 2, None, None, None,
    ),
    (
        CID, P1, "p1_2_1", None, "Capitals", "Capital of France?", "multiplechoiceresponse", 0, 40, 13, 10,
        12, 17, 1.3, 1.0, 2.0, 0.25, 0.4, 0.1, 0.6, 20, 7, 6, 6, 2, 3, 2, datetime(2031, 2, 25, 8), 5, 4,
    ),
)  # fmt: skip
_ITEM_ANSWERS = _rows(
    "course_id module_id part_id variant place answers value_id answer_value is_correct first_count "
    "last_count strong_count weak_count strong_share weak_share first_seen",
    (
        CID, P1, "p1_2_1", None, 2, 1, "choice_2", "Rome", False, 3, 1, 1, 4, None, None,
        datetime(2031, 2, 20, 9),
    ),
    (
        CID, P1, "p1_2_1", None, 1, 1, "choice_1", "Paris", True, 10, 12, 6, 2, None, None,
        datetime(2031, 2, 20, 8),
    ),
)  # fmt: skip

LEARNERS = [
    _learner(
        "ann",
        user_id=7,
        name="Ann Example",
        email="ann@example.com",
        enrollment_mode="audit",
        enrollment_date=date(2031, 1, 9),
        cohort="Team A",
        segments="highly_engaged",
        problems_attempted=3,
        problems_completed=2,
        problem_attempts_per_completed=1.5,
        videos_viewed=4,
        attempt_ratio_order=3,
        year_of_birth=1999,
        level_of_education="b",
        gender="f",
        country="DE",
    ),
    _learner(
        "Bob", user_id=8, enrollment_mode="verified", segments="inactive,struggling", attempt_ratio_order=-10
    ),
    _learner("zoë", enrollment_mode="audit", cohort="Équipe, B", name="Zoë"),
]


def _tokens() -> list[dict[str, Any]]:
    """As the metric makes them."""
    found: dict[tuple[str, str], str] = {}
    for learner in LEARNERS:
        name = learner["username"]
        found |= {(word, name): "email" for word in words(learner.get("email") or "")}
        found |= {(word, name): "username" for word in tokens(name)}
        found |= {(word, name): "name" for word in tokens(learner.get("name") or "")}
    return _rows("course_id token username field", *((CID, *key, field) for key, field in found.items()))


_STATUSES = _rows(
    "course_id user_id status rule since enrolled_date first_date last_date pause_days days_week days_before",
    (
        CID, 7, "quiet", "pause", date(2031, 2, 15), date(2031, 1, 9), date(2031, 1, 10), date(2031, 2, 1),
        14, None, None,
    ),
    (
        CID, 9, "slowing down", "fewer days", None, date(2031, 1, 9), date(2031, 1, 10), date(2031, 2, 26),
        None, 2, 5,
    ),
    (CID, 8, "never started", "no activity", date(2031, 1, 9), date(2031, 1, 9), *[None] * 5),
)  # fmt: skip

ROWS: dict[sa.Table, list[dict[str, Any]]] = {
    t.course_enrollment_daily: _rows(
        "course_id date count cumulative_count",
        (CID, date(2031, 2, 27), 8, 8),
        (CID, date(2031, 2, 28), 9, 10),
        (CID, FIRST_OF_MARCH, 12, 18),
        (OTHER, date(2031, 3, 5), 3, 3),
    ),
    t.course_enrollment_flow_daily: _rows(
        "course_id date joined left",
        (CID, date(2031, 2, 27), 8, 0),
        (CID, date(2031, 2, 28), 2, 1),
        (CID, FIRST_OF_MARCH, 8, 5),
        (OTHER, date(2031, 3, 5), 3, 0),
    ),
    t.course_passing_daily: _rows(
        "course_id date passed",
        (CID, date(2031, 2, 27), 4),
        (CID, date(2031, 2, 28), 2),
        (CID, FIRST_OF_MARCH, 1),
    ),
    t.course_enrollment_language_current: _rows(
        "course_id date language count",
        (CID, FIRST_OF_MARCH, None, 3),
        (CID, FIRST_OF_MARCH, "de", 2),
        (CID, FIRST_OF_MARCH, "es", 7),
    ),
    t.course_enrollment_chosen_language_current: _rows(
        "course_id date language count", (CID, FIRST_OF_MARCH, None, 8), (CID, FIRST_OF_MARCH, "pt", 4)
    ),
    t.course_transcript_language: _rows(
        "course_id language videos course_videos", (CID, "pt-br", 1, 4), (CID, "en", 4, 4)
    ),
    t.enrollment_reconciliation: _rows(
        "course_id events_count lms_count only_in_lms only_in_events active_in_lms active_in_events "
        "other_mode",
        (CID, 12, 13, 2, 1, 1, 1, 0),
    ),
    t.course_activity_site_week: [
        {"course_id": CID, "label": label, "count": count, "created": CREATED}
        | {"interval_start": datetime(2031, 2, 23), "interval_end": datetime(2031, 3, 2)}
        for label, count in (("ACTIVE", 33), ("PLAYED_VIDEO", 8))
    ],
    t.course_activity_current_week: [
        {"course_id": CID, "label": label, "count": count, "created": created, "date": date(2031, 3, 5)}
        | {"interval_start": datetime(2031, 3, 3), "interval_end": datetime(2031, 3, 10)}
        for label, count, created in (("ACTIVE", 7, CREATED), ("PLAYED_VIDEO", 3, LATER))
    ],
    t.course_enrollment_mode_daily: _rows(
        "course_id date mode count cumulative_count",
        (CID, date(2031, 2, 28), "honor", 4, 4),
        (CID, FIRST_OF_MARCH, "audit", 5, 9),
        (CID, FIRST_OF_MARCH, "verified", 3, 3),
        (CID, FIRST_OF_MARCH, "professional", 1, 1),
        (CID, FIRST_OF_MARCH, "no-id-professional", 2, 2),
        (CID, FIRST_OF_MARCH, "executive", 1, 3),
    ),
    t.course_enrollment_birth_year_daily: _rows(
        "course_id date birth_year count cumulative_count",
        (CID, FIRST_OF_MARCH, None, 2, 2),
        (CID, FIRST_OF_MARCH, 1990, 3, 3),
    ),
    t.course_enrollment_education_level_daily: _rows(
        "course_id date education_level count cumulative_count",
        (CID, FIRST_OF_MARCH, None, 7, 7),
        (CID, FIRST_OF_MARCH, "bachelors", 4, 4),
    ),
    t.course_enrollment_gender_daily: _rows(
        "course_id date gender count cumulative_count",
        (CID, FIRST_OF_MARCH, "f", 4, 4),
        (CID, FIRST_OF_MARCH, "m", 5, 5),
        (CID, FIRST_OF_MARCH, "o", 1, 1),
        (CID, FIRST_OF_MARCH, "x", 1, 1),
        (CID, FIRST_OF_MARCH, None, 1, 1),
    ),
    t.course_enrollment_location_current: [
        *_rows(
            "course_id date country_code count cumulative_count",
            (CID, FIRST_OF_MARCH, "US", 5, 5),
            (CID, FIRST_OF_MARCH, "DE", 3, 3),
            (CID, FIRST_OF_MARCH, "", 1, 1),
            (CID, FIRST_OF_MARCH, "A1", 2, 2),
        ),
        {
            "course_id": CID,
            "date": FIRST_OF_MARCH,
            "country_code": "UNKNOWN",
            "count": 1,
            "cumulative_count": 1,
            "created": LATER,
        },
    ],
    t.course_activity: [
        {"course_id": CID, "label": label, "count": count, "created": created, **_week(week)}
        for label, count, week, created in (
            ("ACTIVE", 30, 17, CREATED),
            ("ATTEMPTED_PROBLEM", 9, 17, CREATED),
            ("PLAYED_VIDEO", 12, 17, LATER),
            ("POSTED_FORUM", 2, 17, CREATED),
            ("ACTIVE", 41, 24, LATER),
            ("PLAYED_VIDEO", 20, 24, CREATED),
        )
    ],
    t.course_meta_summary_enrollment: [
        {
            "course_id": CID,
            "catalog_course_title": "Abecedarium",
            "catalog_course": "OrgX+ABC101",
            "start_time": datetime(2031, 1, 5, 12, 30),
            "end_time": datetime(2031, 6, 30, 23, 59, 59),
            "pacing_type": "instructor_paced",
            "availability": "Starting Soon",
            "enrollment_mode": mode,
            "count": count,
            "count_change_7_days": change,
            "cumulative_count": ever,
            "passing_users": passing,
            "created": CREATED,
        }
        for mode, count, change, ever, passing in (
            ("audit", 5, 1, 9, 2),
            ("verified", 3, -1, 4, 1),
            ("professional", 1, 1, 2, 1),
            ("no-id-professional", 2, 1, 2, None),
        )
    ]
    + [
        {
            "course_id": OTHER,
            "enrollment_mode": "executive",
            "count": 3,
            "count_change_7_days": None,
            "cumulative_count": 3,
            "created": CREATED,
        }
    ],
    t.course_program_metadata: _rows(
        "course_id program_id program_type program_title",
        (CID, PROGRAM, "MicroMasters", "Letters"),
        ("course-v1:OrgY+XYZ+2031", PROGRAM, "MicroMasters", "Letters"),
    ),
    t.answer_distribution: [
        {**ANSWER, "question_text": "Capital of France?", "part_id": "p1_2_1", **answer}
        for answer in (
            {"correct": True, "value_id": "choice_1", "answer_value_text": "Paris"}
            | {"first_response_count": 10, "last_response_count": 12},
            {"correct": False, "value_id": "choice_2", "answer_value_text": "Rome"}
            | {"first_response_count": 3, "last_response_count": 1},
        )
    ]
    + [
        {**ANSWER, "question_text": "Pick", "part_id": "p1_3_1", "correct": False, "variant": variant}
        | {"value_id": '["choice_0", "choice_2"]', "answer_value_text": '["a <b>b</b>", "c"]'}
        | {"first_response_count": first, "last_response_count": last}
        for variant, first, last in ((5, 2, 2), (7, 1, 4))
    ]
    + [
        {**ANSWER, "question_text": "Pick", "part_id": "p1_3_1", "correct": True, "variant": 5}
        | {"value_id": "choice_9", "answer_value_text": "d"}
        | {"first_response_count": 1, "last_response_count": 1},
        {**ANSWER, "course_id": OTHER, "module_id": I4X, "part_id": "x_2_1", "question_text": None}
        | {"correct": True, "value_id": None, "answer_value_text": None}
        | {"first_response_count": 1, "last_response_count": 1},
    ],
    t.tags_distribution: _rows(
        "course_id org_id module_id tag_name tag_value total_submissions correct_submissions",
        (CID, "OrgX", P1, "difficulty", "Hard", 11, 4),
        (CID, "OrgX", P1, "difficulty", "Easy", 11, 4),
        (CID, "OrgX", P1, "learning_outcome", "Learned nothing", 11, 4),
    ),
    t.item_quality: _QUALITY,
    t.item_answer: _ITEM_ANSWERS,
    t.finding: _rows(
        "course_id rank kind subject part_id variant answer learners confidence numbers",
        (CID, 1, "nobody_right", P1, "p1_3_1", None, None, 30, "medium", '{"tried": 30, "attempts": 41}'),
    ),
    t.grade_distribution: _rows(
        "module_id course_id grade max_grade count",
        (P1, CID, 1.5, 2.0, 4),
        (P1, CID, 1.0, 2.0, 3),
        (P1, CID, 0.0, None, 1),
    ),
    t.sequential_open_distribution: _rows("module_id course_id count", (P1, CID, 77)),
    t.video: _rows(
        "pipeline_video_id course_id encoded_module_id duration segment_length users_at_start users_at_end",
        (f"{CID}|v2", CID, "v2", -1, 5, 3, 1),
        (f"{CID}|v1", CID, "v1", 142, 5, 20, 7),
        (f"{OTHER}|v9", OTHER, "v9", 9, 5, 1, 1),
    ),
    t.video_timeline: _rows(
        "pipeline_video_id segment num_users num_views",
        (f"{CID}|v1", 1, 19, 24),
        (f"{CID}|v1", 0, 20, 25),
    ),
    t.video_coverage: _rows(
        "pipeline_video_id course_id encoded_module_id covered_percent num_users",
        (f"{CID}|v2", CID, "v2", 90, 3),
        (f"{CID}|v1", CID, "v1", 95, 6),
        (f"{CID}|v1", CID, "v1", 0, 9),
        (f"{CID}|v1", CID, "v1", 40, 5),
        (f"{OTHER}|v9", OTHER, "v9", 95, 1),
    ),
    t.video_place: _rows(
        "pipeline_video_id course_id encoded_module_id kind start_second end_second learners of_learners "
        "expected",
        (f"{CID}|v2", CID, "v2", "peak", 0, 5, 5, 5, 0),
        (f"{CID}|v1", CID, "v1", "peak", 20, 30, 9, 18, 2),
        (f"{CID}|v1", CID, "v1", "drop", 40, 50, 6, 15, 1),
        (f"{OTHER}|v9", OTHER, "v9", "peak", 0, 5, 5, 5, 0),
    ),
    t.video_week: _rows(
        "pipeline_video_id course_id encoded_module_id week num_users watched_seconds",
        (f"{CID}|v2", CID, "v2", date(2031, 2, 24), 3, 60),
        (f"{CID}|v1", CID, "v1", date(2031, 2, 24), 12, 900),
        (f"{CID}|v1", CID, "v1", date(2031, 2, 17), 9, 1200),
        (f"{OTHER}|v9", OTHER, "v9", date(2031, 2, 24), 1, 9),
    ),
    t.video_watching: _rows(
        "pipeline_video_id course_id encoded_module_id kind value num_users watched_seconds",
        (f"{CID}|v2", CID, "v2", "device", "browser", 3, 60),
        (f"{CID}|v1", CID, "v1", "speed", "1.5", 4, 300),
        (f"{CID}|v1", CID, "v1", "device", "mobile", 6, 500),
        (f"{CID}|v1", CID, "v1", "captions", "shown", 5, None),
        (f"{CID}|v1", CID, "v1", "next_video", "v2", 2, None),
        (f"{OTHER}|v9", OTHER, "v9", "device", "browser", 1, 9),
    ),
    t.module_engagement: [
        _engagement("ann", date(2031, 2, 26), "problem", "p1", "completed", 1),
        _engagement("ann", date(2031, 2, 28), "problem", "p1", "attempted", 3),
        _engagement("ann", date(2031, 2, 28), "problem", "p2", "attempted", 1),
        _engagement("ann", date(2031, 2, 28), "video", "v1", "viewed", 2),
        _engagement("bob", date(2031, 2, 28), "discussion", "topic", "contributed", 4),
    ],
    t.module_engagement_metric_ranges: _rows(
        "course_id start_date end_date metric range_type low_value high_value",
        (CID, date(2031, 2, 23), date(2031, 3, 2), "problems_attempted", "low", 0.0, 2.5),
        (CID, date(2031, 2, 23), date(2031, 3, 2), "problems_attempted", "normal", 2.5, 8.0),
        (CID, date(2031, 2, 23), date(2031, 3, 2), "problems_attempted", "high", 8.0, None),
        (CID, date(2031, 2, 23), date(2031, 3, 2), "problem_attempts_per_completed", "low", 0.0, 2.5),
    ),
    t.module_engagement_roster: LEARNERS,
    t.module_engagement_roster_token: _tokens(),
    t.course_flow: _rows(
        "course_id level block_id parent_block_id display_name place is_deleted reached completed tried "
        "watched stopped next_block_id next_learners",
        (CID, "section", "week2", "root", "Week 2", 4, True, 2, None, 0, 1, 0, None, None),
        (CID, "subsection", "intro", "week1", "Intro", 2, False, 9, 5, 6, 7, 4, "more", 3),
        (CID, "section", "week1", "root", "Week 1", 1, False, 9, 5, 6, 7, 4, None, None),
    ),
    t.learner_status: _STATUSES,
    t.learner_status_count: _rows(
        "course_id status count",
        (CID, "slowing down", 1),
        (CID, "quiet", 1),
        (CID, "never started", 1),
        (OTHER, "left", 3),
    ),
    t.enterprise_user: _rows(
        "enterprise_id lms_user_id enterprise_user_id user_username user_email enterprise_sso_uid",
        (ENTERPRISE.replace("-", ""), 7, 1, "ann", "ann@example.com", "ann@customer.example.com"),
        (ENTERPRISE.replace("-", ""), 8, 2, "bob", None, None),
    ),
}


def fill(url: str) -> None:
    """Create a store and put the rows and tokens into it, as if a pipeline had."""
    store.upgrade(url)
    engine = store.connect(url)
    with engine.begin() as connection:
        for table, rows in ROWS.items():
            for row in rows:
                connection.execute(sa.insert(table), row)
    create_token(engine, "everything", learners=True, token=TOKEN)
    create_token(engine, "no learners", token=TOKEN_WITHOUT_LEARNERS)
    create_token(engine, "one course", courses=[OTHER], token=TOKEN_OF_ONE_COURSE)
    create_token(engine, "one organisation", organizations=["OrgX"], token=TOKEN_OF_ONE_ORGANISATION)
    engine.dispose()


@pytest.fixture(scope="session")
def filled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled SQLite store; copy it before writing to it."""
    path = tmp_path_factory.mktemp("data_api") / "result_store.sqlite"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture
def fill_store() -> Callable[[str], None]:
    """`fill_store(url)` creates a store with the rows above."""
    return fill


@pytest.fixture
def home(filled_file: Path, tmp_path: Path) -> Path:
    """A home folder with a filled store of its own."""
    shutil.copy(filled_file, tmp_path / "result_store.sqlite")
    return tmp_path


@pytest.fixture
def engine(home: Path) -> sa.Engine:
    """The store of the home folder."""
    return store.connect(f"sqlite:///{home / 'result_store.sqlite'}")


@pytest.fixture
def serve_api(serve: Callable[[Any], str], home: Path) -> Iterator[Callable[..., httpx.Client]]:
    """`serve_api(learners=False, …)` serves the API with these settings; a client with all rights."""
    clients = []

    def start(**settings: Any) -> httpx.Client:
        app = create_app(Settings(home=home, data_api={"learners": True, **settings}))
        url = serve(app)
        client = httpx.Client(base_url=url, headers={"Authorization": f"Token {TOKEN}"}, timeout=30)
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def _running(filled_file: Path) -> Iterator[httpx.Client]:
    """One API for all tests that only read the rows above: a server's start is dearer than a test."""
    settings = {"learners": True, "account_url": "http://lms.example.org/api/user/v1/accounts/"}
    app = create_app(Settings(home=filled_file.parent, data_api=settings))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, headers={"Authorization": f"Token {TOKEN}"}, timeout=30) as client:
            yield client
        server.should_exit = True
        thread.join()


@pytest.fixture
def api(_running: httpx.Client) -> httpx.Client:
    """A client of the API with all rights."""
    return _running
