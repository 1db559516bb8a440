"""Countries of the learners of each course run. `spec 01 §7`"""

from __future__ import annotations

import ibis

from pharos.geolocation import CountryOf
from pharos.metrics.metric import metric
from pharos.result_store import tables


@metric(tables.course_enrollment_location_current, by="course_id")
def course_enrollment_location_current(
    counted_last_address_by_learner_day: ibis.Table,
    counted_student_courseenrollment: ibis.Table,
    enrollment_change_point: ibis.Table,
    enrollments_are_known: bool,
    country_of: CountryOf,
) -> ibis.Table:
    """Learners by the country of the address of their latest event anywhere on the site.

    Learners are the rows of the LMS's table if `enrollments_are_known`, else those of the enrollment events.
    Null: no event of this learner has an address. UNKNOWN: the country of the address is unknown. If there
    are several addresses at the latest moment, the alphabetically last country code counts; the code is kept
    even where addresses are removed.
    """
    addresses = counted_last_address_by_learner_day
    latest = addresses.time.max().over(ibis.window(group_by="user_id"))
    last = addresses.mutate(latest=latest).filter(lambda rows: rows.time == rows.latest)
    located = last.select("user_id", country_code=country_of(last.ip))
    countries = located.group_by("user_id").agg(country_code=located.country_code.max())
    if enrollments_are_known:
        rows = counted_student_courseenrollment
        enrolled = rows.select("course_id", "user_id", enrolled=rows.is_active.cast("int64"))
    else:
        points = enrollment_change_point
        enrolled = points.filter(points.end.isnull()).select("course_id", "user_id", "enrolled")
    located = enrolled.left_join(countries, "user_id")
    return located.group_by("course_id", "country_code").agg(
        count=located.enrolled.sum().cast("int64"), cumulative_count=located.count()
    )
