"""Tracking-log lines as a current LMS writes them (spec 01 §1.2-1.4). Knows the envelope, not the payload.

Lines are joined from strings made once per visit, without a JSON encoder per event: this makes a campus of
millions of events affordable.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from json import dumps
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple

HOST = "campus.example.org"
SITE = f"https://{HOST}"
LEARNING_SITE = f"https://apps.{HOST}/learning"
US_PER_S = 1_000_000
US_PER_DAY = 86_400 * US_PER_S
LATEST_DAYS = 7  # longest delay of an app's events
REQUEST = "server /"  # kind of all implicit events
REQUEST_LIMIT = 512  # characters of an implicit event's payload, spec 01 §1.3
APP_NAMES = {
    "load_video": "edx.video.loaded",
    "play_video": "edx.video.played",
    "pause_video": "edx.video.paused",
    "stop_video": "edx.video.stopped",
    "seek_video": "edx.video.position.changed",
    "show_transcript": "edx.video.transcript.shown",
}  # spec 01 §1.4

APP_AGENT = "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 8) edX/org.edx.mobile/6.2.1"
_APP = {
    "application": {"name": "edx.mobileapp.android", "version": "6.2.1", "component": "videoplayer"},
    "component": "videoplayer",
}
_APP_CLIENT = {
    "network": {"wifi": True, "carrier": "", "cellular": False, "bluetooth": False},
    "app": {
        "name": "edX",
        "packageName": "org.edx.mobile",
        "version": "6.2.1",
        "build": "org.edx.mobile@6.2.1",
    },
    "library": {"name": "analytics-android", "version": "4.10.4"},
    "device": {"manufacturer": "Google", "model": "Pixel 8", "type": "android"},
    "os": {"name": "Android", "version": "15"},
    "screen": {"width": 1080, "height": 2400, "density": 2.625},
}

_CLOCK = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(86_400)]


class Entry(NamedTuple):
    """A line, and the time at which the LMS writes it, in microseconds since the start of the campus."""

    written_us: int
    server: int
    kind: str  # event source and type; all requests are of one kind
    line: str
    late: bool  # written on a later day than the event's own


class Calendar:
    """Turns microseconds since the start of the campus into text."""

    def __init__(self, start: datetime, days: int) -> None:
        self._start = start
        self._dates = [f"{start + timedelta(days=day):%Y-%m-%d}" for day in range(days + LATEST_DAYS + 1)]

    def iso(self, us: int) -> str:
        """The time in the form of the member `time`; the LMS omits the fraction if it is zero."""
        day, rest = divmod(us, US_PER_DAY)
        second, fraction = divmod(rest, US_PER_S)
        if not fraction:
            return f"{self._dates[day]}T{_CLOCK[second]}+00:00"
        return f"{self._dates[day]}T{_CLOCK[second]}.{fraction:06d}+00:00"

    def log(self, us: int) -> str:
        """The time in the form of Python's log formatter."""
        day, rest = divmod(us, US_PER_DAY)
        second, fraction = divmod(rest, US_PER_S)
        return f"{self._dates[day]} {_CLOCK[second]},{fraction // 1000:03d}"

    def moment(self, us: int) -> datetime:
        return self._start + timedelta(microseconds=us)


@dataclass(frozen=True, slots=True)
class Client:
    """The person and the machine of a visit. `user_id` is None for an anonymous visit."""

    user_id: int | None
    username: str
    session: str
    address: str
    agent: str
    language: str
    server: int
    process: int


NOBODY = Client(None, "", "", "", "", "", 0, 1)


def signed_out(client: Client) -> Client:
    """The same machine before its user signs in."""
    return replace(client, user_id=None, username="", session="")


def in_app(client: Client) -> Client:
    """The same person with the mobile app."""
    return replace(client, agent=APP_AGENT)


class Visit:
    """Writes the lines of one visit to one course run; every method's `us` is the time of its event."""

    def __init__(
        self, calendar: Calendar, out: list[Entry], client: Client, course_id: str, org: str
    ) -> None:
        self._calendar, self._out, self._client = calendar, out, client
        self._course_id, self._org_id = course_id, org
        user = "null" if client.user_id is None else str(client.user_id)
        self._prefix = (
            f" INFO {client.process} [tracking] [user {client.user_id}] [ip {client.address or None}] "
            "logger.py:41 - "
        )
        self._before_referer = (
            f'"username": "{client.username}", "session": "{client.session}", "ip": "{client.address}", '
            f'"agent": "{client.agent}", "host": "{HOST if client.address else ""}", "referer": "'
        )
        self._after_referer = f'", "accept_language": "{client.language}", "event": '
        self._course = f'{{"course_id": "{course_id}", "course_user_tags": {{}}, "user_id": {user}, "path": "'
        self._no_course = f'{{"course_id": "", "course_user_tags": {{}}, "user_id": {user}, "path": "'
        self._org = f'", "org_id": "{org}", "enterprise_uuid": ""'
        self._no_org = '", "org_id": "", "enterprise_uuid": ""'
        self._app_context = _app_context(client, course_id, org)
        self.page = SITE
        """Address of the page the learner sees."""
        self.page_names_course = True
        """False on pages of micro-frontends and rendered units: their events have no course in `context`."""

    def server(self, us: int, name: str, path: str, event: str, more: str = "") -> None:
        """An explicit server event; `event` is JSON, `more` ends the context, a comma first."""
        self._line(
            us,
            f"server {name}",
            f'"name": "{name}", "context": {self._course}{path}{self._org}{more}}}, {self._before_referer}'
            f'{self.page}{self._after_referer}{event}, "time": "{self._calendar.iso(us)}", '
            f'"event_type": "{name}", "event_source": "server", "page": null',
        )

    def request(self, us: int, path: str, get: str = "{}", post: str = "{}") -> None:
        """An implicit event: the LMS answers a request. The course is known only by the path."""
        payload = quoted(f'{{"GET": {get}, "POST": {post}}}'[:REQUEST_LIMIT])
        before, after = (
            (self._course, self._org) if path.startswith("/courses/") else (self._no_course, self._no_org)
        )
        self._line(
            us,
            REQUEST,
            f'"name": "{path}", "context": {before}{path}{after}}}, {self._before_referer}'
            f'{self.page}{self._after_referer}{payload}, "time": "{self._calendar.iso(us)}", '
            f'"event_type": "{path}", "event_source": "server", "page": null',
        )

    def browser(self, us: int, name: str, event: str) -> None:
        """An event sent by the page; `event` is the text it sends, mostly JSON."""
        before, after = (
            (self._course, self._org) if self.page_names_course else (self._no_course, self._no_org)
        )
        self._line(
            us,
            f"browser {name}",
            f'"name": "{name}", "context": {before}/event{after}}}, {self._before_referer}'
            f'{self.page}{self._after_referer}{quoted(event)}, "time": "{self._calendar.iso(us)}", '
            f'"event_type": "{name}", "event_source": "browser", "page": "{self.page}"',
        )

    def app(self, us: int, received_us: int, event_type: str, event: str) -> None:
        """An event of the mobile app, which arrives when the device is online again."""
        self._line(
            us,
            f"mobile {event_type}",
            f'"name": "{APP_NAMES[event_type]}", "context": {self._app_context}'
            f'{self._calendar.iso(received_us)}"}}, {self._before_referer}{self._after_referer}'
            f'{quoted(event)}, "time": "{self._calendar.iso(us)}", "event_type": "{event_type}", '
            f'"event_source": "mobile", "page": "{self.page}"',
            received_us,
        )

    def task(self, us: int, name: str, event: str) -> None:
        """An event of a background task started by the visitor: no address, no agent."""
        self._line(
            us,
            f"task {name}",
            f'"name": "{name}", "context": {self._course}x_module_task{self._org}}}, '
            f'"username": "{self._client.username}", "session": "", "ip": "", "agent": "", "host": "", '
            f'"referer": "", "accept_language": "", "event": {event}, "time": "{self._calendar.iso(us)}", '
            f'"event_type": "{name}", "event_source": "task", "page": "x_module_task"',
        )

    def command(self, us: int, name: str, command: str, event: str) -> None:
        """A server event of a management command; it has no user and no address."""
        context = dumps({"course_id": self._course_id, "org_id": self._org_id, "command": command})
        self._line(
            us,
            f"server {name}",
            f'"name": "{name}", "context": {context}, "username": "", "session": "", "ip": "", "agent": "", '
            f'"host": "", "referer": "", "accept_language": "", "event": {event}, '
            f'"time": "{self._calendar.iso(us)}", "event_type": "{name}", "event_source": "server", '
            '"page": null',
        )

    def _line(self, us: int, kind: str, body: str, written_us: int | None = None) -> None:
        written = us if written_us is None else written_us
        self._out.append(
            Entry(
                written,
                self._client.server,
                kind,
                f"{self._calendar.log(written)}{self._prefix}{{{body}}}\n",
                written // US_PER_DAY != us // US_PER_DAY,
            )
        )


def _app_context(client: Client, course_id: str, org: str) -> str:
    """The context of an app's events up to the time of arrival."""
    context = {
        "course_id": course_id,
        "org_id": org,
        "user_id": client.user_id,
        "path": "/segment/event",
        **_APP,
        "client": {**_APP_CLIENT, "locale": client.language.partition(",")[0], "ip": client.address},
        "received_at": "",
    }
    return dumps(context).removesuffix('"}')
