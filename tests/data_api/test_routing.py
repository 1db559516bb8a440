"""The description of the endpoints: complete, and its examples are true."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from pharos.config import Settings
from pharos.data_api.app import SUBJECTS, create_app
from pharos.data_api.reading import WORKERS
from pharos.data_api.routing import examples

TOKEN = "a" * 40
CID = "course-v1:OrgX+ABC101+2031_T1"
P1 = "block-v1:OrgX+ABC101+2031_T1+type@problem+block@p1"
COURSE = quote(CID, safe="")
PATHS = {
    "activity": f"v0/courses/{CID}/activity/?start_date=2031-02-01",
    "activity_of_site_weeks": f"v1/courses/{CID}/activity/site_weeks/",
    "activity_of_current_week": f"v1/courses/{CID}/activity/current_week/",
    "recent_activity": f"v0/courses/{CID}/recent_activity/",
    "enrollment": f"v0/courses/{CID}/enrollment/",
    "enrollment_by_mode": f"v0/courses/{CID}/enrollment/mode/",
    "enrollment_flow": f"v1/courses/{CID}/enrollment/flow/?start_date=2031-02-28",
    "enrollment_flows": "v1/enrollment_flows/?start_date=2031-02-28",
    "enrollment_reconciliation": f"v1/courses/{CID}/enrollment/reconciliation/",
    "enrollment_by_language": f"v1/courses/{CID}/enrollment/language/",
    "enrollment_by_chosen_language": f"v1/courses/{CID}/enrollment/chosen_language/",
    "transcript_languages": f"v1/courses/{CID}/transcript_languages/",
    "passing": f"v1/courses/{CID}/passing/?start_date=2031-02-28",
    "enrollment_by_birth_year": f"v0/courses/{CID}/enrollment/birth_year/",
    "enrollment_by_education": f"v0/courses/{CID}/enrollment/education/",
    "enrollment_by_gender": f"v0/courses/{CID}/enrollment/gender/",
    "enrollment_by_location": f"v0/courses/{CID}/enrollment/location/",
    "problems": f"v0/courses/{CID}/problems/",
    "problems_and_tags": f"v0/courses/{CID}/problems_and_tags/",
    "answer_distribution": f"v0/problems/{P1}/answer_distribution/",
    "item_quality": f"v1/courses/{CID}/item_quality/",
    "item_answers": f"v1/problems/{P1}/item_answers/",
    "findings": f"v1/courses/{CID}/findings/",
    "grade_distribution": f"v0/problems/{P1}/grade_distribution/",
    "sequential_open_distribution": f"v0/problems/{P1}/sequential_open_distribution/",
    "videos": f"v0/courses/{CID}/videos/",
    "video_timeline": f"v0/videos/{CID}|v1/timeline/",
    "video_coverage": f"v1/courses/{CID}/video_coverage/",
    "coverage_of_video": f"v1/videos/{CID}|v1/coverage/",
    "video_places": f"v1/courses/{CID}/video_places/",
    "places_of_video": f"v1/videos/{CID}|v1/places/",
    "video_weeks": f"v1/courses/{CID}/video_weeks/",
    "weeks_of_video": f"v1/videos/{CID}|v1/weeks/",
    "video_watching": f"v1/courses/{CID}/video_watching/",
    "watching_of_video": f"v1/videos/{CID}|v1/watching/",
    "user_engagement": f"v0/courses/{CID}/user_engagement/",
    "enterprise_engagements": "v0/enterprise/5c0dd495-e726-46fa-a6a8-2d8d26c716c9/engagements/",
    "course_summaries": f"v0/course_summaries/?course_ids={COURSE}",
    "course_totals": "v0/course_totals/",
    "programs": "v0/programs/",
    "learner": f"v0/learners/ann/?course_id={COURSE}",
    "learners": f"v0/learners/?course_id={COURSE}",
    "engagement_timeline": f"v0/engagement_timelines/ann/?course_id={COURSE}",
    "all_learners": f"v1/courses/{CID}/learners/?cohort=Team%20A",
    "course_flow": f"v1/courses/{CID}/course_flow/",
    "learner_statuses": f"v1/courses/{CID}/learner_statuses/",
    "learners_by_status": f"v1/courses/{CID}/learners_by_status/",
    "course_learner_metadata": f"v0/course_learner_metadata/{CID}/",
}
OF_FILES = {"report", "metrics"}  # answers that change with time or release


def test_every_endpoint_has_an_example() -> None:
    functions = {endpoint.function.__name__ for subject in SUBJECTS for endpoint in subject.endpoints}
    assert functions == set(examples()) == set(PATHS) | OF_FILES


@pytest.mark.parametrize("name", PATHS)
def test_the_example_is_what_the_rows_of_the_specification_give(api: httpx.Client, name: str) -> None:
    assert api.get(f"/api/{PATHS[name]}").json() == examples()[name]


def test_everything_is_described() -> None:
    document = create_app(Settings()).openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            at = f"{method} {path}"
            assert operation.get("description"), at
            for parameter in operation.get("parameters", ()):
                assert parameter.get("description"), f"{at}: {parameter['name']}"
            if path.startswith("/api/v") and operation["tags"] not in (["Operation"], ["Exports"]):
                answer = operation["responses"]["200"]["content"]["application/json"]
                assert answer["example"], at
                assert answer["schema"], at
                assert operation["security"] == [{"Token": []}], at
    assert "Token" in document["components"]["securitySchemes"]


def test_the_definition_of_each_figure_is_in_the_description() -> None:
    paths: dict[str, Any] = create_app(Settings()).openapi()["paths"]
    for subject in SUBJECTS:
        for endpoint in subject.endpoints:
            operation = paths[
                f"/api/{endpoint.versions[0]}/{endpoint.path}".replace(":course", "").replace(":path", "")
            ]
            for table in endpoint.reads:
                assert table.info["definition"].meaning in operation["get"]["description"]


class Watched(ThreadPoolExecutor):
    """Workers that know how many answers were begun or waited for them at most."""

    def __init__(self) -> None:
        super().__init__(1)
        self.now, self.most, self._lock = 0, 0, threading.Lock()

    def submit(self, *arguments: Any, **named: Any) -> Any:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        done = super().submit(*arguments, **named)
        done.add_done_callback(self._ended)
        return done

    def _ended(self, _: object) -> None:
        with self._lock:
            self.now -= 1


def test_first_answers_of_one_caller_do_not_keep_the_others_waiting(
    serve: Callable[[Any], str], home: Path
) -> None:
    """However many one caller asks for at once, few of them stand before the next answer of another."""
    app = create_app(Settings(home=home))
    workers = app.state.workers = Watched()
    url = f"{serve(app)}/api/v0/courses/{CID}/enrollment/mode/"
    headers = {"Authorization": f"Token {TOKEN}"}

    def ask(number: int) -> int:
        return httpx.get(url, params={"start_date": f"20{number:02}-01-01"}, headers=headers).status_code

    with ThreadPoolExecutor(20) as clients:
        assert set(clients.map(ask, range(10, 70))) <= {200, 404}
    assert 1 <= workers.most <= WORKERS


def test_parameters_without_effect_are_named(api: httpx.Client) -> None:
    """A misspelt one is noticed; a line end in it is not written into the header."""
    path = f"/api/v1/courses/{CID}/enrollment/"
    header = "X-Pharos-Unknown-Parameters"
    for _ in range(2):  # made and kept
        answer = api.get(path, params={"start_day": "2031-01-01", "format": "json", "a\nb": "1"})
        assert answer.headers[header] == "start_day, a%0Ab"
    assert header not in api.get(path, params={"start_date": "2031-01-01", "fields": "count"}).headers
    assert header not in api.get("/api/v1/course_summaries/?recent_date=2024-01-01&all=true").headers
    export = api.get("/api/v1/tables/video.csv?column=duration&start_date=")
    assert export.headers[header] == "column"
