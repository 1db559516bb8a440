"""The scope of a run: the time it describes, and the settings that decide what is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from pharos import geolocation
from pharos.engine import Engine
from pharos.engine.base import TextFunction
from pharos.metrics.learner_status import Pauses
from pharos.weeks import WEEKDAYS, WeekStart, week_of


@dataclass(frozen=True)
class Scope:
    """The time that a run describes, and the settings that decide what it counts."""

    until: datetime  # UTC, naive; a run describes the time before
    countries: Path = geolocation.SHIPPED
    private_country: str | None = None  # of private addresses
    fills_gaps: bool = False  # see `pharos.metrics.enrollment_gaps`
    counts_staff: bool = True  # see `pharos.metrics.population`
    counts_libraries: bool = True
    counts_browser_enrollments: bool = True
    week_start: WeekStart = "monday"  # of the site's own weeks, which are counted beside those of ISO
    response_types: tuple[str, ...] = ()  # whose answers are counted
    reports_since: date = date.min
    video_compat: bool = False  # see `pharos.metrics.viewings`
    smallest_group: int = 1  # active learners of whose engagement there are ranges
    pauses: Pauses = field(default_factory=Pauses)  # see `pharos.metrics.learner_status`
    shows_profiles: bool = False  # see `pharos.metrics.roster`
    student_reports: bool = False  # see `pharos.metrics.student_engagement`
    answer_metadata: Path | None = None  # see `pharos.pipeline.answer_metadata`

    @property
    def last_day(self) -> date:
        """The UTC day that holds the last moment before `until`."""
        return (self.until - timedelta(microseconds=1)).date()

    @property
    def student_reports_until(self) -> date | None:
        """The last day of the reports of learners; None if these reports are off."""
        return self.last_day if self.student_reports else None

    @property
    def current_week(self) -> date:
        """Monday of the ISO week that is incomplete at `until`."""
        return week_of(self.until.date(), WEEKDAYS["monday"])

    @property
    def site_week(self) -> date | None:
        """First day of the site's week that is incomplete at `until`; None if the site uses ISO weeks."""
        return None if self.week_start == "monday" else self.this_week

    @property
    def this_week(self) -> date:
        """First day of the week that is incomplete at `until`, in the weeks that the site shows."""
        return week_of(self.until.date(), self.first_weekday)

    @property
    def first_weekday(self) -> int:
        """The day on which the weeks begin that the site shows; 0 is Monday."""
        return WEEKDAYS[self.week_start]

    def country_of(self, engine: Engine) -> geolocation.CountryOf:
        """A function that looks up the country of an address, on the engine."""
        return engine.function(partial(geolocation.codes, str(self.countries), self.private_country))

    def in_place_of_addresses(self) -> TextFunction:
        """A function that gives the replacements of addresses to be forgotten."""
        return partial(geolocation.in_place_of_addresses, str(self.countries), self.private_country)
