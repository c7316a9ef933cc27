"""Persons on channels, and the limits on what they may try."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import case, delete, literal, select, update

from bot.store.database import Database
from bot.store.errors import Missing
from bot.store.tables import AttemptRow, ConversationRow, Person
from bot.store.tables.base import UtcDateTime


class Persons:
    """Who somebody is on a channel, known by a keyed hash."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def remember(self, channel: str, external_id: str, now: datetime | None = None) -> str:
        """The person's id; made at the first time."""
        hashed = self._db.vault.keyed_hash("person", channel, external_id)
        found = select(Person.id).where(Person.channel == channel, Person.external_hash == hashed)
        row = await self._db.row(found)
        if row is not None:
            return str(row["id"])
        async with self._db.write() as connection:
            await connection.execute(
                self._db.insert_new(Person, ["channel", "external_hash"]).values(
                    id=uuid4().hex,
                    channel=channel,
                    external_hash=hashed,
                    external_id=self._db.vault.encrypt(external_id),
                    created_at=self._db.at(now),
                )
            )
            return str((await connection.execute(found)).scalar_one())

    async def attach(self, conversation_id: str, person_id: str) -> None:
        """Note whose conversation it is, so that deliveries find the way; they can be reached (again)."""
        known = (
            select(Person.id)
            .join(ConversationRow, ConversationRow.person_id == Person.id)
            .where(ConversationRow.id == conversation_id, Person.unreachable_at.is_(None))
        )
        if await self._db.row(known) is not None:  # the usual case takes no write lock
            return
        # A subquery: the person may have been erased since, with this very turn.
        owner = select(Person.id).where(Person.id == person_id).scalar_subquery()
        async with self._db.write() as connection:
            await connection.execute(
                update(ConversationRow)
                .where(ConversationRow.id == conversation_id, ConversationRow.person_id.is_(None))
                .values(person_id=owner)
            )
            await connection.execute(update(Person).where(Person.id == person_id).values(unreachable_at=None))

    async def unreachable(self, person_id: str, now: datetime | None = None) -> None:
        """Note that a person blocked the bot, or is gone."""
        await self._db.run(update(Person).where(Person.id == person_id).values(unreachable_at=self._db.at(now)))

    async def address(self, person_id: str) -> str:
        """The channel's own id of a person.

        Raises:
            Missing: Nobody of that id is known.
        """
        row = await self._db.row(select(Person.external_id).where(Person.id == person_id))
        if row is None:
            raise Missing(person=person_id)
        return self._db.vault.decrypt(row["external_id"])


class Limits:
    """How often something may be tried."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def allow(self, key: str, *, limit: int, window: timedelta, now: datetime | None = None) -> bool:
        """Count one attempt; whether it is still within `limit` attempts per `window`.

        Args:
            key: What by whom, e.g. "resume:203.0.113.7"; kept as a keyed hash only.
        """
        at = self._db.at(now)
        over = AttemptRow.since <= at - window
        statement = self._db.upsert(AttemptRow).values(
            key_hash=self._db.vault.keyed_hash("attempt", key), since=at, count=1
        )
        # One statement, so that two attempts at once are not counted as one.
        statement = statement.on_conflict_do_update(
            index_elements=["key_hash"],
            set_={
                "since": case((over, literal(at, UtcDateTime)), else_=AttemptRow.since),
                "count": case((over, 1), else_=AttemptRow.count + 1),
            },
        ).returning(AttemptRow.count)
        async with self._db.write() as connection:
            count: int = (await connection.execute(statement)).scalar_one()
        return count <= limit

    async def forget(self, key: str) -> None:
        """Start counting anew, e.g. after a success."""
        hashed = self._db.vault.keyed_hash("attempt", key)
        await self._db.run(delete(AttemptRow).where(AttemptRow.key_hash == hashed))

    async def sweep(self, older_than: datetime) -> int:
        """Delete counts of windows that began before; how many."""
        return await self._db.run(delete(AttemptRow).where(AttemptRow.since < older_than))
