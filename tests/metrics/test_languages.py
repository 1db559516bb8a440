"""Languages of learners' browsers and accounts, and of the transcripts of videos."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.metrics.conftest import Compute, columns, day
from tests.metrics.test_enrollment import UNTIL, event, facts

LEARNERS, TRANSCRIPTS = "course_enrollment_language_current", "course_transcript_language"
CHOSEN = "course_enrollment_chosen_language_current"


def asked(user: int, when: str, language: str) -> dict[str, Any]:
    time = datetime.fromisoformat(f"2024-{when}")
    return {"date": time.date(), "user_id": user, "time": time, "language": language}


def test_learners_count_in_the_language_they_asked_for_last(compute: Compute) -> None:
    """Learner 4 left, 3 never asked; the language is that of any course."""
    events = [
        *(event("C", user, "03-01 10:00 a audit") for user in (1, 2, 3, 4, 5)),
        event("C", 4, "03-02 10:00 d audit"),
        event("D", 1, "03-01 10:00 a audit"),
    ]
    rows = [
        asked(1, "03-01 10:00", "es"),
        asked(1, "03-03 10:00", "de"),
        asked(2, "03-02 10:00", "es"),
        asked(4, "03-02 10:00", "fr"),
        asked(5, "03-04 09:00", "es"),
    ]
    found = compute(LEARNERS, UNTIL, **facts(events), accept_language_by_learner_day=rows)
    assert columns(found, LEARNERS, "date", "course_id", "language", "count") == [
        (day("03-07"), "C", "de", 1),
        (day("03-07"), "C", "es", 2),
        (day("03-07"), "C", None, 1),
        (day("03-07"), "D", "de", 1),
    ]


def test_learners_count_in_the_language_that_they_chose(compute: Compute) -> None:
    """Variants are one language; learner 4 left, 3 chose none, and what 5 has is no code of a language."""
    events = [
        *(event("C", user, "03-01 10:00 a audit") for user in (1, 2, 3, 4, 5)),
        event("C", 4, "03-02 10:00 d audit"),
        event("D", 1, "03-01 10:00 a audit"),
    ]
    chosen = {1: "es-419", 2: "ES", 4: "fr", 5: "klingon"}
    preferences = [{"user_id": user, "key": "pref-lang", "value": value} for user, value in chosen.items()]
    found = compute(CHOSEN, UNTIL, **facts(events), user_api_userpreference=preferences)
    assert columns(found, CHOSEN, "date", "course_id", "language", "count") == [
        (day("03-07"), "C", "es", 2),
        (day("03-07"), "C", None, 2),
        (day("03-07"), "D", "es", 1),
    ]


def test_videos_count_once_for_each_language_of_their_transcripts(compute: Compute) -> None:
    """Video 3 is hidden, 4 has none, 1 is of two courses."""
    videos = [
        {"course_id": course, "video_id": video, "is_hidden": video == 3}
        for course, video in (("C", 1), ("C", 2), ("C", 3), ("C", 4), ("D", 1), ("E", 4))
    ]
    transcripts = [
        {"video_id": video, "language_code": code, "transcript": f"{number}.srt", "file_format": "srt"}
        for number, (video, code) in enumerate(((1, "en"), (1, "en"), (1, "pt-br"), (2, "en"), (3, "fr")))
    ]
    found = compute(TRANSCRIPTS, UNTIL, edxval_coursevideo=videos, edxval_videotranscript=transcripts)
    assert columns(found, TRANSCRIPTS, "course_id", "language", "videos", "course_videos") == [
        ("C", "en", 2, 3),
        ("C", "pt-br", 1, 3),
        ("D", "en", 1, 1),
        ("D", "pt-br", 1, 1),
    ]


def test_without_a_list_of_videos_the_outline_tells_the_languages(compute: Compute) -> None:
    """Of C the list has a video: its outline does not count. Texts, deleted blocks and what is no code
    of a language count nowhere."""

    def block(course: str, block_id: str, languages: list[str] | None, **more: Any) -> dict[str, Any]:
        truths = dict.fromkeys(("is_root", "is_orphan", "is_dag", "is_deleted", "graded"), False)
        names = {"course_id": course, "block_id": block_id, "display_name": "V", "sort_idx": 1}
        return truths | names | {"block_type": "video", "transcript_languages": languages} | more

    blocks = [
        block("D", "v1", ["en", "es"]),
        block("D", "v1", ["en", "es"], sort_idx=2),
        block("D", "v2", ["en", "x" * 51]),
        block("D", "v3", None),
        block("D", "v4", ["fr"], is_deleted=True),
        block("D", "t", None, block_type="html"),
        block("C", "v5", ["de"]),
        block("E", "v6", None),
    ]
    found = compute(
        TRANSCRIPTS,
        UNTIL,
        edxval_coursevideo=[{"course_id": "C", "video_id": 1, "is_hidden": False}],
        edxval_videotranscript=[{"video_id": 1, "language_code": "en"}],
        course_blocks=blocks,
    )
    assert columns(found, TRANSCRIPTS, "course_id", "language", "videos", "course_videos") == [
        ("C", "en", 1, 1),
        ("D", "en", 2, 3),
        ("D", "es", 1, 3),
    ]
