"""Enrollment by effective mode, passing learners, the week so far, all events."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from pharos.result_store.columns import Exact, row_number

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_row_format": "DYNAMIC"}


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
        indexes=[],
    )


def downgrade() -> None:
    for name in (
        "total_events_daily",
        "course_activity_current_week",
        "course_grade_by_mode",
        "course_enrollment_effective_mode_daily",
    ):
        op.drop_table(name)


def result(name: str, *columns: sa.Column[Any], key: list[str], indexes: list[list[str]]) -> None:
    """A result table in the original's form."""
    op.create_table(
        name,
        sa.Column("id", row_number, primary_key=True),
        *columns,
        sa.Column("created", sa.DateTime, server_default=sa.func.now(), nullable=False),
        sa.UniqueConstraint(*key, name=f"uq_{name}"),
        *(sa.Index(f"ix_{name}_{'_'.join(index)}", *index) for index in indexes),
        **MYSQL,
    )
