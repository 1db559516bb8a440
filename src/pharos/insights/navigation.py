"""The map of the site: every report with address, name and question, by lens (spec 06 §7.1-7.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pharos.insights.language import noop


@dataclass(frozen=True)
class Report:
    """One page of a course."""

    key: str
    path: str
    """Below the course's address."""
    label: str
    """In the navigation, below its lens."""
    title: str
    question: str
    asked_at_home: str
    """The question as course home puts it."""


@dataclass(frozen=True)
class Lens:
    """A group of reports."""

    label: str
    question: str
    reports: tuple[Report, ...]


HOME = Report("home", "", noop("This week"), noop("Course Home"), noop("What happened in my course?"), "")
ENROLLMENT_ACTIVITY = Report(
    "enrollment_activity",
    "enrollment/activity/",
    noop("Activity"),
    noop("Enrollment Activity"),
    noop("How many learners are in my course?"),
    noop("How many are there?"),
)
AGE = Report(
    "age",
    "enrollment/demographics/age/",
    noop("Age"),
    noop("Enrollment Demographics by Age"),
    noop("How old are my learners?"),
    noop("How old are they?"),
)
EDUCATION = Report(
    "education",
    "enrollment/demographics/education/",
    noop("Education"),
    noop("Enrollment Demographics by Education"),
    noop("What level of education do my learners have?"),
    noop("What education do they have?"),
)
GENDER = Report(
    "gender",
    "enrollment/demographics/gender/",
    noop("Gender"),
    noop("Enrollment Demographics by Gender"),
    noop("What is the learner gender breakdown?"),
    noop("What is the gender breakdown?"),
)
GEOGRAPHY = Report(
    "geography",
    "enrollment/geography/",
    noop("Geography"),
    noop("Enrollment Geography"),
    noop("Where are my learners?"),
    noop("Where are they?"),
)
ENGAGEMENT_CONTENT = Report(
    "engagement_content",
    "engagement/content/",
    noop("Content"),
    noop("Engagement Content"),
    noop("How many learners are interacting with my course?"),
    noop("How many are active each week?"),
)

LENSES = (
    Lens(
        noop("Enrollment"),
        noop("Who are my learners?"),
        (ENROLLMENT_ACTIVITY, AGE, EDUCATION, GENDER, GEOGRAPHY),
    ),
    Lens(noop("Engagement"), noop("What are they doing?"), (ENGAGEMENT_CONTENT,)),
)


def lenses(*, age: bool) -> tuple[Lens, ...]:
    """The lenses of this site; `age` says whether it shows ages (setting `insights.show_age`)."""
    return tuple(
        replace(lens, reports=tuple(report for report in lens.reports if age or report is not AGE))
        for lens in LENSES
    )
