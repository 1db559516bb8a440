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
    table: str
    """The result it shows, whose definition says how it is counted."""
    has_pages: bool = False
    """Whether there are pages of it below its address."""

    def covers(self, path: str) -> bool:
        """True if the path, below the course's address, is the report or one of its pages."""
        return path == self.path or (self.has_pages and path.startswith(self.path))


@dataclass(frozen=True)
class Lens:
    """A group of reports."""

    label: str
    question: str
    reports: tuple[Report, ...]


HOME = Report("home", "", noop("This week"), noop("Course Home"), noop("What happened in my course?"), "", "")
ENROLLMENT_ACTIVITY = Report(
    "enrollment_activity",
    "enrollment/activity/",
    noop("Activity"),
    noop("Enrollment Activity"),
    noop("How many learners are in my course?"),
    noop("How many are there?"),
    "course_enrollment_mode_daily",
)
AGE = Report(
    "age",
    "enrollment/demographics/age/",
    noop("Age"),
    noop("Enrollment Demographics by Age"),
    noop("How old are my learners?"),
    noop("How old are they?"),
    "course_enrollment_birth_year_daily",
)
EDUCATION = Report(
    "education",
    "enrollment/demographics/education/",
    noop("Education"),
    noop("Enrollment Demographics by Education"),
    noop("What level of education do my learners have?"),
    noop("What education do they have?"),
    "course_enrollment_education_level_daily",
)
GENDER = Report(
    "gender",
    "enrollment/demographics/gender/",
    noop("Gender"),
    noop("Enrollment Demographics by Gender"),
    noop("What is the learner gender breakdown?"),
    noop("What is the gender breakdown?"),
    "course_enrollment_gender_daily",
)
GEOGRAPHY = Report(
    "geography",
    "enrollment/geography/",
    noop("Geography"),
    noop("Enrollment Geography"),
    noop("Where are my learners?"),
    noop("Where are they, and which languages do they read?"),
    "course_enrollment_location_current",
)
ENGAGEMENT_CONTENT = Report(
    "engagement_content",
    "engagement/content/",
    noop("Content"),
    noop("Engagement Content"),
    noop("How many learners are interacting with my course?"),
    noop("How many are active each week?"),
    "course_activity",
)
COURSE_FLOW = Report(
    "course_flow",
    "engagement/course_flow/",
    noop("Course flow"),
    noop("Course Flow"),
    noop("Where in the course do learners stop?"),
    noop("Where do they stop?"),
    "course_flow",
)
VIDEOS = Report(
    "videos",
    "engagement/videos/",
    noop("Videos"),
    noop("Engagement Videos"),
    noop("How did learners interact with course videos?"),
    noop("How do they watch the videos?"),
    "video",
    has_pages=True,
)
VIDEO_MAP = Report(
    "video_map",
    "engagement/video_map/",
    noop("Video map"),
    noop("Video Map"),
    noop("Which videos do learners leave?"),
    noop("Which videos do they leave?"),
    "video",
)
GRADED = Report(
    "graded_content",
    "performance/graded_content/",
    noop("Graded content"),
    noop("Graded Content"),
    noop("How are learners doing on graded problems?"),
    noop("How are they doing on graded problems?"),
    "answer_distribution",
    has_pages=True,
)
UNGRADED = Report(
    "ungraded_content",
    "performance/ungraded_content/",
    noop("Ungraded problems"),
    noop("Ungraded Problems"),
    noop("How are learners doing on ungraded exercises?"),
    noop("How are they doing on ungraded exercises?"),
    "answer_distribution",
    has_pages=True,
)
COURSE_MAP = Report(
    "course_map",
    "performance/course_map/",
    noop("Course map"),
    noop("Course Map"),
    noop("Where in the course do learners get stuck?"),
    noop("Where do they get stuck?"),
    "answer_distribution",
)
OUTCOMES = Report(
    "learning_outcomes",
    "performance/learning_outcomes/",
    noop("Learning outcomes"),
    noop("Learning Outcomes"),
    noop("Measured by learning outcome, how are learners performing?"),
    noop("How are they doing by learning outcome?"),
    "tags_distribution",
    has_pages=True,
)

LEARNERS = Report(
    "learners",
    "learners/",
    noop("Roster"),
    noop("Learners"),
    noop("Who takes part, and who does not?"),
    noop("Who takes part, and who does not?"),
    "module_engagement_roster",
    has_pages=True,
)

ABOUT_PERSONS = (AGE, EDUCATION, GENDER, GEOGRAPHY)
"""Reports that divide learners by what they are: small groups may have to be hidden."""

LENSES = (
    Lens(
        noop("Enrollment"),
        noop("Who are my learners?"),
        (ENROLLMENT_ACTIVITY, AGE, EDUCATION, GENDER, GEOGRAPHY),
    ),
    Lens(
        noop("Engagement"), noop("What are they doing?"), (ENGAGEMENT_CONTENT, COURSE_FLOW, VIDEOS, VIDEO_MAP)
    ),
    Lens(noop("Performance"), noop("How well are they doing?"), (GRADED, UNGRADED, COURSE_MAP, OUTCOMES)),
    Lens(noop("Learners"), noop("Who are they, one by one?"), (LEARNERS,)),
)


def lenses(*, age: bool, learners: bool) -> tuple[Lens, ...]:
    """The lenses of a course.

    `age`: include ages (`insights.show_age`); `learners`: include single learners.
    """
    hidden = {report.key for report, shown in ((AGE, age), (LEARNERS, learners)) if not shown}
    kept = (
        replace(lens, reports=tuple(report for report in lens.reports if report.key not in hidden))
        for lens in LENSES
    )
    return tuple(lens for lens in kept if lens.reports)


def tables_shown() -> tuple[str, ...]:
    """The results that reports show, in the order of the reports; their definitions are translated."""
    return tuple(dict.fromkeys(report.table for lens in LENSES for report in lens.reports))
