"""Streams long answers while they are read: exports and report files.

Streams have their own threads and a limited number of places, so that clients who read slowly, or not at all,
do not delay other requests. A place becomes free as soon as the client has everything, leaves, or stalls.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from asyncio import FIRST_COMPLETED
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain

from isal import isal_zlib
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pharos.data_api.errors import Busy, Throttled
from pharos.data_api.paths import HEAD
from pharos.errors import PharosError
from pharos.telemetry.logs import write
from pharos.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

PLACES = 8  # streams at once
OF_ONE_CALLER = 4
STALLED_S = 30  # a client that does not take the next piece for so long is sent away
PIECE_BYTES = 64 * 1024
RETRY_S = 30
GZIP = 31  # windows of 32 kB, with gzip's header


class Streams:
    """The places for streams of one kind in this process. Use it from the event loop."""

    def __init__(self, kind: str, metrics: Metrics) -> None:
        self.kind, self._taken = kind, Counter[str]()
        self.threads = ThreadPoolExecutor(PLACES, kind)
        self._ended = metrics.counter(f"pharos_{kind}", f"Streamed {kind} by how they ended.", ("ended",))

    def take(self, caller: str) -> Callable[[], None]:
        """Take a place for a caller; return the function that frees it. Raises Throttled, Busy if none is
        free.
        """
        if self._taken[caller] >= OF_ONE_CALLER:
            self.ended("refused")
            raise Throttled(RETRY_S)
        if self._taken.total() >= PLACES:
            self.ended("refused")
            raise Busy(f"All {PLACES} {self.kind} that run at once are taken.", RETRY_S)
        self._taken[caller] += 1

        def give_back() -> None:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]

        return give_back

    def ended(self, how: str) -> None:
        """Count a stream by its end: complete, empty, stalled, left, failed, refused."""
        self._ended.labels(how).inc()

    def close(self) -> None:
        """Accept no more work."""
        self.threads.shutdown(wait=False)


class Stream:
    """Chunks that are made in a thread. Closing the stream closes `chunks` and the source they read."""

    def __init__(self, streams: Streams, caller: str, chunks: Generator[bytes]) -> None:
        self.kind, self._streams = streams.kind, streams
        self._chunks, self._making = chunks, threading.Lock()
        self._first: bytes | None = None
        self._give_back = streams.take(caller)

    @classmethod
    async def opened(cls, streams: Streams, caller: str, chunks: Generator[bytes]) -> Stream | None:
        """The stream with its first chunk read, so that errors occur before the answer begins.

        None if there are no chunks. Raises Throttled, Busy, and errors of the reading.
        """
        stream, how = cls(streams, caller, chunks), "failed"
        try:
            stream._first, how = await stream._made(), "empty"
        finally:
            if stream._first is None:
                await stream.close(how)
        return stream if stream._first is not None else None

    async def next(self) -> bytes | None:
        """The next chunk, None after the last."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await self._made()

    async def close(self, how: str) -> None:
        """Release connection and place. `how` it ended is counted."""
        loop = asyncio.get_running_loop()
        closing = loop.run_in_executor(self._streams.threads, self._close)
        closing.add_done_callback(lambda _: self._give_back())
        self._streams.ended(how)
        await asyncio.shield(closing)

    async def _made(self) -> bytes | None:
        return await asyncio.get_running_loop().run_in_executor(self._streams.threads, self._make)

    def _make(self) -> bytes | None:
        with self._making:
            return next(self._chunks, None)

    def _close(self) -> None:
        with self._making:
            self._chunks.close()


class Streamed(Response):
    """A response that is generated while it is sent."""

    def __init__(self, stream: Stream, headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(headers=headers, media_type=media_type)
        if "content-length" not in {name.lower() for name in headers}:
            del self.headers["content-length"]
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        how = "failed"
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            how = "complete" if scope.get(HEAD) else await self._sent(send, leaving)
            if how == "complete":  # else the client must see that it is cut
                await send({"type": "http.response.body", "body": b""})
        except PharosError as error:
            log.error("%s", error)  # noqa: TRY400 - the message says it all
        finally:
            leaving.cancel()
            await self._stream.close(how)
        if how in ("stalled", "failed"):
            write(log, "stream ended early", logging.WARNING, kind=self._stream.kind, why=how)

    async def _sent(self, send: Send, leaving: asyncio.Future[None]) -> str:
        while (chunk := await self._stream.next()) is not None:
            for start in range(0, len(chunk), PIECE_BYTES):
                body = chunk[start : start + PIECE_BYTES]
                sending = asyncio.ensure_future(
                    send({"type": "http.response.body", "body": body, "more_body": True})
                )
                await asyncio.wait({sending, leaving}, timeout=STALLED_S, return_when=FIRST_COMPLETED)
                if leaving.done() or not sending.done():
                    sending.cancel()
                    return "left" if leaving.done() else "stalled"
                await sending
        return "complete"


async def _left(receive: Receive) -> None:
    """Returns when the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass


def gzipped(chunks: Generator[bytes]) -> Generator[bytes]:
    """The chunks, compressed; empty if there are no chunks."""
    packing = isal_zlib.compressobj(level=1, wbits=GZIP)
    with closing(chunks):
        for number, chunk in enumerate(chain(chunks, [None])):
            if chunk is not None:
                yield packing.compress(chunk)
            elif number:
                yield packing.flush()
