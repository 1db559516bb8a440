"""A way to a server that can be blocked, cut or closed."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Wire:
    """The way to a database server, which can be blocked, cut or closed."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to, self._loop = to, asyncio.new_event_loop()
        self._open, self._flows = asyncio.Event(), set[asyncio.StreamWriter]()
        self._server: asyncio.Server | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._do(self._begin)

    def freeze(self) -> None:
        """Connections stay open and say nothing, as those of a stopped process."""
        self._do(self._set, False)

    def go_on(self) -> None:
        self._do(self._set, True)

    def restart(self) -> None:
        """All connections end; new ones are taken."""
        self._do(self._cut)

    def refuse(self) -> None:
        """All connections end, and nobody listens."""
        self._do(self._end)

    def accept(self) -> None:
        self._do(self._begin)

    def close(self) -> None:
        self._do(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, function: Callable[..., Any], *arguments: object) -> None:
        asyncio.run_coroutine_threadsafe(function(*arguments), self._loop).result(30)

    async def _begin(self) -> None:
        self._open.set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def _set(self, is_open: bool) -> None:
        self._open.set() if is_open else self._open.clear()

    async def _cut(self) -> None:
        for writer in self._flows:
            writer.transport.abort()
        self._flows.clear()

    async def _end(self) -> None:
        self._open.set()
        if self._server is not None:
            self._server.close()
        await self._cut()
        await asyncio.sleep(0.1)  # so that all tasks see their end

    async def _connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(*self._to)
        self._flows |= {to_client, to_server}
        await asyncio.gather(self._flow(client, to_server), self._flow(server, to_client))

    async def _flow(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._open.wait()
                to.write(data)
                await to.drain()
        to.close()
