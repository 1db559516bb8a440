"""Engagement of single learners: activity per day, their week compared with the course, the roster."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Date, Integer, PrimaryKeyConstraint, String, Table, func
from sqlalchemy import DateTime as Time

from pharos.result_store.column_types import Exact, long_text, number, token
from pharos.result_store.tables.base import MYSQL, Definition, column, course_id, day, metadata, result

SEGMENTS = ("unenrolled", "inactive", "disengaging", "highly_engaged", "struggling")
"""What a learner may be, in the order in which the roster lists it."""

_EVENTS = "Events problem_check (server), play_video and edx.forum.….created in the tracking logs."


def _username(length: int = 150) -> Column[Any]:
    """A user name: the original has room for 30 characters; today's LMS allows 150."""
    return column("username", Exact(length), "Learner.", nullable=False)


def _count(name: str, meaning: str, *, nullable: bool = True) -> Column[Any]:
    return column(name, Integer(), meaning, nullable=nullable)


_NO_NUMBER = "Number of the learner in the LMS; 0: the events do not tell it."

event_name = result(
    "event_name",
    Definition(
        title="User names in events",
        version=1,
        meaning="The numbers and user names of learners that stand together in events of a course run.",
        formula="One row for each pair, with the last day on which an event has it.",
        edge_cases=("An event without a user name has no row.",),
        window="The whole history up to the last day.",
        source="All events of the tracking logs.",
        spec="03 §4.2",
        persons="user_id",
    ),
    course_id(),
    column("user_id", BigInteger(), _NO_NUMBER, nullable=False),
    column("event_username", Exact(255), "User name in the events.", nullable=False),
    column("last_date", Date(), "Last UTC day with such an event.", nullable=False),
    key=("course_id", "user_id", "event_username"),
    indexes=(),
    is_published=False,
)

learner_name = result(
    "learner_name",
    Definition(
        title="User names of learners",
        version=1,
        meaning="The user name by which a learner is shown, for each number and user name in events.",
        formula="The user name that the LMS has now; without the LMS's table, the newest in the course run.",
        edge_cases=(
            "An event without a number is the learner's whose user name it has in the course run.",
            "Such an event is left out if its user name has more than 30 characters and is no learner's.",
        ),
        source="User names in events, the LMS table auth_user.",
        spec="03 §2.2, 4.2",
        persons="user_id",
    ),
    course_id(),
    column("user_id", BigInteger(), _NO_NUMBER, nullable=False),
    column("event_username", Exact(255), "User name in the events.", nullable=False),
    _username(),
    key=("course_id", "user_id", "event_username"),
    indexes=(),
    is_published=False,
)

module_engagement = result(
    "module_engagement",
    Definition(
        title="Engagement by day",
        version=1,
        meaning="What each learner did with each problem, video and discussion topic on each UTC day.",
        formula="count = events of the kind: attempted, completed (a right answer), viewed, contributed.",
        edge_cases=(
            "A right submission counts as attempted and as completed.",
            "Reading pages and forum posts is no engagement.",
            "Events without a user name, and without a problem, video or topic, do not count.",
            "Course teams count like learners.",
        ),
        window="The whole history up to the last day; late events change the days they are of.",
        source=_EVENTS,
        spec="03 §2.2-2.3",
        differences=(
            "Learners are told apart by their number in the LMS: who is renamed or retired stays one.",
            "All days are under the user name that the LMS has now.",
            "A day without events is an empty day, no error.",
        ),
        persons="username",
    ),
    course_id(),
    _username(),
    day(),
    column("entity_type", Exact(10), "problem, video or discussion.", nullable=False),
    column("entity_id", Exact(255), "Problem, video or topic.", nullable=False),
    column("event", Exact(30), "attempted, completed, viewed or contributed.", nullable=False),
    _count("count", "Events.", nullable=False),
    key=("course_id", "username", "date", "entity_type", "entity_id", "event"),
    indexes=(("course_id", "username", "date"), ("username", "entity_type"), ("date",)),
)

_POPULATION = (
    "Everybody with engagement in the course in these days, enrolled or not; course teams too, unless "
    "counting.staff leaves them out."
)


def _week() -> tuple[Column[Any], Column[Any]]:
    return (
        column("start_date", Date(), "First of the seven days.", nullable=False),
        column("end_date", Date(), "Day after the last of them.", nullable=False),
    )


module_engagement_summary = result(
    "module_engagement_summary",
    Definition(
        title="Engagement of a week",
        version=1,
        meaning="What each learner did in a course in the seven days up to the last one.",
        formula="Problems and videos: distinct ones of these days; attempts and contributions: events.",
        edge_cases=(
            "problem_attempts_per_completed is null, which stands for infinity, without a completed problem.",
            "A problem solved on two days is one completed problem.",
            "A learner without engagement has no row.",
            _POPULATION,
        ),
        window="The seven days up to the last one.",
        source="Engagement by day.",
        spec="03 §2.4",
        differences=("It is computed anew when an event of these days comes late.",),
        persons="username",
    ),
    course_id(),
    _username(),
    *_week(),
    _count("problem_attempts", "Submissions.", nullable=False),
    _count("problems_attempted", "Distinct problems.", nullable=False),
    _count("problems_completed", "Distinct problems answered rightly.", nullable=False),
    column("problem_attempts_per_completed", number, "Submissions per completed problem; null: infinity."),
    _count("videos_viewed", "Distinct videos.", nullable=False),
    _count("discussion_contributions", "Posts, responses, comments.", nullable=False),
    _count("days_active", "Days with engagement.", nullable=False),
    key=("course_id", "username"),
    indexes=(("course_id",),),
    may_shrink=True,
)

module_engagement_metric_ranges = result(
    "module_engagement_metric_ranges",
    Definition(
        title="Engagement ranges",
        version=1,
        meaning="What is low, normal and high engagement in each course over the last seven days.",
        formula="low is below the 15th percentile of the learners with engagement, high from the 85th up.",
        edge_cases=(
            "null is infinity.",
            "Ranges hold their lower bound and not their upper.",
            "For problem_attempts_per_completed low is good.",
            _POPULATION,
            "Zeros count; only who submitted no answer has no attempts per completed problem.",
            "If both percentiles are equal, nothing is high; if the 15th is 0, nothing is low.",
            "With fewer learners with engagement than engagement.smallest_group everything is normal.",
        ),
        window="The seven days up to the last one.",
        source="Engagement of a week.",
        spec="03 §2.5",
        differences=(
            "A percentile that falls on a learner with a finite value is that value, whatever follows it.",
            "A course without engagement has no rows, and all may be so.",
        ),
    ),
    course_id(),
    column("start_date", Date(), "First day."),
    column("end_date", Date(), "Day after the last."),
    column("metric", Exact(50), "Metric of the roster.", nullable=False),
    column("range_type", Exact(50), "low, normal or high.", nullable=False),
    column("low_value", number, "Smallest value in the range."),
    column("high_value", number, "Smallest value above the range."),
    key=("course_id", "metric", "range_type"),
    indexes=(("course_id", "metric"),),
    may_shrink=True,
)

module_engagement_user_segments = result(
    "module_engagement_user_segments",
    Definition(
        title="Segments of learners",
        version=1,
        meaning="The learners of each course who stand out by their engagement of the last seven days.",
        formula=(
            "highly_engaged: problems attempted or completed, videos or contributions are in the high range "
            "of the course. struggling: attempts per completed problem are."
        ),
        edge_cases=(
            "A learner may be in both segments.",
            "The number of attempts puts nobody into a segment.",
            "Infinity lies in each high range of attempts per completed problem.",
        ),
        window="The seven days up to the last one.",
        source="Engagement of a week, engagement ranges.",
        spec="03 §2.6",
        differences=("Who submitted no answer is not struggling.",),
        persons="username",
    ),
    course_id(),
    _username(),
    *_week(),
    column("segment", Exact(50), "highly_engaged or struggling.", nullable=False),
    column("reason", Exact(255), "The metrics in their high range, joined by commas.", nullable=False),
    key=("course_id", "username", "segment"),
    indexes=(("course_id",),),
    may_shrink=True,
)

module_engagement_roster = result(
    "module_engagement_roster",
    Definition(
        title="Learners",
        version=2,
        meaning="Everybody who ever enrolled in a course, with profile and engagement of seven days.",
        formula=(
            "problems and videos: distinct ones of the seven days; attempts and contributions: events. "
            "Segments: "
            "unenrolled; inactive: no engagement in two weeks; disengaging: some in the week before, none in "
            "this; "
            "highly_engaged and struggling: by the ranges of the course."
        ),
        edge_cases=(
            "Learners whom the LMS does not know are missing.",
            "Without the LMS's table of users, those are there whose user name events tell.",
            "E-mail address and profile are there with data_api.learners only.",
            "Of a learner in several cohorts the first by name is shown.",
            "problem_attempts_per_completed is null without a completed problem.",
            "attempt_ratio_order is the attempts, negative without a completed problem.",
        ),
        window="Enrollment on the last day, engagement of the seven days up to it.",
        source="Enrollment, engagement by day, the LMS tables auth_user, auth_userprofile and of cohorts.",
        spec="03 §2.7",
        differences=(
            "Learners without a profile are there.",
            "Language, place, address, city, country and goals are never read from the LMS: always null.",
            "The dates are null without engagement, so that rows of idle learners stay as they are.",
            "Groups that are no cohorts do not count.",
        ),
        persons="username",
    ),
    course_id(),
    _username(),
    column("start_date", Date(), "First of the seven days; null without engagement in them."),
    column("end_date", Date(), "Day after the last of them."),
    column("email", Exact(254), "E-mail address."),
    column("name", long_text, "Full name."),
    column("enrollment_mode", Exact(100), "Enrollment mode on the last day."),
    column("enrollment_date", Date(), "First day enrolled; null if never at the end of a day."),
    column("cohort", Exact(255), "Cohort; null if in none."),
    _count("problem_attempts", "Submissions.", nullable=False),
    _count("problems_attempted", "Distinct problems.", nullable=False),
    _count("problems_completed", "Distinct problems answered rightly.", nullable=False),
    column("problem_attempts_per_completed", number, "Submissions per completed problem."),
    _count("videos_viewed", "Distinct videos.", nullable=False),
    _count("discussion_contributions", "Posts, responses, comments.", nullable=False),
    column("segments", String(255), "Segments, joined by commas; empty: none.", nullable=False),
    _count("attempt_ratio_order", "Second key of the order by ratio.", nullable=False),
    column("user_id", Integer(), "Number of the learner in the LMS."),
    column("language", long_text, "Not read."),
    column("location", long_text, "Not read."),
    _count("year_of_birth", "Year, from the profile."),
    column("level_of_education", String(255), "Code of the LMS."),
    column("gender", String(255), "Code of the LMS."),
    column("mailing_address", long_text, "Not read."),
    column("city", long_text, "Not read."),
    column("country", String(255), "Not read."),
    column("goals", long_text, "Not read."),
    key=("course_id", "username"),
    indexes=(("course_id",),),
)

module_engagement_roster_token = result(
    "module_engagement_roster_token",
    Definition(
        title="Words to find learners by",
        version=1,
        meaning="The words that each learner of a course is found by, without case and accents.",
        formula=(
            "The words of name and user name, the whole user name and the whole e-mail address. A search "
            "finds the learners who have, for each of its words, a word that begins with it."
        ),
        edge_cases=(
            "Words end at blanks and at signs; a word with signs in it is there whole, too.",
            "Of a word in a script without blanks each ending is there, up to the last eight.",
            "A word of a name and of an address is there once, as one of the name.",
        ),
        window="As the table of learners.",
        source="Learners.",
        spec="03 §2.8",
        persons="username",
    ),
    course_id(),
    column("token", token, "The word, or its beginning.", nullable=False),
    _username(),
    column("field", Exact(10), "name, username or email.", nullable=False),
    key=("course_id", "token", "username"),
    indexes=(),
)

_PERIODS = {
    "daily": "each UTC day",
    "weekly": "each week that ends on the weekday of the last day",
    "all": "the whole time",
}


def _student_engagement(period: str) -> Table:
    """Without `id`, as in the original."""
    definition = Definition(
        title=f"Learner activity ({period})",
        version=2,
        meaning=f"What each learner did in {_PERIODS[period]}.",
        formula="Distinct problems and videos; events of other kinds; votes given minus votes taken back.",
        edge_cases=(
            "Only learners with activity, enrolled or not.",
            "Every event with a user name, a course and a payload that can be read is activity.",
            "A problem answered rightly once stays so.",
            "A vote received is activity of the receiver.",
            "A count can be negative if only the taking back of a vote falls into the time.",
        ),
        window="The whole history up to the last day; the first week may be a part of one.",
        source="All events of the tracking logs.",
        spec="03 §3",
        differences=(
            "Learners are told apart by their number in the LMS, and shown under the user name of today.",
            "An event without a course in its context counts for the course of its address.",
        ),
        persons="username",
    )
    numbers = {
        "days_active": "Days with activity.",
        "problems_attempted": "Distinct problems.",
        "problem_attempts": "Submissions.",
        "problems_correct": "Distinct problems answered rightly.",
        "videos_played": "Distinct videos.",
        "forum_posts": "Posts.",
        "forum_responses": "Responses.",
        "forum_comments": "Comments.",
        "forum_upvotes_given": "Votes for others' posts and responses.",
        "forum_downvotes_given": "Votes against.",
        "forum_upvotes_received": "Others' votes for.",
        "forum_downvotes_received": "Others' votes against.",
        "textbook_pages_viewed": "Pages of textbooks.",
    }
    name = f"student_engagement_{period}"
    return Table(
        name,
        metadata,
        column("end_date", Date(), "Last day of the time.", nullable=False),
        course_id(),
        _username(255),
        *(_count(number_name, meaning) for number_name, meaning in numbers.items()),
        column("last_subsection_viewed", String(1000), "Path; empty if none.", nullable=False),
        Column("created", Time, server_default=func.now(), nullable=False, comment="When published, UTC."),
        PrimaryKeyConstraint("course_id", "username", "end_date"),
        comment=definition.meaning,
        info={
            "definition": definition,
            "key": ("course_id", "username", "end_date"),
            "by_day": False,
            "stamp": "end_date" if period == "all" else None,
            "may_shrink": period == "weekly",  # the weeks of one day are not those of the next
            "groups_vary": False,
        },
        **MYSQL,
    )


student_engagement_daily = _student_engagement("daily")
student_engagement_weekly = _student_engagement("weekly")
student_engagement_all = _student_engagement("all")
