"""The queue of tickets: filing a question, and reading what was filed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.errors import Missing
from bot.store.numbers import new_number
from bot.store.outbox import Outbox
from bot.store.tables import ConversationRow, TicketAsker, TicketMessage, TicketRow
from bot.store.ticket_values import (
    CLOSED,
    OPEN,
    Asker,
    NewTicket,
    ThreadMessage,
    Ticket,
    as_ticket,
    citations,
    question_key,
)


class Filing:
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
            await connection.execute(update(TicketRow).where(TicketRow.number == number).values(status=CLOSED))
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
        return as_ticket(row)

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
        statement = _filtered(_with_askers(), status, topic, reason, channel, assigned_to, words, conversation_id)
        statement = statement.order_by(_ASKERS.desc(), TicketRow.created_at).limit(limit).offset(offset)
        return [as_ticket(row) for row in await self._db.rows(statement)]

    async def urgent(
        self,
        today: date,
        *,
        status: str | None = OPEN,
        topic: str | None = None,
        reason: str | None = None,
        channel: str | None = None,
        assigned_to: str | None = None,
        words: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[list[Ticket], int]:
        """One page of tickets by urgency (askers x nearness of the deadline), and how many there are."""
        light = select(TicketRow.number, TicketRow.deadline, _ASKERS).order_by(TicketRow.created_at)
        statement = _filtered(light, status, topic, reason, channel, assigned_to, words, None)
        rows = await self._db.rows(statement)
        # The sort is stable: of equally urgent tickets the oldest stays first.
        ranked = sorted(rows, key=lambda row: -urgency(row["askers"], row["deadline"], today))
        page = [row["number"] for row in ranked[offset : offset + limit]]
        found = await self._db.rows(_with_askers().where(TicketRow.number.in_(page)))
        tickets = {row["number"]: as_ticket(row) for row in found}
        return [tickets[number] for number in page if number in tickets], len(rows)

    async def without_vector(self, limit: int = 50) -> list[tuple[str, str]]:
        """Number and question of open tickets that have no embedding yet (filed where no encoder was at hand)."""
        statement = select(TicketRow.number, TicketRow.question).where(
            TicketRow.vector.is_(None), TicketRow.status == OPEN, TicketRow.merged_into.is_(None)
        )
        return [(row["number"], row["question"]) for row in await self._db.rows(statement.limit(limit))]

    async def looked(self, number: str, vector: bytes, tried: Any, deadline: date | None) -> None:
        """Keep what a later look at a ticket's question found."""
        await self._db.run(
            update(TicketRow)
            .where(TicketRow.number == number)
            .values(vector=vector, tried=tried, deadline=func.coalesce(TicketRow.deadline, deadline))
        )

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
            select(TicketMessage).where(TicketMessage.ticket == number).order_by(TicketMessage.at, TicketMessage.id)
        )
        return [
            ThreadMessage(
                id=row["id"],
                at=row["at"],
                kind=row["kind"],
                staff=row["staff"],
                conversation_id=row["conversation_id"],
                text=self._db.vault.decrypt(row["text"]),
                citations=citations(row["citations"]),
            )
            for row in await self._db.rows(statement)
        ]


def urgency(askers: int, deadline: date | None, today: date) -> float:
    """Askers x nearness of the deadline: a day that has passed, or none, counts as a month off."""
    left = (deadline - today).days if deadline else 30
    return max(1, askers) / (1 + min(30, left if left >= 0 else 30))


def _filtered(
    statement: Any,
    status: str | None,
    topic: str | None,
    reason: str | None,
    channel: str | None,
    assigned_to: str | None,
    words: str | None,
    conversation_id: str | None,
) -> Any:
    statement = statement.where(TicketRow.merged_into.is_(None))
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
        asked = select(TicketAsker.ticket).join(ConversationRow, ConversationRow.id == TicketAsker.conversation_id)
        if channel is not None:
            asked = asked.where(ConversationRow.channel == channel)
        if conversation_id is not None:
            asked = asked.where(ConversationRow.id == conversation_id)
        statement = statement.where(TicketRow.number.in_(asked))
    return statement


_ASKERS = (
    select(func.count())
    .where(TicketAsker.ticket == TicketRow.number)
    .correlate(TicketRow)
    .scalar_subquery()
    .label("askers")
)


def _with_askers() -> Any:
    return select(TicketRow, _ASKERS)
