"""The program as a person meets it: one command, then a browser. Pages, API and a count by hand must agree.

The count by hand reads the log files with nothing of the package: it is the second opinion.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.metrics.naive_videos import usage, viewings

PHAROS = str(Path(sys.executable).parent / "pharos")
UNTIL = date(2026, 3, 16)  # a Monday: the last week is complete
COURSE = "course-v1:HarborX+NAV101+R3"
START_S = 120


@dataclass(frozen=True)
class Demo:
    """A running `pharos demo`."""

    home: Path
    insights: str
    data_api: str
    token: str

    def ask(self, path: str) -> Any:
        """The Data API's answer."""
        answer = httpx.get(f"{self.data_api}{path}", headers={"Authorization": f"Token {self.token}"})
        return answer.raise_for_status().json()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("demo") / "home"
    command = [PHAROS, "demo", "--home", str(home), "--learners", "60", "--days", "20", "--until", str(UNTIL)]
    ports = {"PHAROS_INSIGHTS__PORT": "0", "PHAROS_DATA_API__PORT": "0"}
    environment = {**os.environ, **ports, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as program:
        giving_up = threading.Timer(START_S, program.kill)
        giving_up.start()
        text = _read_until(program, "Ctrl-C stops it")
        giving_up.cancel()
        try:
            yield Demo(
                home,
                insights=_found(r"Insights +(http://\S+)", text),
                data_api=_found(r"Data API +(http://\S+)", text),
                token=_found(r"Token ([0-9a-f]{40})", text),
            )
        finally:
            program.terminate()
            rest = program.communicate()[0]
    assert program.returncode == 0, rest


def _read_until(program: subprocess.Popen[str], last: str) -> str:
    text = ""
    for line in program.stdout or ():
        text += line
        if last in line:
            break
    return text


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, f"nothing is like {pattern} in:\n{text}"
    return found[1]


@pytest.fixture(scope="module")
def events(demo: Demo) -> list[dict[str, Any]]:
    """Every event of the log files once, oldest first."""
    distinct = {}
    for path in (demo.home / "logs").rglob("*"):
        if path.is_dir():
            continue
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in content.decode().splitlines():
            try:
                event = json.loads(line[line.index("{") :])
            except ValueError:
                continue  # one of the broken lines
            distinct[json.dumps(event, sort_keys=True)] = event
    return sorted(distinct.values(), key=lambda event: datetime.fromisoformat(event["time"]))


def enrolled_by_hand(events: list[dict[str, Any]], course_id: str) -> dict[date, int]:
    """Learners enrolled at the end of each UTC day, from the first with an enrollment event."""
    states: dict[date, set[int]] = {}
    enrolled: set[int] = set()
    for event in events:
        kind = event["event_type"].removeprefix("edx.course.enrollment.")
        if kind not in {"activated", "deactivated"} or event["event"]["course_id"] != course_id:
            continue
        change = enrolled.add if kind == "activated" else enrolled.discard
        change(event["event"]["user_id"])
        states[datetime.fromisoformat(event["time"]).astimezone(UTC).date()] = set(enrolled)
    counts: dict[date, int] = {}
    day, count = min(states), 0
    while day < UNTIL:
        count = len(states[day]) if day in states else count
        counts[day] = count
        day += timedelta(days=1)
    return counts


def video_viewers_by_hand(events: list[dict[str, Any]], course_id: str) -> int:
    """Learners who played a video in the week before UNTIL; some events name their course in `page` alone."""
    key = course_id.removeprefix("course-v1:")
    return len(
        {
            event["username"]
            for event in events
            if event["event_type"] == "play_video"
            and (event["context"]["course_id"] == course_id or key in (event["page"] or ""))
            and UNTIL - timedelta(days=7) <= datetime.fromisoformat(event["time"]).date() < UNTIL
            and event["username"]
        }
    )


def day_in(text: str) -> date:
    """The day a row is about: "Fri 13 Mar", perhaps with a year and a remark; the demo lies in one year."""
    day = _found(r"(\d+ [A-Z][a-z]+)", text)
    return datetime.strptime(f"{day} {UNTIL.year}", "%d %b %Y").date()  # noqa: DTZ007


def sign_in(page: Page, demo: Demo, name: str) -> None:
    page.goto(f"{demo.insights}/courses/")
    page.get_by_role("button", name=name).click()
    expect(page).to_have_url(re.compile(r"/courses/$"))


def test_enrollment_in_page_api_and_by_hand(demo: Demo, events: list[dict[str, Any]], page: Page) -> None:
    by_hand = enrolled_by_hand(events, COURSE)
    assert by_hand[max(by_hand)] > 10

    answer = demo.ask(f"/api/v0/courses/{COURSE}/enrollment/?start_date=2000-01-01&end_date={UNTIL}")
    assert {date.fromisoformat(row["date"]): row["count"] for row in answer} == by_hand

    sign_in(page, demo, "Sofia Lindqvist")
    page.get_by_role("main").locator(f"a[href='/courses/{COURSE}/']").click()
    expect(page.get_by_role("main")).to_contain_text("Enrollment")
    page.goto(f"{demo.insights}/courses/{COURSE}/enrollment/activity/?period=all")
    rows = page.locator("table.data tbody tr")
    shown = {
        day_in(row.locator("th").inner_text()): int(row.locator("td").first.inner_text())
        for row in rows.all()
    }
    assert max(shown) == UNTIL - timedelta(days=1)
    assert shown == {day: by_hand[day] for day in shown}


def test_video_viewers_in_page_api_and_by_hand(demo: Demo, events: list[dict[str, Any]], page: Page) -> None:
    by_hand = video_viewers_by_hand(events, COURSE)
    assert by_hand > 0

    (answer,) = demo.ask(f"/api/v0/courses/{COURSE}/activity/")
    assert answer["played_video"] == by_hand

    sign_in(page, demo, "Sofia Lindqvist")
    page.goto(f"{demo.insights}/courses/{COURSE}/engagement/content/")
    newest = page.locator("table.data tbody tr").first
    assert newest.locator("td").nth(1).inner_text() == str(by_hand)


def test_the_course_list_is_that_of_the_person(demo: Demo, page: Page) -> None:
    sign_in(page, demo, "Inês Carvalho")
    expect(page.locator("table.data tbody tr")).to_have_count(1)


MOBILE = {
    "edx.video.played": "play_video",
    "edx.video.paused": "pause_video",
    "edx.video.stopped": "stop_video",
    "edx.video.position.changed": "seek_video",
}


def moves_of_videos(events: list[dict[str, Any]], course_id: str) -> list[dict[str, Any]]:
    """What learners did with the videos of the course, in the form that the count by hand reads."""
    found = []
    for event in events:
        kind = MOBILE.get(event["event_type"], event["event_type"])
        key = course_id.removeprefix("course-v1:")
        in_course = event["context"].get("course_id") == course_id or key in (event.get("page") or "")
        if kind not in MOBILE.values() or not in_course or not event["context"].get("user_id"):
            continue
        payload = event["event"] if isinstance(event["event"], dict) else json.loads(event["event"])
        is_seek = kind == "seek_video"
        found.append(
            {
                "course_id": course_id,
                "user_id": event["context"]["user_id"],
                "video": payload["id"],
                "session": event.get("session") or "",
                "is_mobile": event["event_source"] == "mobile",
                "time": datetime.fromisoformat(event["time"]).astimezone(UTC).replace(tzinfo=None),
                "event_type": kind,
                "position": float(payload["new_time"] if is_seek else payload["currentTime"]),
                "old_position": float(payload["old_time"]) if is_seek else None,
                "duration": None if is_seek else payload.get("duration"),
                "unused": None,
            }
        )
    return found


def test_videos_in_page_api_and_by_hand(demo: Demo, events: list[dict[str, Any]], page: Page) -> None:
    """Viewings by one state per learner and video: all videos of the course, and the page of one."""
    rows = [row for row in moves_of_videos(events, COURSE) if row["time"].date() < UNTIL]
    by_hand = usage(viewings(rows, compat=False))
    assert len(by_hand) > 5
    answer = demo.ask(f"/api/v0/courses/{COURSE}/videos/")
    assert {
        row["encoded_module_id"]: (row["duration"], row["users_at_start"], row["users_at_end"])
        for row in answer
    } == {video: whole[:3] for (_, video), (whole, _) in by_hand.items()}

    video = max(answer, key=lambda row: row["users_at_start"])["encoded_module_id"]
    _, parts = by_hand[COURSE, video]
    timeline = demo.ask(f"/api/v0/videos/{COURSE}|{video}/timeline/")
    assert {row["segment"]: (row["num_users"], row["num_views"]) for row in timeline} == parts

    sign_in(page, demo, "Sofia Lindqvist")
    page.goto(f"{demo.insights}/courses/{COURSE}/engagement/videos/modules/{video}/timeline/")
    shown = page.locator("#table tbody tr")
    for segment, row in enumerate(shown.all()[:10]):
        users, views = parts.get(segment, (0, 0))
        assert row.locator("td").all_inner_texts()[:2] == [str(users), str(views - users)]
