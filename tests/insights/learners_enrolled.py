"""Learners of the worlds of these tests, one by one, with what they did on which day."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from pharos.result_store import contract, tables
from pharos.result_store.folding import tokens, words

Row = dict[str, Any]
NUMBER = 60
GIVEN = ("Ana", "Björn", "Chloé", "Dmitri", "Élan", "Fátima", "王小明", "Hugo")
FAMILY = ("Ørsted", "O'Brien", "Pérez-Lía", "Qureshi", "<b>Rao</b>", "Silva")
COHORTS = ("Athens & Co", "Online", None)
DAY = timedelta(days=1)


def learners(course_id: str, last: date) -> list[Row]:
    """`NUMBER` learners; number n tried n problems in the last seven days if 3 divides n or n is odd."""
    return [_learner(course_id, last, n) for n in range(NUMBER)]


def _learner(course_id: str, last: date, n: int) -> Row:
    active = n % 3 == 0 or n % 2 == 1
    tried = n if active else 0
    right = 0 if n % 5 == 0 else tried // 2
    attempts = tried * 2
    segments = [] if active else ["disengaging" if n % 4 else "inactive"]
    segments += ["highly_engaged"] if tried >= HIGH_FROM else []
    segments += ["struggling"] if tried and not right else []
    segments = (["unenrolled"] if n % 20 == 7 else []) + segments
    return {
        "course_id": course_id,
        "username": f"learner_{n}",
        "user_id": 100 + n,
        "name": None if n % 11 == 10 else f"{GIVEN[n % len(GIVEN)]} {FAMILY[n % len(FAMILY)]}",
        "email": None if n % 13 == 12 else f"learner{n}@mail.example",
        "enrollment_mode": "verified" if n % 4 == 1 else "audit",
        "enrollment_date": last - n * DAY,
        "cohort": COHORTS[n % 3],
        "problem_attempts": attempts,
        "problems_attempted": tried,
        "problems_completed": right,
        "problem_attempts_per_completed": attempts / right if right else None,
        "videos_viewed": n // 3 if active else 0,
        "discussion_contributions": 0,
        "segments": ",".join(segments),
        "attempt_ratio_order": attempts if right else -attempts,
        "start_date": last - 6 * DAY if active else None,
        "end_date": last + DAY if active else None,
    }


def status(row: Row, last: date) -> Row:
    """Of learners in the roster: left, never started, quiet, slowing down in both ways, passed or active."""
    n, enrolled, segments = row["user_id"] - 100, row["enrollment_date"], row["segments"].split(",")
    told = {
        "status": "active",
        "rule": "recent activity",
        "since": enrolled,
        "last_date": last,
        "pause_days": 7,
    }
    if "unenrolled" in segments:
        told = {"status": "left", "rule": "unenrolled", "since": last - 2 * DAY, "last_date": last - 3 * DAY}
    elif "inactive" in segments and n % 8 == 0:
        told = {"status": "never started", "rule": "no activity", "since": enrolled}
    elif "inactive" in segments:
        told = {"status": "quiet", "rule": "pause", "last_date": last - 14 * DAY, "pause_days": 14}
    elif "disengaging" in segments and n % 10 == 2:
        told = {"status": "slowing down", "rule": "fewer days", "last_date": last - 4 * DAY}
        told |= {"days_week": 2, "days_before": 5}
    elif "disengaging" in segments:
        told = {"status": "slowing down", "rule": "pause", "last_date": last - 9 * DAY, "pause_days": 7}
    elif n % 9 == 0:
        told = {"status": "passed", "rule": "passing grade", "since": last - DAY, "last_date": last}
    told |= {"first_date": enrolled if "last_date" in told else None, "enrolled_date": enrolled}
    return {"course_id": row["course_id"], "user_id": row["user_id"], **told}


HIGH_FROM, LOW_BELOW = 51.0, 9.0
RANGES = {
    "problems_attempted": (LOW_BELOW, HIGH_FROM),
    "problems_completed": (0.0, 25.0),
    "problem_attempts_per_completed": (4.0, 4.3),
    "videos_viewed": (3.0, 17.0),
}


def _ranges(course_id: str, last: date) -> list[Row]:
    rows = []
    for metric, (low, high) in RANGES.items():
        bounds = {"low": (0.0, low), "normal": (low, high), "high": (high, None)}
        if not low:
            del bounds["low"]
        rows += [
            {"course_id": course_id, "start_date": last - 6 * DAY, "end_date": last + DAY, "metric": metric,
             "range_type": kind, "low_value": at, "high_value": end}
            for kind, (at, end) in bounds.items()
        ]  # fmt: skip
    return rows


def days(course_id: str, last: date) -> list[Row]:
    """Learner 57: problems on two days, a video between, a contribution of five; nothing since a week."""
    acts = (
        (40, "problem", "p1", "attempted", 3),
        (40, "problem", "p2", "attempted", 1),
        (40, "problem", "p2", "completed", 1),
        (30, "video", "v1", "viewed", 4),
        (7, "problem", "p1", "attempted", 1),
        (7, "discussion", "t", "contributed", 5),
    )
    return [
        {"course_id": course_id, "username": "learner_57", "date": last - ago * DAY, "entity_type": kind,
         "entity_id": entity, "event": event, "count": count}
        for ago, kind, entity, event, count in acts
    ]  # fmt: skip


def _tokens(rows: list[Row]) -> list[Row]:
    found: dict[tuple[str, str, str], str] = {}
    for row in rows:
        key = (row["course_id"], row["username"])
        found |= {(*key, word): "email" for word in words(row["email"] or "")}
        found |= {(*key, word): "username" for word in tokens(row["username"])}
        found |= {(*key, word): "name" for word in tokens(row["name"] or "")}
    return [
        {"course_id": course_id, "username": username, "token": token, "field": field}
        for (course_id, username, token), field in found.items()
    ]


def rows_of(course_ids: list[str], last: date) -> dict[sa.Table, pa.Table]:
    """The same learners in each of the courses."""
    everybody = [row for course_id in course_ids for row in learners(course_id, last)]
    statuses = [status(row, last) for row in everybody]
    counts = Counter((row["course_id"], row["status"]) for row in statuses)
    rows = {
        tables.module_engagement_roster: everybody,
        tables.learner_status: statuses,
        tables.learner_status_count: [
            {"course_id": course_id, "status": name, "count": n} for (course_id, name), n in counts.items()
        ],
        tables.module_engagement_roster_token: _tokens(everybody),
        tables.module_engagement_metric_ranges: [row for c in course_ids for row in _ranges(c, last)],
        tables.module_engagement: [row for c in course_ids for row in days(c, last)],
    }
    return {table: pa.Table.from_pylist(found, contract.schema(table)) for table, found in rows.items()}
