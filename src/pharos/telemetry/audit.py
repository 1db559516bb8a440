"""Audit log: readings of learners' data, refusals and sign-ins; one line of JSON each, in a file."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from pharos.limits import Limits

REFUSALS_PER_MINUTE = 60  # of one caller or address: guesses in a row shall not fill the disk
OWNER_ONLY = 0o600
FOLDER_OF_OWNER = 0o700


class AuditLog:
    """Appends to a file that only its owner can read; reopened for each line, so it can be rotated."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._refusals = Limits()

    def note(self, event: str, *, who: str, address: str, **facts: str) -> None:
        """Write an event to the audit log. Raises OSError if that fails: then the data must not be read.

        All characters outside ASCII are escaped, so that no name can begin a new line or control a terminal.
        """
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": time, "event": event, "caller": who, "address": address, **facts})
        with self._lock:
            self._path.parent.mkdir(mode=FOLDER_OF_OWNER, parents=True, exist_ok=True)
            with os.fdopen(
                os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ONLY), "a"
            ) as file:
                file.write(line + "\n")

    def note_refusal(self, *, who: str, address: str, **facts: str) -> None:
        """Write a refusal; at most `REFUSALS_PER_MINUTE` per caller or address. Raises OSError."""
        with self._lock:
            wait_s = self._refusals.count(who or address, REFUSALS_PER_MINUTE)
        if not wait_s:
            self.note("refused", who=who, address=address, **facts)
