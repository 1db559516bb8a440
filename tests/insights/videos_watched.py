"""The videos of the tests' world: rows of the tables about videos, and what a person counts in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from pharos.demo.courses import Block, Course
from pharos.result_store import tables

ODD_VIDEO = 'i4x-CampusX-OLD101-video-<b>odd</b>&"x"'
"""The id of a video of a course that the LMS does not know; as markup it would do harm."""
PLACES = {
    0: (("drop", 40, 60, 9, 52, 2), ("peak", 100, 115, 12, 45, 3), ("peak", 20, 25, 6, 58, 0)),
    2: (("peak", 300, 330, 21, 30, 4),),
    3: (("drop", 0, 15, 30, 48, 5),),
    4: (("skipped", 5, 25, 12, 40, 0), ("later", 0, 5, 9, 9, 0)),
}
"""Kind, start and end, learners, of learners and expected ones, by the number of the video."""


def _part(start: int, end: int, learners: int, everybody: int) -> dict[str, int]:
    return {"start_second": start, "end_second": end, "learners": learners, "of_learners": everybody}


FOUND = {
    0: ("video_part_left", "medium", _part(40, 60, 14, 52)),
    2: ("video_part_watched_again", "medium", _part(300, 330, 21, 30)),
    4: ("video_opening_skipped", "low", _part(5, 25, 12, 20)),
    10: ("video_rarely_finished", "low", {"viewers": 20, "finished": 2}),
    11: ("video_rarely_finished", "low", {"viewers": 16, "finished": 0}),
}
"""Kind, confidence and numbers of the finding about a video, by its number."""


def finding_rows(course: Course) -> list[dict[str, Any]]:
    """The findings about the videos of the course, less urgent than those about its problems."""
    videos = videos_of(course)
    return [
        {
            "course_id": course.id,
            "rank": 100 + i,
            "kind": kind,
            "subject": videos[i].key,
            "part_id": "",
            "variant": None,
            "answer": None,
            "learners": max(numbers.values()),
            "confidence": confidence,
            "numbers": json.dumps(numbers),
        }
        for i, (kind, confidence, numbers) in FOUND.items()
        if i < len(videos)
    ]


def videos_of(course: Course) -> list[Block]:
    return [block for block in course.root.walk() if block.type == "video"]


def watched(i: int) -> tuple[int, int]:
    """Viewers at the start and at the end of video i. The second one has more at its end."""
    return (20, 25) if i == 1 else (60 - 4 * i, max(0, 50 - 4 * i - i % 3 * 5))


def timeline(i: int, seconds: int) -> list[tuple[int, int, int]]:
    """Segment, viewers and views of video i: from those at its start to those at its end; each fifth segment
    is played again by three, and nobody watched the second one.
    """
    start, end = watched(i)
    last = seconds // 5
    users = [(segment, start + (end - start) * segment // max(1, last)) for segment in range(last + 1)]
    return [(n, viewers, viewers + 3 * (n % 5 == 4)) for n, viewers in users if n != 1]


def coverage(i: int) -> list[tuple[int, int]]:
    """Share and learners of video i."""
    start, end = watched(i)
    return [(0, 4), (40, max(1, (start - end) // 2)), (95, max(1, end - 5))]


def ways(i: int) -> list[tuple[str, str, int, int | None]]:
    """Kind, value, learners and seconds of how video i is watched: the first one in every way."""
    start, end = watched(i)
    faster = [("speed", "1.5", 9, 900), ("speed", "0.75", 2, 90)] if i == 0 else []
    return [
        *faster,
        ("speed", "1", start, 60 * start),
        ("device", "browser", max(start, end), 70 * start),
        *([("device", "mobile", 8, 330), ("captions", "shown", 7, None)] if i == 0 else []),
        ("track", "audit", start, 60 * start),
        *([("track", "own-track", 3, 200), ("cohort", "Athens & Co", 5, 400)] if i == 0 else []),
        ("next", "nothing", end, None),
        *([("next", "video", 20, None), ("next", "problem", 5, None)] if i == 0 else []),
    ]


WEEKS = (("2026-10-26", 30, 1800), ("2026-11-09", 41, 3690), ("2026-11-16", 12, 600))
"""Monday, viewers and seconds of each video; the one of the last run ends with the first."""


def rows_of(courses: Sequence[Course], last_run: str, old_style: str) -> dict[sa.Table, pa.Table]:
    """The last video of each course was not watched. Of the last run the first two were, by half as many."""
    videos: list[tuple[Any, ...]] = []
    segments: list[tuple[Any, ...]] = []
    covered: list[tuple[Any, ...]] = []
    places: list[tuple[Any, ...]] = []
    weeks: list[tuple[Any, ...]] = []
    watching: list[tuple[Any, ...]] = []
    for course in courses:
        for i, block in enumerate(videos_of(course)[:-1]):
            assert block.video is not None
            names = (f"{course.id}|{block.key}", course.id, block.key)
            videos.append((*names, block.video.duration_s, 5, *watched(i), 0))
            segments += [(names[0], *row) for row in timeline(i, block.video.duration_s)]
            covered += [(*names, *row) for row in coverage(i)]
            places += [(*names, *row) for row in PLACES.get(i, ()) if course is courses[0]]
            weeks += [(*names, date.fromisoformat(monday), *counts) for monday, *counts in WEEKS]
            watching += [(*names, *row) for row in ways(i)]
        if course is courses[0]:
            watching += next_of(course)
    for i, block in enumerate(videos_of(courses[0])[:2]):
        assert block.video is not None
        start, end = watched(i)
        names = (f"{last_run}|{block.key}", last_run, block.key)
        videos.append((*names, block.video.duration_s, 5, start // 2, end // 2, 0))
        segments += [
            (names[0], n, users // 2, views // 2) for n, users, views in timeline(i, block.video.duration_s)
        ]
    videos.append((f"{old_style}|{ODD_VIDEO}", old_style, ODD_VIDEO, -1, 5, 4, 6, 0))
    segments += [(f"{old_style}|{ODD_VIDEO}", n, 4 + n, 5 + n) for n in range(3)]
    return {
        tables.video: _table(tables.video, videos),
        tables.video_timeline: _table(tables.video_timeline, segments),
        tables.video_coverage: _table(tables.video_coverage, covered),
        tables.video_place: _table(tables.video_place, places),
        tables.video_week: _table(tables.video_week, weeks),
        tables.video_watching: _table(tables.video_watching, watching),
    }


def next_of(course: Course) -> list[tuple[Any, ...]]:
    """Where learners go after the first video: to the second one, one that is gone, and the first problem."""
    problem = next((block for block in course.root.walk() if block.type == "problem"), None)
    if problem is None:
        return []
    first, second = videos_of(course)[:2]
    names = (f"{course.id}|{first.key}", course.id, first.key)
    return [
        (*names, "next_video", second.key, 18, None),
        (*names, "next_video", "gone", 2, None),
        (*names, "next_problem", problem.id, 5, None),
    ]


def _table(table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    names = [column.name for column in table.columns if column.name not in ("id", "created")]
    return pa.table({name: [row[n] for row in rows] for n, name in enumerate(names)})
