"""Deleting a person, and what has outlived its time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.forms.drafts import Erased
from bot.store.database import Database
from bot.store.tables import (
    AttemptRow,
    ConsentRow,
    ConversationRow,
    DraftRow,
    Person,
    ProcessedUpdate,
    ResumeCode,
    StaffSession,
    SubmissionRow,
    TicketAsker,
    TicketRow,
    TurnRow,
)
from bot.store.threads import thread_of

__all__ = ["Erased", "Privacy"]


class Privacy:
    """ "删除我的信息", and retention."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def erase(self, conversation_id: str, now: datetime | None = None) -> Erased:
        """Delete a person: all conversations of the thread with their turns, drafts, deliveries and
        reminders, the person on each channel, and the submissions that were not exported yet.

        Questions stay in the queue without the asker (their text is masked); those that nobody else asked
        are closed. Exported submissions stay, as the authority has them, with the consent they rest on.
        """
        async with self._db.write() as connection:
            thread: str = (await connection.execute(select(thread_of(conversation_id)))).scalar_one()
            return await self._erase(connection, thread, self._db.at(now))

    async def _erase(self, connection: AsyncConnection, thread: str, at: datetime) -> Erased:
        in_thread = select(ConversationRow.id).where(ConversationRow.thread_id == thread)
        ids = list((await connection.execute(in_thread)).scalars())
        turns = await _count(connection, TurnRow, TurnRow.conversation_id.in_(ids))
        drafts = await _count(connection, DraftRow, DraftRow.thread_id == thread)
        persons = select(ConversationRow.person_id).where(
            ConversationRow.id.in_(ids), ConversationRow.person_id.is_not(None)
        )
        person_ids = set((await connection.execute(persons)).scalars())
        asked = select(TicketAsker.ticket).where(TicketAsker.conversation_id.in_(ids))
        tickets = list((await connection.execute(asked)).scalars())

        gone = await connection.execute(
            delete(SubmissionRow).where(SubmissionRow.thread_id == thread, SubmissionRow.exported_at.is_(None))
        )
        stays = select(SubmissionRow.receipt).where(SubmissionRow.thread_id == thread).distinct()
        kept = tuple((await connection.execute(stays)).scalars())
        consents = ConsentRow.thread_id == thread
        if kept:
            await connection.execute(
                update(ConsentRow).where(consents, ConsentRow.withdrawn_at.is_(None)).values(withdrawn_at=at)
            )
        else:
            await connection.execute(delete(ConsentRow).where(consents))
        await connection.execute(delete(ResumeCode).where(ResumeCode.thread_id == thread))
        await connection.execute(delete(DraftRow).where(DraftRow.thread_id == thread))
        await connection.execute(delete(ConversationRow).where(ConversationRow.id.in_(ids)))
        await connection.execute(
            delete(Person).where(Person.id.in_(person_ids), ~exists().where(ConversationRow.person_id == Person.id))
        )
        await connection.execute(
            update(TicketRow)
            .where(
                TicketRow.number.in_(tickets),
                TicketRow.status == "open",
                ~exists().where(TicketAsker.ticket == TicketRow.number),
            )
            .values(
                status="closed",
                closed_reason="asker_erased",
                updated_at=at,
                version=TicketRow.version + 1,
            )
        )
        return Erased(len(ids), turns, drafts, gone.rowcount, kept)

    async def sweep(
        self, *, conversations_before: datetime, traces_before: datetime, now: datetime | None = None
    ) -> int:
        """Delete what has outlived its time; how many threads went.

        Args:
            conversations_before: Threads without a turn since then are erased.
            traces_before: Marks of handled updates and counts of attempts older than that are deleted.
        """
        at = self._db.at(now)
        idle = (
            select(ConversationRow.thread_id)
            .group_by(ConversationRow.thread_id)
            .having(func.max(ConversationRow.updated_at) < conversations_before)
        )
        threads = [row["thread_id"] for row in await self._db.rows(idle)]
        for thread in threads:
            async with self._db.write() as connection:
                await self._erase(connection, thread, at)
        async with self._db.write() as connection:
            await connection.execute(delete(ProcessedUpdate).where(ProcessedUpdate.at < traces_before))
            await connection.execute(delete(AttemptRow).where(AttemptRow.since < traces_before))
            await connection.execute(delete(StaffSession).where(StaffSession.expires_at < at))
        return len(threads)


async def _count(connection: AsyncConnection, table: Any, condition: Any) -> int:
    found: int = (await connection.execute(select(func.count()).select_from(table).where(condition))).scalar_one()
    return found
