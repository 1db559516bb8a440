"""Equal spellings of an address (spec 05 §2.1-2.2): with or without final slash, with a format as suffix,
HEAD as GET. Also the course-id converter of the routes, and headers that every answer has.
"""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pharos.data_api.errors import BodyTooLarge
from pharos.data_api.formats import SUFFIXES

SUFFIX = "pharos.format"  # key of the scope that holds the suffix
HEAD = "pharos.head"  # key of the scope: whether only the headers are wanted
MAX_BODY_BYTES = 10 * 1024 * 1024  # room for 100,000 course ids
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


class CourseID(Convertor[str]):
    """Three pieces separated by `/` or `+`; the third may contain more `+`."""

    regex = "[^/+]+[/+][^/+]+[/+][^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("course", CourseID())


class Paths:
    """Middleware that converts every spelling of a path to the one the routes know."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, suffix = canonical(scope["path"])
        head = scope["method"] == "HEAD"
        method = "GET" if head else scope["method"]
        inner = {**scope, "path": path, SUFFIX: suffix, HEAD: head, "method": method}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app(inner, _limited(receive), answer)


def _limited(receive: Receive) -> Receive:
    """`receive` that raises BodyTooLarge once the body exceeds the limit."""
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge(MAX_BODY_BYTES)
        return message

    return limited


def canonical(path: str) -> tuple[str, str | None]:
    """The path with its final slash and without format suffix; and that suffix."""
    if path.endswith("/") or not path.startswith(
        ("/api/", "/status", "/health", "/authenticated", "/docs", "/api-token-auth")
    ):
        return path, None
    stem, dot, suffix = path.rpartition(".")
    if dot and suffix in SUFFIXES and not stem.endswith("/"):
        return f"{stem}/", suffix
    return f"{path}/", None
