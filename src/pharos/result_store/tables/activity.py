"""Activity: learners per ISO week, and in the week so far."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime, Integer

from pharos.result_store.column_types import Exact
from pharos.result_store.tables.base import Definition, column, course_id, day, result


def _week(
    start: str = "First moment of the week, UTC.",
    end: str = "First moment after the week, UTC.",
) -> tuple[Column[Any], ...]:
    return (
        column("interval_start", DateTime(), start, nullable=False),
        column("interval_end", DateTime(), end, nullable=False),
        column(
            "label", Exact(255), "ACTIVE, ATTEMPTED_PROBLEM, PLAYED_VIDEO or POSTED_FORUM.", nullable=False
        ),
        column("count", Integer(), "Distinct learners.", nullable=False),
    )


course_activity = result(
    "course_activity",
    Definition(
        title="Weekly activity",
        version=3,
        meaning="Distinct learners active in each course run per ISO week, by kind of activity.",
        formula=(
            "Active: any event of a signed-in person in the course. Watched a video: started one, in the "
            "browser or the mobile app. Tried a problem: submitted an answer. Joined a discussion: posted a "
            "thread, a response or a comment. Each learner counts once per week and kind."
        ),
        edge_cases=(
            "Weeks run from Monday 00:00 to Monday 00:00 UTC; only complete weeks are counted.",
            "Enrollment events and events of background tasks are no activity.",
            (
                "The course is that of the event's context, else that of the address, of the forum's thread "
                "or of the problem."
            ),
            "Course teams count like learners.",
            "A week without activity has no row.",
            (
                "Any request to the LMS counts as active, also a failed one and those an app makes by "
                "itself. Answers to open response assessments and external tools are no tried problems; "
                "editing a post and voting are no discussion."
            ),
        ),
        window="Complete ISO weeks from the first event to the last day.",
        source="All events of the tracking logs with a course and a person.",
        spec="01 §6",
        differences=(
            "The LMS's own last-activity dates count signing in and any page, also outside courses.",
            (
                "The original holds as many weeks as it is told, none after 2019 as it is shipped, reads no "
                "addresses of today's learning pages, and counts branches and versions of a course run "
                "apart; here are all weeks of the run itself."
            ),
            (
                "The settings counting.staff and counting.libraries leave out staff, and libraries: the "
                "LMS's staff everywhere, course teams and beta testers of now in their course runs. The "
                "original counts all, as is the default here."
            ),
        ),
    ),
    course_id(),
    *_week("Monday 00:00 UTC, first moment of the week.", "Monday 00:00 UTC after the week; not part of it."),
    key=("course_id", "interval_end", "label"),
    indexes=(("course_id", "label"), ("interval_end",)),
)

course_activity_site_week = result(
    "course_activity_site_week",
    Definition(
        title="Weekly activity in weeks of the site",
        version=1,
        meaning="Distinct learners active in each course run per week of the site, by kind of activity.",
        formula=(
            "As weekly activity, in weeks that begin on the day of the setting counting.week_start, Sunday "
            "or Saturday, at 00:00 UTC."
        ),
        edge_cases=(
            "Only complete weeks are counted.",
            "Where weeks begin on Monday there are no rows: weekly activity has them.",
            "A week without activity has no row.",
            "After a change of the setting, all weeks are counted anew.",
        ),
        window="Complete weeks from the first event to the last day.",
        source="All events of the tracking logs with a course and a person.",
        spec="01 §6",
        differences=("Ours: weeks of the original begin on Monday.",),
    ),
    course_id(),
    *_week(),
    may_shrink=True,
    key=("course_id", "interval_end", "label"),
    indexes=(("course_id", "label"),),
)

course_activity_current_week = result(
    "course_activity_current_week",
    Definition(
        title="Activity of the week so far",
        version=3,
        meaning="Distinct learners active in each course run in the week so far, by kind of activity.",
        formula=(
            "As weekly activity, from 00:00 UTC of the week's first day up to the last day. The first day is "
            "that of the setting counting.week_start: Monday, Sunday or Saturday."
        ),
        edge_cases=(
            "Not comparable with whole weeks: the number grows until the week ends.",
            "The last day may be a part of a day.",
            "On the first day, before the first event of the week is counted, there are no rows.",
        ),
        window="From the first day of the week that is not over to the last day.",
        source="All events of the tracking logs with a course and a person.",
        spec="01 §6, §10.31",
        differences=("Ours: the original has no figures of the current week.",),
    ),
    course_id(),
    day("Last UTC day that is counted."),
    *_week(),
    stamp="date",
    may_shrink=True,
    key=("course_id", "label"),
    indexes=(("course_id",),),
)
