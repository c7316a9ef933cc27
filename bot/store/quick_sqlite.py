"""An aiosqlite connection that crosses to its thread once a statement instead of four times.

SQLAlchemy makes a cursor, executes, fetches and closes, and aiosqlite does each of these on the connection's
thread: on a small machine the crossings cost more than the statement (`benchmarks/store.py`: a turn took
9.7 ms, of which 0.5 ms was SQLite's). Here a cursor does all of it in one crossing, a BEGIN travels with the
statement after it, and a rollback of nothing stays at home.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Self

import aiosqlite


class QuickConnection(aiosqlite.Connection):
    """Made by `connect`; used by SQLAlchemy's adapter only."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, 64)
        self.due: list[str] = []
        """What goes before the next statement: a BEGIN, and how durable its transaction is."""

    def cursor(self) -> Any:
        """A cursor, made here and now."""
        return _Cursor(self)

    async def commit(self) -> None:
        """Commit, if anything was begun."""
        self.due.clear()
        if self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Roll back, if anything was begun."""
        self.due.clear()
        if self.in_transaction:
            await super().rollback()


class _Cursor:
    """Holds the rows of the last statement; nothing is left open on the other thread."""

    arraysize = 1

    def __init__(self, connection: QuickConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Execute and fetch, after what is due."""
        if sql.startswith(("BEGIN", "PRAGMA synchronous")):
            self._connection.due.append(sql)
            return
        await self._run(sql, parameters, many=False)

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Execute for each of the parameters."""
        await self._run(sql, parameters, many=True)

    async def _run(self, sql: str, parameters: Any, *, many: bool) -> None:
        due, self._connection.due = self._connection.due, []
        raw: sqlite3.Connection = self._connection._conn

        def work() -> None:
            cursor = raw.cursor()
            try:
                for statement in due:
                    cursor.execute(statement)
                if many:
                    cursor.executemany(sql, parameters)
                else:
                    cursor.execute(sql, parameters)
                self.description = cursor.description
                self._rows = cursor.fetchall() if cursor.description else []
                self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        execute: Any = self._connection._execute  # has no types
        await execute(work)

    async def fetchall(self) -> list[Any]:
        """The rows of the last statement."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is open."""


def connect(database: str, **options: Any) -> QuickConnection:
    """As `aiosqlite.connect`; for SQLAlchemy's `async_creator_fn`."""
    connection = QuickConnection(lambda: sqlite3.connect(database, **options))
    connection._thread.daemon = True
    return connection
