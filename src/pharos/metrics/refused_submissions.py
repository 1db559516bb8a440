"""Number of submissions that give no answers, by reason. `spec 02 §2, §12.2.14`"""

from __future__ import annotations

import ibis

from pharos.metrics.metric import metric
from pharos.result_store import tables


@metric(tables.refused_submissions, by="date")
def refused_submissions(problem_submission: ibis.Table) -> ibis.Table:
    """Submissions of each day by the reason why they give no answers; empty for usable submissions."""
    rows = problem_submission
    events = rows.select("date", "course_id", "moment", reason=ibis.coalesce(rows.refused, "")).distinct()
    return events.group_by("date", "reason").agg(count=events.count())
