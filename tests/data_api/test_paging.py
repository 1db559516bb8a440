"""The Data API below a path of a site, and the addresses it gives out: `data_api.public_url`."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from pharos.config import DataAPISettings, Settings
from pharos.data_api.app import create_app
from pharos.errors import ConfigurationError

PUBLIC = "https://example.org/data"


def test_requests_below_the_path_are_answered_and_links_lead_there(
    serve_api: Callable[..., httpx.Client],
) -> None:
    api = serve_api(public_url=PUBLIC)
    for path in ("/data/api/v1/course_summaries/?page_size=1", "/api/v1/course_summaries/?page_size=1"):
        first = api.get(path).json()
        assert first["next"] == f"{PUBLIC}/api/v1/course_summaries/?page_size=1&page=2"
    assert api.get("/data/").headers["location"] == "/data/docs/"
    page = api.get("/data/docs/").text
    assert 'src="../static/' in page
    assert 'src="/' not in page
    assert api.get("/data/static/docs.js").status_code == 200
    assert api.get("/data/openapi.json").status_code == 200
    assert api.get("/data/health/").status_code == 200


@pytest.mark.parametrize("path", ["/api", "/docs/x", "/static"])
def test_a_path_that_the_service_has_itself_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^data_api\.public_url: the path"):
        create_app(Settings(data_api=DataAPISettings(public_url=f"https://example.org{path}")))


def test_without_the_setting_links_are_those_of_the_request(serve_api: Callable[..., httpx.Client]) -> None:
    api = serve_api()
    first = api.get("/api/v1/course_summaries/?page_size=1").json()
    assert first["next"] == str(api.base_url.join("/api/v1/course_summaries/?page_size=1&page=2"))
