"""A path prefix of all addresses of a service behind a proxy: `https://example.org/insights`.

Inside a service, addresses begin at the root. The prefix is removed from requests, whether or not the proxy
has removed it, and added to redirects and pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pharos.errors import ConfigurationError

LINKS = re.compile(r'(\s(?:href|src|action|formaction)=")/(?!/)')


def prefix_of(setting: str, url: str | None, taken: Iterable[str]) -> str:
    """The path of a public address, without its final slash; empty if it has no path.

    Raises ConfigurationError if the address is invalid, or if its path is ambiguous because the service has
    such a path itself (`taken`: the first parts of its paths).
    """
    if url is None:
        return ""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address or parts.query or parts.fragment:
        raise ConfigurationError(f"{setting}: {url} is no address; write https://host or https://host/path")
    prefix = parts.path.rstrip("/")
    if prefix and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", prefix):
        raise ConfigurationError(f"{setting}: the path {prefix} may hold letters, digits and -._~ only")
    if prefix.split("/")[1:2] and prefix.split("/")[1] in taken:
        raise ConfigurationError(
            f"{setting}: the path {prefix} begins as addresses of the service do; take one like /insights"
        )
    return prefix


def with_prefix(html: str, prefix: str) -> str:
    """The page with the prefix added to each address that begins at the root.

    Text is not changed: it cannot look like an address, because its quotation marks are escaped.
    """
    return LINKS.sub(rf"\g<1>{prefix}/", html) if prefix else html


class Prefix:
    """Middleware that removes the prefix from requests and adds it to redirects."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._prefix:
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [self._led(*header) for header in message["headers"]]}
            await send(message)

        await self._app(self._without(scope), receive, sent)

    def _without(self, scope: Scope) -> Scope:
        path = str(scope["path"])
        if path != self._prefix and not path.startswith(f"{self._prefix}/"):
            return scope
        raw = scope.get("raw_path") or b""
        start = len(self._prefix)
        return {**scope, "path": path[start:] or "/", "raw_path": raw[start:] or b"/"}

    def _led(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        """The header; a redirect to an address of the service gets the path prefix."""
        if name.lower() == b"location" and value.startswith(b"/"):
            return name, self._prefix.encode() + value
        return name, value
