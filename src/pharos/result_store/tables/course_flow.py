"""Course flow: each learner's visits and completions by place of a course run, and where learners stop."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Integer

from pharos.result_store.column_types import Exact
from pharos.result_store.tables.base import Definition, column, course_id, result

_SPEC = "90 §6.1, §9; 07 §3.11, 4.3"
_SOURCE = (
    "Addresses, pages and completion in the events of the tracking logs; problem_check and play_video; the "
    "outline of the course; the LMS table completion_blockcompletion."
)
_CASES = (
    "A place is reached by an event that names it, or a block in it, in its address, page or payload.",
    "A problem tried, a video watched and a block completed reach their place, too.",
    "Events without a learner's number do not count.",
    "A block with several parents lies in the first one.",
    "Without the outline of the LMS there are no rows; without units in it there are none of units.",
    "completed: all blocks in the place that count are complete; null: none counts.",
    "A block counts if it holds no others and anybody completed one of its type in the course run.",
    "Completion is that of the LMS's table where it knows the course run, else of the latest events.",
)


def _level() -> Column[Any]:
    return column("level", Exact(10), "course, section, subsection or unit.", nullable=False)


def _block() -> Column[Any]:
    return column("block_id", Exact(255), "Usage id of the place.", nullable=False)


def _count(name: str, meaning: str, *, nullable: bool = False) -> Column[Any]:
    return column(name, Integer(), meaning, nullable=nullable)


learner_place = result(
    "learner_place",
    Definition(
        title="Places of learners",
        version=1,
        meaning="What each learner did in each section, subsection and unit of a course run.",
        formula="One row for each place that the learner reached, with the first and the last visit.",
        edge_cases=_CASES,
        window="The whole history up to the last day.",
        source=_SOURCE,
        spec=_SPEC,
        persons="user_id",
    ),
    course_id(),
    column("user_id", BigInteger(), "Number of the learner in the LMS.", nullable=False),
    _level(),
    _block(),
    column("tried", Boolean(), "A problem in it.", nullable=False),
    column("watched", Boolean(), "A video in it.", nullable=False),
    column("completed", Boolean(), "All of it that counts; null: nothing counts."),
    column("first_moment", BigInteger(), "First visit, microseconds since 1970, UTC; null: none is told."),
    column("last_moment", BigInteger(), "Last visit."),
    key=("course_id", "user_id", "level", "block_id"),
    indexes=(),
    is_published=False,
)

course_flow = result(
    "course_flow",
    Definition(
        title="Course flow",
        version=2,
        meaning="How many learners reached, completed and tried each part of a course run, and stop in it.",
        formula=(
            "Distinct learners, each once on each level. stopped: of the learners who are slowing down or "
            "quiet by a pause, or left, those whose last visit on the level was to this place."
        ),
        edge_cases=(
            *_CASES,
            "Who passed has not stopped, and neither has who was never enrolled.",
            "next_block_id: the subsection that most learners visited first after their first visit here.",
            "Of equally many the first in the course.",
            "Names and order are those of the outline of today.",
            "Deleted places keep their name, and are there if anybody reached them.",
        ),
        window="The whole history up to the last day.",
        source=f"{_SOURCE} Status of learners.",
        spec=_SPEC,
    ),
    course_id(),
    _level(),
    _block(),
    column("parent_block_id", Exact(255), "Usage id of the place that holds it; null for the course."),
    column("display_name", Exact(255), "Name.", nullable=False),
    _count("place", "Place in the order of the course."),
    column("is_deleted", Boolean(), "No longer in the outline.", nullable=False),
    _count("reached", "Learners who reached it."),
    _count("completed", "Learners who completed it; null: nothing in it counts.", nullable=True),
    _count("tried", "Learners who tried a problem in it."),
    _count("watched", "Learners who watched a video in it."),
    _count("stopped", "Learners who stop here."),
    column("next_block_id", Exact(255), "Subsection that most learners visited next; null: none."),
    _count("next_learners", "Learners who did.", nullable=True),
    key=("course_id", "level", "block_id"),
    indexes=(("course_id",),),
    key_is_indexed=False,
)
