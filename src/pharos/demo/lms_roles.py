"""Course teams of the LMS stand-in: who has staff access to a course run, and does `course_ids` say so?"""

from __future__ import annotations

from pharos.demo.courses import Course
from pharos.demo.people import Persona
from pharos.demo.releases import Release


def has_staff_access(person: Persona | None, course: Course) -> bool:
    """Whether they may see the course run as its team does; None is the anonymous person."""
    if person is None:
        return False
    return (
        person.global_staff
        or person.superuser
        or course.id in person.courses
        or course.org in person.organizations
    )


def is_told_by_course_ids(person: Persona, course: Course, release: Release) -> bool:
    """Whether `course_ids?role=staff` names the course run.

    Its short cut knows roles in single course runs only, and none of openedx-authz (spec 07 §2.3).
    """
    if person.global_staff:
        return True
    return course.id in person.courses and not release.keeps_roles_in_authz
