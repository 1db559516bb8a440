"""Services below a path of a proxy: which paths, where they are taken away and put before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse

from pharos.errors import ConfigurationError
from pharos.prefix import Prefix, prefix_of, with_prefix


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        (None, ""),
        ("https://example.org", ""),
        ("https://example.org/", ""),
        ("https://example.org/insights/", "/insights"),
        ("http://127.0.0.1:8110/a/b.c-d_e~f", "/a/b.c-d_e~f"),
    ],
)
def test_the_path_of_an_address(url: str | None, prefix: str) -> None:
    assert prefix_of("insights.url", url, {"courses"}) == prefix


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.org", "ftp://example.org", "https://", "https:///x", "http://[::1", "/insights"),
        *("https://example.org/?x=1", "https://example.org/#x", "https://example.org/a b"),
        *("https://example.org//insights", "https://example.org/ü", "https://example.org/a%2Fb"),
        *("https://example.org/courses", "https://example.org/courses/insights"),
    ],
)
def test_what_is_no_address_or_would_be_mistaken_is_one_line(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^insights\.url: ") as error:
        prefix_of("insights.url", url, {"courses"})
    assert len(str(error.value).splitlines()) == 1


def test_links_from_the_root_get_the_path_and_no_others() -> None:
    page = '<a href="/x">/y</a><img src="/z"><form action="/"><a href="//o"><a href="https://o/x">'
    assert with_prefix(page, "/p") == (
        '<a href="/p/x">/y</a><img src="/p/z"><form action="/p/"><a href="//o"><a href="https://o/x">'
    )
    assert with_prefix(page, "") == page


def test_requests_lose_the_path_and_redirects_get_it(serve: Callable[[Any], str]) -> None:
    app = FastAPI()
    app.add_api_route("/", lambda: "home")
    app.add_api_route("/away/", lambda: RedirectResponse("/", 302))
    app.add_api_route("/far/", lambda: RedirectResponse("https://other.example/", 302))

    @app.get("/address/")
    def address(request: Request) -> str:
        return request.url.path

    app.add_middleware(Prefix, prefix="/a/b")
    with httpx.Client(base_url=serve(app)) as client:
        for path in ("/", "/a/b", "/a/b/"):
            assert client.get(path).json() == "home"
        assert client.get("/a/bc/").status_code == 404
        for path in ("/away/", "/a/b/away/"):
            assert client.get(path).headers["location"] == "/a/b/"
        assert client.get("/a/b/far/").headers["location"] == "https://other.example/"
        assert client.get("/a/b/address/").json() == "/address/"
