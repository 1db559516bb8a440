"""Log lines, as programs and people read them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest

from pharos.telemetry import logs

log = logging.getLogger("pharos.a_room")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("pharos")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], root.level, ours.level = before[0], before[1], before[2]


def test_json_is_a_line_per_event_with_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    assert logs.writes_json()
    logs.REQUEST_ID.set("abc")
    logs.write(log, "job ended", job="daily", exit_code=0)
    logs.REQUEST_ID.set("")
    try:
        int("broken")
    except ValueError:
        log.exception("unexpected\nline")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "info", "logger": "pharos.a_room", "event": "job ended",
        "request_id": "abc", "job": "daily", "exit_code": 0,
    }  # fmt: skip
    assert second["event"] == "unexpected\nline"
    assert "ValueError: invalid literal" in second["trace"]


def test_text_is_for_people_and_leaves_requests_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text")
    assert not logs.writes_json()
    logs.write(logs.REQUESTS, "request", status=200)
    logging.getLogger("library").info("chatter")
    logs.write(log, "job ended", job="daily", exit_code=0)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("Z INFO job ended job=daily exit_code=0")


FORGED = "course-v1:a+b+c\nERROR all is lost\x1b[2J\x85\u2028\u202e\x9b2J"


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_comes_from_outside_forges_no_line(
    form: Literal["text", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    """Line ends, escape codes and marks that turn the direction of text, in events, facts and traces."""
    logs.configure(form)
    logs.write(log, FORGED, course_id=FORGED)
    written = capsys.readouterr().err
    assert len(written.splitlines()) == 1  # also by the separators of Unicode
    assert written.rstrip("\n").isprintable()
    if form == "json":
        assert json.loads(written)["course_id"] == FORGED
    try:
        raise ValueError(FORGED)  # noqa: TRY301
    except ValueError:
        log.exception("failed")
    record, *trace = capsys.readouterr().err.splitlines()
    assert "failed" in record
    assert all(line.isprintable() for line in [record, *trace])
    assert all(line.startswith("  ") for line in trace)
    assert bool(trace) == (form == "text")
