"""Agreement of events and LMS about the enrollments of a course, in words."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pharos.insights.api import Row
from pharos.insights.language import Language


def in_words(words: Language, rows: Sequence[Row] | None) -> tuple[Markup, ...]:
    """The two counts, then each kind of difference; empty if the LMS's table is unknown."""
    if not rows:
        return ()
    [row] = rows
    counts = words.htmls(
        "The LMS has <strong>%(n)s learner</strong> enrolled, the events have <strong>%(events)s</strong>.",
        "The LMS has <strong>%(n)s learners</strong> enrolled, the events have <strong>%(events)s</strong>.",
        row["lms_count"],
        events=words.number(row["events_count"]),
    )
    kinds = (
        words.htmls(
            "%(n)s is enrolled in the LMS without an event: by hand or by a script, or the log is lost.",
            "%(n)s are enrolled in the LMS without an event: by hand or by a script, or the log is lost.",
            row["only_in_lms"],
        ),
        words.htmls(
            "%(n)s is enrolled by the events and unknown to the LMS: the enrollment was deleted there.",
            "%(n)s are enrolled by the events and unknown to the LMS: the enrollments were deleted there.",
            row["only_in_events"],
        ),
        words.htmls(
            "%(n)s is enrolled in the LMS and left by the events: the event of coming back is missing.",
            "%(n)s are enrolled in the LMS and left by the events: the events of coming back are missing.",
            row["active_in_lms"],
        ),
        words.htmls(
            "%(n)s is enrolled by the events and left in the LMS: the event of leaving is missing.",
            "%(n)s are enrolled by the events and left in the LMS: the events of leaving are missing.",
            row["active_in_events"],
        ),
        words.htmls(
            "%(n)s is in another track in the LMS: the event of the move is missing.",
            "%(n)s are in other tracks in the LMS: the events of the moves are missing.",
            row["other_mode"],
        ),
    )
    numbers = (row[name] for name in REASONS)
    different = tuple(text for text, number in zip(kinds, numbers, strict=True) if number)
    return (counts, *(different or (words.html("They agree on every learner."),)))


REASONS = ("only_in_lms", "only_in_events", "active_in_lms", "active_in_events", "other_mode")
"""Kinds of differences, each learner under one."""
