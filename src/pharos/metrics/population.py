"""Who and what counts: everybody and everything, unless an operator wants staff or libraries left out."""

from __future__ import annotations

import ibis

from pharos.facts.course import is_library


def without_staff(rows: ibis.Table, auth_user: ibis.Table) -> ibis.Table:
    """Rows with a `user_id`, but for those of the LMS's own staff and superusers. `spec 01 §10.26`

    Nobody is left out while the LMS's table of users was never imported.
    """
    staff = auth_user.filter(auth_user.is_staff | auth_user.is_superuser)
    return rows.anti_join(staff, rows.user_id == staff.id)


def without_libraries(rows: ibis.Table) -> ibis.Table:
    """Rows with a `course_id`, but for those of content libraries. `spec 01 §10.5`"""
    return rows.filter(~is_library(rows.course_id))
