"""Problems of the data, and how far each log source reaches."""

import sqlalchemy as sa

from pharos.result_store.column_types import Exact, moment
from pharos.result_store.migrations.creating import drop, table

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table(
        "pharos_data_problem",
        sa.Column("kind", Exact(32), primary_key=True),
        sa.Column("about", Exact(200), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("since", moment, nullable=False),
    )
    table(
        "pharos_log_source",
        sa.Column("name", Exact(200), primary_key=True),
        sa.Column("newest", moment),
        sa.Column("logs", sa.BigInteger, nullable=False),
        sa.Column("lines", sa.BigInteger, nullable=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("quarantined", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    drop("pharos_data_problem", "pharos_log_source")
