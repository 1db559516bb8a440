"""The contract of the Result Store: its tables, their columns and the meaning of each number.

Table and column names, types and indexes are the original's (spec 01 §5-6, 02, 03, 05 §12), so that its Data
API server and clients can read our store unchanged. The pipeline checks its output against these tables, the
Data API reads through them, and `docs/metrics.md` and the "how is this counted" panels are made from the
`Definition`s.
"""

from __future__ import annotations

from sqlalchemy import Table

from pharos.result_store.tables.activity import (
    course_activity,
    course_activity_current_week,
    course_activity_site_week,
)
from pharos.result_store.tables.base import Definition, kept_in_lake, metadata
from pharos.result_store.tables.bookkeeping import (
    adoptions,
    data_problems,
    days,
    job_runs,
    log_sources,
    owner,
    publications,
    sign_outs,
    table_updates,
    tokens,
)
from pharos.result_store.tables.course_flow import course_flow, learner_place
from pharos.result_store.tables.engagement import (
    event_name,
    learner_name,
    module_engagement,
    module_engagement_metric_ranges,
    module_engagement_roster,
    module_engagement_roster_token,
    module_engagement_summary,
    module_engagement_user_segments,
    student_engagement_all,
    student_engagement_daily,
    student_engagement_weekly,
)
from pharos.result_store.tables.enrollment import (
    course_enrollment_birth_year_daily,
    course_enrollment_daily,
    course_enrollment_education_level_daily,
    course_enrollment_effective_mode_daily,
    course_enrollment_flow_daily,
    course_enrollment_gender_daily,
    course_enrollment_location_current,
    course_enrollment_mode_daily,
    course_enrollment_summary,
    course_grade_by_mode,
    course_meta_summary_enrollment,
    course_passing_daily,
    course_program_metadata,
    effective_enrollment_event,
    enrollment_change_point,
    enrollment_event_use,
)
from pharos.result_store.tables.enterprise import enterprise_user
from pharos.result_store.tables.items import finding, item_answer, item_content, item_quality, learner_item
from pharos.result_store.tables.languages import (
    course_enrollment_chosen_language_current,
    course_enrollment_language_current,
    course_transcript_language,
)
from pharos.result_store.tables.learner_status import (
    learner_activity,
    learner_status,
    learner_status_count,
)
from pharos.result_store.tables.problems import (
    answer_distribution,
    grade_distribution,
    problem_response,
    refused_submissions,
    sequential_open_distribution,
    tags_distribution,
)
from pharos.result_store.tables.reconciliation import enrollment_difference, enrollment_reconciliation
from pharos.result_store.tables.total import total_events_daily
from pharos.result_store.tables.video import (
    video,
    video_coverage,
    video_event_use,
    video_learner,
    video_place,
    video_segment,
    video_timeline,
    video_watching,
    video_week,
    viewing,
)

RESULTS: dict[str, Table] = {
    table.name: table for table in metadata.sorted_tables if "definition" in table.info
}
# Tables about single learners, also those that stay in the lake: readers need the right to them, each reading
# is written down, answers are not kept, and a learner who is retired leaves every one of them.
ABOUT_LEARNERS: dict[str, Table] = {
    table.name: table
    for tables in (metadata, kept_in_lake)
    for table in tables.sorted_tables
    if "definition" in table.info and table.info["definition"].persons
}

__all__ = [
    "ABOUT_LEARNERS",
    "RESULTS",
    "Definition",
    "adoptions",
    "answer_distribution",
    "course_activity",
    "course_activity_current_week",
    "course_activity_site_week",
    "course_enrollment_birth_year_daily",
    "course_enrollment_chosen_language_current",
    "course_enrollment_daily",
    "course_enrollment_education_level_daily",
    "course_enrollment_effective_mode_daily",
    "course_enrollment_flow_daily",
    "course_enrollment_gender_daily",
    "course_enrollment_language_current",
    "course_enrollment_location_current",
    "course_enrollment_mode_daily",
    "course_enrollment_summary",
    "course_flow",
    "course_grade_by_mode",
    "course_meta_summary_enrollment",
    "course_passing_daily",
    "course_program_metadata",
    "course_transcript_language",
    "data_problems",
    "days",
    "effective_enrollment_event",
    "enrollment_change_point",
    "enrollment_difference",
    "enrollment_event_use",
    "enrollment_reconciliation",
    "enterprise_user",
    "event_name",
    "finding",
    "grade_distribution",
    "item_answer",
    "item_content",
    "item_quality",
    "job_runs",
    "kept_in_lake",
    "learner_activity",
    "learner_item",
    "learner_name",
    "learner_place",
    "learner_status",
    "learner_status_count",
    "log_sources",
    "metadata",
    "module_engagement",
    "module_engagement_metric_ranges",
    "module_engagement_roster",
    "module_engagement_roster_token",
    "module_engagement_summary",
    "module_engagement_user_segments",
    "owner",
    "problem_response",
    "publications",
    "refused_submissions",
    "sequential_open_distribution",
    "sign_outs",
    "student_engagement_all",
    "student_engagement_daily",
    "student_engagement_weekly",
    "table_updates",
    "tags_distribution",
    "tokens",
    "total_events_daily",
    "video",
    "video_coverage",
    "video_event_use",
    "video_learner",
    "video_place",
    "video_segment",
    "video_timeline",
    "video_watching",
    "video_week",
    "viewing",
]
