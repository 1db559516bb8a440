"""The share of each video that learners have watched."""

import sqlalchemy as sa

from pharos.result_store.column_types import Exact
from pharos.result_store.migrations.creating import drop, result

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    result(
        "video_coverage",
        sa.Column("pipeline_video_id", Exact(255), nullable=False),
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("encoded_module_id", Exact(255), nullable=False),
        sa.Column("covered_percent", sa.Integer, nullable=False),
        sa.Column("num_users", sa.Integer, nullable=False),
        key=["pipeline_video_id", "covered_percent"],
        indexes=[["course_id"], ["pipeline_video_id"]],
    )


def downgrade() -> None:
    drop("video_coverage")
