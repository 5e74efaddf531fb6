"""Alembic's entry: runs the revisions on the connection that `shared.database.migrate` opened, a transaction each."""

from alembic import context

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("Run migrations with `helpdesk-importer migrate` (or shared.database.migrate).")

context.configure(connection=connection, version_table_schema="public", transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
