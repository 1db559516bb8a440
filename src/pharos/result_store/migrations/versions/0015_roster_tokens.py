"""The words that learners of the roster are found by, in place of a text that was read from end to end."""

import sqlalchemy as sa
from alembic import op

from pharos.result_store.column_types import Exact, long_text, token
from pharos.result_store.migrations.creating import drop, result

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ROSTER = "module_engagement_roster"
TOKENS = "module_engagement_roster_token"


def upgrade() -> None:
    result(
        TOKENS,
        sa.Column("course_id", Exact(255), nullable=False),
        sa.Column("token", token, nullable=False),
        sa.Column("username", Exact(150), nullable=False),
        sa.Column("field", Exact(10), nullable=False),
        key=["course_id", "token", "username"],
    )
    if "search_text" in _columns():
        with op.batch_alter_table(ROSTER) as batch:
            batch.drop_column("search_text")


def downgrade() -> None:
    if "search_text" not in _columns():
        op.add_column(ROSTER, sa.Column("search_text", long_text))
    drop(TOKENS)


def _columns() -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(ROSTER)}
