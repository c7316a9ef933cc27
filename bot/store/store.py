"""The store: one object through which the rest of the program reads and writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store import migrate
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.figures import Figures
from bot.store.forms import Forms
from bot.store.knowledge import Knowledge
from bot.store.outbox import Outbox
from bot.store.people import Limits, Persons
from bot.store.privacy import Privacy
from bot.store.reminders import Reminders
from bot.store.staff import StaffAccounts
from bot.store.threads import Threads
from bot.store.tickets import Tickets
from bot.store.vault import Vault


class Store:
    """Everything that outlives a process. Open it with `Store.open`, once a process and event loop."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.outbox = Outbox(db)
        self.tickets = Tickets(db, self.outbox)
        self.conversations = Conversations(db, self.tickets, self.outbox)
        self.threads = Threads(db)
        self.forms = Forms(db)
        self.persons = Persons(db)
        self.limits = Limits(db)
        self.staff = StaffAccounts(db)
        self.knowledge = Knowledge(db)
        self.reminders = Reminders(db, self.outbox)
        self.privacy = Privacy(db)
        self.figures = Figures(db)
        self.load = self.conversations.load
        self.save_turn = self.conversations.save_turn

    @classmethod
    async def open(
        cls,
        url: str,
        vault: Vault,
        now: Callable[[], datetime] | None = None,
        *,
        read_only: bool = False,
    ) -> Self:
        """Connect, bring the tables up to date, and prove that the vault's key is the right one.

        Args:
            url: "sqlite:///data/qtic.db", "sqlite://" (in memory, gone with the process) or
                "postgresql://user:password@host/name".
            now: The clock used where a method is not given the time; by default the system's.
            read_only: Never write, not even migrate (`qtic ask`).

        Raises:
            StoreError: With the key of the sentence that says what is wrong (`prompts/texts/store.yaml`).
        """
        db = Database(url, vault, now or _system_clock, read_only=read_only)
        try:
            await migrate.prepare(db)
        except BaseException:
            await db.close()
            raise
        return cls(db)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All writes of this task within the block are kept together, or none of them.

        Keep it short, and wait for nothing but the store in it: on SQLite nobody else can write meanwhile.
        """
        async with self._db.write():
            yield

    async def ping(self) -> None:
        """Prove that the database answers (`/readyz`).

        Raises:
            StoreError: It does not.
        """
        async with self._db.read() as connection:
            await connection.execute(text("SELECT 1"))

    def now(self) -> datetime:
        """The time by the store's clock."""
        return self._db.at(None)

    def keyed_hash(self, purpose: str, value: str) -> str:
        """A hash that only this installation can make, e.g. the key that signs the console's cookies."""
        return self._db.vault.keyed_hash(purpose, value)

    @property
    def engine(self) -> AsyncEngine:
        """For the console's list views, which page and sort by themselves."""
        return self._db.engine

    async def close(self) -> None:
        """Close all connections."""
        await self._db.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _system_clock() -> datetime:
    return datetime.now(UTC)
