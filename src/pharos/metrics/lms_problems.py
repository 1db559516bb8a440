"""Results of problems and subsections from the tables of the LMS. `spec 02 §8`"""

from __future__ import annotations

import ibis

from pharos.metrics.metric import metric
from pharos.result_store import tables


@metric(tables.grade_distribution, by="course_id")
def grade_distribution(counted_courseware_studentmodule: ibis.Table) -> ibis.Table:
    """Learners by module, grade and largest grade; ungraded modules do not count."""
    states = counted_courseware_studentmodule
    graded = states.filter(states.grade.notnull())
    return graded.group_by("module_id", "course_id", "grade", "max_grade").agg(count=graded.count())


@metric(tables.sequential_open_distribution, by="course_id")
def sequential_open_distribution(counted_courseware_studentmodule: ibis.Table) -> ibis.Table:
    """Learners by subsection that they opened."""
    states = counted_courseware_studentmodule
    opened = states.filter(states.module_type == "sequential")
    return opened.group_by("module_id", "course_id").agg(count=opened.count())
