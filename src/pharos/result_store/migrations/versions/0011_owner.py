"""The lake that publishes to the store."""

import sqlalchemy as sa

from pharos.result_store.column_types import Exact, moment
from pharos.result_store.migrations.creating import drop, table

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table(
        "pharos_owner",
        sa.Column("role", Exact(16), primary_key=True),
        sa.Column("lake", Exact(32), nullable=False),
        sa.Column("home", sa.Text, nullable=False),
        sa.Column("since", moment, nullable=False),
    )


def downgrade() -> None:
    drop("pharos_owner")
