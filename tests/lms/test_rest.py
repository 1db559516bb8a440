"""The LMS's REST APIs, asked at the stand-in over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date
from typing import Any, TypeVar

import httpx
import pytest

from pharos.config import LMS
from pharos.demo import lms
from pharos.demo.campus import Campus
from pharos.demo.lms_sign_in import Client
from pharos.lms import rest
from pharos.lms.errors import LMSRefused, LMSUnreachable, NotInLMS
from pharos.lms.rest import LMSClient

T = TypeVar("T")
CAMPUS = Campus(until=date(2026, 11, 23), learners=5)
SERVICE = Client("service", "secret")


@pytest.fixture
def url(serve: Callable[[Any], str]) -> str:
    return serve(lms.create_app(CAMPUS, insights=Client("insights", "x"), service=SERVICE))


def ask(url: str, question: Callable[[LMSClient], Awaitable[T]], secret: str = SERVICE.secret) -> T:
    async def answer() -> T:
        async with httpx.AsyncClient(timeout=5) as http:
            return await question(LMSClient(LMS(url=url, client_id=SERVICE.id, client_secret=secret), http))

    return asyncio.run(answer())


def test_course_ids_are_those_of_the_team(url: str) -> None:
    first, *others = [course.id for course in CAMPUS.courses]
    assert ask(url, lambda client: client.course_ids_of_staff("ines")) == {first}
    assert ask(url, lambda client: client.course_ids_of_staff("tomas")) == set(others)
    assert ask(url, lambda client: client.course_ids_of_staff("lena")) == frozenset()
    assert ask(url, lambda client: client.course_ids_of_staff("nobody")) == frozenset()


def test_all_pages_are_read(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "COURSES_PAGE_SIZE", 1)
    courses = ask(url, lambda client: client.courses())
    assert [course.course_id for course in courses] == [course.id for course in CAMPUS.courses]


def test_details_are_in_utc(url: str) -> None:
    course = ask(url, lambda client: client.course(CAMPUS.courses[0].id))
    assert course.name == CAMPUS.courses[0].name
    assert course.start is not None
    assert course.start.tzinfo is UTC


def test_what_goes_wrong_is_told_apart(url: str) -> None:
    with pytest.raises(NotInLMS):
        ask(url, lambda client: client.course("course-v1:No+Such+Course"))
    with pytest.raises(LMSRefused):
        ask(url, lambda client: client.courses(), secret="wrong")
    with pytest.raises(LMSUnreachable):
        ask("http://127.0.0.1:9", lambda client: client.courses())
