"""Enrollment by effective mode, passing learners, the week so far, all events."""

import sqlalchemy as sa

from pharos.result_store.column_types import Exact
from pharos.result_store.migrations.creating import drop, result

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    result(
        "course_enrollment_effective_mode_daily",
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("mode", Exact(255), nullable=False),
        sa.Column("count", sa.Integer),
        sa.Column("cumulative_count", sa.Integer),
        key=["course_id", "date", "mode"],
        indexes=[["course_id", "date"]],
    )
    result(
        "course_grade_by_mode",
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("mode", Exact(100), nullable=False),
        sa.Column("passing_users", sa.Integer),
        key=["course_id", "mode"],
        indexes=[["course_id"]],
    )
    result(
        "course_activity_current_week",
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("interval_start", sa.DateTime, nullable=False),
        sa.Column("interval_end", sa.DateTime, nullable=False),
        sa.Column("label", Exact(255), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        key=["course_id", "label"],
        indexes=[["course_id"]],
    )
    result(
        "total_events_daily",
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("event_count", sa.BigInteger, nullable=False),
        key=["date"],
    )


def downgrade() -> None:
    drop(
        "total_events_daily",
        "course_activity_current_week",
        "course_grade_by_mode",
        "course_enrollment_effective_mode_daily",
    )
