"""What is read of a player's payload, and why an event is not used. `spec 03 §1.3, §5-5 to 14`"""

from __future__ import annotations

import json
from typing import Any

import pytest

from pharos.facts.video_payload import KINDS, PAUSE, PLAY, SEEK, STOP, Unused, video_row


def told(payload: Any, event_type: str = PLAY, course: str = "c", unused: str = "") -> dict[str, Any]:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    found: dict[str, Any] = json.loads(video_row(text, event_type, course, unused))
    return found


def test_what_is_read() -> None:
    """§5-5, 14"""
    play = {"id": "v", "currentTime": 1.5, "code": "abc", "duration": 62, "speed": 2}
    assert told(play) == {"video": "v", "position": "1.5", "duration": "62.0"}
    seek = {"id": "v", "old_time": 3, "new_time": 8, "currentTime": "x"}
    assert told(seek, SEEK) == {"video": "v", "position": "8.0", "old_position": "3.0"}


@pytest.mark.parametrize("position", ["5", " 5\n", "5.", "+5", "0.5e+1", 5, 5.0])
def test_texts_are_read_as_python_reads_numbers(position: Any) -> None:
    """§5-12"""
    assert told({"id": "v", "currentTime": position})["position"] == "5.0"
    assert told({"id": "v", "currentTime": ".5"})["position"] == "0.5"


@pytest.mark.parametrize(
    ("position", "is_used"), [(36_000, True), (36_000.1, False), ("1.2e+2", True), (-0.0, True)]
)
def test_bounds(position: Any, is_used: bool) -> None:
    """§5-12; minus zero is zero."""
    found = told({"id": "v", "currentTime": position})
    assert ("unused" not in found) == is_used
    assert not found.get("position", "").startswith("-")


ODD = [
    (922337203685.4775, Unused.FAR), ("928374757012", Unused.FAR), (10**400, Unused.FAR),
    ("text", Unused.ODD_POSITION), (None, Unused.NO_POSITION), ("", Unused.ODD_POSITION),
    ("nan", Unused.INFINITE), ("inf", Unused.INFINITE), ("-5", Unused.NEGATIVE), (-5, Unused.NEGATIVE),
    (True, Unused.ODD_POSITION), ([1], Unused.ODD_POSITION), ({}, Unused.ODD_POSITION),
]  # fmt: skip


@pytest.mark.parametrize(("position", "reason"), ODD)
def test_positions_that_are_none(position: Any, reason: str) -> None:
    """§5-9 to 11"""
    for kind in (PLAY, PAUSE, STOP):
        assert told({"id": "v", "currentTime": position}, kind) == {"unused": reason}
    assert told({"id": "v", "old_time": position, "new_time": 1}, SEEK) == {"unused": reason}
    assert told({"id": "v", "old_time": 1, "new_time": position}, SEEK) == {"unused": reason}


def test_without_a_position() -> None:
    """§5-8, 11: only a pause may lack it."""
    assert told({"id": "v"}, PAUSE) == {"video": "v", "position": "0.0"}
    for kind in (PLAY, STOP, SEEK):
        assert told({"id": "v"}, kind) == {"unused": Unused.NO_POSITION}
    assert told({"id": "v", "old_time": 1}, SEEK) == {"unused": Unused.NO_POSITION}
    assert told({"id": "v", "new_time": 1}, SEEK) == {"unused": Unused.NO_POSITION}


@pytest.mark.parametrize("duration", [None, 0, "", -3, "62", True, [], 10**400])
def test_durations_that_are_unknown(duration: Any) -> None:
    """§5-7, §1.3-9"""
    assert "duration" not in told({"id": "v", "currentTime": 1, "duration": duration})
    assert "duration" not in told({"id": "v", "currentTime": 1})


def test_videos() -> None:
    """§5-13; ids that are no text are no videos."""
    assert told({"id": "\nv ", "currentTime": 1})["video"] == "v"
    assert told({"id": "Видео\t1", "currentTime": 1})["video"] == "Видео\t1"
    assert told({"id": "a\0b", "currentTime": 1})["video"] == "a\ufffdb"
    for odd in (None, "", " \n", 7, ["v"], True):
        for kind in KINDS:
            assert told({"id": odd, "currentTime": 1}, kind) == {"unused": Unused.NO_VIDEO}
    assert told({"currentTime": 1}) == {"unused": Unused.NO_VIDEO}


def test_ids_that_are_too_long() -> None:
    """§1.7: together with the course run and what stands between them."""
    assert told({"id": "v" * 250, "currentTime": 1}, course="c234") == {
        "video": "v" * 250, "position": "1.0",
    }  # fmt: skip
    assert told({"id": "v" * 250, "currentTime": 1}, course="c2345") == {"unused": Unused.LONG_ID}


@pytest.mark.parametrize("payload", ["", "[]", "7", '"x"', "{", "null", "[" * 100_000])
def test_payloads_that_are_no_objects(payload: str) -> None:
    assert told(payload) == {"unused": Unused.NO_OBJECT}


def test_a_reason_that_is_known_already() -> None:
    assert told({"id": "v", "currentTime": 1}, unused="no learner") == {"unused": "no learner"}
