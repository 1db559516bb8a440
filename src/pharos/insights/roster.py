"""The learners of a course on pages: filters of an address, segments, figures and their ranks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from markupsafe import Markup

from pharos.insights.api import LearnersNotShown, Row
from pharos.insights.blocks import in_path
from pharos.insights.directory import Course
from pharos.insights.language import Language, noop
from pharos.insights.learner_status import STATUSES, sign
from pharos.insights.navigation import LEARNERS
from pharos.insights.site import Site

Rank = Literal["low", "normal", "high", ""]

RATIO = "problem_attempts_per_completed"
METRICS: dict[str, tuple[str, str]] = {
    "problems_attempted": (noop("Problems tried"), noop("Distinct problems with a submission.")),
    "problems_completed": (noop("Problems right"), noop("Distinct problems answered rightly.")),
    RATIO: (
        noop("Attempts per right problem"),
        noop("Submissions, divided by the problems answered rightly; a dash without one. Low is good."),
    ),
    "videos_viewed": (noop("Videos"), noop("Distinct videos played.")),
    "discussion_contributions": (noop("Discussions"), noop("Posts, responses and comments.")),
}
"""Name and meaning of the figures of seven days."""
SEGMENTS: dict[str, tuple[str, str, str]] = {
    "highly_engaged": (noop("Highly engaged"), "ok", "good"),
    "struggling": (noop("Struggling"), "loop", "warn"),
    "disengaging": (noop("Disengaging"), "fall", "bad"),
    "inactive": (noop("Took no part in two weeks"), "pause", "none"),
    "unenrolled": (noop("Left the course"), "x", "none"),
}
"""Name, icon and class of each segment, in the order in which they are offered."""
NOT_INACTIVE, ENROLLED = "not_inactive", "enrolled"
WITHOUT = {NOT_INACTIVE: "inactive", ENROLLED: "unenrolled"}
"""Choices among the segments that are all learners without one segment."""
ORDERS = ("username", *METRICS)
QUERY = ("q", "segment", "status", "cohort", "track", "sort", "page")
"""Parameters of the address of the roster."""
BACK = "roster"
"""Parameter of the page of a learner: the query of the roster that led there."""
NAMES = {"full": ("username", "name"), "names": ("username", "name"), "pseudonymous": ("username",)}
ABOUT = ("enrollment_mode", "enrollment_date", "cohort", "segments")


@dataclass(frozen=True)
class Filters:
    """The filters and the order in the address of the roster; empty texts do not filter."""

    search: str
    segment: str
    cohort: str
    track: str
    status: str
    sort: str
    descending: bool

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filters:
        """The filters of a query; unknown segments and orders are ignored."""
        wish = query.get("sort", "")
        sort = wish.removeprefix("-")
        if sort not in ORDERS:
            wish = sort = "username"
        segment = query.get("segment", "")
        return cls(
            query.get("q", "").strip(),
            segment if segment in (*SEGMENTS, *WITHOUT) else "",
            query.get("cohort", ""),
            query.get("track", ""),
            status if (status := query.get("status", "")) in STATUSES else "",
            sort,
            wish.startswith("-"),
        )

    @property
    def is_empty(self) -> bool:
        """True if no filter is set."""
        return not (self.search or self.segment or self.cohort or self.track or self.status)

    @property
    def parameters(self) -> dict[str, str]:
        """The filters as parameters of the Data API (spec 05 §10.2)."""
        wanted = {
            "text_search": self.search,
            "segments": "" if self.segment in WITHOUT else self.segment,
            "ignore_segments": WITHOUT.get(self.segment, ""),
            "cohort": self.cohort,
            "enrollment_mode": self.track,
            "status": self.status,
            "order_by": self.sort,
            "sort_order": "desc" if self.descending else "asc",
        }
        return {name: value for name, value in wanted.items() if value}


def check_shown(site: Site, course: Course) -> None:
    """Raises LearnersNotShown if the settings show no learners of the course."""
    if not site.settings.shows_learners_of(course.organisation):
        raise LearnersNotShown("switched off for the course")


def shows_addresses(site: Site) -> bool:
    """True if e-mail addresses are shown."""
    return site.settings.privacy.mode == "full"


def columns_shown(site: Site, *, addresses: bool) -> tuple[str, ...]:
    """The columns of a page or file about learners; `addresses`: with e-mail addresses, if permitted."""
    names = NAMES[site.settings.privacy.mode]
    return (*names, *(("email",) if addresses and shows_addresses(site) else ()), *ABOUT, *METRICS)


def learner_path(course: Course, username: str, back: str = "") -> str:
    """The address of a learner's page; `back`: the query of the roster with the link."""
    query = f"?{urlencode({BACK: back})}" if back else ""
    return f"{course.path}{LEARNERS.path}{in_path(username)}/{query}"


def roster_path(course: Course, back: str = "") -> str:
    """The address of the roster with this query; unknown parameters are dropped."""
    query = urlencode([pair for pair in parse_qsl(back) if pair[0] in QUERY])
    return f"{course.path}{LEARNERS.path}{'?' if query else ''}{query}"


def took_part(learner: Row) -> bool:
    """True if the learner tried a problem, played a video or wrote in a discussion in the seven days."""
    return any(value for name, value in learner["engagements"].items() if name != RATIO)


def rank(learner: Row, metric: str, ranges: Row) -> Rank:
    """The rank of the figure in the course; empty if the learner took no part or has no such figure.

    For attempts per right problem the API calls low values the top (spec 05 §10.4): here low is low.
    """
    value = learner["engagements"][metric]
    if metric == RATIO and value is None and learner["engagements"]["problems_attempted"]:
        value = math.inf
    if value is None or not took_part(learner):
        return ""
    low, high = ("top", "bottom") if metric == RATIO else ("bottom", "top")
    names: dict[Rank, str] = {"high": high, "normal": "average", "low": low}  # infinity lies in the first
    places = ((name, ranges[metric][f"class_rank_{place}"]) for name, place in names.items())
    return next((name for name, bounds in places if _lies(value, bounds)), "")


def _lies(value: float, bounds: list[float | None] | None) -> bool:
    """True if the value is in [lower, upper); null bounds are infinity (spec 06 §9.17)."""
    if bounds is None:
        return False
    low, high = (math.inf if bound is None else bound for bound in bounds)
    return low <= value < high or value == high == math.inf or value == low == high


def figure(words: Language, learner: Row, metric: str, ranges: Row) -> Markup:
    """The figure with its mark: low or high, in words."""
    value = words.number(learner["engagements"][metric], 1 if metric == RATIO else 0)
    marks: dict[Rank, str] = {"low": words.text("low"), "high": words.text("high")}
    mark = marks.get(rank(learner, metric, ranges))
    if mark is None:
        quiet = '<span class="quiet">{}</span>' if not learner["engagements"][metric] else "{}"
        return Markup(quiet).format(value)  # noqa: S704 - one of the two above
    return Markup('<span class="flag">{}</span> {}').format(mark, value)


def segments(words: Language, learner: Row) -> Markup:
    """The segments of the learner; "took part" if there is no more specific one."""
    signs = [SEGMENTS[name] for name in SEGMENTS if name in learner["segments"]]
    if not set(learner["segments"]) - {"unenrolled"}:
        signs.insert(0, (noop("Took part"), "ok", "none"))
    return Markup(" ").join(sign(words, *each) for each in signs)


def shown_name(learner: Row) -> str:
    """The name of the learner on pages."""
    return str(learner["name"] or learner["username"])
