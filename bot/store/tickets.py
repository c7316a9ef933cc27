"""Tickets: questions for a person, each with everybody who asked it, and what staff do with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import Citation, Reply
from bot.store.errors import Missing, Refused, StaleTicket
from bot.store.filing import Filing
from bot.store.outbox import NewDelivery
from bot.store.tables import TicketAsker, TicketMessage, TicketRow
from bot.store.ticket_values import ANSWERED, CLOSED, OPEN, Asker, NewTicket, dumped


class Tickets(Filing):
    """The queue and the work on it."""

    async def assign(self, number: str, login: str | None, *, version: int, now: datetime | None = None) -> int:
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
                citations=dumped(reply.citations),
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

    async def close(self, number: str, reason: str, *, by: str, version: int, now: datetime | None = None) -> None:
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

    async def asker_says(self, number: str, conversation_id: str, text: str, now: datetime | None = None) -> None:
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
            await self._change(connection, number, version, at, status=CLOSED, merged_into=into, closed_reason="merged")
            there = select(TicketAsker.conversation_id).where(TicketAsker.ticket == into)
            await connection.execute(
                delete(TicketAsker).where(TicketAsker.ticket == number, TicketAsker.conversation_id.in_(there))
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

    async def _change(self, connection: AsyncConnection, number: str, version: int, at: datetime, **values: Any) -> int:
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
                citations=dumped(citations),
            )
        )
        return message
