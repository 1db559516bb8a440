"""Runs Data API, Insights and scheduler in one process: an event loop with a server for each, until stopped.

SIGTERM and SIGINT end it after the requests in flight; SIGHUP reads the settings again and creates new
applications, while the old ones finish their requests.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI

from pharos.config import DataAPISettings, InsightsSettings, Settings
from pharos.errors import ConfigurationError, PharosError
from pharos.scheduler.scheduler import Scheduler
from pharos.sockets import FILES_OF_OURS, Connections, raise_file_limit
from pharos.telemetry import logs

log = logging.getLogger(__name__)
GRACE_S = 20  # for requests in flight, when told to stop


@dataclass(frozen=True)
class Service:
    """A web service of Pharos. Its application is imported on demand."""

    name: str
    make: Callable[[Settings], FastAPI]
    section: Callable[[Settings], DataAPISettings | InsightsSettings]


def _data_api(settings: Settings) -> FastAPI:
    from pharos.data_api.app import create_app  # noqa: PLC0415 - who serves one does not load the other

    return create_app(settings)


def _insights(settings: Settings) -> FastAPI:
    from pharos.insights.app import create_app  # noqa: PLC0415

    return create_app(settings)


DATA_API = Service("Data API", _data_api, lambda settings: settings.data_api)
INSIGHTS = Service("Insights", _insights, lambda settings: settings.insights)


def serve(
    load: Callable[[], Settings],
    services: Sequence[Service],
    *,
    program: Sequence[str] | None = None,
    tail: bool = False,
) -> None:
    """Serve until stopped; with `program` (see `scheduler.programs`) run jobs, with `tail` follow logs.

    Raises ConfigurationError if it cannot start, Busy if another scheduler works in this home.
    """
    settings = load()
    logs.configure(settings.logging.format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_Serving(load, settings, services, program, tail=tail).until_told())


class _Serving:
    """The running services, and the handlers of signals."""

    def __init__(
        self,
        load: Callable[[], Settings],
        settings: Settings,
        services: Sequence[Service],
        program: Sequence[str] | None,
        *,
        tail: bool,
    ) -> None:
        self._load, self._settings = load, settings
        most = (raise_file_limit() - FILES_OF_OURS) // max(len(services), 1)  # the scheduler may be alone
        self._services = [(service, Exchangeable(), Connections(most)) for service in services]
        self._scheduler = Scheduler(settings, program, tail=tail) if program else None
        self._servers: list[_Server] = []
        self._reloading: asyncio.Task[None] | None = None

    async def until_told(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        async with AsyncExitStack() as stack:
            work = []
            for service, application, connections in self._services:
                ours = service.section(self._settings)
                listener = stack.enter_context(_listening(service.name, ours))
                await application.change(_made(service, self._settings, connections))
                stack.push_async_callback(application.close)
                stack.callback(asyncio.ensure_future(connections.watch()).cancel)
                server = _Server(
                    uvicorn.Config(
                        application,
                        http=connections.protocol(),
                        lifespan="off",  # of the applications, not of the server
                        log_config=None,
                        access_log=False,
                        server_header=False,
                        ws="none",
                        timeout_graceful_shutdown=GRACE_S,
                    )
                )
                self._servers.append(server)
                work.append(server.serve(sockets=[listener]))
                host, port = listener.getsockname()[:2]
                logs.write(log, "serving", service=service.name, address=f"http://{host}:{port}")
            if self._scheduler is not None:
                work.append(self._scheduler.run())
            _set_aside()
            tasks = [asyncio.ensure_future(each) for each in work]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self._stop()  # one has ended, by a signal or because it could not go on
            await asyncio.gather(*tasks)

    def _stop(self) -> None:
        for server in self._servers:
            server.should_exit = True
        if self._scheduler is not None:
            self._scheduler.stop()

    def _reload(self) -> None:
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.ensure_future(self._changed())

    async def _changed(self) -> None:
        """Apply the settings as they are now; if they are invalid, keep the previous ones."""
        try:
            settings = await asyncio.to_thread(self._load)
            made = [
                (service, old, _made(service, settings, connections))
                for service, old, connections in self._services
            ]
        except PharosError as error:
            logs.write(log, "settings not reloaded", logging.ERROR, why=str(error))
            return
        logs.configure(settings.logging.format)
        for service, application, new in made:
            await application.change(new)
            before, now = service.section(self._settings), service.section(settings)
            if (before.host, before.port) != (now.host, now.port):
                logs.write(log, "a new address needs a restart", logging.WARNING, service=service.name)
        if self._scheduler is not None:
            self._scheduler.change(settings)
        self._settings = settings
        _set_aside()
        logs.write(log, "settings reloaded")


def _made(service: Service, settings: Settings, connections: Connections) -> FastAPI:
    """A service's application, whose metrics include its connections."""
    made = service.make(settings)
    made.state.metrics.watch(connections)
    return made


def _set_aside() -> None:
    """Exclude objects that live as long as the process from garbage collection.

    The collector walked through all of them about once a second under load, which delayed every request by a
    tenth of a second.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class _Server(uvicorn.Server):
    """A server that leaves signals to the process, because several servers share it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Exchangeable:
    """An ASGI application that can be replaced by another one while it answers."""

    def __init__(self) -> None:
        self._current: _Running | None = None

    async def change(self, application: FastAPI) -> None:
        """Use the new application from now on; the old one ends after its requests in flight."""
        new = _Running(application)
        await new.start()
        old, self._current = self._current, new
        if old is not None:
            await old.end()

    async def close(self) -> None:
        """End the application."""
        if self._current is not None:
            await self._current.end()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert self._current is not None  # noqa: S101 - served after `change`
        await self._current(scope, receive, send)


class _Running:
    """An application that has been started and not yet ended."""

    def __init__(self, application: FastAPI) -> None:
        self._application, self._stack = application, AsyncExitStack()
        self._answering, self._idle = 0, asyncio.Event()
        self._idle.set()

    async def start(self) -> None:
        await self._stack.enter_async_context(self._application.router.lifespan_context(self._application))

    async def end(self) -> None:
        await self._idle.wait()
        await self._stack.aclose()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._answering += 1
        self._idle.clear()
        try:
            await self._application(scope, receive, send)
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()


@contextmanager
def _listening(name: str, ours: DataAPISettings | InsightsSettings) -> Iterator[socket.socket]:
    """A socket that listens. Raises ConfigurationError if it cannot."""
    host, port = ours.host, ours.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ours.shared_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            listener.bind((host, port))
            listener.listen(1024)
        except OSError as error:
            raise ConfigurationError(
                f"{name} cannot listen on {host}:{port}: {error.strerror or error}; choose another"
            ) from error
        yield listener
    finally:
        listener.close()
