"""The connection to SQLite or PostgreSQL: addresses, pragmas, transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect, Executable, RowMapping, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.store import quick_sqlite
from bot.store.codec import dump
from bot.store.errors import StoreError, Unwritable, translating
from bot.store.tables import Base
from bot.store.vault import Vault

BUSY_SECONDS = 10.0
"""How long a statement waits for another process's write before `Locked`."""


def address(url: str) -> URL:
    """The database's address with the asynchronous driver that we use.

    Raises:
        StoreError: "bad_address" where it is neither SQLite nor PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError("bad_address") from error
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+asyncpg",
        "postgres": "postgresql+asyncpg",
    }
    driver = drivers.get(parsed.drivername.partition("+")[0])
    if driver is None:
        raise StoreError("bad_address", scheme=parsed.drivername)
    return parsed.set(drivername=driver)


class Database:
    """An engine and its transactions.

    Args:
        url: e.g. "sqlite:///data/qtic.db", "sqlite://" (in memory) or "postgresql://user@host/name".
        vault: For encrypted columns.
        clock: The time where a caller does not pass one.
        read_only: Refuse every write, and make no file.
    """

    def __init__(self, url: str, vault: Vault, clock: Callable[[], datetime], *, read_only: bool = False) -> None:
        self.url = address(url)
        self.vault = vault
        self.clock = clock
        self.read_only = read_only
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.file = self._sqlite_file()
        self.in_memory = self.sqlite and self.file is None
        self.engine = self._engine()
        self._single = self._beginning()
        # A transaction that is going to write takes the write lock at its start: one that reads first and
        # writes later fails at once ("database is locked") when another wrote in between.
        self._durable = self._beginning("PRAGMA synchronous=FULL", "BEGIN IMMEDIATE")
        self._lasting = self._beginning("PRAGMA synchronous=NORMAL", "BEGIN IMMEDIATE")
        # SQLite takes one writer at a time. Queuing in order here is fair and quick; its own busy handler polls.
        self._writing: asyncio.Lock | None = asyncio.Lock() if self.sqlite else None
        self._current: ContextVar[tuple[asyncio.Task[Any] | None, AsyncConnection] | None] = ContextVar(
            "store_connection", default=None
        )

    def _sqlite_file(self) -> Path | None:
        name = self.url.database
        if not self.sqlite or not name or name == ":memory:":
            return None
        return Path(name)

    def _engine(self) -> AsyncEngine:
        if not self.sqlite:
            settings = {"default_transaction_read_only": "on"} if self.read_only else {}
            settings |= {"timezone": "UTC", "lock_timeout": str(int(BUSY_SECONDS * 1000))}
            return create_async_engine(
                self.url,
                json_serializer=dump,
                hide_parameters=True,
                pool_pre_ping=True,
                pool_size=10,
                connect_args={"server_settings": settings, "timeout": 10},
            )
        url = self.url
        if self.file is not None:
            if self.read_only and not self.file.exists():
                raise StoreError("no_database", file=self.file.name)
            if not self.read_only:
                _make_writable_folder(self.file)
            mode = "rw" if self.read_only else "rwc"
            quoted = str(self.file.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
            url = url.set(database=f"file:{quoted}", query={"mode": mode, "uri": "true"})
        engine = create_async_engine(
            url,
            json_serializer=dump,
            hide_parameters=True,
            # Opening a connection costs a thread and four pragmas: keep a few, never expire them.
            connect_args={
                "timeout": BUSY_SECONDS,
                "isolation_level": None,
                "async_creator_fn": quick_sqlite.connect,
            },
        )
        event.listen(engine.sync_engine, "connect", self._set_pragmas)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine

    def _set_pragmas(self, connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        pragmas = [f"busy_timeout={int(BUSY_SECONDS * 1000)}", "foreign_keys=ON"]
        if self.file is not None:
            pragmas += ["query_only=ON"] if self.read_only else ["journal_mode=WAL"]
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def _beginning(self, *statements: str) -> AsyncEngine:
        return self.engine.execution_options(qtic_begin=statements) if self.sqlite else self.engine

    @asynccontextmanager
    async def read(self, *, single: bool = False) -> AsyncIterator[AsyncConnection]:
        """A consistent view for reading; inside a `write` of the same task, that transaction.

        Args:
            single: One statement will be read, which is consistent without a transaction around it.

        Raises:
            StoreError: Of the kind that the failure amounts to.
        """
        joined = self._joined()
        if joined is not None:
            yield joined
            return
        # In memory there is one connection, so readers take turns with the writer.
        turns = self._writing if self.in_memory and self._writing is not None else nullcontext()
        with translating():
            engine = self._single if single else self.engine
            async with turns, engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self, *, durable: bool = True) -> AsyncIterator[AsyncConnection]:
        """A transaction: all of it is kept, or none. Nested in the same task, it joins the outer one.

        Args:
            durable: It is on the disk when this returns, and outlives a power cut. Otherwise it outlives a
                killed process, but a power cut of SQLite's machine may take the last seconds; that saves an
                fsync, which on a busy disk is most of a turn's time.

        Raises:
            StoreError: Of the kind that the failure amounts to; nothing was kept.
        """
        joined = self._joined()
        if joined is not None:
            yield joined
            return
        if self.read_only:
            raise Unwritable("read_only")
        with translating():
            turns = self._writing or nullcontext()
            engine = self._durable if durable else self._lasting
            async with turns, engine.connect() as connection, connection.begin():
                token = self._current.set((asyncio.current_task(), connection))
                try:
                    yield connection
                finally:
                    self._current.reset(token)

    def _joined(self) -> AsyncConnection | None:
        current = self._current.get()
        # A task started inside a transaction inherits the variable, but must not share the connection.
        if current is None or current[0] is not asyncio.current_task():
            return None
        return current[1]

    async def rows(self, statement: Executable) -> list[RowMapping]:
        """All rows of one reading statement."""
        async with self.read(single=True) as connection:
            return list((await connection.execute(statement)).mappings())

    async def row(self, statement: Executable) -> RowMapping | None:
        """The first row of one reading statement, if any."""
        async with self.read(single=True) as connection:
            return (await connection.execute(statement)).mappings().first()

    async def run(self, statement: Executable, parameters: Any = None) -> int:
        """One writing statement as a transaction; the number of rows it touched."""
        async with self.write() as connection:
            result: CursorResult[Any] = await connection.execute(statement, parameters)
            return result.rowcount

    def insert_new(self, table: type[Base], unique: Sequence[str]) -> Any:
        """An INSERT that leaves an existing row with the same `unique` columns as it is (and returns no row)."""
        return self.upsert(table).on_conflict_do_nothing(index_elements=list(unique))

    def upsert(self, table: type[Base]) -> Any:
        """An INSERT of the database's own dialect, which can say what to do where the row exists."""
        if self.sqlite:
            from sqlalchemy.dialects.sqlite import insert as insert_sqlite

            return insert_sqlite(table)
        from sqlalchemy.dialects.postgresql import insert as insert_postgresql

        return insert_postgresql(table)

    def at(self, now: datetime | None) -> datetime:
        """`now`, or the clock's time."""
        return self.clock() if now is None else now

    @property
    def dialect(self) -> Dialect:
        """SQLAlchemy's dialect of this database."""
        return self.engine.dialect

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def _begin_sqlite(connection: Connection) -> None:
    for statement in connection.get_execution_options().get("qtic_begin", ("BEGIN",)):
        connection.exec_driver_sql(statement)


def _make_writable_folder(file: Path) -> None:
    with translating():
        file.parent.mkdir(parents=True, exist_ok=True)
