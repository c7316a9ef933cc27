"""Which conversations are one person's: joined by a resume code."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, literal, select, update

from bot.store.database import Database
from bot.store.errors import Refused
from bot.store.numbers import new_number, normal_number
from bot.store.tables import ConsentRow, ConversationRow, DraftRow, ResumeCode, SubmissionRow


def thread_of(conversation_id: str) -> ColumnElement[str]:
    """The thread of a conversation, as an expression; also of one that is not written yet."""
    own: Any = select(ConversationRow.thread_id).where(ConversationRow.id == conversation_id)
    joined: Any = (
        select(ResumeCode.thread_id)
        .where(ResumeCode.used_by == conversation_id)
        .order_by(ResumeCode.used_at.desc())
        .limit(1)
    )
    found: ColumnElement[str] = func.coalesce(own.scalar_subquery(), joined.scalar_subquery(), literal(conversation_id))
    return found


class Threads:
    """Resume codes. Limit the attempts (`Limits.allow`) before calling `redeem`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def issue(
        self, conversation_id: str, *, valid: timedelta = timedelta(days=30), now: datetime | None = None
    ) -> str:
        """A new code for the conversation's thread; earlier unused ones end."""
        at = self._db.at(now)
        code = new_number("code")
        async with self._db.write() as connection:
            await connection.execute(
                delete(ResumeCode).where(
                    ResumeCode.thread_id == thread_of(conversation_id), ResumeCode.used_at.is_(None)
                )
            )
            await connection.execute(
                insert(ResumeCode).values(
                    code_hash=self._hash(code),
                    thread_id=thread_of(conversation_id),
                    created_at=at,
                    expires_at=at + valid,
                )
            )
        return code

    async def redeem(self, said: str, conversation_id: str, now: datetime | None = None) -> str:
        """Join the conversation to the code's thread; the thread's id. A code works once.

        Args:
            said: The code as a person typed it.

        Raises:
            Refused: "code_unknown", "code_used" or "code_expired".
            StoreError: "bad_number": it does not look like a code.
        """
        at = self._db.at(now)
        code_hash = self._hash(normal_number(said, "code"))
        async with self._db.write() as connection:
            thread: str | None = (
                await connection.execute(
                    update(ResumeCode)
                    .where(
                        ResumeCode.code_hash == code_hash,
                        ResumeCode.used_at.is_(None),
                        ResumeCode.expires_at > at,
                    )
                    .values(used_at=at, used_by=conversation_id)
                    .returning(ResumeCode.thread_id)
                )
            ).scalar()
            if thread is None:
                found = select(ResumeCode.used_at).where(ResumeCode.code_hash == code_hash)
                row = (await connection.execute(found)).first()
                if row is None:
                    raise Refused("code_unknown")
                raise Refused("code_used" if row.used_at is not None else "code_expired")
            left: str | None = (
                await connection.execute(select(ConversationRow.thread_id).where(ConversationRow.id == conversation_id))
            ).scalar()
            if left is not None and left != thread:
                await self._move(connection, left, thread)
        return thread

    async def _move(self, connection: Any, left: str, thread: str) -> None:
        there = select(ConsentRow.purpose + ":" + ConsentRow.text_version).where(ConsentRow.thread_id == thread)
        await connection.execute(
            delete(ConsentRow).where(
                ConsentRow.thread_id == left,
                (ConsentRow.purpose + ":" + ConsentRow.text_version).in_(there),
            )
        )
        for table in (ConversationRow, DraftRow, SubmissionRow, ConsentRow, ResumeCode):
            await connection.execute(update(table).where(table.thread_id == left).values(thread_id=thread))

    async def conversations(self, conversation_id: str) -> list[str]:
        """All conversations of the same thread."""
        statement = select(ConversationRow.id).where(ConversationRow.thread_id == thread_of(conversation_id))
        return [row["id"] for row in await self._db.rows(statement)]

    def _hash(self, code: str) -> str:
        return self._db.vault.keyed_hash("resume", code)
