"""The audit log: a line per event, for its owner only, not to be forged or flooded."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pharos.telemetry.audit import REFUSALS_PER_MINUTE, AuditLog


def test_a_line_for_each_event(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log.jsonl")
    log.note("read", who="ann", address="::1", path="/a/")
    log.note_refusal(who="", address="::1", reason="x")
    first, second = (json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {"event": "read", "caller": "ann", "address": "::1", "path": "/a/"}
    assert (second["event"], second["caller"], second["reason"]) == ("refused", "", "x")


def test_only_the_owner_reads_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        AuditLog(tmp_path / "audit" / "log.jsonl").note("read", who="ann", address="")
    finally:
        os.umask(before)
    assert (tmp_path / "audit").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "audit" / "log.jsonl").stat().st_mode & 0o777 == 0o600


def test_names_begin_no_line_and_steer_no_terminal(tmp_path: Path) -> None:
    AuditLog(tmp_path / "log").note("read", who="a\nb\x1b[31m\x9b\u2028", address="", path="/é/")
    text = (tmp_path / "log").read_bytes()
    assert text.count(b"\n") == 1
    assert text.decode("ascii").rstrip("\n").isprintable()
    assert json.loads(text)["caller"] == "a\nb\x1b[31m\x9b\u2028"


def test_guesses_in_a_row_do_not_fill_the_disk(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log")
    for _ in range(REFUSALS_PER_MINUTE + 5):
        log.note_refusal(who="", address="10.0.0.1")
    log.note_refusal(who="", address="10.0.0.2")
    log.note("read", who="ann", address="10.0.0.1")
    assert len((tmp_path / "log").read_text().splitlines()) == REFUSALS_PER_MINUTE + 2
