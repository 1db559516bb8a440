"""Disagreements between events and LMS about enrollments."""

import sqlalchemy as sa

from pharos.result_store.column_types import Exact
from pharos.result_store.migrations.creating import drop, result

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COUNTS = (
    "events_count",
    "lms_count",
    "only_in_lms",
    "only_in_events",
    "active_in_lms",
    "active_in_events",
    "other_mode",
)


def upgrade() -> None:
    result(
        "enrollment_reconciliation",
        sa.Column("course_id", Exact(255), nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTS),
        key=["course_id"],
        indexes=[["course_id"]],
    )
    result(
        "enrollment_difference",
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("events_mode", Exact(100)),
        sa.Column("lms_mode", Exact(100)),
        sa.Column("last_event", sa.DateTime),
        sa.Column("lms_created", sa.DateTime),
        key=["course_id", "user_id"],
        indexes=[["course_id"]],
    )


def downgrade() -> None:
    drop("enrollment_difference", "enrollment_reconciliation")
