"""Reads the REST APIs of the LMS that Pharos needs (spec 06 §6), with the service account's token.

Keeps nothing but the token. Callers decide what to cache, for how long, and what to do if the LMS is down.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx

from pharos.config import LMS
from pharos.lms.errors import LMSRefused, LMSUnreachable, NotInLMS
from pharos.lms.oauth import ServiceToken, base_url
from pharos.lms.patience import TryAgain, passing, patiently

IDS_PAGE_SIZE = 1000
COURSES_PAGE_SIZE = 100
COHORTS_PAGE_SIZE = 100
IMPATIENT_S = 1.0  # somebody is waiting for a page
MOST_AT_ONCE = 4  # questions; an LMS has better things to do


@dataclass(frozen=True)
class CourseDetails:
    """A course run as the LMS describes it; times in UTC."""

    course_id: str
    name: str
    start: datetime | None
    end: datetime | None
    pacing: str | None
    """`instructor` or `self`."""
    org: str | None = None
    number: str | None = None
    short_description: str | None = None
    enrollment_start: datetime | None = None
    enrollment_end: datetime | None = None


@dataclass(frozen=True)
class AssignmentType:
    """A line of a grading policy."""

    name: str
    count: int
    dropped: int
    weight: float
    """Share of the whole grade, 0 to 1."""


@dataclass(frozen=True)
class Cohort:
    """A cohort of a course run."""

    cohort_id: int
    name: str
    learners: int


class LMSClient:
    """A client of the LMS's REST APIs. All methods raise LMSError's kinds.

    A failed request is repeated for up to `patience_s` seconds.
    """

    def __init__(self, lms: LMS, http: httpx.AsyncClient, patience_s: float = IMPATIENT_S) -> None:
        self._base = base_url(lms)
        self._api = f"{self._base}/api/courses/v1"
        self._http, self._patience_s = http, patience_s
        self._token = ServiceToken(lms, http)
        self._name: str | None = None
        self._naming = asyncio.Lock()
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._permissions_count: bool | None = None

    async def course_ids_of_staff(self, username: str) -> frozenset[str]:
        """The course runs in which the person has the role staff; empty for a person unknown to the LMS.

        Source: spec 06 §5.
        """
        parameters = {"username": username, "role": "staff", "page_size": str(IDS_PAGE_SIZE)}
        try:
            return frozenset([str(i) async for i in self._pages(f"{self._api}/course_ids/", parameters)])
        except NotInLMS:
            return frozenset()

    async def course_ids_of_staff_access(self, username: str) -> frozenset[str]:
        """The course runs to which the person has staff access, by any role.

        Slower than `course_ids_of_staff`, which leaves out roles for all courses of an organisation and those
        of openedx-authz. Empty if the LMS ignores the parameter `permissions`: it would return every course.
        Source: spec 07 §1.7, §2.3.
        """
        address = f"{self._api}/courses/"
        if not await self._heeds_permissions(address):
            return frozenset()
        parameters = {"username": username, "permissions": "staff", "page_size": str(COURSES_PAGE_SIZE)}
        try:
            return frozenset([_details(item).course_id async for item in self._pages(address, parameters)])
        except NotInLMS:
            return frozenset()

    async def _heeds_permissions(self, address: str) -> bool:
        """True if the LMS filters its course list by permissions: without a user name, the list must be
        empty.
        """
        if self._permissions_count is None:
            body = await self._object(address, {"permissions": "staff", "page_size": "1"})
            self._permissions_count = not body.get("results")
        return self._permissions_count

    async def username(self) -> str:
        """The service account's own user name; requests about courses must contain one.

        Without a user name the LMS answers as to an anonymous person: hidden courses are missing. spec 07
        §2.4
        """
        async with self._naming:
            if self._name is None:
                address = f"{self._base}/api/user/v1/me"
                name = one_line((await self._object(address, {})).get("username"))
                if name is None:
                    raise LMSUnreachable(address, "the answer has no user name")
                self._name = name
            return self._name

    async def courses(self) -> list[CourseDetails]:
        """All course runs of the LMS's catalog that the service account may see, hidden ones too.

        Items without an id are left out: they are not courses (spec 04 §3.2).
        """
        parameters = {"page_size": str(COURSES_PAGE_SIZE), "username": await self.username()}
        items = [item async for item in self._pages(f"{self._api}/courses/", parameters)]
        return [details for item in items if (details := _details(item)).course_id]

    async def course(self, course_id: str) -> CourseDetails:
        """One course run. Raises NotInLMS."""
        parameters = {"username": await self.username()}
        return _details(await self._object(f"{self._api}/courses/{_in_path(course_id)}/", parameters))

    async def blocks(self, course_id: str, *, with_videos: bool = False) -> dict[str, Any]:
        """The block tree of a course run as the LMS gives it: `root` and `blocks` by id. Raises NotInLMS.

        `with_videos`: with the data for the player of each video, including duration and transcripts.
        """
        parameters = {
            "course_id": course_id,
            "depth": "all",
            "all_blocks": "true",
            "requested_fields": "children,format,graded,due",
        }
        if with_videos:
            parameters["student_view_data"] = "video"
        return await self._object(f"{self._api}/blocks/", parameters)

    async def player(self, block_id: str) -> dict[str, Any]:
        """The LMS's data for the player of one video: `transcripts`, `encoded_videos`; empty if it has none.

        Raises NotInLMS.
        """
        address = f"{self._api}/blocks/{_in_path(block_id)}/"
        parameters = {"all_blocks": "true", "depth": "0", "student_view_data": "video"}
        blocks = (await self._object(address, parameters)).get("blocks")
        block = blocks.get(block_id) if isinstance(blocks, dict) else None
        view = block.get("student_view_data") if isinstance(block, dict) else None
        return view if isinstance(view, dict) else {}

    async def transcript(self, address: str) -> str:
        """The text of a transcript at an address from `player`. Raises NotInLMS.

        The token is sent only to the LMS: the host of the address is ignored.
        """
        try:
            parts = urlsplit(address)
        except ValueError as error:
            raise NotInLMS(address) from error
        lms = urlsplit(self._base)
        own = f"{lms.scheme}://{lms.netloc}/{parts.path.lstrip('/')}"

        async def attempt() -> str:
            answer = await self._send(own, dict(parse_qsl(parts.query)))
            _raise_unless_told(own, answer)
            return answer.text

        async with self._turns:
            return await patiently(own, attempt, self._patience_s)

    async def grading_policy(self, course_id: str) -> list[AssignmentType]:
        """The assignment types of a course run that count for the grade. Raises NotInLMS."""
        address = f"{self._base}/api/grades/v1/policy/courses/{_in_path(course_id)}/"
        return [
            AssignmentType(
                str(line.get("assignment_type") or ""),
                int(_number(address, line, "count")),
                int(_number(address, line, "dropped")),
                _number(address, line, "weight"),
            )
            for line in await self._list(address, {})
        ]

    async def cohorts(self, course_id: str) -> list[Cohort]:
        """The cohorts of a course run. Raises NotInLMS."""
        address = f"{self._base}/api/cohorts/v1/courses/{_in_path(course_id)}/cohorts/"
        lines = [line async for line in self._bare_pages(address, COHORTS_PAGE_SIZE)]
        return [
            Cohort(
                int(_number(address, line, "id")),
                str(line.get("name") or ""),
                int(_number(address, line, "user_count")),
            )
            for line in lines
            if "id" in line
        ]

    async def listed(self, address: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
        """All results of a list with a link to the next page at its top level (spec 04 §4.1)."""
        return [item async for item in self._pages(address, parameters) if isinstance(item, dict)]

    async def _pages(self, address: str, parameters: dict[str, str]) -> AsyncIterator[Any]:
        page = 1
        while True:
            body = await self._object(address, {**parameters, "page": str(page)})
            results = body.get("results")
            if not isinstance(results, list):
                raise LMSUnreachable(address, "the answer has no list of results")
            for item in results:
                yield item
            pagination = body.get("pagination", body)
            if not results or not isinstance(pagination, dict) or not pagination.get("next"):
                return
            page += 1

    async def _bare_pages(self, address: str, page_size: int) -> AsyncIterator[dict[str, Any]]:
        """The items of a list whose pages do not tell if there is a next one. spec 07 §2.7"""
        page = 1
        while True:
            try:
                items = await self._list(address, {"page": str(page), "page_size": str(page_size)})
            except NotInLMS:
                if page == 1:
                    raise
                return
            for item in items:
                yield item
            if len(items) < page_size:
                return
            page += 1

    async def _object(self, address: str, parameters: dict[str, str]) -> dict[str, Any]:
        body = await self._answer(address, parameters)
        if not isinstance(body, dict):
            raise LMSUnreachable(address, "the answer is no object")
        return body

    async def _list(self, address: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
        body = await self._answer(address, parameters)
        if not isinstance(body, list):
            raise LMSUnreachable(address, "the answer is no list")
        return [item for item in body if isinstance(item, dict)]

    async def _answer(self, address: str, parameters: dict[str, str]) -> Any:
        """The JSON of the LMS's answer; the request is repeated after temporary failures.

        A request keeps its turn while it waits: otherwise, after a 429 (limits of 40 requests a minute are
        usual), all other requests would fail one by one.
        """

        async def attempt() -> Any:
            return _read(address, await self._send(address, parameters))

        async with self._turns:
            return await patiently(address, attempt, self._patience_s)

    async def _send(self, address: str, parameters: dict[str, str]) -> httpx.Response:
        """The answer to a request; if the token was revoked or forgotten, it is renewed and the request
        repeated.
        """
        try:
            token = await self._token.token()
            answer = await self._get(address, parameters, token)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                answer = await self._get(address, parameters, await self._token.token(refused=token))
        except LMSUnreachable as error:  # of the request for a token
            raise TryAgain(f"{error.reason} for a token") from error
        return answer

    async def _get(self, address: str, parameters: dict[str, str], token: str) -> httpx.Response:
        return await self._http.get(address, params=parameters, headers={"Authorization": f"JWT {token}"})


def _read(address: str, answer: httpx.Response) -> Any:
    """The JSON of an answer. Raises NotInLMS, LMSRefused, TryAgain."""
    _raise_unless_told(address, answer)
    try:
        return answer.json()
    except ValueError as error:  # a page of a proxy, or an answer cut short
        raise TryAgain("the answer is no JSON") from error


def _raise_unless_told(address: str, answer: httpx.Response) -> None:
    """Raises NotInLMS, LMSRefused, TryAgain."""
    if (again := passing(answer)) is not None:
        raise again
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise NotInLMS(address)
    if not answer.is_success:
        raise LMSRefused(address, answer.status_code)


def _number(address: str, line: dict[str, Any], name: str) -> float:
    """A number of a line, 0 if it is missing. Raises LMSUnreachable if the value is not a number."""
    value = line.get(name) or 0
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise LMSUnreachable(address, f"{name} is no number")
    return value


def _in_path(course_id: str) -> str:
    return quote(course_id, safe="/:+@")


def _details(item: Any) -> CourseDetails:
    """A course run of a list, in the form of any release: older ones have the id only in `course_id`."""
    if not isinstance(item, dict):
        item = {}
    course_id = one_line(item.get("id")) or one_line(item.get("course_id")) or ""
    return CourseDetails(
        course_id=course_id,
        name=one_line(item.get("name")) or course_id,
        start=moment(item.get("start")),
        end=moment(item.get("end")),
        pacing=one_line(item.get("pacing")),
        org=one_line(item.get("org")),
        number=one_line(item.get("number")),
        short_description=one_line(item.get("short_description")),
        enrollment_start=moment(item.get("enrollment_start")),
        enrollment_end=moment(item.get("enrollment_end")),
    )


def one_line(value: object) -> str | None:
    """The text with each run of white space as one blank; None if it is empty or not a text."""
    if not isinstance(value, str):
        return None
    # Half a character, which JSON can hold and nothing else, becomes a question mark.
    return " ".join(value.encode(errors="replace").decode().split()) or None


def moment(text: object) -> datetime | None:
    """A moment in UTC; None if it is missing or cannot be read, so that no page fails."""
    if not isinstance(text, str):
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
