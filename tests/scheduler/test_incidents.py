"""People are told once when something begins to be wrong, and once when it is over."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from pharos.scheduler import incidents
from pharos.scheduler.alerts import Alert, NotTold
from pharos.scheduler.incidents import Incidents

NOON = datetime(2026, 3, 2, 12)


class Person:
    """Keeps what they are told; may be out."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.is_out = False

    def __call__(self, alert: Alert) -> None:
        if self.is_out:
            raise NotTold("e-mail", "out")
        self.heard.append((alert.event, alert.text))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "incidents.json"


def tell(found: Incidents, **people: Person) -> None:
    asyncio.run(found.tell(people))


def test_once_for_the_problem_and_once_for_its_end(path: Path) -> None:
    person, found = Person(), Incidents(path)
    for text in ("no room", "still no room"):
        found.begin("job daily", text, NOON)
        tell(found, mail=person)
    assert person.heard == [("problem", "no room")]
    for _ in range(2):
        found.end("job daily", "done")
        tell(found, mail=person)
    assert person.heard == [("problem", "no room"), ("recovery", "done")]
    assert found.all == {}
    found.begin("job daily", "again", NOON)
    tell(found, mail=person)
    assert person.heard[2:] == [("problem", "again")]


def test_a_new_start_tells_nobody_twice(path: Path) -> None:
    person = Person()
    found = Incidents(path)
    found.begin("job daily", "no room", NOON)
    tell(found, mail=person)
    found = Incidents(path)
    found.begin("job daily", "no room", NOON)
    tell(found, mail=person)
    Incidents(path).end("job daily", "done")
    tell(Incidents(path), mail=person)
    tell(Incidents(path), mail=person)
    assert [event for event, _ in person.heard] == ["problem", "recovery"]


def test_who_could_not_be_told_is_told_later_and_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, away, found = Person(), Person(), Incidents(path)
    away.is_out = True
    found.begin("job daily", "no room", NOON)
    tell(found, here=here, away=away)
    away.is_out = False
    tell(found, here=here, away=away)
    assert away.heard == []  # not yet a minute later
    monkeypatch.setattr(incidents, "AGAIN_S", 0)
    tell(found, here=here, away=away)
    assert here.heard == away.heard == [("problem", "no room")]


def test_what_ends_before_anybody_knew_is_not_told(path: Path) -> None:
    person, found = Person(), Incidents(path)
    found.begin("job daily", "no room", NOON)
    found.end("job daily", "done")
    tell(found, mail=person)
    assert person.heard == []


def test_what_begins_again_before_its_end_was_told_is_told_anew(path: Path) -> None:
    person, found = Person(), Incidents(path)
    found.begin("job daily", "no room", NOON)
    tell(found, mail=person)
    found.end("job daily", "done")
    found.begin("job daily", "again", NOON)
    tell(found, mail=person)
    assert person.heard == [("problem", "no room"), ("problem", "again")]


def test_a_broken_file_and_a_full_disk_stop_nothing(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("{")
    person, found = Person(), Incidents(path)
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("in the way")
    found.begin("job daily", "no room", NOON)
    tell(found, mail=person)
    assert person.heard == [("problem", "no room")]


def test_what_is_new_about_a_problem_is_told_if_that_is_asked_for(path: Path) -> None:
    person, found = Person(), Incidents(path)
    for text in ("2 March", "2 March", "2 and 9 March"):
        found.begin("missing days", text, NOON, again=True)
        tell(found, mail=person)
    assert person.heard == [("problem", "2 March"), ("problem", "2 and 9 March")]


def test_a_name_from_outside_forges_no_line_of_a_message(path: Path) -> None:
    """A subject with a line end would be refused by every mail server, so that nobody is ever told."""
    told: list[Alert] = []
    found = Incidents(path)
    found.begin("data, no logs: a\nBcc: b", "gone\x1b[2J\nsecond line", NOON)
    asyncio.run(found.tell({"mail": told.append}))
    assert told[0].key == "data, no logs: a\\nBcc: b"
    assert told[0].text == "gone\\x1b[2J\nsecond line"
