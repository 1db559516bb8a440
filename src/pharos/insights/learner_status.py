"""The status of a learner in a course, and the reason for it, in words."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from pharos.insights.api import Row, day
from pharos.insights.language import Language, noop

STATUSES: dict[str, tuple[str, str, str]] = {
    "never started": (noop("Never started"), "ring", "none"),
    "active": (noop("Active"), "ok", "good"),
    "slowing down": (noop("Slowing down"), "fall", "warn"),
    "quiet": (noop("Quiet"), "pause", "bad"),
    "passed": (noop("Passed"), "ok", "good"),
    "left": (noop("Left the course"), "x", "none"),
}
"""Name, icon and class of each status, in the order in which they are offered."""


def sign(words: Language, name: str, icon: str, look: str) -> Markup:
    """A status or segment of a learner, with its icon."""
    return Markup(
        '<span class="status {}"><svg class="i" aria-hidden="true"><use href="#{}"/></svg>{}</span>'
    ).format(look, icon, words.text(name))


SEEN: dict[str, tuple[str, ...]] = {
    "unenrolled": ("since",),
    "passing grade": ("since",),
    "no activity": ("enrolled_date",),
    "pause": ("last_date", "days_without_activity", "pause_days"),
    "fewer days": ("days_week", "days_before"),
    "recent activity": ("last_date",),
}
"""The rules, with what each of them looked at."""


def reason(words: Language, row: Row) -> str:
    """The rule that decided the status, with its days and numbers."""
    return _said(words, row["rule"], *(row[name] for name in SEEN.get(row["rule"], ())))


@lru_cache(maxsize=10_000)  # a file has 100,000 learners and few different reasons
def _said(words: Language, rule: str, *seen: str | int | None) -> str:
    def shown(value: str | int | None) -> str:
        return words.day(day(value)) if isinstance(value, str) else words.number(value)

    values = dict(zip(SEEN.get(rule, ()), map(shown, seen), strict=True))
    match rule:
        case "unenrolled":
            text = words.text("not enrolled since %(day)s", day=values["since"])
        case "passing grade":
            text = words.text("passing grade on %(day)s", day=values["since"])
        case "no activity":
            text = words.text("no activity; enrolled on %(day)s", day=values["enrolled_date"])
        case "pause":
            text = words.text(
                "last active on %(day)s; days without activity: %(days)s (from %(limit)s on)",
                day=values["last_date"],
                days=values["days_without_activity"],
                limit=values["pause_days"],
            )
        case "fewer days":
            text = words.text(
                "active days: %(week)s of the last seven, %(before)s of the seven before",
                week=values["days_week"],
                before=values["days_before"],
            )
        case "recent activity":
            text = words.text("last active on %(day)s", day=values["last_date"])
        case _:  # of a later version of the Data API
            text = rule
    return text
