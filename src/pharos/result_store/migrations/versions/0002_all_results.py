"""The other results: demographics, programs, problems, videos, engagement, enterprise."""

import sqlalchemy as sa

from pharos.result_store.column_types import Exact, long_text, number
from pharos.result_store.migrations.creating import drop, result, table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STUDENT_ENGAGEMENT = (
    "days_active",
    "problems_attempted",
    "problem_attempts",
    "problems_correct",
    "videos_played",
    "forum_posts",
    "forum_responses",
    "forum_comments",
    "forum_upvotes_given",
    "forum_downvotes_given",
    "forum_upvotes_received",
    "forum_downvotes_received",
    "textbook_pages_viewed",
)


def upgrade() -> None:
    result(
        "answer_distribution",
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("module_id", Exact(255), nullable=False),
        sa.Column("part_id", Exact(255), nullable=False),
        sa.Column("correct", sa.Boolean, nullable=False),
        sa.Column("first_response_count", sa.Integer, nullable=False),
        sa.Column("last_response_count", sa.Integer, nullable=False),
        sa.Column("value_id", Exact(255)),
        sa.Column("answer_value_text", long_text),
        sa.Column("answer_value_numeric", number),
        sa.Column("variant", sa.Integer),
        sa.Column("problem_display_name", long_text),
        sa.Column("question_text", long_text),
        key=[],
        indexes=[["course_id"], ["course_id", "module_id"], ["module_id"], ["part_id"]],
    )
    result(
        "course_enrollment_birth_year_daily",
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("birth_year", sa.Integer),
        sa.Column("count", sa.Integer),
        sa.Column("cumulative_count", sa.Integer),
        key=["course_id", "date", "birth_year"],
    )
    result(
        "course_enrollment_education_level_daily",
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("education_level", Exact(16)),
        sa.Column("count", sa.Integer),
        sa.Column("cumulative_count", sa.Integer),
        key=["course_id", "date", "education_level"],
        indexes=[["course_id"], ["course_id", "date"]],
    )
    result(
        "course_enrollment_gender_daily",
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("gender", Exact(6)),
        sa.Column("count", sa.Integer),
        sa.Column("cumulative_count", sa.Integer),
        key=["course_id", "date", "gender"],
        indexes=[["course_id"], ["course_id", "date"]],
    )
    result(
        "course_enrollment_location_current",
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("country_code", Exact(10)),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("cumulative_count", sa.Integer, nullable=False),
        key=["course_id", "date", "country_code"],
        indexes=[["course_id"], ["course_id", "date"]],
    )
    result(
        "course_program_metadata",
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("program_id", Exact(36), nullable=False),
        sa.Column("program_type", sa.String(32), nullable=False),
        sa.Column("program_title", sa.String(255)),
        key=["course_id", "program_id"],
        indexes=[["course_id"]],
    )
    result(
        "enterprise_user",
        sa.Column("enterprise_id", Exact(32), nullable=False),
        sa.Column("lms_user_id", sa.Integer, nullable=False),
        sa.Column("enterprise_user_id", sa.Integer, nullable=False),
        sa.Column("enterprise_sso_uid", Exact(255)),
        sa.Column("user_account_creation_timestamp", sa.DateTime),
        sa.Column("user_email", Exact(255)),
        sa.Column("user_username", Exact(255)),
        sa.Column("user_country_code", sa.String(2)),
        sa.Column("last_activity_date", sa.Date),
        key=["enterprise_user_id"],
        indexes=[["enterprise_id"]],
    )
    result(
        "grade_distribution",
        sa.Column("module_id", Exact(255), nullable=False),
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("grade", number),
        sa.Column("max_grade", number),
        sa.Column("count", sa.Integer, nullable=False),
        key=["course_id", "module_id", "grade", "max_grade"],
        indexes=[["course_id"], ["module_id"]],
    )
    result(
        "module_engagement",
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("username", Exact(150), nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("entity_type", Exact(10), nullable=False),
        sa.Column("entity_id", Exact(255), nullable=False),
        sa.Column("event", Exact(30), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        key=["course_id", "username", "date", "entity_type", "entity_id", "event"],
        indexes=[["course_id", "username", "date"], ["date"], ["username", "entity_type"]],
    )
    result(
        "module_engagement_metric_ranges",
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("start_date", sa.Date),
        sa.Column("end_date", sa.Date),
        sa.Column("metric", Exact(50), nullable=False),
        sa.Column("range_type", Exact(50), nullable=False),
        sa.Column("low_value", number),
        sa.Column("high_value", number),
        key=["course_id", "metric", "range_type"],
        indexes=[["course_id", "metric"]],
    )
    result(
        "module_engagement_roster",
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("username", Exact(150), nullable=False),
        sa.Column("start_date", sa.Date),
        sa.Column("end_date", sa.Date),
        sa.Column("email", Exact(254)),
        sa.Column("name", long_text),
        sa.Column("enrollment_mode", Exact(100)),
        sa.Column("enrollment_date", sa.Date),
        sa.Column("cohort", Exact(255)),
        sa.Column("problem_attempts", sa.Integer, nullable=False),
        sa.Column("problems_attempted", sa.Integer, nullable=False),
        sa.Column("problems_completed", sa.Integer, nullable=False),
        sa.Column("problem_attempts_per_completed", number),
        sa.Column("videos_viewed", sa.Integer, nullable=False),
        sa.Column("discussion_contributions", sa.Integer, nullable=False),
        sa.Column("segments", sa.String(255), nullable=False),
        sa.Column("attempt_ratio_order", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer),
        sa.Column("language", long_text),
        sa.Column("location", long_text),
        sa.Column("year_of_birth", sa.Integer),
        sa.Column("level_of_education", sa.String(255)),
        sa.Column("gender", sa.String(255)),
        sa.Column("mailing_address", long_text),
        sa.Column("city", long_text),
        sa.Column("country", sa.String(255)),
        sa.Column("goals", long_text),
        key=["course_id", "username"],
        indexes=[["course_id"]],
    )
    result(
        "sequential_open_distribution",
        sa.Column("module_id", Exact(255), nullable=False),
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        key=["course_id", "module_id"],
        indexes=[["course_id"], ["module_id"]],
    )
    result(
        "tags_distribution",
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("org_id", Exact(255), nullable=False),
        sa.Column("module_id", Exact(255), nullable=False),
        sa.Column("tag_name", Exact(255), nullable=False),
        sa.Column("tag_value", Exact(255), nullable=False),
        sa.Column("total_submissions", sa.Integer, nullable=False),
        sa.Column("correct_submissions", sa.Integer, nullable=False),
        key=[],
        indexes=[["course_id"], ["course_id", "module_id"], ["module_id"]],
    )
    result(
        "video",
        sa.Column("pipeline_video_id", Exact(255), nullable=False),
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("encoded_module_id", Exact(255), nullable=False),
        sa.Column("duration", sa.Integer),
        sa.Column("segment_length", sa.Integer),
        sa.Column("users_at_start", sa.Integer),
        sa.Column("users_at_end", sa.Integer),
        sa.Column("total_viewed_seconds", sa.Integer),
        key=["pipeline_video_id"],
        indexes=[["course_id", "encoded_module_id"]],
    )
    result(
        "video_timeline",
        sa.Column("pipeline_video_id", Exact(255), nullable=False),
        sa.Column("segment", sa.Integer, nullable=False),
        sa.Column("num_users", sa.Integer),
        sa.Column("num_views", sa.Integer),
        key=["pipeline_video_id", "segment"],
        indexes=[["pipeline_video_id"]],
    )
    for period in ("daily", "weekly", "all"):
        student_engagement(f"student_engagement_{period}")


def downgrade() -> None:
    drop(
        "answer_distribution",
        "course_enrollment_birth_year_daily",
        "course_enrollment_education_level_daily",
        "course_enrollment_gender_daily",
        "course_enrollment_location_current",
        "course_program_metadata",
        "enterprise_user",
        "grade_distribution",
        "module_engagement",
        "module_engagement_metric_ranges",
        "module_engagement_roster",
        "sequential_open_distribution",
        "student_engagement_all",
        "student_engagement_daily",
        "student_engagement_weekly",
        "tags_distribution",
        "video",
        "video_timeline",
    )


def student_engagement(name: str) -> None:
    """Without `id`, as in the original."""
    table(
        name,
        sa.Column("end_date", sa.Date, nullable=False),
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("username", Exact(255), nullable=False),
        *(sa.Column(number_name, sa.Integer) for number_name in STUDENT_ENGAGEMENT),
        sa.Column("last_subsection_viewed", sa.String(1000), nullable=False),
        sa.Column("created", sa.DateTime, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("course_id", "username", "end_date"),
    )
