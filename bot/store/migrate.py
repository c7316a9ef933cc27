"""Bringing the tables up to this program's version, once, however many processes start together."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, insert, inspect, select, text

from bot.store.database import BUSY_SECONDS, Database
from bot.store.errors import Corrupt, Locked, Outdated, StoreError, translating
from bot.store.migrations import HEAD
from bot.store.tables import Base, Meta

_log = structlog.get_logger(__name__)

_LOCK = 0x51544943
"""Number of our PostgreSQL advisory lock ("QTIC")."""

_LOOKUP_KEY = "lookup_key"
KNOWLEDGE_REVISION = "knowledge_revision"


async def prepare(db: Database) -> None:
    """Check the tables' version, migrate where it is older, and open the vault.

    Raises:
        Outdated: "newer" (made by a later program), or "outdated" where `db` is read only.
        VaultError: Our key is not the database's.
        StoreError: The database cannot be reached or written.
    """
    if db.in_memory:
        async with db.write() as connection:
            await connection.run_sync(Base.metadata.create_all)
            await connection.run_sync(_adopt_key, db)
        return
    if db.sqlite and not db.read_only:
        await _when_unlocked(db)
    found, lookup = await _state(db)
    if found != HEAD:
        if db.read_only:
            raise Outdated("outdated", found=found)
        await upgrade(db)
    elif lookup is None and not db.read_only:
        async with db.write() as connection:
            await connection.run_sync(_adopt_key, db)
    else:
        db.vault.open(create=False)
        if lookup is None:
            raise Outdated("outdated", found=found)
        db.vault.adopt_lookup_key(lookup)


async def upgrade(db: Database) -> None:
    """Run the migrations that are missing, in one transaction, under a lock.

    A second process waits for the first, then finds nothing to do.
    """
    async with db.write() as connection:  # on SQLite, BEGIN IMMEDIATE is the lock
        if not db.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        found = await connection.run_sync(_version)
        if found != HEAD:
            _log.info("store.migrating", found=found, to=HEAD)
            await connection.run_sync(_run_alembic)
        await connection.run_sync(_adopt_key, db)


async def version(db: Database) -> str | None:
    """The tables' version; None: there are none yet."""
    async with db.read() as connection:
        return await connection.run_sync(_version)


async def _state(db: Database) -> tuple[str | None, str | None]:
    """Version of the tables and the lookup key, by one plain statement in the usual case."""
    try:
        async with db.read() as connection:
            row = (
                await connection.exec_driver_sql(
                    "SELECT version_num, (SELECT value FROM meta WHERE name = 'lookup_key') FROM alembic_version"
                )
            ).first()
            found, lookup = tuple[Any, ...](row) if row is not None else (None, None)
            return found, lookup
    except Outdated:
        return await version(db), None


async def _when_unlocked(db: Database) -> None:
    """Open a first connection. Two processes that turn on WAL at the same moment may refuse each other."""
    deadline = asyncio.get_running_loop().time() + BUSY_SECONDS
    while True:
        try:
            with translating():
                async with db.engine.connect():
                    return
        except Locked:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.05)


def _version(connection: Connection) -> str | None:
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        if tables & set(Base.metadata.tables):
            raise Corrupt("foreign")
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _run_alembic(connection: Connection) -> None:
    # Alembic takes a third of a second to import; most starts do not need it.
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    config = alembic_config()
    script = ScriptDirectory.from_config(config)

    def steps(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs("head", revision)

    try:
        with EnvironmentContext(config, script, fn=steps) as environment:
            environment.configure(connection=connection, target_metadata=Base.metadata, transactional_ddl=False)
            environment.run_migrations()
    except CommandError as error:
        if "Can't locate revision" in str(error):
            raise Outdated("newer") from error
        raise StoreError("migration_failed") from error


def alembic_config() -> Any:
    """Alembic's configuration, made by the program: there is no alembic.ini to find or to lose."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _adopt_key(connection: Connection, db: Database) -> None:
    """Inside the lock: open the vault with the database's lookup key, or give a new database one."""
    kept = connection.execute(select(Meta.value).where(Meta.name == _LOOKUP_KEY)).scalar()
    db.vault.open(create=kept is None)
    if kept is None:
        kept_now = db.vault.new_lookup_key()
        connection.execute(insert(Meta).values(name=_LOOKUP_KEY, value=kept_now))
        connection.execute(insert(Meta).values(name=KNOWLEDGE_REVISION, value="0"))
    else:
        db.vault.adopt_lookup_key(kept)
