"""Drafts, submissions, resume codes, consents, rate limits."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base, Id, Label, Moment, Sealed, Word


class DraftRow(Base):
    """A form being filled. It belongs to a thread, so that a resume code opens it from another channel."""

    __tablename__ = "drafts"
    __table_args__ = (Index("ix_drafts_thread_id_form_state", "thread_id", "form", "state"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    thread_id: Mapped[Id]
    # Deferred: a draft may be written just before its conversation, in the same transaction.
    conversation_id: Mapped[Id] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"), index=True
    )
    form: Mapped[Word]
    form_version: Mapped[Word]
    answers: Mapped[Sealed]
    state: Mapped[Word]
    done: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)
    department: Mapped[Label | None]
    unit_type: Mapped[Word | None]
    batch: Mapped[Word | None]
    receipt: Mapped[Id | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(Integer)


class SubmissionRow(Base):
    """A form handed in. A later one of the same draft is a new revision under the same receipt.

    There is no foreign key to the conversation: what was exported stays when a person is deleted.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("receipt", "revision"),
        UniqueConstraint("draft_id", "draft_version"),
        Index("ix_submissions_state_department", "state", "department"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    receipt: Mapped[Id]
    revision: Mapped[int] = mapped_column(Integer)
    draft_id: Mapped[Id]
    draft_version: Mapped[int] = mapped_column(Integer)
    thread_id: Mapped[Id] = mapped_column(index=True)
    conversation_id: Mapped[Id] = mapped_column(index=True)
    form: Mapped[Word]
    form_version: Mapped[Word]
    answers: Mapped[Sealed]
    centre: Mapped[Label | None]
    department: Mapped[Label | None]
    unit_type: Mapped[Word | None]
    batch: Mapped[Word | None]
    state: Mapped[Word]
    latest: Mapped[bool]
    note: Mapped[Sealed | None]
    note_field: Mapped[Word | None]
    submitted_at: Mapped[Moment] = mapped_column(index=True)
    exported_at: Mapped[Moment | None]


class ResumeCode(Base):
    """A code that joins another conversation to a thread; only its keyed hash is kept."""

    __tablename__ = "resume_codes"

    code_hash: Mapped[Id] = mapped_column(primary_key=True)
    thread_id: Mapped[Id] = mapped_column(index=True)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]
    used_by: Mapped[Id | None] = mapped_column(index=True)


class AttemptRow(Base):
    """How often something was tried in the present window, by the keyed hash of who and what."""

    __tablename__ = "attempts"

    key_hash: Mapped[Id] = mapped_column(primary_key=True)
    since: Mapped[Moment] = mapped_column(index=True)
    count: Mapped[int] = mapped_column(Integer)


class ConsentRow(Base):
    """A person's consent to a purpose, in the version of the text that they saw."""

    __tablename__ = "consents"
    __table_args__ = (UniqueConstraint("thread_id", "purpose", "text_version"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    thread_id: Mapped[Id]
    conversation_id: Mapped[Id]
    purpose: Mapped[Word]
    text_version: Mapped[Word]
    given_at: Mapped[Moment]
    withdrawn_at: Mapped[Moment | None]
