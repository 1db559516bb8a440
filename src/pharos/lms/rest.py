"""The REST APIs of the LMS that Pharos reads (spec 06 §6), with the service account's token.

Answers questions, keeps nothing but the token: who caches, for how long and what to do when the LMS is down
is for the caller to decide.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from pharos.config import LMS
from pharos.lms.errors import LMSRefused, LMSUnreachable, NotInLMS
from pharos.lms.oauth import ServiceToken, base_url

IDS_PAGE_SIZE = 1000
COURSES_PAGE_SIZE = 100


@dataclass(frozen=True)
class CourseDetails:
    """What the LMS says about a course run; times in UTC."""

    course_id: str
    name: str
    start: datetime | None
    end: datetime | None
    pacing: str | None
    """`instructor` or `self`."""


class LMSClient:
    """Questions to the LMS. All methods raise LMSError's kinds."""

    def __init__(self, lms: LMS, http: httpx.AsyncClient) -> None:
        self._api = f"{base_url(lms)}/api/courses/v1"
        self._http = http
        self._token = ServiceToken(lms, http)

    async def course_ids_of_staff(self, username: str) -> frozenset[str]:
        """The course runs whose team the person belongs to (role staff); none for who is unknown there.

        Source: spec 06 §5.
        """
        parameters = {"username": username, "role": "staff", "page_size": str(IDS_PAGE_SIZE)}
        try:
            return frozenset([str(i) async for i in self._pages(f"{self._api}/course_ids/", parameters)])
        except NotInLMS:
            return frozenset()

    async def courses(self) -> list[CourseDetails]:
        """All course runs of the LMS's catalog that the service account may see."""
        parameters = {"page_size": str(COURSES_PAGE_SIZE)}
        return [_details(item) async for item in self._pages(f"{self._api}/courses/", parameters)]

    async def course(self, course_id: str) -> CourseDetails:
        """One course run. Raises NotInLMS."""
        return _details(await self._get(f"{self._api}/courses/{quote(course_id, safe='/:+@')}/", {}))

    async def _pages(self, address: str, parameters: dict[str, str]) -> AsyncIterator[Any]:
        page = 1
        while True:
            body = await self._get(address, {**parameters, "page": str(page)})
            for item in body.get("results", []):
                yield item
            if not body.get("pagination", {}).get("next"):
                return
            page += 1

    async def _get(self, address: str, parameters: dict[str, str]) -> dict[str, Any]:
        answer = await self._send(address, parameters, renew_token=False)
        if answer.status_code == httpx.codes.UNAUTHORIZED:  # the LMS may have revoked or forgotten it
            answer = await self._send(address, parameters, renew_token=True)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotInLMS(address)
        if answer.is_client_error:
            raise LMSRefused(address, answer.status_code)
        try:
            answer.raise_for_status()
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise LMSUnreachable(address, type(error).__name__) from error
        if not isinstance(body, dict):
            raise LMSUnreachable(address, "the answer is no object")
        return body

    async def _send(self, address: str, parameters: dict[str, str], *, renew_token: bool) -> httpx.Response:
        headers = await self._token.header(renew=renew_token)
        try:
            return await self._http.get(address, params=parameters, headers=headers)
        except httpx.HTTPError as error:
            raise LMSUnreachable(address, type(error).__name__) from error


def _details(item: dict[str, Any]) -> CourseDetails:
    course_id = str(item.get("course_id") or item.get("id") or "")
    return CourseDetails(
        course_id=course_id,
        name=str(item.get("name") or course_id),
        start=_moment(item.get("start")),
        end=_moment(item.get("end")),
        pacing=item.get("pacing"),
    )


def _moment(text: object) -> datetime | None:
    """A moment in UTC; None for none and for what cannot be read, which must not fail a page."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
