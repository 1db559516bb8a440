"""Who read data of which learner: one line of JSON per answer, in a file of its own."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path


class AuditLog:
    """Appends to a file; it is opened for each line, so that it can be rotated."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()

    def note(self, caller: str, address: str, path: str, query: str) -> None:
        """Write down a reading. Raises OSError if it cannot be written: then nothing may be read."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "caller": caller,
            "address": address,
            "path": path,
            "query": query,
        }
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
