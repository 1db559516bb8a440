"""Alembic's entry point: runs migrations on the connection of `store.upgrade`, in its transaction."""

from alembic import context

from pharos.result_store.store import VERSION_TABLE
from pharos.result_store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
