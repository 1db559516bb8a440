"""Tables in which rows of another program stay beside those of Pharos; the last day with such rows."""

import sqlalchemy as sa
from alembic import op

from pharos.result_store.column_types import Exact, moment
from pharos.result_store.migrations.creating import drop, table

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table(
        "pharos_adoption",
        sa.Column("table_name", Exact(64), primary_key=True),
        sa.Column("first_day", sa.Date),
        sa.Column("row_count", sa.BigInteger, nullable=False),
        sa.Column("adopted", moment, nullable=False),
    )
    if "history_until" not in _columns():
        with op.batch_alter_table("pharos_publication") as batch:
            batch.add_column(sa.Column("history_until", sa.Date))


def downgrade() -> None:
    if "history_until" in _columns():
        with op.batch_alter_table("pharos_publication") as batch:
            batch.drop_column("history_until")
    drop("pharos_adoption")


def _columns() -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns("pharos_publication")}
