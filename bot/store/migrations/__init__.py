"""Alembic's migrations, part of the package. `HEAD` is known without importing Alembic; a test compares."""

HEAD = "0001"
