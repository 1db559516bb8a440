"""Enrollment, activity and course summary; what is published; tokens."""

import sqlalchemy as sa

from pharos.result_store.column_types import Exact, moment, row_number
from pharos.result_store.migrations.creating import drop, result, table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    result(
        "course_enrollment_daily",
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("count", sa.Integer),
        sa.Column("cumulative_count", sa.Integer),
        key=["course_id", "date"],
        indexes=[["course_id"], ["course_id", "date"]],
    )
    result(
        "course_enrollment_mode_daily",
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("mode", Exact(255), nullable=False),
        sa.Column("count", sa.Integer),
        sa.Column("cumulative_count", sa.Integer),
        key=["course_id", "date", "mode"],
        indexes=[["course_id"], ["course_id", "date"]],
    )
    result(
        "course_meta_summary_enrollment",
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("catalog_course_title", sa.String(255)),
        sa.Column("catalog_course", sa.String(255)),
        sa.Column("start_time", sa.DateTime),
        sa.Column("end_time", sa.DateTime),
        sa.Column("pacing_type", sa.String(255)),
        sa.Column("availability", sa.String(255)),
        sa.Column("enrollment_mode", Exact(100), nullable=False),
        sa.Column("count", sa.Integer),
        sa.Column("count_change_7_days", sa.Integer),
        sa.Column("cumulative_count", sa.Integer),
        sa.Column("passing_users", sa.Integer),
        key=["course_id", "enrollment_mode"],
        indexes=[["course_id"]],
    )
    result(
        "course_activity",
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("interval_start", sa.DateTime, nullable=False),
        sa.Column("interval_end", sa.DateTime, nullable=False),
        sa.Column("label", Exact(255), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        key=["course_id", "interval_end", "label"],
        indexes=[["course_id", "label"], ["interval_end"]],
    )
    table(
        "pharos_publication",
        sa.Column("table_name", Exact(64), primary_key=True),
        sa.Column("fingerprint", sa.String(128), nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("last_event", moment),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("row_count", sa.BigInteger, nullable=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("published", moment, nullable=False),
    )
    table(
        "table_updates",
        sa.Column("id", row_number, primary_key=True),
        sa.Column("update_id", sa.String(128), nullable=False, unique=True),
        sa.Column("target_table", Exact(128), nullable=False),
        sa.Column("inserted", sa.DateTime, server_default=sa.func.now(), nullable=False),
        indexes=[["target_table"]],
    )
    table(
        "pharos_token",
        sa.Column("id", row_number, primary_key=True),
        sa.Column("name", Exact(100), nullable=False, unique=True),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("courses", sa.Text),
        sa.Column("organizations", sa.Text),
        sa.Column("learners", sa.Boolean, nullable=False),
        sa.Column("requests_per_minute", sa.Integer),
        sa.Column("created", moment, nullable=False),
        sa.Column("expires", moment),
        sa.Column("revoked", moment),
    )


def downgrade() -> None:
    drop(
        "pharos_token",
        "table_updates",
        "pharos_publication",
        "course_activity",
        "course_meta_summary_enrollment",
        "course_enrollment_mode_daily",
        "course_enrollment_daily",
    )
