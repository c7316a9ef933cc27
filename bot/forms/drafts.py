"""A form being filled and a form handed in, as values; and the desk where they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

OPEN, SUBMITTED, ABANDONED = "open", "submitted", "abandoned"
NEEDS_CORRECTION = "needs_correction"


class ChangedElsewhere(Exception):
    """The draft was changed since it was read (two devices); nothing was written."""


class CodeRefused(Exception):
    """A resume code that does not work. `key`: code_unknown, code_used, code_expired or too_many."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True)
class Draft:
    """A form being filled. Change it with `dataclasses.replace`, then save it with `Desk.save`.

    Args:
        answers: By field; JSON values only. Encrypted in the database.
        department, unit_type, batch: Copies of answers that the console filters by.
        receipt: Of an earlier handing in; the next one is a new revision of it.
        version: Counts saves; 0: not written yet.
    """

    id: str
    conversation_id: str
    form: str
    form_version: str
    answers: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    state: str = OPEN
    done: int = 0
    total: int = 0
    department: str | None = None
    unit_type: str | None = None
    batch: str | None = None
    receipt: str | None = None
    version: int = 0


@dataclass(frozen=True)
class Submission:
    """A form handed in, in the version it was filled in with; `answers` None: not opened."""

    id: str
    receipt: str
    revision: int
    conversation_id: str
    form: str
    form_version: str
    centre: str | None
    department: str | None
    unit_type: str | None
    batch: str | None
    state: str
    latest: bool
    submitted_at: datetime
    exported_at: datetime | None
    note: str | None
    note_field: str | None
    answers: dict[str, Any] | None = None


@dataclass(frozen=True)
class Erased:
    """What was deleted (counts), and the receipts of what stays because it was handed out already."""

    conversations: int
    turns: int
    drafts: int
    submissions: int
    kept: tuple[str, ...]


class Desk(Protocol):
    """Where forms are kept: `bot.desk`, in the database or in memory. All belong to the conversation's thread,
    which a resume code joins across devices and channels."""

    async def draft(self, conversation_id: str, form: str | None = None, *, state: str = OPEN) -> Draft | None:
        """The draft changed last."""

    def new_draft(self, conversation_id: str, form: str, form_version: str, at: datetime) -> Draft:
        """An empty draft, not kept yet."""

    async def save(self, draft: Draft, at: datetime) -> Draft:
        """Keep a draft, durable at the latest with the turn; as it is now. Raises ChangedElsewhere."""

    async def submit(self, draft: Draft, centre: str | None, at: datetime) -> Submission:
        """Hand a draft in; the same version twice gives the same submission. Raises ChangedElsewhere."""

    async def submissions(self, conversation_id: str, form: str | None = None) -> list[Submission]:
        """What was handed in, newest revisions, the latest last, with answers."""

    async def consent(self, conversation_id: str, version: str, at: datetime) -> None:
        """Record consent to a version of the text."""

    async def consented(self, conversation_id: str, version: str) -> bool:
        """Whether the person consents to that version."""

    async def issue_code(self, conversation_id: str, at: datetime) -> str:
        """A new resume code; earlier unused ones end."""

    async def redeem_code(self, said: str, conversation_id: str, at: datetime) -> None:
        """Join the code's thread. Raises CodeRefused."""

    async def erase(self, conversation_id: str, at: datetime) -> Erased:
        """Delete the person's data."""
