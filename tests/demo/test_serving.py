from __future__ import annotations

import socket
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from pharos.config import load
from pharos.demo.campus import Campus
from pharos.demo.serving import serving
from pharos.errors import ConfigurationError
from pharos.result_store import store


def test_services_know_each_other_and_stop(tmp_path: Path, free_port: int) -> None:
    """The Data API's port is taken: it goes to a free one, and Insights finds it there."""
    settings = load(tmp_path, data_api={"port": free_port}, insights={"port": 0})
    store.upgrade(settings.store_url)
    campus = Campus(learners=5, days=5, until=date(2026, 3, 1))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        with serving(settings, campus) as addresses, httpx.Client(follow_redirects=True) as browser:
            assert urlsplit(addresses.data_api).port != free_port
            page = browser.get(f"{addresses.insights}/login/")
            assert page.url.copy_with(query=None) == f"{addresses.lms}/login"
            form = {"username": "ines", "password": "ines-demo", "next": page.url.params["next"]}
            courses = browser.post(f"{addresses.lms}/login", data=form)
            assert str(courses.url) == f"{addresses.insights}/courses/"
            answer = httpx.get(
                f"{addresses.data_api}/api/v0/course_summaries/",
                headers={"Authorization": f"Token {addresses.token}"},
            )
            assert answer.status_code != httpx.codes.UNAUTHORIZED
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", urlsplit(addresses.insights).port)) != 0


def test_address_of_another_machine_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    settings = load(tmp_path, insights={"host": "192.0.2.1"})
    campus = Campus(learners=5, days=5, until=date(2026, 3, 1))
    with pytest.raises(ConfigurationError, match=r"insights\.host"), serving(settings, campus):
        pass


def test_token_of_an_earlier_run_ends(tmp_path: Path) -> None:
    settings = load(tmp_path, data_api={"port": 0}, insights={"port": 0})
    store.upgrade(settings.store_url)
    campus = Campus(learners=5, days=5, until=date(2026, 3, 1))
    with serving(settings, campus) as first:
        pass
    with serving(settings, campus) as second:
        answers = [
            httpx.get(
                f"{second.data_api}/api/v0/course_summaries/", headers={"Authorization": f"Token {token}"}
            ).status_code
            for token in (first.token, second.token)
        ]
    assert answers[0] == httpx.codes.UNAUTHORIZED != answers[1]
