"""Reminders of milestones: asked for, claimed by one process, sent once, never after the deadline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import and_, or_, select, update

from bot.messages import Reply
from bot.store.database import Database
from bot.store.outbox import NewDelivery, Outbox
from bot.store.tables import ConversationRow, ReminderRow

WAITING, CLAIMED, SENT, STOPPED, EXPIRED = "waiting", "claimed", "sent", "stopped", "expired"


@dataclass(frozen=True)
class NewReminder:
    """A reminder to come; `mark` tells several of one milestone apart, e.g. "3d", "1d", "morning".

    Args:
        expires_at: The deadline: from then on it is not sent.
    """

    milestone: str
    mark: str
    due_at: datetime
    expires_at: datetime
    role: str | None = None


@dataclass(frozen=True)
class Reminder:
    """A claimed reminder."""

    id: str
    conversation_id: str
    channel: str
    milestone: str
    mark: str
    role: str | None
    due_at: datetime
    expires_at: datetime


class Reminders:
    """Reminders."""

    def __init__(self, db: Database, outbox: Outbox) -> None:
        self._db = db
        self._outbox = outbox

    async def subscribe(self, conversation_id: str, reminders: Sequence[NewReminder]) -> int:
        """Add reminders for a saved conversation; those it has already stay, stopped ones go on. How many are new."""
        added = 0
        async with self._db.write() as connection:
            for new in reminders:
                statement = self._db.upsert(ReminderRow).values(
                    id=uuid4().hex,
                    conversation_id=conversation_id,
                    milestone=new.milestone,
                    mark=new.mark,
                    role=new.role,
                    due_at=new.due_at,
                    expires_at=new.expires_at,
                    state=WAITING,
                )
                statement = statement.on_conflict_do_update(
                    index_elements=["conversation_id", "milestone", "mark"],
                    set_={"state": WAITING, "due_at": new.due_at, "expires_at": new.expires_at},
                    where=ReminderRow.state == STOPPED,
                )
                added += (await connection.execute(statement)).rowcount
        return added

    async def stop(self, conversation_id: str) -> int:
        """Stop all reminders of a conversation; how many had been to come."""
        return await self._db.run(
            update(ReminderRow)
            .where(
                ReminderRow.conversation_id == conversation_id,
                ReminderRow.state.in_((WAITING, CLAIMED)),
            )
            .values(state=STOPPED)
        )

    async def claim(
        self,
        worker: str,
        *,
        limit: int = 50,
        lease: timedelta = timedelta(minutes=2),
        now: datetime | None = None,
    ) -> list[Reminder]:
        """Take reminders that are due; those past their deadline end unsent."""
        at = self._db.at(now)
        waiting = or_(
            ReminderRow.state == WAITING,
            and_(ReminderRow.state == CLAIMED, ReminderRow.claimed_until <= at),
        )
        due = select(ReminderRow.id).where(waiting, ReminderRow.due_at <= at).limit(limit)
        if await self._db.row(due) is None:
            return []
        if not self._db.sqlite:
            due = due.with_for_update(skip_locked=True)
        async with self._db.write() as connection:
            await connection.execute(
                update(ReminderRow).where(waiting, ReminderRow.expires_at <= at).values(state=EXPIRED)
            )
            taken = await connection.execute(
                update(ReminderRow)
                .where(ReminderRow.id.in_(due))
                .values(state=CLAIMED, claimed_by=worker, claimed_until=at + lease)
                .returning(ReminderRow.id)
            )
            ids = list(taken.scalars())
            statement = (
                select(ReminderRow.__table__, ConversationRow.channel)
                .join(ConversationRow, ConversationRow.id == ReminderRow.conversation_id)
                .where(ReminderRow.id.in_(ids))
                .order_by(ReminderRow.due_at)
            )
            rows = list((await connection.execute(statement)).mappings())
        return [Reminder(**{n: row[n] for n in Reminder.__dataclass_fields__}) for row in rows]

    async def send(self, reminder: Reminder, reply: Reply, worker: str, now: datetime | None = None) -> bool:
        """Put a claimed reminder into the outbox; False where it was stopped or taken meanwhile."""
        at = self._db.at(now)
        async with self._db.write() as connection:
            done = await connection.execute(
                update(ReminderRow)
                .where(
                    ReminderRow.id == reminder.id,
                    ReminderRow.state == CLAIMED,
                    ReminderRow.claimed_by == worker,
                    ReminderRow.expires_at > at,
                )
                .values(state=SENT, sent_at=at)
            )
            if done.rowcount != 1:
                return False
            key = f"reminder:{reminder.id}"
            await self._outbox.put(
                connection,
                NewDelivery(reminder.conversation_id, reminder.channel, reply, "reminder", key),
                at,
            )
        return True
