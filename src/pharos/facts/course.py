"""Which course run an id stands for: events also name branches and versions of a run, and libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, StringValue

LIBRARY = "library-v1:"


def course_run(course_id: StringValue) -> StringValue:
    """The id of the course run itself, of a valid id that may say more. `spec 01 §10.5`

    Without branch, version, type and block; of a library without what follows its name; `slashes:` is an
    older name of `course-v1:`. An id that is nothing but a version stays as it is.
    """
    run = course_id.re_replace(r"\+(?:branch|version|type|block)@[^+]+", "").re_replace(
        "^slashes:", "course-v1:"
    )
    library = run.re_extract(r"^library-v1:[^+]+\+[^+]+", 0)
    return ibis.ifelse(is_library(run), library, run)


def is_library(course_id: StringValue) -> BooleanValue:
    """Whether the id is one of a content library."""
    return course_id.startswith(LIBRARY)
