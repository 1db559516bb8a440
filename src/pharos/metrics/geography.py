"""Where a course run's learners are. `spec 01 §7`"""

from __future__ import annotations

from datetime import date

import ibis

from pharos.geolocation import CountryOf
from pharos.metrics.enrollment_states import change_points
from pharos.metrics.metric import metric
from pharos.result_store import tables


@metric(tables.course_enrollment_location_current)
def course_enrollment_location_current(
    last_address_by_learner_day: ibis.Table,
    student_courseenrollment: ibis.Table,
    enrollment_event: ibis.Table,
    country_of: CountryOf,
    last_day: date,
) -> ibis.Table:
    """Learners by the country of the address of their latest event anywhere on the site.

    Learners are the rows of the LMS's table, or those of the enrollment events where it was never imported.
    Null: never seen. UNKNOWN: seen at an address without a known country. Of several addresses at the same
    moment the last country code in the alphabet counts: that is known even where addresses are forgotten.
    """
    addresses = last_address_by_learner_day
    latest = addresses.time.max().over(ibis.window(group_by="user_id"))
    last = addresses.mutate(latest=latest).filter(lambda rows: rows.time == rows.latest)
    located = last.select("user_id", country_code=country_of(last.ip))
    countries = located.group_by("user_id").agg(country_code=located.country_code.max())
    enrolled = _enrolled(student_courseenrollment, enrollment_event).left_join(countries, "user_id")
    return enrolled.group_by("course_id", "country_code").agg(
        date=ibis.literal(last_day), count=enrolled.enrolled.sum(), cumulative_count=enrolled.count()
    )


def _enrolled(rows: ibis.Table, events: ibis.Table) -> ibis.Table:
    """(course_id, user_id, enrolled 1 or 0) of the LMS's table; of the events if that has no rows."""
    known = rows.select("course_id", "user_id", enrolled=rows.is_active)
    points = change_points(events)
    current = points.filter(points.end.isnull()).cross_join(rows.agg(rows=rows.count()))
    seen = current.filter(current.rows == 0)
    same = ibis.schema({"course_id": "string", "user_id": "int64", "enrolled": "int64"})
    return ibis.union(known.cast(same), seen.select("course_id", "user_id", "enrolled").cast(same))
