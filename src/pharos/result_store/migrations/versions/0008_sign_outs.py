"""Sessions of Insights that were ended before their time."""

import sqlalchemy as sa

from pharos.result_store.column_types import Exact, moment
from pharos.result_store.migrations.creating import drop, table

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table(
        "pharos_sign_out",
        sa.Column("session", Exact(64), primary_key=True),
        sa.Column("until", moment, nullable=False, index=True),
    )


def downgrade() -> None:
    drop("pharos_sign_out")
