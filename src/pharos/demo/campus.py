"""A simulated campus: everything that the seed fixes before the first day. Holds no log and no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from pharos.demo.courses import Course, load_courses
from pharos.demo.people import Learner, Persona, draw_learners, draw_personas


@dataclass(frozen=True, kw_only=True)
class Campus:
    """Courses and people. All events are in `[start, end)`, UTC; `end` is midnight of `until`.

    The same seed, learners, days and until give the same campus, the same logs, the same database.
    """

    seed: int = 1
    learners: int = 2000
    days: int = 90
    until: date
    courses: tuple[Course, ...] = field(init=False, repr=False)
    people: tuple[Learner, ...] = field(init=False, repr=False)
    personas: tuple[Persona, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "courses", load_courses(self.start, self.end))
        shares = [course.share for course in self.courses]
        object.__setattr__(self, "people", draw_learners(self.seed, self.learners, shares))
        object.__setattr__(self, "personas", draw_personas(self.courses))

    @property
    def start(self) -> datetime:
        return self.end - timedelta(days=self.days)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.until, time(), UTC)

    def course(self, course_id: str) -> Course | None:
        """The course run with this id, if it exists."""
        return next((course for course in self.courses if course.id == course_id), None)

    def members(self, course: Course) -> list[Learner]:
        """The learners who enroll in the course run before `end`."""
        index = self.courses.index(course)
        return [learner for learner in self.people if index in learner.interests]

    @staticmethod
    def cohort(course: Course, user_id: int) -> str | None:
        """Name of the learner's cohort, given at enrollment."""
        return course.cohorts[user_id % len(course.cohorts)] if course.cohorts else None
