"""Tickets, deliveries, reminders, promoted answers."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, ForeignKey, Index, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base, Id, Json, Label, Long, Moment, Sealed, Word


class TicketRow(Base):
    """A question for a person. `question` carries no personal data (the step masks it): it is searched."""

    __tablename__ = "tickets"
    __table_args__ = (Index("ix_tickets_status_created_at", "status", "created_at"),)

    number: Mapped[Id] = mapped_column(primary_key=True)
    status: Mapped[Word]
    question: Mapped[Long]
    question_key: Mapped[Id] = mapped_column(index=True)
    reason: Mapped[Word]
    topic: Mapped[Word | None]
    tried: Mapped[Json | None]
    deadline: Mapped[date | None] = mapped_column(Date)
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    assigned_to: Mapped[Word | None] = mapped_column(index=True)
    resolution: Mapped[Long | None]
    citations: Mapped[Json | None]
    answer_version: Mapped[int] = mapped_column(Integer)
    answered_by: Mapped[Word | None]
    answered_at: Mapped[Moment | None]
    closed_reason: Mapped[Long | None]
    merged_into: Mapped[Id | None]
    version: Mapped[int] = mapped_column(Integer)


class TicketAsker(Base):
    """Somebody who asked a ticket's question, in their own words."""

    __tablename__ = "ticket_askers"

    ticket: Mapped[Id] = mapped_column(ForeignKey("tickets.number", ondelete="CASCADE"), primary_key=True)
    conversation_id: Mapped[Id] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    turn: Mapped[int] = mapped_column(Integer)
    wording: Mapped[Sealed]
    at: Mapped[Moment]


class TicketMessage(Base):
    """A message in a ticket's thread, or a note that only staff see (`kind` "note")."""

    __tablename__ = "ticket_messages"

    id: Mapped[Id] = mapped_column(primary_key=True)
    ticket: Mapped[Id] = mapped_column(ForeignKey("tickets.number", ondelete="CASCADE"), index=True)
    at: Mapped[Moment]
    kind: Mapped[Word]
    staff: Mapped[Word | None]
    conversation_id: Mapped[Id | None] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    text: Mapped[Sealed]
    citations: Mapped[Json | None]


class DeliveryRow(Base):
    """A reply that waits to be sent to a person on a channel, and what became of it."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        Index("ix_outbox_due", "channel", "state", "next_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    conversation_id: Mapped[Id] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    channel: Mapped[Word]
    address: Mapped[Sealed | None]
    payload: Mapped[Sealed]
    kind: Mapped[Word]
    ticket: Mapped[Id | None] = mapped_column(index=True)
    dedupe_key: Mapped[Label]
    state: Mapped[Word]
    attempts: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[Moment]
    next_at: Mapped[Moment]
    claimed_by: Mapped[Id | None]
    claimed_until: Mapped[Moment | None]
    sent_at: Mapped[Moment | None]
    read_at: Mapped[Moment | None]
    last_error: Mapped[Label | None]


class ReminderRow(Base):
    """A reminder of a milestone that a person asked for; `mark` tells the several of one milestone apart."""

    __tablename__ = "reminders"
    __table_args__ = (
        UniqueConstraint("conversation_id", "milestone", "mark"),
        Index("ix_reminders_state_due_at", "state", "due_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    conversation_id: Mapped[Id] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    milestone: Mapped[Word]
    mark: Mapped[Word]
    role: Mapped[Word | None]
    due_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    state: Mapped[Word]
    claimed_by: Mapped[Id | None]
    claimed_until: Mapped[Moment | None]
    sent_at: Mapped[Moment | None]


class PromotedAnswer(Base):
    """A staff answer that became a topic."""

    __tablename__ = "promoted_answers"

    topic_id: Mapped[Word] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[Word] = mapped_column(index=True)
    title: Mapped[Label]
    wordings: Mapped[Json]
    answer: Mapped[Long]
    citations: Mapped[Json]
    scope: Mapped[Json]
    valid_until: Mapped[date | None] = mapped_column(Date)
    author: Mapped[Word]
    ticket: Mapped[Id | None]
    replaces: Mapped[Word | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
