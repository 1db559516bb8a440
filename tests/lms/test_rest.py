"""The LMS's REST APIs, asked at the stand-in over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date
from typing import Any, TypeVar

import httpx
import pytest
from pydantic import SecretStr

from pharos.config import LMS
from pharos.demo import lms
from pharos.demo.campus import Campus
from pharos.demo.lms_sign_in import Client
from pharos.demo.lms_throttle import Throttle
from pharos.demo.subtitles import subtitles
from pharos.lms import patience, rest
from pharos.lms.errors import LMSRefused, LMSUnreachable, NotInLMS
from pharos.lms.rest import LMSClient

T = TypeVar("T")
CAMPUS = Campus(until=date(2026, 11, 23), learners=5)
SERVICE = Client("service", "secret")


@pytest.fixture
def url(serve: Callable[[Any], str]) -> str:
    return serve(lms.create_app(CAMPUS, insights=Client("insights", "x"), service=SERVICE))


def ask(
    url: str,
    question: Callable[[LMSClient], Awaitable[T]],
    secret: str = SERVICE.secret,
    timeout_s: float = 5,
    patience_s: float = 10,
) -> T:
    async def answer() -> T:
        settings = LMS(url=url, client_id=SERVICE.id, client_secret=SecretStr(secret))
        async with httpx.AsyncClient(timeout=timeout_s) as http:
            return await question(LMSClient(settings, http, patience_s))

    with ThreadPoolExecutor(1) as other:  # a browser's driver may hold the loop of this thread
        return other.submit(lambda: asyncio.run(answer())).result()


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


def test_hidden_courses_are_seen(url: str) -> None:
    """Without the name of a user the LMS shows what somebody sees who has not signed in. spec 07 §2.4"""
    [hidden] = [course for course in CAMPUS.courses if course.hidden]
    assert hidden.id in {course.course_id for course in ask(url, lambda client: client.courses())}
    assert ask(url, lambda client: client.course(hidden.id)).name == hidden.name


def test_the_account_is_asked_for_its_name_once(unwell: Any) -> None:
    async def many(client: LMSClient) -> None:
        await asyncio.gather(*(client.course(CAMPUS.courses[0].id) for _ in range(5)))

    faulty, url = unwell(COURSES)
    ask(url, many)
    assert faulty.count(ME) == 1


def test_cohorts_come_page_by_page(serve: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The LMS gives ten, and does not say whether there are more."""
    names = tuple(f"Cohort {number}" for number in range(25))
    course = replace(CAMPUS.courses[0], cohorts=names)
    campus = Campus(until=CAMPUS.until, learners=5)
    object.__setattr__(campus, "courses", (course, *CAMPUS.courses[1:]))
    url = serve(lms.create_app(campus, insights=Client("insights", "x"), service=SERVICE))
    for size in (7, 25, 100):  # the second: a full last page, then none
        monkeypatch.setattr(rest, "COHORTS_PAGE_SIZE", size)
        cohorts = ask(url, lambda client: client.cohorts(course.id))
        assert [cohort.name for cohort in cohorts] == list(names)
    with pytest.raises(NotInLMS):
        ask(url, lambda client: client.cohorts("course-v1:No+Such+Course"))


def test_an_lms_that_lets_nobody_ask_often_is_asked_to_the_end(
    serve: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """40 requests a minute; here two a second. A question waits its turn, it does not give up."""
    monkeypatch.setattr(rest, "COURSES_PAGE_SIZE", 1)
    app = lms.create_app(
        CAMPUS, insights=Client("insights", "x"), service=SERVICE, throttle=Throttle(2, seconds=1)
    )
    faulty = Faulty(app, "/nothing")
    courses = ask(serve(faulty), lambda client: client.courses())
    assert [course.course_id for course in courses] == [course.id for course in CAMPUS.courses]
    assert faulty.count(COURSES) > len(CAMPUS.courses)  # some were refused at first


def test_videos_come_with_their_length_and_transcripts(url: str) -> None:
    course = CAMPUS.courses[0]
    tree = ask(url, lambda client: client.blocks(course.id, with_videos=True))
    for block in course.root.walk():
        if block.video is not None:
            view = tree["blocks"][block.id]["student_view_data"]
            assert view["duration"] == block.video.duration_s
            assert "en" in view["transcripts"]


def test_what_is_said_in_a_video(url: str) -> None:
    """The token goes to the LMS, whatever host an address names."""
    video = next(block for block in CAMPUS.courses[0].root.walk() if block.type == "video")
    assert video.video is not None
    view = ask(url, lambda client: client.player(video.id))
    assert f"v={video.video.youtube}" in view["encoded_videos"]["youtube"]["url"]
    address = view["transcripts"]["en"].replace(url, "https://elsewhere.example.org")
    assert ask(url, lambda client: client.transcript(address)) == subtitles(video.video.duration_s, "en")
    for unknown in (f"{address}x", "https://[bad"):
        with pytest.raises(NotInLMS):
            ask(url, lambda client, unknown=unknown: client.transcript(unknown))  # type: ignore[misc]
    assert ask(url, lambda client: client.player(CAMPUS.courses[0].root.id)) == {}
    with pytest.raises(NotInLMS):
        ask(url, lambda client: client.player(f"{video.id}x"))


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
        ask("http://127.0.0.1:9", lambda client: client.courses(), patience_s=0.1)


# --- An LMS that is unwell -------------------------------------------------------------------------------


class Faulty:
    """The stand-in, behind a list of faults: each request to the path takes the next one, if there is one."""

    def __init__(self, app: Any, path: str, *faults: str) -> None:
        self._app, self._path, self._faults = app, path, list(faults)
        self.requests: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        self.requests.append(path)
        if not path.startswith(self._path) or not self._faults:
            await self._app(scope, receive, send)
            return
        fault = self._faults.pop(0)
        if fault == "slow":
            await asyncio.sleep(0.8)
        status, _, retry_after = fault.partition(" ")
        headers = [(b"retry-after", retry_after.encode())] if retry_after else []
        body = b"<html>We will be back soon</html>"
        if fault == "dropped":
            headers.append((b"content-length", b"1000"))
        await send(
            {
                "type": "http.response.start",
                "status": int(status) if status.isdigit() else 200,
                "headers": headers,
            }
        )
        await send({"type": "http.response.body", "body": body, "more_body": fault == "dropped"})

    def count(self, path: str) -> int:
        return sum(path in request for request in self.requests)


@pytest.fixture
def unwell(serve: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Faulty, str]]:
    """`unwell(path, *faults)`: a stand-in that fails at the path, and its address."""
    monkeypatch.setattr(patience, "FIRST_DELAY_S", 0.01)

    def make(path: str, *faults: str, token_seconds: int = 3600) -> tuple[Faulty, str]:
        app = lms.create_app(
            CAMPUS, insights=Client("insights", "x"), service=SERVICE, token_seconds=token_seconds
        )
        faulty = Faulty(app, path, *faults)
        return faulty, serve(faulty)

    return make


COURSES, TOKEN, ME = "/api/courses/v1/courses/", "/oauth2/access_token", "/api/user/v1/me"
COURSE = CAMPUS.courses[0]
CATALOG = "/discovery/api/v1/course_runs/"


# What is asked about: path, question, number of answers.
QUESTIONS: dict[str, tuple[str, Callable[[LMSClient, str], Awaitable[Any]], int]] = {
    "courses": (COURSES, lambda client, _: client.courses(), len(CAMPUS.courses)),
    "cohorts": ("/api/cohorts/", lambda client, _: client.cohorts(COURSE.id), len(COURSE.cohorts)),
    "policy": ("/api/grades/", lambda client, _: client.grading_policy(COURSE.id), len(COURSE.policy)),
    "blocks": ("/api/courses/v1/blocks/", lambda client, _: client.blocks(COURSE.id), 2),
    "catalog": (
        CATALOG,
        lambda client, url: client.listed(url + CATALOG, {"page_size": "1"}),
        len(CAMPUS.courses)),
    "staff": ("/api/courses/v1/course_ids/", lambda client, _: client.course_ids_of_staff("ines"), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_api_is_asked_again_until_it_answers(unwell: Any, name: str) -> None:
    path, question, count = QUESTIONS[name]
    faulty, url = unwell(path, "500", "garbage", "dropped", "401", "429 0")
    assert len(ask(url, lambda client: question(client, url))) == count
    assert faulty.count(TOKEN) == 2  # the one that was refused is renewed
    faulty, url = unwell(path, "slow")
    assert len(ask(url, lambda client: question(client, url), timeout_s=0.4)) == count
    faulty, url = unwell(path, "403")
    with pytest.raises(LMSRefused, match="403"):
        ask(url, lambda client: question(client, url))


@pytest.mark.parametrize(
    "faults",
    [
        ("429", "503", "500"),
        ("408",),
        ("429 0",),
        ("garbage",),
        ("dropped",),
        ("502", "dropped"),
    ],
)
def test_what_may_pass_is_asked_again(unwell: Any, faults: tuple[str, ...]) -> None:
    faulty, url = unwell(COURSES, *faults)
    assert len(ask(url, lambda client: client.courses())) == len(CAMPUS.courses)
    assert faulty.count(COURSES) == len(faults) + 1
    assert faulty.count(TOKEN) == 1


def test_an_answer_that_takes_too_long_is_asked_for_again(unwell: Any) -> None:
    faulty, url = unwell(COURSES, "slow", "slow")
    assert len(ask(url, lambda client: client.courses(), timeout_s=0.4)) == len(CAMPUS.courses)
    assert faulty.count(COURSES) >= 3


@pytest.mark.parametrize("faults", [("503", "429"), ("garbage",), ("dropped",)])
def test_a_token_is_asked_for_again_as_well(unwell: Any, faults: tuple[str, ...]) -> None:
    faulty, url = unwell(TOKEN, *faults)
    assert ask(url, lambda client: client.courses())
    assert faulty.count(TOKEN) == len(faults) + 1


@pytest.mark.parametrize("status", ["400", "403"])
def test_what_will_not_pass_is_not(unwell: Any, status: str) -> None:
    faulty, url = unwell(COURSES, status)
    with pytest.raises(LMSRefused, match=status):
        ask(url, lambda client: client.courses())
    assert faulty.count(COURSES) == 1


def test_patience_ends_with_one_clear_error(unwell: Any) -> None:
    faulty, url = unwell(COURSES, *["500"] * 100)
    with pytest.raises(LMSUnreachable) as caught:
        ask(url, lambda client: client.courses(), patience_s=2)
    assert str(caught.value).startswith(f"{url}{COURSES}: the LMS gave no usable answer (status 500; tried ")
    assert 1 < faulty.count(COURSES) < 20


def test_an_lms_that_wants_to_be_left_alone_for_long_is(unwell: Any) -> None:
    faulty, url = unwell(COURSES, "429 3600")
    with pytest.raises(LMSUnreachable, match="status 429"):
        ask(url, lambda client: client.courses())
    assert faulty.count(COURSES) == 1


def test_a_token_the_lms_has_forgotten_is_renewed(unwell: Any) -> None:
    faulty, url = unwell(COURSES, "401")
    assert ask(url, lambda client: client.courses())
    assert faulty.count(TOKEN) == 2


def test_an_account_that_is_refused_with_every_token_is_refused(unwell: Any) -> None:
    _, url = unwell(COURSES, "401", "401")
    with pytest.raises(LMSRefused, match="401"):
        ask(url, lambda client: client.courses())


def test_a_token_is_used_until_shortly_before_its_end(unwell: Any) -> None:
    async def twice(client: LMSClient) -> None:
        await client.courses()
        await client.courses()

    faulty, url = unwell(COURSES)
    ask(url, twice)
    assert faulty.count(TOKEN) == 1
    faulty, url = unwell(COURSES, token_seconds=1)
    ask(url, twice)
    assert faulty.count(TOKEN) > 1


def test_many_questions_share_a_token_and_are_asked_a_few_at_a_time(unwell: Any) -> None:
    async def many(client: LMSClient) -> None:
        await asyncio.gather(*(client.course(CAMPUS.courses[0].id) for _ in range(20)))

    class Watched(Faulty):
        now = most = 0

        async def __call__(self, *arguments: Any) -> None:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0.01)
            await super().__call__(*arguments)
            self.now -= 1

    faulty, url = unwell(COURSES)
    faulty.__class__ = Watched
    ask(url, many)
    assert faulty.count(TOKEN) == 1
    assert 1 < faulty.most <= rest.MOST_AT_ONCE


@pytest.mark.parametrize(
    ("body", "question"),
    [
        ("[]", lambda client: client.courses()),
        ('{"results": 3}', lambda client: client.courses()),
        ('{"pagination": {}}', lambda client: client.courses()),
        ("null", lambda client: client.blocks("c")),
        ("{}", lambda client: client.grading_policy("c")),
        ('[{"weight": "much"}]', lambda client: client.grading_policy("c")),
        ('[{"count": NaN}]', lambda client: client.grading_policy("c")),
        ("{}", lambda client: client.cohorts("c")),
        ('[{"id": "one"}]', lambda client: client.cohorts("c")),
        ("[]", lambda client: client.course_ids_of_staff("c")),
    ],
)
def test_an_answer_of_another_shape_is_no_answer(
    serve: Callable[[Any], str], body: str, question: Callable[[LMSClient], Awaitable[Any]]
) -> None:
    with pytest.raises(LMSUnreachable):
        ask(answering(serve, body), question)


def test_courses_of_any_release_and_none_without_an_id(serve: Callable[[Any], str]) -> None:
    """spec 04 §3.2, §12.21"""
    url = answering(
        serve,
        '{"results": [{"id": "a/b/c", "name": " A  \\n B "}, {"course_id": "d/e/f"}, {"id": null}, 7, {}],'
        ' "pagination": {"next": null}}',
    )
    assert [(c.course_id, c.name) for c in ask(url, lambda client: client.courses())] == [
        ("a/b/c", "A B"),
        ("d/e/f", "d/e/f"),
    ]


def test_an_outline_a_policy_and_cohorts(url: str) -> None:
    course = CAMPUS.courses[0]
    tree = ask(url, lambda client: client.blocks(course.id))
    assert tree["root"] == course.root.id
    told = {block.id for block in course.root.walk() if block.type != "discussion"}
    assert set(tree["blocks"]) == told
    policy = ask(url, lambda client: client.grading_policy(course.id))
    assert [(line.name, line.weight) for line in policy] == [
        (line.name, line.weight) for line in course.policy
    ]
    cohorts = ask(url, lambda client: client.cohorts(course.id))
    assert [cohort.name for cohort in cohorts] == list(course.cohorts)


def answering(serve: Callable[[Any], str], body: str) -> str:
    """The address of an LMS that gives out tokens and says the same to everything else."""

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        known = {TOKEN: '{"access_token": "t", "expires_in": 3600}', ME: '{"username": "service"}'}
        text = known.get(scope["path"], body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text.encode()})

    return serve(app)
