"""The scheduler's record of job runs."""

import sqlalchemy as sa

from pharos.result_store.column_types import Exact, moment, row_number
from pharos.result_store.migrations.creating import drop, table

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table(
        "pharos_job_run",
        sa.Column("id", row_number, primary_key=True),
        sa.Column("job", Exact(64), nullable=False),
        sa.Column("due", moment, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("host", Exact(255), nullable=False),
        sa.Column("started", moment, nullable=False),
        sa.Column("finished", moment),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("exit_code", sa.Integer),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.UniqueConstraint("job", "due", "attempt", name="uq_pharos_job_run"),
    )


def downgrade() -> None:
    drop("pharos_job_run")
