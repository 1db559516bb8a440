"""Incidents: problems, their beginning, and the channels that were alerted of their beginning and end.

They are kept in a file in home, not in the Result Store, because the Result Store itself may have failed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from pharos.scheduler.alerts import Alert, Channel, NotTold
from pharos.telemetry.logs import visible, write

log = logging.getLogger(__name__)
AGAIN_S = 60  # between two tries to tell somebody


class Incident(msgspec.Struct):
    """A problem; kept after its end until all channels have been told."""

    text: str
    since: datetime
    told: list[str] = []  # channels that took the newest word on it
    is_over: bool = False


class Incidents:
    """All incidents, by their key."""

    def __init__(self, path: Path) -> None:
        self._path, self._tried = path, -float(AGAIN_S)
        self.news = asyncio.Event()
        self.all: dict[str, Incident] = self._read()

    def begin(self, key: str, text: str, now: datetime, *, again: bool = False) -> None:
        """Record a problem. Channels are told a second time only with `again` and a new text."""
        known = self.all.get(key)
        is_known = known is not None and not known.is_over
        if known is not None and is_known and not (again and known.text != text):
            return
        write(log, "problem", logging.ERROR, about=key, text=text)
        self.all[key] = Incident(text, known.since if known is not None and is_known else now)
        self._changed()

    def end(self, key: str, text: str) -> None:
        """Record the end of a problem, if it was recorded."""
        known = self.all.get(key)
        if known is None or known.is_over:
            return
        write(log, "recovered", about=key, text=text)
        if known.told:
            self.all[key] = Incident(text, known.since, is_over=True)
        else:  # nobody knew
            del self.all[key]
        self._changed()

    async def tell(self, channels: Mapping[str, Channel]) -> None:
        """Send the alerts that are not sent yet; after a failure, retry a minute later."""
        if time.monotonic() - self._tried < AGAIN_S:
            return
        for key, incident in list(self.all.items()):
            for name in sorted(set(channels) - set(incident.told)):
                try:
                    await asyncio.to_thread(channels[name], _alert(key, incident))
                except NotTold as error:
                    log.error("%s", error)  # noqa: TRY400 - the message says it all
                    self._tried = time.monotonic()
                else:
                    incident.told.append(name)
                    self._write()
            if self.all.get(key) is incident and incident.is_over and set(channels) <= set(incident.told):
                del self.all[key]
                self._write()

    def _changed(self) -> None:
        self.news.set()
        self._tried = -float(AGAIN_S)
        self._write()

    def _read(self) -> dict[str, Incident]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Incident])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            write(log, "former incidents unknown", logging.WARNING, path=str(self._path), why=error)
            return {}

    def _write(self) -> None:
        """Write the file atomically; if that fails, the state is in memory until this program ends."""
        new = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(msgspec.to_builtins(self.all), indent=2), encoding="utf-8")
            new.replace(self._path)
        except OSError as error:
            write(log, "incidents not written", logging.WARNING, path=str(self._path), why=error)


def _alert(key: str, incident: Incident) -> Alert:
    return Alert(
        event="recovery" if incident.is_over else "problem",
        key=visible(key),
        text="\n".join(map(visible, incident.text.splitlines())),
        since=incident.since.isoformat(sep=" ", timespec="seconds"),
        host=socket.gethostname(),
    )
