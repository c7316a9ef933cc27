"""Used by Alembic's own command line only (`revision --autogenerate`); the program migrates by itself."""

from alembic import context

from bot.store.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
