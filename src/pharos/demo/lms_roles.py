"""Course teams of the LMS stand-in: who has staff access to a course run, and does `course_ids` say so?"""

from __future__ import annotations

from pharos.demo.courses import Course
from pharos.demo.people import Persona
from pharos.demo.releases import Release


def has_staff_access(person: Persona | None, course: Course) -> bool:
    """True if the person may see the course run as its team does; None is an anonymous person."""
    if person is None:
        return False
    return (
        person.global_staff
        or person.superuser
        or course.id in person.courses
        or course.org in person.organizations
    )


def is_told_by_course_ids(person: Persona, course: Course, release: Release) -> bool:
    """True if `course_ids?role=staff` returns the course run.

    The LMS's short cut knows only roles in single course runs, and none of openedx-authz (spec 07 §2.3).
    """
    if person.global_staff:
        return True
    return course.id in person.courses and not release.keeps_roles_in_authz
