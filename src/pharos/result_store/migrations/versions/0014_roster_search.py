"""The text in which a learner of the roster is looked for."""

import sqlalchemy as sa
from alembic import op

from pharos.result_store.column_types import long_text

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ROSTER = "module_engagement_roster"


def upgrade() -> None:
    if "search_text" not in _columns():
        op.add_column(ROSTER, sa.Column("search_text", long_text))


def downgrade() -> None:
    if "search_text" in _columns():
        with op.batch_alter_table(ROSTER) as batch:
            batch.drop_column("search_text")


def _columns() -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(ROSTER)}
