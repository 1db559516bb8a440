"""A cache of answers, served before routing; an answer is valid until one of its tables is published again.

Results change only by publishing, so a cached answer is right as long as it was made from the current
publications; these are known within `reading.FRESH_FOR_S` seconds. An answer is given only to callers with
the same scope, after their credentials are checked and the request is counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from isal import igzip
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pharos.data_api.access import Access, Caller
from pharos.data_api.paths import SUFFIX
from pharos.data_api.reading import ResultStore, edition_of, version_of
from pharos.result_store.store import Publication

MAX_BYTES = 64 * 1024 * 1024
BESIDE_BODY = 2_000  # bytes that objects, key and stamp of an answer take, about
OF_PLAIN = "-plain"  # end of the tag of an answer that is kept compressed and sent plain
COMPRESSED_FROM_BYTES = 1000
OF_BODIES = ("content-length", "content-type", "content-disposition", "content-encoding")


@dataclass(frozen=True, slots=True)
class Kept:
    """A cached answer, the tables it is made from, and the stamp of their publications.

    It is one object without references that the garbage collector must follow: there may be many thousands of
    answers.
    """

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    tables: tuple[str, ...]
    stamp: str

    @classmethod
    def of(cls, response: Response, tables: tuple[str, ...], stamp: str) -> Kept:
        return cls(bytes(response.body), tuple(response.raw_headers), tables, stamp)

    @property
    def size(self) -> int:
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers) + BESIDE_BODY

    def response(self) -> Response:
        """A new response, whose headers may be changed."""
        made = Response(self.body)
        made.raw_headers = list(self.headers)
        return made


class Cache:
    """Answers by request; the least recently used are dropped first. Use it from the event loop only."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._making: dict[str, asyncio.Event] = {}
        self._bytes = 0

    def get(self, key: str, publications: Mapping[str, Publication]) -> Response | None:
        """The cached answer to the request, if it was made from these publications."""
        found = self._kept.get(key)
        if found is None or found.stamp != stamp(publications, found.tables):
            return None
        self._kept.move_to_end(key)
        return found.response()

    async def settled(self, key: str) -> None:
        """Wait until the answer, if another request is making it, is made: many clients ask after a
        publication.
        """
        while event := self._making.get(key):
            await event.wait()

    @contextmanager
    def making(self, key: str) -> Iterator[None]:
        """Marks the answer as being made; other requests wait for it."""
        event = self._making[key] = asyncio.Event()
        try:
            yield
        finally:
            del self._making[key]
            event.set()

    def put(self, key: str, answer: Kept) -> None:
        """Keep an answer, unless it takes more than an eighth of the cache."""
        if answer.size > MAX_BYTES // 8:
            return
        old = self._kept.pop(key, None)
        self._bytes += answer.size - (old.size if old else 0)
        self._kept[key] = answer
        while self._bytes > MAX_BYTES:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.size


def stamp(publications: Mapping[str, Publication], tables: Sequence[str]) -> str:
    """A text that changes when the publications of these tables change; without tables, when any does.

    Empty if the first table was not published by Pharos: then it may change at any time.
    """
    if tables and tables[0] not in publications:
        return ""
    found = [(name, publications[name]) for name in tables or publications if name in publications]
    return ";".join(f"{name} {p.content} {p.published} {p.until} {p.version}" for name, p in found)


def key_of(scope: Scope, caller: Caller) -> str:
    """The cache key: requests with equal keys get equal answers from equal publications.

    It includes scheme and host, because answers contain links.
    """
    headers = Headers(scope=scope)
    asked = (
        scope["path"],
        scope.get(SUFFIX),
        scope["query_string"],
        headers.get("accept"),
        scope["scheme"],
        headers.get("host"),
        caller.scope,
    )
    return hashlib.sha256(repr(asked).encode()).hexdigest()  # as long for a path of 60 kB as for any


class KeptAnswers:
    """Middleware that answers from the cache if it can, and passes all other requests to the application."""

    def __init__(self, app: ASGIApp, cache: Cache, access: Access, stores: Mapping[str, ResultStore]) -> None:
        self.app, self._cache, self._access, self._stores = app, cache, access, stores

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._found(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if found is None:
            await self.app(scope, receive, send)
        else:
            await conditional(Request(scope), found)(scope, receive, send)

    def _found(self, scope: Scope) -> Response | None:
        """A cached answer, for a caller whose token is in memory; never waits."""
        store = self._stores[version_of(scope["path"])]
        publications = store.published.at_hand()
        caller = self._access.at_hand(Headers(scope=scope).get("authorization", ""))
        if publications is None or caller is None:
            return None
        if Headers(scope=scope).get("x-pharos-edition", "") not in ("", str(edition_of(publications))):
            return None
        found = self._cache.get(key_of(scope, caller), publications)
        if found is None or not self._access.counts(caller):
            return None
        return found


def conditional(request: Request, response: Response) -> Response:
    """The response to send: 304 if the client has this answer already, else in an accepted encoding."""
    is_packed = "content-encoding" in response.headers
    is_plain = is_packed and not accepts_gzip(request.headers.get("accept-encoding", ""))
    if is_plain and "etag" in response.headers:
        response.headers["ETag"] = f'{response.headers["etag"][:-1]}{OF_PLAIN}"'
    tag, modified = response.headers.get("etag"), response.headers.get("last-modified")
    known = request.headers.get("if-none-match")
    if known is not None:
        unchanged = tag is not None and any(
            part.strip().removeprefix("W/") in (tag, "*") for part in known.split(",")
        )
    else:
        unchanged = modified is not None and _not_after(modified, request.headers.get("if-modified-since"))
    if unchanged:
        kept = {name: value for name, value in response.headers.items() if name not in OF_BODIES}
        return Response(status_code=304, headers=kept)
    return _plain(response) if is_plain else response


def compressed(response: Response) -> Response:
    """The response in the form to cache: compressed once, because most clients accept gzip."""
    if len(response.body) < COMPRESSED_FROM_BYTES:
        return response
    packed = Response(igzip.compress(response.body, compresslevel=1, mtime=0), headers=response.headers)
    packed.headers["Content-Length"] = str(len(packed.body))
    packed.headers["Content-Encoding"] = "gzip"
    packed.headers.add_vary_header("Accept-Encoding")
    return packed


def _plain(response: Response) -> Response:
    """The response, decompressed."""
    response.body = igzip.decompress(response.body)  # type: ignore[no-untyped-call, unused-ignore]
    del response.headers["Content-Encoding"]
    response.headers["Content-Length"] = str(len(response.body))
    return response


def accepts_gzip(accept_encoding: str) -> bool:
    """True if the value of Accept-Encoding allows gzip; `gzip;q=0` refuses it (RFC 9110 §12.5.3)."""
    weights = {}
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.partition(";")
        weights[coding.strip()] = not _ZERO.fullmatch(weight.replace(" ", ""))
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", False)))


_ZERO = re.compile(r"q=0(\.0{0,3})?")


def _not_after(modified: str, limit: str | None) -> bool:
    try:
        return limit is not None and parsedate_to_datetime(modified) <= _zoned(parsedate_to_datetime(limit))
    except ValueError:
        return False


def _zoned(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
