"""Dates of a course for charts over time and their tables: start, end and due dates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from pharos.insights.charts import Mark
from pharos.insights.deadlines import Deadline
from pharos.insights.directory import Course
from pharos.insights.language import Language


def marks_of(words: Language, course: Course, deadlines: Sequence[Deadline]) -> list[Mark]:
    """One mark for each day (UTC) with a start, end or due date, in order."""
    names: defaultdict[date, list[str]] = defaultdict(list)
    if course.start is not None:
        names[course.start.date()].append(words.text("Course starts"))
    for deadline in deadlines:
        names[deadline.due.date()].append(deadline.name)
    if course.end is not None:
        names[course.end.date()].append(words.text("Course ends"))
    return [Mark(day, words.enumeration(texts)) for day, texts in sorted(names.items())]
