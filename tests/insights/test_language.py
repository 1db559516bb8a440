"""Every string in every language, numbers and dates as the language writes them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response
from tests.insights.world import World

from pharos.insights.language import AVAILABLE, languages
from pharos.insights.sessions import Session, Sessions
from pharos.lms.oauth import Person, SignedIn

CHECKOUT = Path(__file__).parents[2]


def test_every_string_is_translated_and_none_is_left_over() -> None:
    check = [sys.executable, "scripts/translations.py", "--check"]
    done = subprocess.run(check, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("code", AVAILABLE)
def test_pages_in_each_language(world: World, code: str) -> None:
    words = languages()[code]
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/enrollment/activity/?language={code}").text
        assert f'<html lang="{words.tag}" dir="{words.direction}">' in page
        assert words.text("How many learners are in my course?") in page
        again = client.get("/courses/").text
        assert words.text("How are my courses doing?") in again


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("fr-CA,fr;q=0.9,en;q=0.5", "fr"),
        ("de,es;q=0.4", "es"),
        ("zh-TW", "zh"),
        ("xx", "en"),
        (";;q=,", "en"),
    ],
)
def test_the_browser_chooses_where_nobody_else_did(world: World, header: str, code: str) -> None:
    with world.client() as client:
        page = client.get("/", headers={"Accept-Language": header}).text
    assert f'<html lang="{languages()[code].tag}"' in page


def test_the_profile_goes_before_the_browser_and_the_switch_before_both(world: World) -> None:
    response = Response()
    person = Person("sofia", None, "", "", "es-419", staff=True, superuser=False)
    key = world.settings.insights.secret_key
    assert key is not None
    Sessions(key.get_secret_value(), https=False).write(response, Session.of(SignedIn(person, None)))
    cookie = response.headers["set-cookie"].partition(";")[0]
    with httpx.Client(base_url=world.url, headers={"Accept-Language": "fr", "Cookie": cookie}) as client:
        assert '<html lang="es"' in client.get("/courses/").text
        assert '<html lang="ar-EG"' in client.get("/courses/?language=ar").text
    with httpx.Client(base_url=world.url, headers={"Accept-Language": "fr"}) as client:
        client.get("/?language=zh")
        assert '<html lang="zh-Hans-CN"' in client.get("/").text


def test_definitions_without_a_translation_stay_english_and_say_so() -> None:
    arabic = languages()["ar"]
    assert arabic.phrase("Only the last day.") == "اليوم الأخير فقط."
    assert arabic.phrase("A rule of tomorrow") == '<span lang="en" dir="ltr">A rule of tomorrow</span>'
    assert languages()["en"].phrase("<b>") == "&lt;b&gt;"


def test_numbers_and_dates() -> None:
    """spec 06 §7.5, §17.30-33, and halves up (§19.5)."""
    english, arabic, french = (languages()[code] for code in ("en", "ar", "fr"))
    assert english.number(1234567) == "1,234,567"
    assert english.number(2.345, 2) == "2.35"
    assert english.signed(-37) == "−37"
    assert english.signed(0) == "±0"
    assert english.percent(0.5066) == "50.7%"
    assert english.percent(0.0005) == "0.1%"
    assert english.percent(0.0004) == "<0.1%"
    assert english.percent(0) == "0.0%"
    assert english.percent(1) == "100.0%"
    assert english.percent(None) == "–"
    assert french.number(4512) == "4\u202f512"
    assert arabic.number(4512) == "٤٬٥١٢"
    assert arabic.percent(0.039).startswith("٣٫٩")
    assert english.day(date(2014, 1, 31)) == "31 January 2014"
    assert arabic.day(date(2026, 11, 22)) == "٢٢ نوفمبر ٢٠٢٦"
    assert english.end_of(datetime(2026, 11, 23, tzinfo=UTC)) == "22 November, 24:00 UTC"
    assert english.end_of(datetime(2026, 11, 23, 9, 5, tzinfo=UTC)) == "23 November, 09:05 UTC"


def test_what_is_filled_in_is_escaped() -> None:
    assert languages()["en"].html("<b>%(x)s</b>", x="<i>") == "<b>&lt;i&gt;</b>"


def test_a_hostile_search_stays_text(world: World) -> None:
    with world.client("sofia") as client:
        page = client.get("/courses/", params={"q": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page
