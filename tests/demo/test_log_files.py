from __future__ import annotations

import filecmp
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pharos.demo.campus import Campus
from pharos.demo.log_files import LogSummary, write_logs

if TYPE_CHECKING:
    from tests.demo.conftest import Line

ENVELOPE = [
    *("name", "context", "username", "session", "ip", "agent", "host", "referer", "accept_language"),
    *("event", "time", "event_type", "event_source", "page"),
]


def payload(event: dict[str, Any]) -> Any:
    return json.loads(event["event"]) if isinstance(event["event"], str) else event["event"]


def test_summary_equals_a_count_of_the_files(
    summary: LogSummary, lines: list[Line], events: list[dict[str, Any]]
) -> None:
    blank = sum(not line.text.strip() for line in lines)
    good = Counter(line.text for line in lines if line.event is not None)
    assert (summary.lines, summary.blank) == (len(lines), blank)
    assert (summary.events, summary.twice) == (len(good), good.total() - len(good))
    assert summary.damaged == len(lines) - blank - good.total()
    assert summary.size_bytes == sum(len(line.text) for line in lines)
    assert min(summary.twice, summary.damaged, summary.late) > 0
    assert summary.kinds == Counter(
        f"{event['event_source']} {'/' if event['event_type'].startswith('/') else event['event_type']}"
        for event in events
    )


def test_late_events_stand_in_the_file_of_a_later_day(summary: LogSummary, lines: list[Line]) -> None:
    late = set()
    for path, text, event in lines:
        if event is not None and event["time"][:10] != text[:10]:
            late.add(text)
            assert event["event_source"] == "mobile"
            assert event["time"] < event["context"]["received_at"]
            assert path.name == "tracking.log" or path.name[13:21] > event["time"][:10].replace("-", "")
    assert len(late) == summary.late


@pytest.mark.usefixtures("summary")
def test_files_are_named_as_after_rotation_at_midnight(campus: Campus, logs: Path) -> None:
    for server in ("edxapp-1", "edxapp-2"):
        *old, live = sorted((logs / server).iterdir(), key=lambda path: (path.suffix != ".gz", path.name))
        assert live.name == "tracking.log"
        expected = [campus.start + timedelta(days=day + 1) for day in range(campus.days - 1)]
        assert [path.name for path in old] == [
            f"tracking.log-{moment:%Y%m%d}-{moment.timestamp():.0f}.gz" for moment in expected
        ]


def test_same_campus_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        write_logs(tmp_path / name, Campus(seed=seed, learners=30, days=15, until=date(2026, 3, 1)))
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("tracking*")]
    same, different, missing = filecmp.cmpfiles(tmp_path / "one", tmp_path / "two", files, shallow=False)
    assert (len(same), different, missing) == (30, [], [])
    assert filecmp.cmpfiles(tmp_path / "one", tmp_path / "other", files, shallow=False)[1]


def test_everything_happens_inside_the_period(campus: Campus, events: list[dict[str, Any]]) -> None:
    times = [datetime.fromisoformat(event["time"]) for event in events]
    assert campus.start <= min(times)
    assert max(times) < campus.end
    assert all(time.tzinfo == UTC for time in times)


def test_every_event_has_the_envelope_in_the_order_of_the_platform(events: list[dict[str, Any]]) -> None:
    for event in events:
        assert list(event) == ENVELOPE
        assert event["name"] == event["event_type"] or event["event_source"] == "mobile"


def test_lines_are_ascii_and_about_a_kilobyte(summary: LogSummary) -> None:
    assert 900 < summary.size_bytes / summary.lines < 1500


def test_payloads_have_the_types_of_their_class(events: list[dict[str, Any]]) -> None:
    """Spec 01 §1.3 and §1.4."""
    for event in events:
        source, event_type = event["event_source"], event["event_type"]
        if event_type.startswith("/") or source in {"browser", "mobile"}:
            assert isinstance(event["event"], str)
        else:
            assert isinstance(event["event"], dict)
        if source == "browser":
            assert event["page"].startswith("https://")
        if source == "browser" and event_type == "problem_check":
            assert isinstance(payload(event), str)
            assert "=" in payload(event)
        if source == "browser" and event_type == "problem_graded":
            assert isinstance(payload(event), list)


def test_requests_are_cut_at_512_characters(events: list[dict[str, Any]]) -> None:
    requests = [event for event in events if event["event_type"].startswith("/")]
    lengths = {len(event["event"]) for event in requests}
    assert max(lengths) == 512
    for event in requests:
        if len(event["event"]) < 512:
            assert set(payload(event)) == {"GET", "POST"}


def test_micro_frontend_requests_name_no_course(events: list[dict[str, Any]]) -> None:
    without = [event for event in events if event["context"]["course_id"] == ""]
    assert {event["event_source"] for event in without} == {"server", "browser"}
    assert any(event["event_type"] == "play_video" for event in without)
    assert all(
        "/xblock/block-v1:" in event["page"] for event in without if event["event_type"] == "play_video"
    )


def test_app_events_have_both_names_and_where_they_come_from(events: list[dict[str, Any]]) -> None:
    """Spec 01 §1.4."""
    pairs = {(event["name"], event["event_type"]) for event in events if event["event_source"] == "mobile"}
    assert pairs == {
        ("edx.video.loaded", "load_video"),
        ("edx.video.played", "play_video"),
        ("edx.video.paused", "pause_video"),
        ("edx.video.stopped", "stop_video"),
        ("edx.video.position.changed", "seek_video"),
        ("edx.video.transcript.shown", "show_transcript"),
    }
    for event in events:
        if event["event_source"] == "mobile":
            assert {"application", "client", "component", "received_at"} <= set(event["context"])


def test_video_events_have_the_fields_of_spec_03(events: list[dict[str, Any]]) -> None:
    fields = {
        "load_video": set(),
        "play_video": {"currentTime"},
        "pause_video": {"currentTime"},
        "stop_video": {"currentTime"},
        "show_transcript": {"currentTime"},
        "seek_video": {"old_time", "new_time", "type"},
    }
    for event in events:
        if event["event_type"] in fields:
            common = {"id", "code"} | ({"duration"} if event["event_source"] == "browser" else set())
            assert set(payload(event)) == common | fields[event["event_type"]]


def test_problem_events_have_the_fields_of_spec_02(campus: Campus, events: list[dict[str, Any]]) -> None:
    blocks = {block.id: block for course in campus.courses for block in course.root.walk()}
    seen: dict[tuple[str, str], int] = {}
    variants = set()
    checks = [
        event
        for event in events
        if (event["event_source"], event["event_type"]) == ("server", "problem_check")
    ]
    for event in sorted(checks, key=lambda event: event["time"]):
        data = event["event"]
        block = blocks[data["problem_id"]]
        assert block.problem is not None
        assert event["context"]["module"] == {"display_name": block.name, "usage_key": block.id}
        assert set(data["answers"]) == set(data["submission"]) == set(data["correct_map"])
        for part, submission in data["submission"].items():
            assert set(submission) == {
                *("question", "answer", "response_type", "input_type", "correct", "variant", "group_label"),
            }
            assert submission["correct"] == (data["correct_map"][part]["correctness"] != "incorrect")
            variants.add(submission["variant"])
            assert (submission["variant"] == data["state"]["seed"]) == block.problem.randomised
        marks = data["correct_map"].values()
        right = sum(mark["npoints"] or mark["correctness"] == "correct" for mark in marks)
        assert (data["grade"], data["max_grade"]) == (right, len(data["answers"]))
        assert data["success"] == ("correct" if right == data["max_grade"] else "incorrect")
        key = (event["username"], block.id)
        seen[key] = seen.get(key, 0) + 1
        assert data["attempts"] == seen[key]
        assert data["state"]["done"] == (data["attempts"] > 1)
    assert len(variants) > 2
    assert 0 in variants  # a legal seed
    assert max(seen.values()) > 2


def test_staff_enrolls_others_and_commands_enroll_for_nobody(events: list[dict[str, Any]]) -> None:
    """Spec 01 §5.1: the learner is that of the payload."""
    activations = [event for event in events if event["event_type"] == "edx.course.enrollment.activated"]
    actors = [event["context"].get("user_id") for event in activations]
    learners = [event["event"]["user_id"] for event in activations]
    assert any(actor is None for actor in actors)
    assert any(actor not in (None, learner) for actor, learner in zip(actors, learners, strict=True))
    assert all(event["event"]["mode"] for event in activations)


def test_forum_task_and_grade_events_occur(summary: LogSummary) -> None:
    kinds = summary.kinds
    for kind in (
        *("server edx.forum.thread.created", "server edx.forum.response.created"),
        *("server edx.forum.comment.created", "server edx.forum.thread.voted"),
        *("task problem_rescore", "server edx.grades.problem.submitted"),
        *("server edx.course.grade.passed.first_time", "server edx.certificate.created"),
        *("server edx.course.enrollment.mode_changed", "server edx.course.enrollment.deactivated"),
        *("browser problem_show", "server showanswer", "server edx.problem.hint.demandhint_displayed"),
    ):
        assert kinds[kind] > 0, kind


def test_answers_betray_a_wrong_key_a_misleading_answer_and_an_edit(
    campus: Campus, events: list[dict[str, Any]]
) -> None:
    """Most answer what is not keyed as right, or what misleads; the question changes on one day."""
    blocks = {block.id: block for course in campus.courses for block in course.root.walk()}
    answers: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for event in events:
        if (event["event_source"], event["event_type"]) == ("server", "problem_check"):
            [submission, *_] = event["event"]["submission"].values()
            block = blocks[event["event"]["problem_id"]]
            answers.setdefault(block.name, []).append((event["time"], submission))
    for name, lure in (
        ("Nominal range", "The nominal range in nautical miles"),
        ("Chart datum", "Mean sea level"),
    ):
        wrong = [submission["answer"] for _, submission in answers[name] if not submission["correct"]]
        assert wrong.count(lure) > len(wrong) / 2
    shares = [
        sum(submission["correct"] for _, submission in answers[name]) / len(answers[name])
        for name in ("Nominal range", "Chart datum", "Knots")
    ]
    assert shares[0] < shares[2]
    assert shares[1] < shares[2]
    edited = next(block.problem.edited for block in blocks.values() if block.problem and block.problem.edited)
    assert edited is not None
    questions = {
        (time >= edited.isoformat(), submission["question"]) for time, submission in answers["True course"]
    }
    assert len(questions) == 2
    assert {after for after, _ in questions} == {False, True}
