"""Tickets as values: what is filed, what the queue shows, who asked, what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping

from bot.messages import Citation
from bot.store.codec import digest
from bot.store.numbers import new_number

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


def question_key(question: str) -> str:
    """Digest of a question without blanks, punctuation and case."""
    return digest("".join(c for c in question.casefold() if c.isalnum()))


def dumped(citations: Sequence[Citation]) -> list[dict[str, Any]]:
    return [c.model_dump(mode="json", exclude_defaults=True) for c in citations]


def citations(kept: Any) -> tuple[Citation, ...]:
    return tuple(Citation.model_validate(c) for c in kept or ())


def as_ticket(row: RowMapping) -> Ticket:
    return Ticket(
        **{name: row[name] for name in Ticket.__dataclass_fields__ if name not in ("citations",)},
        citations=citations(row["citations"]),
    )
