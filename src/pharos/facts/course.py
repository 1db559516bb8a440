"""Finds the course run of an id: ids in events may also name a branch or version of a run, or a library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, StringValue

LIBRARY = "library-v1:"


def course_run(course_id: StringValue) -> StringValue:
    """The id of the course run itself, from a valid id that may hold more. `spec 01 §10.5`

    Branch, version, type and block are removed; from a library id everything after its name. The older prefix
    `slashes:` becomes `course-v1:`. An id that consists only of a version is not changed.
    """
    run = course_id.re_replace(r"\+(?:branch|version|type|block)@[^+]+", "").re_replace(
        "^slashes:", "course-v1:"
    )
    library = run.re_extract(r"^library-v1:[^+]+\+[^+]+", 0)
    return ibis.ifelse(is_library(run), library, run)


def is_library(course_id: StringValue) -> BooleanValue:
    """True if the id is that of a content library."""
    return course_id.startswith(LIBRARY)
