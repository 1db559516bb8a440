"""Item quality: difficulty and discrimination of problem parts, the answers given, and findings."""

import sqlalchemy as sa

from pharos.result_store.column_types import Exact, long_text, number
from pharos.result_store.migrations.creating import drop, result

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INDEXES = [["course_id"], ["module_id"], ["course_id", "module_id"]]


def _part() -> list[sa.Column[object]]:
    return [
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("module_id", Exact(255), nullable=False),
        sa.Column("part_id", Exact(255), nullable=False),
        sa.Column("variant", sa.Integer),
    ]


def _counts(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, number) for name in names]


def upgrade() -> None:
    result(
        "item_answer",
        *_part(),
        *_counts("place", "answers"),
        sa.Column("value_id", Exact(255)),
        sa.Column("answer_value", Exact(255)),
        sa.Column("is_correct", sa.Boolean),
        *_counts("first_count", "last_count", "strong_count", "weak_count"),
        *_numbers("strong_share", "weak_share"),
        sa.Column("first_seen", sa.DateTime, nullable=False),
        key=[],
        indexes=INDEXES,
    )
    result(
        "item_quality",
        *_part(),
        sa.Column("problem_display_name", Exact(255)),
        sa.Column("question_text", long_text),
        sa.Column("response_type", Exact(255)),
        *_counts("variants"),
        sa.Column("seen", sa.Integer),
        *_counts("tried", "right_first", "right_last", "attempts"),
        *_numbers("attempts_mean", "attempts_median", "attempts_p90", "difficulty"),
        *_numbers("discrimination", "discrimination_low", "discrimination_high"),
        *_counts("discrimination_learners", "strong_learners", "strong_right", "weak_learners", "weak_right"),
        sa.Column("shown_answer", sa.Integer),
        sa.Column("hinted", sa.Integer),
        sa.Column("changed_at", sa.DateTime),
        sa.Column("tried_since", sa.Integer),
        sa.Column("right_first_since", sa.Integer),
        key=[],
        indexes=INDEXES,
    )
    result(
        "finding",
        sa.Column("course_id", Exact(255), nullable=False),
        *_counts("rank"),
        sa.Column("kind", Exact(64), nullable=False),
        sa.Column("subject", Exact(255), nullable=False),
        sa.Column("part_id", Exact(255), nullable=False),
        sa.Column("variant", sa.Integer),
        sa.Column("answer", Exact(255)),
        *_counts("learners"),
        sa.Column("confidence", Exact(16), nullable=False),
        sa.Column("numbers", long_text, nullable=False),
        key=["course_id", "rank"],
        indexes=[["course_id"], ["subject"]],
    )


def downgrade() -> None:
    drop("finding", "item_answer", "item_quality")
