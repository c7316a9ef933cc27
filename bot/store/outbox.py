"""Replies to be sent later: put with what caused them, claimed by one worker, retried, recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import Reply
from bot.store.codec import digest, dump_body, dump_reply, load_reply
from bot.store.database import Database
from bot.store.errors import Missing
from bot.store.tables import ConversationRow, DeliveryRow, Person, Told, TurnRow

PARTS_OF_TURNS = frozenset({"reply", "receipt"})
"""Kinds of delivery that belong to a turn which the history has already."""
WAITING, CLAIMED, SENT, READ, FAILED = "waiting", "claimed", "sent", "read", "failed"


@dataclass(frozen=True)
class NewDelivery:
    """A reply to be sent later.

    Args:
        dedupe_key: One delivery ever for one key, e.g. "ticket:Q-…:<conversation>:<answer version>".
        kind: "answer", "correction", "reminder", "receipt", "question", "digest", …
        address: Where on the channel; None: that of the conversation's person, if any.
        not_before: None: at once.
    """

    conversation_id: str
    channel: str
    reply: Reply
    kind: str
    dedupe_key: str
    address: str | None = None
    not_before: datetime | None = None
    ticket: str | None = None


@dataclass(frozen=True)
class Delivery:
    """A delivery and how it stands; `address` is readable only to who claimed or opened it."""

    id: str
    conversation_id: str
    channel: str
    address: str | None
    reply: Reply
    kind: str
    state: str
    attempts: int
    created_at: datetime
    next_at: datetime
    sent_at: datetime | None
    read_at: datetime | None
    last_error: str | None
    ticket: str | None


class Outbox:
    """Deliveries."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, connection: AsyncConnection, new: NewDelivery, at: datetime) -> bool:
        """Add a delivery to a transaction; False where its key was used before."""
        seal = self._db.vault.encrypt
        address: Any = seal(new.address) if new.address is not None else None
        if address is None:
            address = (
                select(Person.external_id)
                .join(ConversationRow, ConversationRow.person_id == Person.id)
                .where(ConversationRow.id == new.conversation_id)
                .scalar_subquery()
            )
        statement = self._db.insert_new(DeliveryRow, ["dedupe_key"]).values(
            id=uuid4().hex,
            conversation_id=new.conversation_id,
            channel=new.channel,
            address=address,
            payload=seal(dump_reply(new.reply)),
            kind=new.kind,
            ticket=new.ticket,
            dedupe_key=new.dedupe_key,
            state=WAITING,
            attempts=0,
            created_at=at,
            next_at=new.not_before or at,
        )
        return (await connection.execute(statement)).rowcount == 1

    async def add(self, new: NewDelivery, now: datetime | None = None) -> bool:
        """Put a delivery by itself; False where its key was used before."""
        async with self._db.write() as connection:
            return await self.put(connection, new, self._db.at(now))

    async def claim(
        self,
        channel: str,
        worker: str,
        *,
        limit: int = 20,
        lease: timedelta = timedelta(minutes=2),
        conversation_id: str | None = None,
        now: datetime | None = None,
    ) -> list[Delivery]:
        """Take deliveries that are due; no other worker gets them before `lease` is over.

        A worker that dies loses its claim, and the delivery is claimed again: the channel should make
        sending the same `Delivery.id` twice harmless where it can.
        """
        at = self._db.at(now)
        due = (
            select(DeliveryRow.id)
            .where(DeliveryRow.channel == channel, _due(at))
            .order_by(DeliveryRow.next_at, DeliveryRow.created_at)
            .limit(limit)
        )
        if conversation_id is not None:
            due = due.where(DeliveryRow.conversation_id == conversation_id)
        if await self._db.row(due) is None:  # the usual case takes no write lock
            return []
        if not self._db.sqlite:
            due = due.with_for_update(skip_locked=True)
        async with self._db.write() as connection:
            claimed = await connection.execute(
                update(DeliveryRow)
                .where(DeliveryRow.id.in_(due))
                .values(
                    state=CLAIMED,
                    claimed_by=worker,
                    claimed_until=at + lease,
                    attempts=DeliveryRow.attempts + 1,
                )
                .returning(*DeliveryRow.__table__.c)
            )
            rows = sorted(claimed.mappings(), key=lambda row: (row["next_at"], row["created_at"]))
        return [self._delivery(row) for row in rows]

    async def sent(self, delivery: Delivery, worker: str, now: datetime | None = None) -> bool:
        """Record that a claimed delivery went out, and add it to the conversation's history.

        False where the claim was lost meanwhile and somebody else recorded it.
        """
        at = self._db.at(now)
        async with self._db.write() as connection:
            done = await connection.execute(
                update(DeliveryRow)
                .where(
                    DeliveryRow.id == delivery.id,
                    DeliveryRow.state == CLAIMED,
                    DeliveryRow.claimed_by == worker,
                )
                .values(state=SENT, sent_at=at, claimed_by=None, claimed_until=None, last_error=None)
            )
            if done.rowcount != 1:
                return False
            if delivery.kind not in PARTS_OF_TURNS:
                await self._into_history(connection, delivery, at)
        return True

    async def _into_history(self, connection: AsyncConnection, delivery: Delivery, at: datetime) -> None:
        # The version stays: somebody who is just talking to the bot must not become stale by it.
        number = (
            await connection.execute(
                update(ConversationRow)
                .where(ConversationRow.id == delivery.conversation_id)
                .values(turn_count=ConversationRow.turn_count + 1)
                .returning(ConversationRow.turn_count)
            )
        ).scalar()
        reply = delivery.reply
        await connection.execute(
            insert(TurnRow).values(
                conversation_id=delivery.conversation_id,
                number=number,
                at=at,
                body=self._db.vault.encrypt(dump_body("", reply)),
                external_id=f"delivery:{delivery.id}",
                status=reply.status.value,
                topics=list(reply.topics),
                ticket=delivery.ticket,
                by_staff=reply.by_staff,
                used_llm=False,
            )
        )
        told = {c.clause_id or f"{c.document}:{c.clause}": digest(c.text) for c in reply.citations}
        for source_id, version in told.items():
            await connection.execute(
                insert(Told).values(
                    conversation_id=delivery.conversation_id,
                    number=number,
                    kind="clause",
                    source_id=source_id,
                    version=version,
                    at=at,
                )
            )

    async def failed(
        self,
        delivery: Delivery,
        worker: str,
        error: str,
        *,
        retry_at: datetime | None,
        unreachable: bool = False,
        now: datetime | None = None,
    ) -> None:
        """Record a failure of a claimed delivery.

        Args:
            error: A short reason for the console, without personal data.
            retry_at: When to try again; None ends the delivery.
            unreachable: The person blocked the bot or is gone; noted with the person.
        """
        async with self._db.write() as connection:
            await connection.execute(
                update(DeliveryRow)
                .where(
                    DeliveryRow.id == delivery.id,
                    DeliveryRow.state == CLAIMED,
                    DeliveryRow.claimed_by == worker,
                )
                .values(
                    state=FAILED if retry_at is None else WAITING,
                    next_at=retry_at or DeliveryRow.next_at,
                    last_error=error[:300],
                    claimed_by=None,
                    claimed_until=None,
                )
            )
            if unreachable:
                person = (
                    select(ConversationRow.person_id)
                    .where(ConversationRow.id == delivery.conversation_id)
                    .scalar_subquery()
                )
                await connection.execute(
                    update(Person).where(Person.id == person).values(unreachable_at=self._db.at(now))
                )

    async def retry(self, delivery_id: str, now: datetime | None = None) -> None:
        """Let a failed delivery be tried again (a button of the console).

        Raises:
            Missing: There is no failed delivery of that id.
        """
        done = await self._db.run(
            update(DeliveryRow)
            .where(DeliveryRow.id == delivery_id, DeliveryRow.state == FAILED)
            .values(state=WAITING, next_at=self._db.at(now))
        )
        if done == 0:
            raise Missing(delivery=delivery_id)

    async def read(self, delivery_id: str, now: datetime | None = None) -> None:
        """Record that the person saw it, where the channel knows."""
        await self._db.run(
            update(DeliveryRow)
            .where(DeliveryRow.id == delivery_id, DeliveryRow.state == SENT)
            .values(state=READ, read_at=self._db.at(now))
        )

    async def of_ticket(self, number: str) -> list[Delivery]:
        """All deliveries of a ticket, oldest first, to show how each stands."""
        statement = select(DeliveryRow).where(DeliveryRow.ticket == number).order_by(DeliveryRow.created_at)
        return [self._delivery(row) for row in await self._db.rows(statement)]

    async def latest(self, *, state: str | None = None, limit: int = 200) -> list[Delivery]:
        """Latest deliveries, e.g. those failed."""
        statement = select(DeliveryRow).order_by(DeliveryRow.created_at.desc()).limit(limit)
        if state is not None:
            statement = statement.where(DeliveryRow.state == state)
        return [self._delivery(row) for row in await self._db.rows(statement)]

    async def counts(self) -> dict[str, int]:
        """How many deliveries are in each state."""
        statement = select(DeliveryRow.state, func.count().label("n")).group_by(DeliveryRow.state)
        return {row["state"]: row["n"] for row in await self._db.rows(statement)}

    async def next_due(self, channel: str) -> datetime | None:
        """When the next delivery of the channel is due, so that its loop can sleep until then."""
        statement = select(func.min(DeliveryRow.next_at).label("at")).where(
            DeliveryRow.channel == channel, DeliveryRow.state == WAITING
        )
        row = await self._db.row(statement)
        found: datetime | None = row["at"] if row else None
        return found

    def _delivery(self, row: RowMapping) -> Delivery:
        decrypt = self._db.vault.decrypt
        return Delivery(
            id=row["id"],
            conversation_id=row["conversation_id"],
            channel=row["channel"],
            address=decrypt(row["address"]) if row["address"] else None,
            reply=load_reply(decrypt(row["payload"])),
            kind=row["kind"],
            state=row["state"],
            attempts=row["attempts"],
            created_at=row["created_at"],
            next_at=row["next_at"],
            sent_at=row["sent_at"],
            read_at=row["read_at"],
            last_error=row["last_error"],
            ticket=row["ticket"],
        )


def _due(at: datetime) -> Any:
    waiting = and_(DeliveryRow.state == WAITING, DeliveryRow.next_at <= at)
    abandoned = and_(DeliveryRow.state == CLAIMED, DeliveryRow.claimed_until <= at)
    return or_(waiting, abandoned)
