"""Enrollment: per day, by mode and demographic, by country, and the summary of each course."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, String

from pharos.result_store.column_types import Exact
from pharos.result_store.tables.base import Definition, column, course_id, day, result


def enrolled() -> Column[Any]:
    return column("count", Integer(), "Learners enrolled at the end of the day.")


def ever_enrolled() -> Column[Any]:
    return column(
        "cumulative_count", Integer(), "Learners with any enrollment event up to the end of the day."
    )


_ENROLLMENT_SOURCE = (
    "Events edx.course.enrollment.activated, .deactivated and .mode_changed in the tracking logs; "
    "course and learner are those of the payload."
)

_DIFFERENCES = (
    (
        "The LMS's own pages show its table of enrollments as it is now: enrollments made by scripts, or "
        "whose events are lost, are in only one of the two. Enrollment: events against the LMS says how "
        "many; the setting lms.fill_enrollment_gaps makes up for them."
    ),
    (
        "The original counts branches and versions of a course run apart, and never counts events that "
        "arrive later than its window of days; here they are the run itself, and the whole history counts."
    ),
    (
        "The settings counting.staff and counting.libraries leave out staff, and libraries: the LMS's staff "
        "everywhere, course teams and beta testers of now in their course runs. The original counts all, as "
        "is the default here."
    ),
)

course_enrollment_daily = result(
    "course_enrollment_daily",
    Definition(
        title="Enrollment",
        version=3,
        meaning="Learners enrolled in each course run at the end of each UTC day.",
        formula=(
            "A learner is enrolled from an activation until the next deactivation. "
            "count = learners enrolled at the end of the day; "
            "cumulative_count = learners with any enrollment event up to then."
        ),
        edge_cases=(
            "Repeated activations or deactivations change nothing.",
            (
                "A learner whose first event is a deactivation or a change of mode is not counted as "
                "enrolled before it."
            ),
            "Events of equal time count in the order activated, deactivated, mode changed.",
            "Course teams and testers are counted like everybody else.",
            (
                "A course has a row for every day from its first enrollment event; the last day may be "
                "a part of a day."
            ),
        ),
        window="Every UTC day from the course run's first enrollment event to the last day.",
        source=_ENROLLMENT_SOURCE,
        spec="01 §5.1-5.3",
        differences=_DIFFERENCES,
    ),
    course_id(),
    day(),
    enrolled(),
    ever_enrolled(),
    key=("course_id", "date"),
    indexes=(),
    by_day=True,
)

enrollment_event_use = result(
    "enrollment_event_use",
    Definition(
        title="Enrollment events that count",
        version=1,
        meaning="Enrollment events of each day, and how many of them count.",
        formula="An event counts if its payload has a valid course run, an integer user and a mode.",
        edge_cases=("Equal events of one moment count as events, though they change the enrollment once.",),
        source=_ENROLLMENT_SOURCE,
        spec="01 §5.1",
    ),
    day(),
    column("events", Integer(), "Enrollment events.", nullable=False),
    column("used", Integer(), "Enrollment events that count.", nullable=False),
    key=("date",),
    indexes=(),
    is_published=False,
)

course_enrollment_flow_daily = result(
    "course_enrollment_flow_daily",
    Definition(
        title="Joined and left",
        version=1,
        meaning="Learners who joined and who left each course run on each UTC day on which anybody did.",
        formula=(
            "joined = learners enrolled at the end of the day and not at the end of the day before; "
            "left = learners enrolled at the end of the day before and not at the end of the day. "
            "joined minus left is the change of the enrollment of the course."
        ),
        edge_cases=(
            "A day on which nobody joined and nobody left has no row.",
            (
                "A learner who joins and leaves on the same day counts in neither, as does one who leaves "
                "and comes back on the same day."
            ),
            "Over several days a learner who leaves and comes back counts in both.",
            "A change of mode is neither.",
        ),
        window="The UTC days with changes, from the course run's first enrollment event to the last day.",
        source=_ENROLLMENT_SOURCE,
        spec="01 §5.2",
        differences=("Ours: the original has the number of learners of each day only.", *_DIFFERENCES),
    ),
    course_id(),
    day(),
    column("joined", Integer(), "Learners who joined.", nullable=False),
    column("left", Integer(), "Learners who left.", nullable=False),
    key=("course_id", "date"),
    indexes=(("date",),),
    by_day=True,
)

course_enrollment_mode_daily = result(
    "course_enrollment_mode_daily",
    Definition(
        title="Enrollment by mode",
        version=3,
        meaning="Learners in each enrollment mode of a course run at the end of each UTC day.",
        formula=(
            "A learner's mode is that of the latest enrollment event up to the end of the day; each "
            "learner is in "
            "exactly one mode per day, so the modes add up to the enrollment of the course."
        ),
        edge_cases=(
            "The mode of a deactivation counts as well, as in the original.",
            "A learner who changes mode leaves the old mode's count and cumulative count.",
            "A mode nobody is in has no row for the day.",
        ),
        window="Every UTC day from the course run's first enrollment event to the last day.",
        source=_ENROLLMENT_SOURCE,
        spec="01 §5.1-5.3",
        differences=(
            *_DIFFERENCES,
            (
                "Enrollment by effective mode keeps learners in the mode they were enrolled in and shows "
                "modes that nobody is in any more with 0; here, as in the original, they have no row."
            ),
        ),
    ),
    day(),
    course_id(),
    column("mode", Exact(255), "Enrollment mode, e.g. audit, honor, verified.", nullable=False),
    enrolled(),
    ever_enrolled(),
    key=("course_id", "date", "mode"),
    indexes=(),
    by_day=True,
)

course_enrollment_effective_mode_daily = result(
    "course_enrollment_effective_mode_daily",
    Definition(
        title="Enrollment by effective mode",
        version=2,
        meaning="Learners enrolled in each mode of a course run at the end of each UTC day.",
        formula=(
            "Only events with an effect set the mode: the activation that enrolls a learner, and changes of "
            "mode while enrolled. count = learners enrolled in the mode at the end of the day; "
            "cumulative_count = learners who were ever enrolled in it up to then."
        ),
        edge_cases=(
            "The counts of all modes add up to the enrollment of the course.",
            "From its first learner on, a mode has a row for every day, also when nobody is in it.",
            "cumulative_count never falls; a learner who changes mode is in that of both.",
            "Learners who were never enrolled, by the events, are in no mode.",
        ),
        window="Every UTC day from the mode's first learner to the last day.",
        source=_ENROLLMENT_SOURCE,
        spec="01 §5.4, §10.20-21",
        differences=(
            (
                "Ours. Enrollment by mode counts as the original: any event moves a learner, also a "
                "deactivation in another mode, so its groups can shrink and vanish."
            ),
        ),
    ),
    day(),
    course_id(),
    column("mode", Exact(255), "Enrollment mode, e.g. audit, honor, verified.", nullable=False),
    enrolled(),
    column("cumulative_count", Integer(), "Learners who were ever enrolled in the mode."),
    key=("course_id", "date", "mode"),
    indexes=(),
    by_day=True,
)


def _moment(name: str, meaning: str) -> Column[Any]:
    return column(name, DateTime(), f"{meaning}, UTC.")


enrollment_change_point = result(
    "enrollment_change_point",
    Definition(
        title="Enrollment of a learner, day by day",
        version=1,
        meaning="Each learner's enrollment and mode at the end of each day with enrollment events.",
        formula=(
            "Enrolled after an activation, not enrolled after a deactivation, as before after a change of "
            "mode; the mode is that of the latest event. Events of one moment count in the order activation, "
            "deactivation, change of mode."
        ),
        edge_cases=("The tables of enrollment by day and group are counted from these rows.",),
        window="The whole history up to the last day.",
        source=_ENROLLMENT_SOURCE,
        spec="01 §5.2",
        persons="user_id",
    ),
    course_id(),
    column("user_id", BigInteger(), "Number of the learner in the LMS.", nullable=False),
    day(),
    column("enrolled", Integer(), "1 if enrolled at the end of the day, else 0.", nullable=False),
    column("mode", Exact(255), "Mode at the end of the day.", nullable=False),
    column("end", Date(), "The learner's next day with events; null: the state still holds."),
    key=("course_id", "user_id", "date"),
    indexes=(),
    is_published=False,
)

effective_enrollment_event = result(
    "effective_enrollment_event",
    Definition(
        title="Enrollment events that have an effect",
        version=1,
        meaning="Activations of learners who are not enrolled, deactivations and changes of those who are.",
        formula="The mode of a deactivation is the one that it ends, whatever the event says.",
        edge_cases=(
            "The tables of effective modes and of learners' enrollments are counted from these rows.",
        ),
        window="The whole history up to the last day.",
        source=_ENROLLMENT_SOURCE,
        spec="01 §5.4",
        persons="user_id",
    ),
    course_id(),
    column("user_id", BigInteger(), "Number of the learner in the LMS.", nullable=False),
    column("number", BigInteger(), "Grows with the time of the learner's events.", nullable=False),
    day(),
    column("time", DateTime(), "When it happened, UTC.", nullable=False),
    column("event_type", Exact(255), "Type of the event.", nullable=False),
    column("enrolled", Integer(), "1 if enrolled after the event, else 0.", nullable=False),
    column("mode", Exact(255), "Mode that the event sets or ends.", nullable=False),
    key=("course_id", "user_id", "number"),
    indexes=(),
    is_published=False,
)

course_enrollment_summary = result(
    "course_enrollment_summary",
    Definition(
        title="Enrollments of learners",
        version=2,
        meaning="How each learner's enrollment in a course run began, changed and is on the last day.",
        formula=(
            "Only events that have an effect count: activations of learners who are not enrolled, "
            "deactivations and changes of mode of those who are."
        ),
        edge_cases=(
            "Learners who were never enrolled, by the events, have no row.",
            "The last unenrollment is kept after a new enrollment.",
            "The mode of a deactivation and of a repeated activation is ignored.",
        ),
        window="The whole history up to the last day.",
        source=_ENROLLMENT_SOURCE,
        spec="01 §5.4",
        differences=_DIFFERENCES,
        persons="user_id",
    ),
    course_id(),
    column("user_id", BigInteger(), "Number of the learner in the LMS.", nullable=False),
    column("current_enrollment_mode", Exact(100), "Mode of the last day.", nullable=False),
    column("current_enrollment_is_active", Boolean(), "Whether enrolled on the last day.", nullable=False),
    column("first_enrollment_mode", Exact(100), "Mode of the first enrollment."),
    _moment("first_enrollment_time", "First enrollment"),
    _moment("last_unenrollment_time", "Last unenrollment"),
    _moment("first_verified_enrollment_time", "When first in the mode verified"),
    _moment("first_credit_enrollment_time", "When first in the mode credit"),
    column("end_time", DateTime(), "Midnight after the last day, UTC.", nullable=False),
    stamp="end_time",
    key=("course_id", "user_id"),
    indexes=(),
    is_published=False,
)

course_grade_by_mode = result(
    "course_grade_by_mode",
    Definition(
        title="Passing learners",
        version=2,
        meaning="Learners of each course run who pass, by enrollment mode.",
        formula=(
            "A learner passes whose grade in the LMS has a time of passing and a letter that is not empty. "
            "The mode is the learner's on the day the grade changed last."
        ),
        edge_cases=(
            "Learners who left since count as well.",
            "Grades last changed before the learner's first enrollment event count nowhere.",
            "Every mode of the course has a row, 0 if nobody passes; null where no grades are imported.",
        ),
        window="The whole history up to the last day.",
        source=f"{_ENROLLMENT_SOURCE} Grades: the LMS table grades_persistentcoursegrade as of the run.",
        spec="01 §5.5",
        differences=(
            "The LMS's instructor dashboard counts those who are enrolled now, by their mode of now.",
        ),
    ),
    course_id(),
    column("mode", Exact(100), "Enrollment mode.", nullable=False),
    column("passing_users", Integer(), "Learners with a passing grade; null: no grades are known."),
    key=("course_id", "mode"),
    indexes=(("course_id",),),
    groups_vary=True,
)

course_passing_daily = result(
    "course_passing_daily",
    Definition(
        title="Passing learners by day",
        version=1,
        meaning="Learners of each course run who pass, by the UTC day on which they passed first.",
        formula=(
            "A learner passes as in Passing learners; the day is that of the time of passing in the LMS. "
            "All days together are the passing learners of all modes."
        ),
        edge_cases=(
            "A day on which nobody passed has no row.",
            (
                "Whoever passed once and does not pass any more counts on no day: the LMS keeps no history "
                "of grades."
            ),
            "Learners who left since count as well.",
            "Grades may be newer than the last day: they are those of the latest import.",
            "Without imported grades there are no rows.",
        ),
        window="The UTC days on which anybody passed.",
        source=f"{_ENROLLMENT_SOURCE} Grades: the LMS table grades_persistentcoursegrade as of the run.",
        spec="01 §5.5",
        differences=("Ours: the original has the number of now only.",),
    ),
    course_id(),
    day("UTC day of passing."),
    column("passed", Integer(), "Learners who passed first on the day.", nullable=False),
    may_shrink=True,
    key=("course_id", "date"),
    indexes=(),
)

course_meta_summary_enrollment = result(
    "course_meta_summary_enrollment",
    Definition(
        title="Course summary",
        version=3,
        meaning="Current enrollment of each course run by mode, with its change over seven days.",
        formula=(
            "count and cumulative_count are those of the last day of enrollment by mode; "
            "count_change_7_days is "
            "count minus the count of the same mode seven days before, a missing row being 0."
        ),
        edge_cases=(
            "A mode that nobody is in on the last day has no row, so a drop to nothing does not show here.",
            (
                "Course runs that the catalog does not know, or all where none is read, have the title, "
                "dates and pacing of the LMS's list of courses; their availability is what the dates say on "
                "the last day."
            ),
            "passing_users are those of Passing learners; empty where no grades are imported.",
        ),
        window="The last day, and seven days before.",
        source="Enrollment by mode; Passing learners; the course catalog; the LMS's list of courses.",
        spec="01 §5.6",
        differences=(
            "The original leaves title, dates, pacing and availability empty where it reads no catalog.",
        ),
    ),
    course_id(),
    column("catalog_course_title", String(255), "Title of the course."),
    column("catalog_course", String(255), "Catalog key of the course the run belongs to."),
    column("start_time", DateTime(), "Start of the run, UTC."),
    column("end_time", DateTime(), "End of the run, UTC."),
    column("pacing_type", String(255), "instructor_paced or self_paced."),
    column("availability", String(255), "Current, Upcoming, Archived or Starting Soon."),
    column("enrollment_mode", Exact(100), "Enrollment mode.", nullable=False),
    column("count", Integer(), "Learners in the mode and enrolled at the end of the last day."),
    column("count_change_7_days", Integer(), "count minus the count seven days before."),
    column(
        "cumulative_count", Integer(), "Learners in the mode at the end of the last day, enrolled or not."
    ),
    column("passing_users", Integer(), "Learners of the mode with a passing grade."),
    key=("course_id", "enrollment_mode"),
    indexes=(("course_id",),),
    groups_vary=True,
)


_PROFILES = f"{_ENROLLMENT_SOURCE} Profiles: the LMS table auth_userprofile as of the run."

course_enrollment_gender_daily = result(
    "course_enrollment_gender_daily",
    Definition(
        title="Enrollment by gender",
        version=3,
        meaning="Learners enrolled in each course run at the end of each UTC day, by gender.",
        formula="Enrollment, grouped by the gender of the learner's profile.",
        edge_cases=(
            "Today's profile is used for all days.",
            "Empty, unknown and missing profiles are null.",
            "A group nobody is in has no row.",
        ),
        window="Every UTC day from the course run's first enrollment event to the last day.",
        source=_PROFILES,
        spec="01 §5.3",
        differences=_DIFFERENCES,
    ),
    day(),
    course_id(),
    column("gender", Exact(6), "m, f, o; null is unknown."),
    enrolled(),
    ever_enrolled(),
    key=("course_id", "date", "gender"),
    indexes=(),
    by_day=True,
)

course_enrollment_birth_year_daily = result(
    "course_enrollment_birth_year_daily",
    Definition(
        title="Enrollment by year of birth",
        version=3,
        meaning="Learners enrolled in each course run at the end of the last day, by year of birth.",
        formula="Enrollment of the last day, grouped by the year of birth of the learner's profile.",
        edge_cases=("Only the last day.", "Unknown years are null."),
        window="The last day.",
        source=_PROFILES,
        spec="01 §5.3",
        differences=(
            *_DIFFERENCES,
            "Years are those of the profiles, also implausible ones; readers leave these out of averages.",
        ),
    ),
    day(),
    course_id(),
    column("birth_year", Integer(), "Year; null is unknown."),
    enrolled(),
    ever_enrolled(),
    stamp="date",
    key=("course_id", "date", "birth_year"),
    indexes=(),
)

course_enrollment_education_level_daily = result(
    "course_enrollment_education_level_daily",
    Definition(
        title="Enrollment by education",
        version=3,
        meaning="Learners enrolled in each course run at the end of the last day, by highest education.",
        formula="Enrollment of the last day, grouped by the level of education of the learner's profile.",
        edge_cases=("Only the last day.", "Unknown and empty levels are null; `none` is a level of its own."),
        window="The last day.",
        source=_PROFILES,
        spec="01 §5.3",
        differences=_DIFFERENCES,
    ),
    day(),
    course_id(),
    column("education_level", Exact(16), "Level, e.g. bachelors; null is unknown."),
    enrolled(),
    ever_enrolled(),
    stamp="date",
    key=("course_id", "date", "education_level"),
    indexes=(("course_id",), ("course_id", "date")),
)

course_enrollment_location_current = result(
    "course_enrollment_location_current",
    Definition(
        title="Enrollment by country",
        version=4,
        meaning="Learners enrolled in each course run by the country they were last seen in.",
        formula=(
            "Enrollments of the LMS, grouped by the country of the address of the learner's latest event "
            "anywhere on the site. count: active ones; cumulative_count: all."
        ),
        edge_cases=(
            (
                "From the LMS's table, so totals differ from those of enrollment; where it was never "
                "imported, from the enrollment events."
            ),
            "One country for all courses of a learner; proxies and travel count as they appear.",
            "null: never seen; UNKNOWN: seen at an address no country is known for.",
        ),
        window="The last day.",
        source=(
            "The LMS table student_courseenrollment; addresses in all events of the tracking logs; "
            "the country database geo-whois-asn-country by ip-location-db (data: NRO, CC BY 4.0) or the "
            "operator's own."
        ),
        spec="01 §7",
        differences=(
            "The LMS shows the country that learners wrote into their profile; this is where they were seen.",
            (
                "The original dates the rows by the day of the import and needs a database that is no longer "
                "published; here it is the last day, IPv6 addresses are located too, and private addresses "
                "are UNKNOWN or in the country of the setting geolocation.private_country."
            ),
            (
                "Of several addresses at the same moment the original takes any; here the last country code "
                "in the alphabet counts."
            ),
            (
                "The original keeps addresses for ever. Where geolocation.address_retention_days is set, the "
                "country that an older one was in then is kept instead: a later country database changes "
                "nothing about it."
            ),
        ),
    ),
    day("UTC day: the last one of the run."),
    course_id(),
    column("country_code", Exact(10), "ISO 3166 alpha-2, or UNKNOWN; null: never seen."),
    column("count", Integer(), "Learners enrolled.", nullable=False),
    column("cumulative_count", Integer(), "Learners ever enrolled.", nullable=False),
    stamp="date",
    key=("course_id", "date", "country_code"),
    indexes=(("course_id",), ("course_id", "date")),
)

course_program_metadata = result(
    "course_program_metadata",
    Definition(
        title="Programs",
        version=2,
        meaning="The programs each course run belongs to.",
        formula="A row per course run and program of the course catalog.",
        edge_cases=(
            "Empty where no course catalog is read.",
            "Each program of a course run once, however often the catalog names it.",
        ),
        window="What the catalog says as of the run.",
        source="The course catalog.",
        spec="01 §5.8",
        differences=("The original repeats a program that the catalog names twice.",),
    ),
    course_id(),
    column("program_id", Exact(36), "UUID of the program.", nullable=False),
    column("program_type", String(32), "Type, e.g. MicroMasters.", nullable=False),
    column("program_title", String(255), "Title."),
    key=("course_id", "program_id"),
    indexes=(("course_id",),),
)
