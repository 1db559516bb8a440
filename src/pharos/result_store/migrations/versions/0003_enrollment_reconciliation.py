"""Where events and LMS disagree about enrollments."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from pharos.result_store.columns import Exact, row_number

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_row_format": "DYNAMIC"}
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
    )


def downgrade() -> None:
    op.drop_table("enrollment_difference")
    op.drop_table("enrollment_reconciliation")


def result(name: str, *columns: sa.Column[Any], key: list[str]) -> None:
    """A result table in the original's form."""
    op.create_table(
        name,
        sa.Column("id", row_number, primary_key=True),
        *columns,
        sa.Column("created", sa.DateTime, server_default=sa.func.now(), nullable=False),
        sa.UniqueConstraint(*key, name=f"uq_{name}"),
        sa.Index(f"ix_{name}_course_id", "course_id"),
        **MYSQL,
    )
