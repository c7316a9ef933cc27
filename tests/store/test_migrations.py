"""The migrations make exactly the tables that the models describe, on every database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from bot.store import Store, Vault
from bot.store.migrate import alembic_config, version
from bot.store.migrations import HEAD
from bot.store.tables import Base
from tests.store.conftest import POSTGRES, empty_postgres


def test_the_head_that_is_known_without_alembic_is_alembics_head() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]


@pytest.mark.parametrize(
    "backend",
    ["sqlite", pytest.param("postgres", marks=pytest.mark.skipif(not POSTGRES, reason="no PostgreSQL"))],
)
async def test_models_and_migrations_agree(backend: str, tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/qtic.db"
    if backend == "postgres":
        await empty_postgres()
        address = POSTGRES
    async with await Store.open(address, Vault(path=tmp_path / "k")) as store:
        assert await version(store._db) == HEAD

        def compare(connection: Connection) -> list[Any]:
            differences: list[Any] = compare_metadata(MigrationContext.configure(connection), Base.metadata)
            return differences

        async with store._db.read() as connection:
            assert await connection.run_sync(compare) == []


async def test_a_database_in_memory_has_the_same_schema_to_the_letter(tmp_path: Path) -> None:
    """Such a database skips the migrations, to open quickly."""
    async with await Store.open(f"sqlite:///{tmp_path}/qtic.db", Vault(path=tmp_path / "k")):
        pass

    def schema(connection: Connection) -> dict[str, list[str]]:
        rows = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'")
        )
        return {name: sorted(part.strip(" \n\t,()") for part in sql.split("\n")) for name, sql in rows}

    migrated, made = create_engine(f"sqlite:///{tmp_path}/qtic.db"), create_engine("sqlite://")
    with migrated.connect() as one, made.connect() as other:
        Base.metadata.create_all(other)
        assert schema(one) == schema(other)
    migrated.dispose()
    made.dispose()
