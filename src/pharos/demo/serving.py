"""Serves a computed campus: LMS stand-in, Data API and Insights, in threads of one process."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from pydantic import SecretStr

from pharos.config import Settings
from pharos.data_api.app import create_app as create_data_api
from pharos.data_api.tokens import create_token, list_tokens, revoke_token
from pharos.demo.campus import Campus
from pharos.demo.lms import create_app as create_lms
from pharos.demo.lms_catalog import PATH as CATALOG
from pharos.demo.lms_sign_in import Client, SignIn
from pharos.demo.releases import NEWEST, Release
from pharos.errors import ConfigurationError, PharosError
from pharos.insights.app import create_app as create_insights
from pharos.result_store import store

LMS_PORT = 8120
TOKEN_NAME = "insights-of-the-demo"  # noqa: S105 - a name, not a token
_START_S = 30


class NotStarted(PharosError):
    """A service of the demo did not start."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} did not start within {_START_S} seconds; the lines above say why."


@dataclass(frozen=True)
class Addresses:
    """The addresses of the services, for browsers on this machine."""

    insights: str
    data_api: str
    lms: str
    token: str
    """Token of the Data API."""


@contextmanager
def serving(settings: Settings, campus: Campus, release: Release = NEWEST) -> Iterator[Addresses]:
    """The three services, until the context ends; the LMS stand-in behaves like one of the release.

    Each listens on its port of the settings, or on a free one when that is taken. Raises NotStarted.
    """
    host = settings.insights.host
    with ExitStack() as stack:
        lms, api, web = (
            stack.enter_context(_listener(host, port))
            for port in (LMS_PORT, settings.data_api.port, settings.insights.port)
        )
        insights = Client.of_insights("insights-demo", secrets.token_urlsafe(24), _url(web))
        service = Client("service-demo", secrets.token_urlsafe(24))
        token = _new_token(settings)
        stand_in = create_lms(campus, insights=insights, service=service, release=release)
        ours = _connected(settings, insights, service, token, lms=_url(lms), api=_url(api), web=_url(web))
        ours = _with_keys(ours, stand_in.state.sign_in, release)
        stack.enter_context(_served("The LMS stand-in", stand_in, lms))
        stack.enter_context(_served("The Data API", create_data_api(ours), api))
        stack.enter_context(_served("Insights", create_insights(ours), web))
        yield Addresses(_url(web), _url(api), _url(lms), token)


@contextmanager
def lms_alone(settings: Settings, campus: Campus, release: Release = NEWEST) -> Iterator[Settings]:
    """The LMS stand-in, on a free port until the context ends; the settings with which a run reads it."""
    with _listener(settings.insights.host, 0) as listener:
        service = Client("service-demo", secrets.token_urlsafe(24))
        insights = Client("insights-demo", secrets.token_urlsafe(24))
        stand_in = create_lms(campus, insights=insights, service=service, release=release)
        with _served("The LMS stand-in", stand_in, listener):
            lms = settings.lms.model_copy(
                update={
                    "url": _url(listener),
                    "client_id": service.id,
                    "client_secret": SecretStr(service.secret),
                    "catalog_url": _url(listener) + CATALOG,
                }
            )
            yield settings.model_copy(update={"lms": lms})


def _new_token(settings: Settings) -> str:
    """A token for Insights; the token of an earlier run is revoked."""
    engine = store.connect(settings.store_url)
    try:
        if any(token.name == TOKEN_NAME and token.revoked is None for token in list_tokens(engine)):
            revoke_token(engine, TOKEN_NAME)
        return create_token(engine, TOKEN_NAME, learners=True)
    finally:
        engine.dispose()


def _with_keys(settings: Settings, sign_in: SignIn, release: Release) -> Settings:
    """The settings with the LMS's public keys, or its secret if it has no keys, as an operator would copy
    them.
    """
    given: dict[str, object] = {"jwt_keys": sign_in.public_keys, "jwt_secret": None}
    if not release.signs_for_everybody:
        given = {"jwt_keys": None, "jwt_secret": SecretStr(sign_in.secret)}
    return settings.model_copy(update={"lms": settings.lms.model_copy(update=given)})


def _connected(
    settings: Settings, insights: Client, service: Client, token: str, *, lms: str, api: str, web: str
) -> Settings:
    """The settings with the services' addresses and credentials for each other."""
    return settings.model_copy(
        update={
            "lms": settings.lms.model_copy(
                update={
                    "url": lms,
                    "public_url": None,
                    "client_id": service.id,
                    "client_secret": SecretStr(service.secret),
                    "jwt_issuer": None,
                }
            ),
            "insights": settings.insights.model_copy(
                update={
                    "url": web,
                    "data_api_url": api,
                    "data_api_token": SecretStr(token),
                    "secret_key": SecretStr(secrets.token_urlsafe(32)),
                    "client_id": insights.id,
                    "client_secret": SecretStr(insights.secret),
                }
            ),
        }
    )


def _listener(host: str, port: int) -> socket.socket:
    """A socket that listens on the port, or on a free one if it is in use. Raises ConfigurationError."""
    for candidate in (port, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen()  # now: two may bind to a port, but only one may listen
        except OSError as error:
            listener.close()
            reason = error
        else:
            return listener
    raise ConfigurationError(f"insights.host: nothing can listen on {host}: {reason}")


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


@contextmanager
def _served(name: str, app: Any, listener: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name=name)
    thread.start()
    try:
        waited = threading.Event()
        for _ in range(_START_S * 20):
            if server.started or not thread.is_alive():
                break
            waited.wait(0.05)
        if not server.started:
            raise NotStarted(name)
        yield
    finally:
        server.should_exit = True
        thread.join()
