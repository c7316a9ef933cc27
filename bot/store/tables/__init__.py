"""The tables, as SQLAlchemy models. The words are those of the project's glossary (`bot/__init__.py`)."""

from bot.store.tables.base import Base, Meta, UtcDateTime
from bot.store.tables.forms import AttemptRow, ConsentRow, DraftRow, ResumeCode, SubmissionRow
from bot.store.tables.staff import APPEND_ONLY, AuditEntry, StaffRow, StaffSession
from bot.store.tables.talk import ConversationRow, Person, ProcessedUpdate, Told, TurnRow
from bot.store.tables.work import (
    DeliveryRow,
    PromotedAnswer,
    ReminderRow,
    TicketAsker,
    TicketMessage,
    TicketRow,
)

__all__ = [
    "APPEND_ONLY",
    "AttemptRow",
    "AuditEntry",
    "Base",
    "ConsentRow",
    "ConversationRow",
    "DeliveryRow",
    "DraftRow",
    "Meta",
    "Person",
    "ProcessedUpdate",
    "PromotedAnswer",
    "ReminderRow",
    "ResumeCode",
    "StaffRow",
    "StaffSession",
    "SubmissionRow",
    "TicketAsker",
    "TicketMessage",
    "TicketRow",
    "Told",
    "TurnRow",
    "UtcDateTime",
]
