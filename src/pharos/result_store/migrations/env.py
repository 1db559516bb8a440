"""How Alembic runs our migrations: on the connection that `store.upgrade` hands over, in its transaction."""

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
