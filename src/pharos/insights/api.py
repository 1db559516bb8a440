"""Insights' client of the Data API: one method per question; rows have the keys of the API's JSON.

No rows (404 from the API) is an empty list; any other failure is DataAPIError. Field names and shapes are
those of spec 05 §5-7.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from pharos.config import InsightsSettings
from pharos.errors import PharosError
from pharos.insights import small_groups, waiting
from pharos.insights.refreshed import Refreshed

Row = dict[str, Any]
TIMEOUT_S = 10.0
HEALTH_S = 2.0
SUMMARIES = "v1/course_summaries/"
FLOW = "course_enrollment_flow_daily"
CURRENT_WEEK = "course_activity_current_week"
SITE_WEEKS = "course_activity_site_week"
SITE_FRESH_S = 10.0
SITE_STALE_S = 24 * 3600.0
SITE_ANSWERS = 12  # large ones; some are of a day, and asked for no more the day after


class DataAPIError(PharosError):
    """The Data API gave no usable answer."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"{self.path}: the Data API gave no usable answer ({self.reason}); check that it runs at "
            "insights.data_api_url and that insights.data_api_token is valid"
        )


class LearnersNotShown(PharosError):
    """The settings, or the rights of Insights' token, do not permit showing single learners of a course."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"single learners are not shown: {self.reason}; see data_api.learners, privacy and the rights of "
            "insights.data_api_token (pharos token create --learners)"
        )


class DataAPIBusy(DataAPIError):
    """The Data API works, but Insights has sent too many requests within a minute (status 429)."""

    def __init__(self, path: str, reason: str, wait_s: int = 1) -> None:
        super().__init__(path, reason)
        self.wait_s = wait_s

    def __str__(self) -> str:
        return (
            f"{self.path}: the rate of the token of Insights is used up for {self.wait_s} s; give "
            "insights.data_api_token a higher one (pharos token create --requests-per-minute)"
        )


@dataclass(frozen=True)
class Definition:
    """The meaning and freshness of a number, in the Data API's words."""

    table: str
    title: str
    version: int
    meaning: str
    formula: str
    edge_cases: tuple[str, ...]
    source: str
    spec: str
    until: datetime | None
    """The results describe the time before this moment, UTC."""
    last_event: datetime | None
    published: datetime | None
    history_until: date | None = None
    """Days up to this one were counted by the program before Pharos; None: no days were."""


class DataAPI:
    """A client of the Data API. All methods raise DataAPIError."""

    def __init__(
        self, settings: InsightsSettings, http: httpx.AsyncClient, week_start: str = "monday"
    ) -> None:
        self._week_start = week_start
        self._base = f"{settings.data_api_url.rstrip('/')}/api"
        token = settings.data_api_token
        self._headers = {"Authorization": f"Token {token.get_secret_value()}"} if token else {}
        self._http = http
        self._least = settings.minimum_cell
        self._unchanged: dict[str, tuple[str, str, list[Row]]] = {}
        """By address without parameters: address, ETag and rows of the last answer."""
        self._site: Refreshed[str, list[Row]] = Refreshed(
            self._site_rows,
            fresh_s=SITE_FRESH_S,
            stale_s=SITE_STALE_S,
            forgiven=DataAPIError,
            most=SITE_ANSWERS,
            patience=waiting.for_services,
        )

    async def summaries(self) -> list[Row]:
        """All course runs with their current enrollment, by mode. Shared and a few seconds old.

        `recent_count_change` is the change of enrollment over the last seven days counted; the sum of
        `count_change_7_days` lacks modes that all learners have left (spec 05 §7.1).
        """
        before = await self.last_day() - timedelta(days=7)
        return await self._of_site(f"{SUMMARIES}?exclude=programs&recent_date={before.isoformat()}")

    async def last_day(self) -> date:
        """The last day that the summaries describe; yesterday if their publication is unknown."""
        definition = (await self.definitions()).get("course_meta_summary_enrollment")
        until = definition.until if definition else None
        if until is None:
            return (datetime.now(UTC) - timedelta(days=1)).date()
        return (until - timedelta(microseconds=1)).date()

    async def programs(self) -> list[Row]:
        """All programs with their course runs. Shared and a few seconds old."""
        return await self._of_site("v1/programs/")

    async def definitions(self) -> dict[str, Definition]:
        """Definition and freshness of each result table, by table name."""
        rows = await self._of_site("v1/metrics/")
        return {row["table"]: _definition(row) for row in rows}

    async def enrollment_by_mode(self, course_id: str) -> list[Row]:
        """Enrollment by mode for each day, oldest first."""
        return _by("date", await self._course_rows(course_id, f"enrollment/mode/?{_whole_history()}"))

    async def enrollment(self, course_id: str) -> list[Row]:
        """Enrollment for each day, oldest first."""
        return _by("date", await self._course_rows(course_id, f"enrollment/?{_whole_history()}"))

    async def enrollment_between(self, course_id: str, start: date, end: date) -> list[Row]:
        """Enrollment for each day from start to before end, oldest first."""
        query = f"start_date={start.isoformat()}&end_date={end.isoformat()}"
        return _by("date", await self._course_rows(course_id, f"enrollment/?{query}"))

    async def enrollment_flow(self, course_id: str, first: date = date.min) -> list[Row] | None:
        """Learners who joined and left, by day from the first such day on, oldest first.

        None if it is not computed, as in a store that Pharos did not fill.
        """
        if not await self._is_published(FLOW):
            return None
        query = _whole_history() if first == date.min else f"start_date={first.isoformat()}"
        return _by("date", await self._course_rows(course_id, f"enrollment/flow/?{query}"))

    async def enrollment_flows(self) -> list[Row] | None:
        """Learners who joined and left each course in the last seven days counted.

        Courses without either are absent. Shared and a few seconds old. None if it is not computed for each
        of these days.
        """
        if not await self._is_published(FLOW):
            return None
        first = await self.last_day() - timedelta(days=6)
        counted = (await self.definitions()).get("course_enrollment_daily")
        if counted is not None and counted.history_until is not None and counted.history_until >= first:
            return None
        return await self._of_site(f"v1/enrollment_flows/?start_date={first.isoformat()}")

    async def passing(self, course_id: str) -> list[Row]:
        """Learners who passed, by day, oldest first; days on which nobody passed have no row."""
        if not await self._is_published("course_passing_daily"):
            return []
        return _by("date", await self._course_rows(course_id, f"passing/?{_whole_history()}"))

    async def languages(self, course_id: str) -> list[Row]:
        """Learners of the latest day by language: `count` by that of their browser, `chosen` by that of their
        account, None where nobody has chosen one. Small groups count as unknown; a hidden count is None.
        """
        browsers, accounts = await asyncio.gather(
            self._by_language(course_id, "course_enrollment_language_current", "enrollment/language/"),
            self._by_language(
                course_id, "course_enrollment_chosen_language_current", "enrollment/chosen_language/"
            ),
        )
        chosen = {row["language"]: row["count"] for row in accounts}
        absent = None if self._least else 0
        rows = [row | {"chosen": chosen.pop(row["language"], absent)} for row in browsers]
        rows += [
            row | {"count": absent, "chosen": row["count"]} for row in accounts if row["language"] in chosen
        ]
        has_chosen = any(row["count"] for row in accounts if row["language"] is not None)
        return rows if has_chosen else [row | {"chosen": None} for row in browsers]

    async def _by_language(self, course_id: str, table: str, path: str) -> list[Row]:
        if not await self._is_published(table):
            return []
        rows = await self._course_rows(course_id, path)
        return small_groups.without(rows, "language", None, self._least)

    async def transcript_languages(self, course_id: str) -> list[Row]:
        """Videos with a transcript, by its language."""
        return await self._rows_if_published(
            "course_transcript_language", _of_course(course_id, "transcript_languages/")
        )

    async def reconciliation(self, course_id: str) -> list[Row] | None:
        """Agreement of events and LMS about enrollments: one row or none; None if it is not computed."""
        if not await self._is_published("enrollment_reconciliation"):
            return None
        return await self._course_rows(course_id, "enrollment/reconciliation/")

    async def current_week(self, course_id: str) -> list[Row] | None:
        """Active learners of the current week: one row, or none; None if it is not computed."""
        if not await self._is_published(CURRENT_WEEK):
            return None
        return await self._course_rows(course_id, "activity/current_week/")

    async def _is_published(self, table: str) -> bool:
        definition = (await self.definitions()).get(table)
        return definition is not None and definition.until is not None

    async def activity(self, course_id: str) -> list[Row]:
        """Active learners by week, oldest first; weeks begin on the site's weekday."""
        path = "activity/"
        if self._week_start != "monday" and await self._is_published(SITE_WEEKS):
            path = "activity/site_weeks/"
        return _by("interval_end", await self._course_rows(course_id, f"{path}?{_whole_history()}"))

    async def birth_years(self, course_id: str) -> list[Row]:
        """Learners by year of birth on the latest day."""
        rows = await self._course_rows(course_id, "enrollment/birth_year/", version="v0")
        return small_groups.without(rows, "birth_year", None, self._least)

    async def education(self, course_id: str) -> list[Row]:
        """Learners by level of education on the latest day."""
        rows = await self._course_rows(course_id, "enrollment/education/")
        return small_groups.without(rows, "education_level", None, self._least)

    async def gender(self, course_id: str) -> list[Row]:
        """Learners by gender for each day, oldest first."""
        rows = _by("date", await self._course_rows(course_id, f"enrollment/gender/?{_whole_history()}"))
        return [small_groups.genders_without(row, self._least) for row in rows]

    async def locations(self, course_id: str) -> list[Row]:
        """Learners by country on the latest day."""
        rows = await self._course_rows(course_id, "enrollment/location/")
        return small_groups.without(rows, "country", small_groups.UNKNOWN_COUNTRY, self._least)

    async def problems(self, course_id: str) -> list[Row]:
        """Number of last answers to each problem, and of right ones: learners, averaged over parts."""
        return await self._course_rows(course_id, "problems/")

    async def problems_and_tags(self, course_id: str) -> list[Row]:
        """Number of submissions of each tagged problem, and of right ones: every attempt counts."""
        return await self._course_rows(course_id, "problems_and_tags/")

    async def findings(self, course_id: str) -> list[Row]:
        """Findings about the course, most urgent first."""
        return await self._rows_if_published("finding", _of_course(course_id, "findings/"))

    async def item_quality(self, course_id: str) -> list[Row]:
        """Quality of each part of the course's problems as a question, by problem, part and variant."""
        return await self._rows_if_published("item_quality", _of_course(course_id, "item_quality/"))

    async def item_answers(self, course_id: str, problem_id: str) -> list[Row]:
        """The answers to each part of a problem, with the strong and weak learners who gave them."""
        path = f"v1/problems/{_quoted(problem_id)}/item_answers/"
        rows = await self._rows_if_published("item_answer", path)
        return [row for row in rows if row["course_id"] == course_id]

    async def videos(self, course_id: str) -> list[Row]:
        """The watched videos of the course, with their viewers."""
        return await self._course_rows(course_id, "videos/")

    async def course_flow(self, course_id: str) -> list[Row]:
        """Counts of learners by place, in the order of the course; empty if they are not computed."""
        return await self._rows_if_published("course_flow", _of_course(course_id, "course_flow/"))

    async def video_coverage(self, course_id: str) -> list[Row]:
        """Learners of each video by the share that they watched; empty if it is not computed."""
        return await self._rows_if_published("video_coverage", _of_course(course_id, "video_coverage/"))

    async def video_timeline(self, video_id: str) -> list[Row]:
        """Viewers and views of each part of a video, by its pipeline_video_id."""
        return await self._rows(f"v1/videos/{_quoted(video_id)}/timeline/")

    async def coverage_of_video(self, video_id: str) -> list[Row]:
        """Learners of a video by the share that they watched; empty if it is not computed."""
        return await self._rows_if_published("video_coverage", f"v1/videos/{_quoted(video_id)}/coverage/")

    async def places_of_video(self, video_id: str) -> list[Row]:
        """Peaks and drops of a video; empty if they are not computed."""
        return await self._rows_if_published("video_place", f"v1/videos/{_quoted(video_id)}/places/")

    async def weeks_of_video(self, video_id: str) -> list[Row]:
        """Learners of a video by week, oldest first; empty if it is not computed."""
        return await self._rows_if_published("video_week", f"v1/videos/{_quoted(video_id)}/weeks/")

    async def video_weeks(self, course_id: str) -> list[Row]:
        """Learners of each video by week, oldest first; empty if it is not computed."""
        return await self._rows_if_published("video_week", _of_course(course_id, "video_weeks/"))

    async def watching_of_video(self, video_id: str) -> list[Row]:
        """Viewing of a video by speed, device and so on, and next activities; empty if not computed."""
        return await self._rows_if_published("video_watching", f"v1/videos/{_quoted(video_id)}/watching/")

    async def answer_distribution(self, course_id: str, problem_id: str) -> list[Row]:
        """The answers to each part of a problem, by part; empty for a problem of another course run."""
        rows = await self._rows(f"v1/problems/{_quoted(problem_id)}/answer_distribution/")
        return [row for row in rows if row["course_id"] == course_id]

    async def report(self, course_id: str, name: str) -> Row | None:
        """A link to the course's report, valid for a few minutes, and the report's time; None without a
        report.
        """
        path = f"v1/courses/{_quoted(course_id)}/reports/{name}/"
        answer = await self._get(path, {"Accept": "application/json"})
        if answer.status_code in {httpx.codes.NOT_FOUND, httpx.codes.NOT_IMPLEMENTED}:
            return None
        _expect_success(path, answer)
        try:
            found = answer.json()
        except ValueError as error:
            raise DataAPIError(path, "the answer is not JSON") from error
        if not isinstance(found, dict) or not isinstance(found.get("download_url"), str):
            raise DataAPIError(path, "the answer has no download_url")
        return found

    async def learners(self, course_id: str, wanted: Mapping[str, str]) -> Row:
        """A page of the learners of the course: count, num_pages and results. Raises LearnersNotShown.

        `wanted`: parameters of spec 05 §10.2. For a page number beyond the end, the last page.
        """
        query = {"course_id": course_id, **wanted}
        found = await self._about_learners(f"v0/learners/?{urlencode(query)}")
        if found is None:
            found = await self._about_learners(f"v0/learners/?{urlencode(query | {'page': 'last'})}")
        return found or {"count": 0, "num_pages": 1, "results": []}

    async def all_learners(self, course_id: str, wanted: Mapping[str, str]) -> list[Row]:
        """All learners of the course that are wanted. Raises LearnersNotShown."""
        path = f"v1/courses/{_quoted(course_id)}/learners/?{urlencode(wanted)}"
        return await self._about_learners(path) or []

    async def learner(self, course_id: str, username: str) -> Row | None:
        """One learner of the course. Raises LearnersNotShown."""
        query = urlencode({"course_id": course_id})
        found: Row | None = await self._about_learners(f"v0/learners/{_quoted(username)}/?{query}")
        return found

    async def learner_statuses(self, course_id: str) -> dict[str, int] | None:
        """Number of learners of the course by status; None if it is not computed."""
        if not await self._is_published("learner_status"):
            return None
        rows = await self._course_rows(course_id, "learner_statuses/")
        return {row["status"]: row["count"] for row in rows}

    async def status_of_learners(self, course_id: str, usernames: Sequence[str]) -> dict[str, Row]:
        """User name -> status row of these learners; empty if it is not computed. Raises LearnersNotShown."""
        if not usernames or not await self._is_published("learner_status"):
            return {}
        query = urlencode({"username": ",".join(usernames), "page_size": len(usernames)})
        found = await self._about_learners(f"v1/courses/{_quoted(course_id)}/learners_by_status/?{query}")
        return {row["username"]: row for row in found["results"]} if found else {}

    async def learner_days(self, course_id: str, username: str) -> list[Row]:
        """The learner's activity from the first to the last day with engagement. Raises LearnersNotShown."""
        query = urlencode({"course_id": course_id})
        found = await self._about_learners(f"v0/engagement_timelines/{_quoted(username)}/?{query}")
        return found["days"] if found else []

    async def learner_metadata(self, course_id: str) -> Row:
        """Learners of the course by mode, segment and cohort, and ranges. Raises LearnersNotShown."""
        found: Row | None = await self._about_learners(f"v0/course_learner_metadata/{_quoted(course_id)}/")
        if found is None:
            raise LearnersNotShown("the Data API has no data of learners")
        return found

    async def _about_learners(self, path: str) -> Any:
        """The answer; None if the learner or page does not exist. Raises LearnersNotShown."""
        answer = await self._get(path, {"Accept": "application/json"})
        if answer.status_code == httpx.codes.FORBIDDEN:
            raise LearnersNotShown("the Data API refused the token")
        try:
            found = answer.json()
        except ValueError as error:
            raise DataAPIError(path, "the answer is not JSON") from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            if found == {"status": 404}:
                raise LearnersNotShown("the Data API serves none")
            return None
        _expect_success(path, answer)
        return found

    async def answers(self) -> bool:
        """True if the Data API answers and is ready; for the health page."""
        try:
            async with asyncio.timeout(HEALTH_S):
                answer = await self._http.get(self._base.removesuffix("/api") + "/health/")
        except (httpx.HTTPError, TimeoutError):
            return False
        return answer.is_success

    async def is_signed_out(self, session_id: str) -> bool:
        """True if this session was ended; False if the Data API is too old to store sign-outs."""
        path = f"v1/sign_outs/{_quoted(session_id)}/"
        answer = await self._get(path, {"Accept": "application/json"})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        _expect_success(path, answer)
        try:
            return bool(answer.json()["signed_out"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataAPIError(path, "the answer does not say") from error

    async def sign_out(self, session_id: str, until: float) -> None:
        """End the session. `until`: its natural end, in seconds since 1970."""
        path = f"v1/sign_outs/{_quoted(session_id)}/"
        try:
            answer = await self._http.put(
                f"{self._base}/{path}", headers=self._headers, json={"until": int(until)}
            )
        except httpx.HTTPError as error:
            raise DataAPIError(path, type(error).__name__) from error
        _expect_success(path, answer)

    async def _course_rows(self, course_id: str, question: str, version: str = "v1") -> list[Row]:
        return await self._rows(_of_course(course_id, question, version))

    async def _rows_if_published(self, table: str, path: str) -> list[Row]:
        """The rows of a path; empty if the site does not publish their table."""
        return await self._rows(path) if await self._is_published(table) else []

    async def _rows(self, path: str) -> list[Row]:
        return _parsed(path, await self._get(path, {"Accept": "application/json"}))

    async def _site_rows(self, path: str) -> list[Row]:
        """Like `_rows`; an unchanged answer is neither sent nor parsed again."""
        place = path.partition("?")[0]
        last_path, tag, rows = self._unchanged.get(place, ("", "", []))
        tag = tag if last_path == path else ""
        headers = {"Accept": "application/json"} | ({"If-None-Match": tag} if tag else {})
        answer = await self._get(path, headers)
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return rows
        rows = _parsed(path, answer)
        self._unchanged[place] = (path, answer.headers.get("ETag", ""), rows)
        return rows

    async def _of_site(self, path: str) -> list[Row]:
        try:
            return await self._site.get(path)
        except TimeoutError as error:
            raise DataAPIError(path, "not within the time of a page") from error

    async def _get(self, path: str, headers: dict[str, str]) -> httpx.Response:
        try:
            async with asyncio.timeout(waiting.for_services(TIMEOUT_S)):
                return await self._http.get(f"{self._base}/{path}", headers=self._headers | headers)
        except (httpx.HTTPError, TimeoutError) as error:
            raise DataAPIError(path, type(error).__name__) from error


def _parsed(path: str, answer: httpx.Response) -> list[Row]:
    if answer.status_code == httpx.codes.NOT_FOUND:
        return []
    _expect_success(path, answer)
    try:
        rows = answer.json()
    except ValueError as error:
        raise DataAPIError(path, "the answer is not JSON") from error
    if not isinstance(rows, list):
        raise DataAPIError(path, "the answer is no list")
    return rows


def _expect_success(path: str, answer: httpx.Response) -> None:
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        wait = answer.headers.get("Retry-After", "")
        raise DataAPIBusy(path, "status 429", int(wait) if wait.isascii() and wait.isdigit() else 1)
    if not answer.is_success:
        raise DataAPIError(path, f"status {answer.status_code}")


def _of_course(course_id: str, question: str, version: str = "v1") -> str:
    return f"{version}/courses/{_quoted(course_id)}/{question}"


def _quoted(course_id: str) -> str:
    return quote(course_id, safe="")


def _whole_history() -> str:
    """Query parameters for the whole history: without them the API returns only the latest day or week."""
    return f"end_date={(datetime.now(UTC) + timedelta(days=2)).date().isoformat()}"


def _by(key: str, rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(row[key]))


def _definition(row: Row) -> Definition:
    fresh = row.get("freshness") or {}
    return Definition(
        table=row["table"],
        title=row["title"],
        version=row["version"],
        meaning=row["meaning"],
        formula=row["formula"],
        edge_cases=tuple(row["edge_cases"]),
        source=row["source"],
        spec=row.get("spec", ""),
        until=moment(fresh.get("until")),
        last_event=moment(fresh.get("last_event")),
        published=moment(fresh.get("published")),
        history_until=day(fresh["history_until"]) if fresh.get("history_until") else None,
    )


def moment(text: object) -> datetime | None:
    """A moment from the API (`2031-03-02T040506` or ISO 8601), in UTC; None if it is missing."""
    if not isinstance(text, str) or not text:
        return None
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def day(text: str) -> date:
    """A day from the API, `2031-03-02`."""
    return date.fromisoformat(text[:10])
