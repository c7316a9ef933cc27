"""Tickets: questions for a person, each with everybody who asked it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import Citation, Reply
from bot.store.codec import digest
from bot.store.database import Database
from bot.store.errors import Missing, Refused, StaleTicket
from bot.store.numbers import new_number
from bot.store.outbox import NewDelivery, Outbox
from bot.store.tables import ConversationRow, TicketAsker, TicketMessage, TicketRow

OPEN, ANSWERED, CLOSED = "open", "answered", "closed"


@dataclass(frozen=True)
class NewTicket:
    """A question to be filed.

    Args:
        question: As the queue shows and searches it: personal data must be masked already.
        wording: The person's own words; kept encrypted.
        reason: A `bot.messages.Reason` value, or "thumbs_down", "clarified_in_vain".
        number: The number told to the person. With `joins`, that of the alike ticket to be joined.
        tried: What the assistant looked at: nearest topics and clauses with scores.
        deadline: The day that makes the question urgent.
        vector: The question's embedding, so that alike questions are found.
    """

    question: str
    wording: str
    reason: str
    topic: str | None = None
    number: str = field(default_factory=lambda: new_number("ticket"))
    joins: bool = False
    tried: Any = None
    deadline: date | None = None
    vector: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Ticket:
    """A ticket as the queue shows it."""

    number: str
    status: str
    question: str
    reason: str
    topic: str | None
    tried: Any
    deadline: date | None
    created_at: datetime
    updated_at: datetime
    assigned_to: str | None
    resolution: str | None
    citations: tuple[Citation, ...]
    answer_version: int
    answered_by: str | None
    answered_at: datetime | None
    closed_reason: str | None
    merged_into: str | None
    version: int
    askers: int = 0


@dataclass(frozen=True)
class Asker:
    """Somebody who asked, in their own words (personal data: opening it is logged by the console)."""

    conversation_id: str
    channel: str
    turn: int
    wording: str
    at: datetime


@dataclass(frozen=True)
class ThreadMessage:
    """A message of a ticket's thread: `kind` is "staff", "asker" or "note" (for staff only)."""

    id: str
    at: datetime
    kind: str
    staff: str | None
    conversation_id: str | None
    text: str
    citations: tuple[Citation, ...]


class Tickets:
    """The queue."""

    def __init__(self, db: Database, outbox: Outbox) -> None:
        self._db = db
        self._outbox = outbox

    async def file(
        self, connection: AsyncConnection, new: NewTicket, conversation_id: str, turn: int, at: datetime
    ) -> str:
        """Add a question to a transaction; the ticket's number.

        An alike ticket that was answered or closed meanwhile is open again: this person has no answer yet.
        """
        number = await self._join(connection, new.number, at) if new.joins else None
        number = number or await self._create(connection, new, at)
        asker = self._db.insert_new(TicketAsker, ["ticket", "conversation_id"])
        await connection.execute(
            asker.values(
                ticket=number,
                conversation_id=conversation_id,
                turn=turn,
                wording=self._db.vault.encrypt(new.wording),
                at=at,
            )
        )
        return number

    async def _join(self, connection: AsyncConnection, number: str, at: datetime) -> str | None:
        row = (
            await connection.execute(
                update(TicketRow)
                .where(TicketRow.number == number)
                .values(status=OPEN, updated_at=at)  # not the version: staff may be writing the answer
                .returning(TicketRow.merged_into)
            )
        ).first()
        if row is None:
            return None
        if row.merged_into is not None:
            await connection.execute(
                update(TicketRow).where(TicketRow.number == number).values(status=CLOSED)
            )
            return await self._join(connection, row.merged_into, at)
        return number

    async def _create(self, connection: AsyncConnection, new: NewTicket, at: datetime) -> str:
        number = new.number if not new.joins else new_number("ticket")
        while True:
            done = await connection.execute(
                self._db.insert_new(TicketRow, ["number"]).values(
                    number=number,
                    status=OPEN,
                    question=new.question,
                    question_key=question_key(new.question),
                    reason=new.reason,
                    topic=new.topic,
                    tried=new.tried,
                    deadline=new.deadline,
                    vector=new.vector,
                    created_at=at,
                    updated_at=at,
                    answer_version=0,
                    version=1,
                )
            )
            if done.rowcount == 1:
                return number
            number = new_number("ticket")  # taken by another question: the reply is renumbered

    async def same_question(self, question: str) -> str | None:
        """Number of the open ticket with the same question but for blanks and punctuation, if any."""
        statement = (
            select(TicketRow.number)
            .where(TicketRow.question_key == question_key(question), TicketRow.status == OPEN)
            .order_by(TicketRow.created_at)
            .limit(1)
        )
        row = await self._db.row(statement)
        return row["number"] if row else None

    async def vectors(self, *, status: str | None = OPEN) -> list[tuple[str, bytes]]:
        """Number and embedding of the tickets that have one, to find alike questions and earlier answers."""
        statement = select(TicketRow.number, TicketRow.vector).where(
            TicketRow.vector.is_not(None), TicketRow.merged_into.is_(None)
        )
        if status is not None:
            statement = statement.where(TicketRow.status == status)
        return [(row["number"], row["vector"]) for row in await self._db.rows(statement)]

    async def get(self, number: str) -> Ticket:
        """One ticket.

        Raises:
            Missing: There is none of that number.
        """
        row = await self._db.row(_with_askers().where(TicketRow.number == number))
        if row is None:
            raise Missing(ticket=number)
        return _ticket(row)

    async def queue(
        self,
        *,
        status: str | None = OPEN,
        topic: str | None = None,
        reason: str | None = None,
        channel: str | None = None,
        assigned_to: str | None = None,
        words: str | None = None,
        conversation_id: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Ticket]:
        """Tickets, most askers first, then the oldest. `words` must all occur in question or answer."""
        statement = _with_askers().where(TicketRow.merged_into.is_(None))
        for column, value in (
            (TicketRow.status, status),
            (TicketRow.topic, topic),
            (TicketRow.reason, reason),
            (TicketRow.assigned_to, assigned_to),
        ):
            if value is not None:
                statement = statement.where(column == value)
        for word in (words or "").split():
            text = TicketRow.question + func.coalesce(TicketRow.resolution, "") + TicketRow.number
            statement = statement.where(text.icontains(word, autoescape=True))
        if channel is not None or conversation_id is not None:
            asked = select(TicketAsker.ticket).join(
                ConversationRow, ConversationRow.id == TicketAsker.conversation_id
            )
            if channel is not None:
                asked = asked.where(ConversationRow.channel == channel)
            if conversation_id is not None:
                asked = asked.where(ConversationRow.id == conversation_id)
            statement = statement.where(TicketRow.number.in_(asked))
        statement = statement.order_by(_ASKERS.desc(), TicketRow.created_at).limit(limit).offset(offset)
        return [_ticket(row) for row in await self._db.rows(statement)]

    async def counts(self) -> dict[str, int]:
        """How many tickets are in each status."""
        statement = (
            select(TicketRow.status, func.count().label("n"))
            .where(TicketRow.merged_into.is_(None))
            .group_by(TicketRow.status)
        )
        return {row["status"]: row["n"] for row in await self._db.rows(statement)}

    async def askers(self, number: str) -> list[Asker]:
        """Everybody who asked, first one first."""
        statement = (
            select(TicketAsker, ConversationRow.channel)
            .join(ConversationRow, ConversationRow.id == TicketAsker.conversation_id)
            .where(TicketAsker.ticket == number)
            .order_by(TicketAsker.at)
        )
        decrypt = self._db.vault.decrypt
        return [
            Asker(row["conversation_id"], row["channel"], row["turn"], decrypt(row["wording"]), row["at"])
            for row in await self._db.rows(statement)
        ]

    async def thread(self, number: str) -> list[ThreadMessage]:
        """The messages of a ticket, oldest first."""
        statement = (
            select(TicketMessage)
            .where(TicketMessage.ticket == number)
            .order_by(TicketMessage.at, TicketMessage.id)
        )
        return [
            ThreadMessage(
                id=row["id"],
                at=row["at"],
                kind=row["kind"],
                staff=row["staff"],
                conversation_id=row["conversation_id"],
                text=self._db.vault.decrypt(row["text"]),
                citations=_citations(row["citations"]),
            )
            for row in await self._db.rows(statement)
        ]

    async def assign(
        self, number: str, login: str | None, *, version: int, now: datetime | None = None
    ) -> int:
        """Give a ticket to a member of staff, or to nobody; its version now.

        Raises:
            StaleTicket: It was changed since `version`.
        """
        async with self._db.write() as connection:
            await self._change(connection, number, version, self._db.at(now), assigned_to=login)
        return version + 1

    async def answer(
        self,
        number: str,
        reply: Reply,
        *,
        resolution: str,
        by: str,
        version: int,
        kind: str = "answer",
        now: datetime | None = None,
    ) -> list[Asker]:
        """Answer a ticket: resolved, in its thread, and one delivery for each asker, in one transaction.

        Args:
            reply: What every asker gets, with "人工答复", office and date already in it.
            resolution: The answer's own words, as kept for reuse.
            kind: "answer", or "correction" of an earlier answer.

        Raises:
            StaleTicket: Another member of staff changed it since `version`.
        """
        at = self._db.at(now)
        async with self._db.write() as connection:
            answer_version = await self._change(
                connection,
                number,
                version,
                at,
                status=ANSWERED,
                resolution=resolution,
                citations=_dumped(reply.citations),
                answered_by=by,
                answered_at=at,
                answer_version=TicketRow.answer_version + 1,
            )
            await self._write_message(connection, number, "staff", by, None, resolution, reply.citations, at)
            return await self._deliver(connection, number, reply, kind, str(answer_version), None, at)

    async def ask_back(
        self,
        number: str,
        reply: Reply,
        *,
        text: str,
        by: str,
        version: int,
        conversation_id: str | None = None,
        now: datetime | None = None,
    ) -> list[Asker]:
        """Ask the askers (or one of them) something back; the ticket stays open.

        Raises:
            StaleTicket: Another member of staff changed it since `version`.
        """
        at = self._db.at(now)
        async with self._db.write() as connection:
            await self._change(connection, number, version, at, assigned_to=by)
            message = await self._write_message(
                connection, number, "staff", by, conversation_id, text, reply.citations, at
            )
            return await self._deliver(connection, number, reply, "question", message, conversation_id, at)

    async def _deliver(
        self,
        connection: AsyncConnection,
        number: str,
        reply: Reply,
        kind: str,
        occasion: str,
        only: str | None,
        at: datetime,
    ) -> list[Asker]:
        askers = [a for a in await self.askers(number) if only in (None, a.conversation_id)]
        for asker in askers:
            key = f"ticket:{number}:{asker.conversation_id}:{occasion}"
            delivery = NewDelivery(asker.conversation_id, asker.channel, reply, kind, key, ticket=number)
            await self._outbox.put(connection, delivery, at)
        return askers

    async def close(
        self, number: str, reason: str, *, by: str, version: int, now: datetime | None = None
    ) -> None:
        """Close a ticket without an answer.

        Raises:
            StaleTicket: Another member of staff changed it since `version`.
        """
        async with self._db.write() as connection:
            await self._change(
                connection,
                number,
                version,
                self._db.at(now),
                status=CLOSED,
                closed_reason=reason,
                answered_by=by,
            )

    async def note(self, number: str, text: str, *, by: str, now: datetime | None = None) -> None:
        """Add a note that only staff see."""
        async with self._db.write() as connection:
            await self._write_message(connection, number, "note", by, None, text, (), self._db.at(now))

    async def asker_says(
        self, number: str, conversation_id: str, text: str, now: datetime | None = None
    ) -> None:
        """Add what an asker answered to the thread; a resolved ticket is open again.

        Raises:
            Refused: "not_your_ticket": this conversation never asked it.
        """
        at = self._db.at(now)
        async with self._db.write() as connection:
            asked = select(TicketAsker.at).where(
                TicketAsker.ticket == number, TicketAsker.conversation_id == conversation_id
            )
            if (await connection.execute(asked)).first() is None:
                raise Refused("not_your_ticket")
            await self._write_message(connection, number, "asker", None, conversation_id, text, (), at)
            await connection.execute(
                update(TicketRow)
                .where(TicketRow.number == number)
                .values(status=OPEN, updated_at=at, version=TicketRow.version + 1)
            )

    async def merge(self, number: str, into: str, *, version: int, now: datetime | None = None) -> None:
        """Make two tickets one: askers and thread go over to `into`, and `number` leads there.

        Raises:
            Refused: "merge_into_itself".
            StaleTicket: It was changed since `version`.
        """
        if number == into:
            raise Refused("merge_into_itself")
        at = self._db.at(now)
        async with self._db.write() as connection:
            if await self._join(connection, into, at) != into:
                raise Missing(ticket=into)
            await self._change(
                connection, number, version, at, status=CLOSED, merged_into=into, closed_reason="merged"
            )
            there = select(TicketAsker.conversation_id).where(TicketAsker.ticket == into)
            await connection.execute(
                delete(TicketAsker).where(
                    TicketAsker.ticket == number, TicketAsker.conversation_id.in_(there)
                )
            )
            for table in (TicketAsker, TicketMessage):
                await connection.execute(update(table).where(table.ticket == number).values(ticket=into))

    async def split(
        self,
        number: str,
        conversation_ids: Sequence[str],
        new: NewTicket,
        *,
        version: int,
        now: datetime | None = None,
    ) -> str:
        """Give some of a ticket's askers a ticket of their own; its number.

        Raises:
            StaleTicket: It was changed since `version`.
        """
        at = self._db.at(now)
        async with self._db.write() as connection:
            await self._change(connection, number, version, at)
            split_off = await self._create(connection, new, at)
            await connection.execute(
                update(TicketAsker)
                .where(TicketAsker.ticket == number, TicketAsker.conversation_id.in_(conversation_ids))
                .values(ticket=split_off)
            )
        return split_off

    async def _change(
        self, connection: AsyncConnection, number: str, version: int, at: datetime, **values: Any
    ) -> int:
        """Change a ticket under its version; its answer version."""
        answer_version: int | None = (
            await connection.execute(
                update(TicketRow)
                .where(TicketRow.number == number, TicketRow.version == version)
                .values(version=version + 1, updated_at=at, **values)
                .returning(TicketRow.answer_version)
            )
        ).scalar()
        if answer_version is None:
            raise StaleTicket(ticket=number)
        return answer_version

    async def _write_message(
        self,
        connection: AsyncConnection,
        number: str,
        kind: str,
        staff: str | None,
        conversation_id: str | None,
        text: str,
        citations: Sequence[Citation],
        at: datetime,
    ) -> str:
        message = uuid4().hex
        await connection.execute(
            insert(TicketMessage).values(
                id=message,
                ticket=number,
                at=at,
                kind=kind,
                staff=staff,
                conversation_id=conversation_id,
                text=self._db.vault.encrypt(text),
                citations=_dumped(citations),
            )
        )
        return message


def question_key(question: str) -> str:
    """Digest of a question without blanks, punctuation and case."""
    return digest("".join(c for c in question.casefold() if c.isalnum()))


_ASKERS = (
    select(func.count())
    .where(TicketAsker.ticket == TicketRow.number)
    .correlate(TicketRow)
    .scalar_subquery()
    .label("askers")
)


def _with_askers() -> Any:
    return select(TicketRow, _ASKERS)


def _dumped(citations: Sequence[Citation]) -> list[dict[str, Any]]:
    return [c.model_dump(mode="json", exclude_defaults=True) for c in citations]


def _citations(kept: Any) -> tuple[Citation, ...]:
    return tuple(Citation.model_validate(c) for c in kept or ())


def _ticket(row: RowMapping) -> Ticket:
    return Ticket(
        **{name: row[name] for name in Ticket.__dataclass_fields__ if name not in ("citations",)},
        citations=_citations(row["citations"]),
    )
