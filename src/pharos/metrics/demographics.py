"""Year of birth, gender and education of the learners of each course run. `spec 01 §5.3`

Profiles of the latest import are used for all days: the LMS keeps no history of them.
"""

from __future__ import annotations

import ibis

from pharos.metrics.enrollment_states import daily_counts, last_counts
from pharos.metrics.metric import metric
from pharos.result_store import tables

EDUCATION = {
    "el": "primary",
    "jhs": "junior_secondary",
    "hs": "secondary",
    "a": "associates",
    "b": "bachelors",
    "m": "masters",
    "p": "doctorate",
    "p_se": "doctorate",
    "p_oth": "doctorate",
    "none": "none",
    "other": "other",
}
"""The LMS's codes of education and the Result Store's; other codes are unknown."""


@metric(tables.course_enrollment_gender_daily, by="course_id", spans=True)
def course_enrollment_gender_daily(
    enrollment_change_point: ibis.Table, auth_userprofile: ibis.Table
) -> ibis.Table:
    """Learners by gender at the end of each day; an empty gender is unknown, like a missing profile."""
    profiles = auth_userprofile.mutate(gender=auth_userprofile.gender.nullif(""))
    return daily_counts(_with_profile(enrollment_change_point, profiles, "gender"), "gender")


@metric(tables.course_enrollment_birth_year_daily, by="course_id")
def course_enrollment_birth_year_daily(
    enrollment_change_point: ibis.Table, auth_userprofile: ibis.Table
) -> ibis.Table:
    """Learners by year of birth on the last day."""
    profiles = auth_userprofile.mutate(birth_year=auth_userprofile.year_of_birth)
    return last_counts(_with_profile(enrollment_change_point, profiles, "birth_year"), "birth_year")


@metric(tables.course_enrollment_education_level_daily, by="course_id")
def course_enrollment_education_level_daily(
    enrollment_change_point: ibis.Table, auth_userprofile: ibis.Table
) -> ibis.Table:
    """Learners by highest education on the last day."""
    code = auth_userprofile.level_of_education
    levels = ibis.cases(*((code == known, level) for known, level in EDUCATION.items()))
    profiles = auth_userprofile.mutate(education_level=levels)
    return last_counts(_with_profile(enrollment_change_point, profiles, "education_level"), "education_level")


def _with_profile(points: ibis.Table, profiles: ibis.Table, column: str) -> ibis.Table:
    """Change points with a column of the learner's profile; null without one."""
    joined = points.left_join(profiles.select("user_id", column), "user_id")
    return joined.select(*points.columns, column)
