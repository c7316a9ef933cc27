"""Persons, conversations, turns, and what a person was told from which source."""

from __future__ import annotations

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Integer, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base, Id, Json, Moment, Sealed, Word


class Person(Base):
    """Somebody on a channel: found by the keyed hash of the channel's own id, which is kept encrypted."""

    __tablename__ = "persons"
    __table_args__ = (UniqueConstraint("channel", "external_hash"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    channel: Mapped[Word]
    external_hash: Mapped[Id]
    external_id: Mapped[Sealed]
    created_at: Mapped[Moment]
    unreachable_at: Mapped[Moment | None]


class ConversationRow(Base):
    """A conversation; `data` is a `bot.conversation.Conversation` without its turns.

    Conversations that a resume code joined (one person on web and Telegram) share a `thread_id`.
    """

    __tablename__ = "conversations"

    id: Mapped[Id] = mapped_column(primary_key=True)
    channel: Mapped[Word]
    person_id: Mapped[Id | None] = mapped_column(ForeignKey("persons.id", ondelete="SET NULL"), index=True)
    thread_id: Mapped[Id] = mapped_column(index=True)
    data: Mapped[Sealed]
    version: Mapped[int] = mapped_column(Integer)
    turn_count: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment] = mapped_column(index=True)


class TurnRow(Base):
    """One message and its reply. `body` holds both, encrypted: people type names and telephones."""

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("conversation_id", "external_id"),
        Index("ix_turns_at_status", "at", "status"),
    )

    conversation_id: Mapped[Id] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[Moment]
    body: Mapped[Sealed]
    external_id: Mapped[Id | None]
    status: Mapped[Word]
    reason: Mapped[Word | None]
    topics: Mapped[Json]
    ticket: Mapped[Id | None]
    by_staff: Mapped[bool]
    used_llm: Mapped[bool]
    thumbs: Mapped[int | None] = mapped_column(SmallInteger)
    thumbs_words: Mapped[Sealed | None]
    thumbs_at: Mapped[Moment | None]


class Told(Base):
    """Who was told what from where: one row for each source of each turn.

    `kind` is "clause", "fact", "topic" or "promoted"; `version` a digest of the clause's text, or the
    promoted answer's version, at the time.
    """

    __tablename__ = "told"
    __table_args__ = (
        ForeignKeyConstraint(
            ["conversation_id", "number"],
            ["turns.conversation_id", "turns.number"],
            ondelete="CASCADE",
            name="fk_told_turn",
        ),
        Index("ix_told_source", "kind", "source_id"),
    )

    conversation_id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[Word] = mapped_column(primary_key=True)
    source_id: Mapped[Word] = mapped_column(primary_key=True)
    version: Mapped[Id]
    at: Mapped[Moment]


class ProcessedUpdate(Base):
    """An update of a channel that was handled, so that it is handled once."""

    __tablename__ = "processed_updates"

    channel: Mapped[Word] = mapped_column(primary_key=True)
    update_id: Mapped[Id] = mapped_column(primary_key=True)
    at: Mapped[Moment] = mapped_column(index=True)
