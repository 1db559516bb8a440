"""The sockets of a service: limits on the number of clients, on waiting times and on sizes.

The application does not notice. Clients who send or receive nothing for too long, or send too much, are
disconnected. If there are more connections than descriptors, the newest are refused at once, with a line in
the log.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any, cast

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pharos.telemetry.logs import write

log = logging.getLogger(__name__)

HEADERS_S = 10  # from the first byte, or the connection, to the end of the headers
BODY_S = 10  # without a byte of the body
WHOLE_BODY_S = 60
TAKEN_S = 30  # without taking a byte of an answer
MOST_HEADER_BYTES = 64 * 1024
MOST_BODY_BYTES = 16 * 1024 * 1024  # the Data API's own limit is lower, and says so in JSON
MOST_UNSENT_BYTES = 256 * 1024 * 1024  # of all answers together
FILES = 65_536  # descriptors to ask for
FILES_OF_OURS = 200  # databases, logs, files that are served
LOOK_EVERY_S = 1.0
TOLD_EVERY_S = 10.0

WORDS = {
    408: "Request Timeout",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


def raise_file_limit() -> int:
    """The number of descriptors this process may now have: as many as the system allows, up to FILES."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return FILES if soft == resource.RLIM_INFINITY else soft


class Connections(Collector):
    """The connections of one service. Used from the event loop."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open: set[Guarded] = set()
        self._ended: Counter[str] = Counter()
        self._untold: Counter[str] = Counter()
        self._told_at = -TOLD_EVERY_S

    def protocol(self) -> type[asyncio.Protocol]:
        """The protocol factory that uvicorn calls for each connection."""
        return cast("type[asyncio.Protocol]", partial(Guarded, self))

    def ended(self, why: str) -> None:
        """Count a connection ended by us, and log it; many at once in one line."""
        self._ended[why] += 1
        self._untold[why] += 1
        now = asyncio.get_running_loop().time()
        if now - self._told_at >= TOLD_EVERY_S:
            self._told_at = now
            self._tell()

    async def watch(self) -> None:
        """Check the connections until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = loop.time()
            for connection in list(self.open):
                connection.look(now)
            self._free_memory()
            if self._untold and now - self._told_at >= TOLD_EVERY_S:
                self._told_at = now
                self._tell()

    def collect(self) -> Iterable[Metric]:
        """Metrics for Prometheus."""
        ended = CounterMetricFamily(
            "pharos_connections_ended", "Connections that the service ended, by reason.", labels=["why"]
        )
        for why, count in self._ended.items():
            ended.add_metric([why], count)
        return [
            GaugeMetricFamily("pharos_connections", "Open connections.", value=len(self.open)),
            GaugeMetricFamily("pharos_connections_limit", "Connections there may be.", value=self.most),
            ended,
        ]

    def _tell(self) -> None:
        write(log, "connections ended", logging.WARNING, open=len(self.open), **self._untold)
        self._untold.clear()

    def _free_memory(self) -> None:
        """End the connections that have been stuck longest, if unsent answers fill the memory."""
        waiting = sorted((each for each in self.open if each.unsent_bytes), key=lambda each: each.stuck_since)
        unsent = sum(each.unsent_bytes for each in waiting)
        for each in waiting:
            if unsent <= MOST_UNSENT_BYTES:
                return
            unsent -= each.unsent_bytes
            each.abort("untaken answers fill the memory")


HEADERS, BODY, ANSWER = "headers", "body", "answer"


class Guarded(HttpToolsProtocol):
    """A connection with time limits. `stage`: the part expected next; in ANSWER the server must send."""

    def __init__(self, connections: Connections, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._of = connections
        self._header_bytes = self._body_bytes = 0  # of headers, and of trailers since the last of the body
        self._unsent, self.stuck_since = 0, 0.0  # bytes that were not taken, and since when as many
        self._stage, self._since, self._whole_since = HEADERS, 0.0, 0.0

    @property
    def unsent_bytes(self) -> int:
        """Bytes of answers that the client has not received."""
        return 0 if self.transport is None else self.transport.get_write_buffer_size()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        self._of.open.add(self)
        if len(self._of.open) > self._of.most:
            self.refuse(503, "too many connections")

    def connection_lost(self, exc: Exception | None) -> None:
        self._of.open.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._stage != ANSWER:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._stage != ANSWER and self._header_bytes > MOST_HEADER_BYTES:
            self.refuse(431, "headers too large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._stage != HEADERS:
            self._stage, self._since, self._header_bytes = HEADERS, self.loop.time(), 0

    def on_headers_complete(self) -> None:
        size = next((value for name, value in self.headers if name == b"content-length"), b"0")
        self._stage, self._header_bytes, self._body_bytes = BODY, 0, 0
        self._since = self._whole_since = self.loop.time()
        if int(size) > MOST_BODY_BYTES:
            self.refuse(413, "body too large")
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._since = self.loop.time()
        self._header_bytes, self._body_bytes = 0, self._body_bytes + len(body)
        if self.transport.is_closing():
            return
        if self._body_bytes > MOST_BODY_BYTES:
            self.refuse(413, "body too large")
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stage = ANSWER
        if not self.transport.is_closing():
            super().on_message_complete()

    def look(self, now: float) -> None:
        """End the connection if the client sends or receives nothing for too long."""
        waited = 0 if self.flow.read_paused else now - self._since
        if self._stage == HEADERS and waited > HEADERS_S:
            if self._header_bytes:
                self.refuse(408, "slow headers")
            else:
                self.transport.close()  # as browsers and load balancers open them, to have one at hand
        elif self._stage == BODY and waited and (waited > BODY_S or now - self._whole_since > WHOLE_BODY_S):
            self.refuse(408, "slow body")
        unsent = self.unsent_bytes
        if unsent != self._unsent:
            self._unsent, self.stuck_since = unsent, now
        elif unsent and now - self.stuck_since > TAKEN_S:
            self.abort("untaken answer")

    def refuse(self, status: int, why: str) -> None:
        """Answer with a status, if no answer has begun, and end the connection."""
        if self.transport.is_closing():
            return
        self._of.ended(why)
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering and not self.cycle.response_started:
            self.cycle.disconnected = True  # the application's answer comes too late
            self.cycle.message_event.set()
            answering = False
        if not answering:
            text = WORDS[status]
            self.transport.write(
                f"HTTP/1.1 {status} {text}\r\ncontent-type: text/plain; charset=utf-8\r\n"
                f"content-length: {len(text)}\r\nconnection: close\r\nretry-after: 30\r\n\r\n{text}".encode()
            )
        self.transport.close()

    def abort(self, why: str) -> None:
        """End the connection without an answer."""
        self._of.ended(why)
        self.transport.abort()
