"""Alembic's entry: the connection comes from `bot.store.engine.database`."""

from alembic import context

from bot.store.rows.schema import every_table, metadata

every_table()  # what no module has imported yet is a table too
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
