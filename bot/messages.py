"""What comes in from a channel and what goes back: frozen values, the same for every channel."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Status(StrEnum):
    """What became of a message. A closed set: each has its text in `prompts/`."""

    ANSWERED = "answered"
    CLARIFY = "clarify"
    UNANSWERED = "unanswered"
    REFUSED = "refused"
    CHITCHAT = "chitchat"
    FORM = "form"


class Reason(StrEnum):
    """Why a message was not answered. A closed set: each has its text in `prompts/`."""

    NOT_IN_SOURCES = "not_in_sources"
    ONLY_MEASURES = "only_measures"
    OTHER_PROGRAMME = "other_programme"
    OFF_TOPIC = "off_topic"
    OTHER_PEOPLES_DATA = "other_peoples_data"
    MISCONDUCT = "misconduct"
    INSTRUCTION = "instruction"
    WANTS_PERSON = "wants_person"
    NOT_UNDERSTOOD = "not_understood"
    BAD_INPUT = "bad_input"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(_Value):
    """One message of a person.

    Args:
        conversation_id: The person's thread; the channel makes it.
        channel: The channel's name, e.g. "web".
        text: What was typed; empty where a button was pressed.
        at: When it was said, with time zone. All date arithmetic of the turn uses it.
        choice: The `Choice.value` of the pressed button, else None.
        external_id: The channel's own id of the message; the same id is handled once.
    """

    conversation_id: str
    channel: str
    text: str
    at: datetime
    choice: str | None = None
    external_id: str | None = None


class Citation(_Value):
    """The clause that a reply rests on.

    Args:
        document: The document's title.
        clause: Path of the headings, e.g. "四（一）" or "附件1·四·2·①".
        text: The clause's full text.
        quote: The words of the clause that support the reply, to be marked; None: the whole clause.
        clause_id: Stable id, e.g. "notice:四（一）".
    """

    document: str
    clause: str
    text: str
    quote: str | None = None
    clause_id: str = ""


class Choice(_Value):
    """A button. `value` is at most 64 bytes in UTF-8 (Telegram's limit for callback data)."""

    label: str
    value: str


class Attachment(_Value):
    """A document that goes with a reply, e.g. an `.ics` or a receipt."""

    filename: str
    media_type: str
    content: bytes = Field(repr=False)


class Progress(_Value):
    """Where a form stands: question `done + 1` of `total`, in the section named."""

    form: str
    section: str
    done: int
    total: int


class Kept(_Value):
    """What the history keeps of a turn that holds personal data: the same, masked, without attachments.

    Args:
        message: Instead of what was typed; None: as it was.
        reply: Instead of the reply's text; None: the reply as given.
    """

    message: str | None = None
    reply: str | None = None


class Reply(_Value):
    """What goes back. `text` is Markdown of a small kind: **bold**, "- " lists, tables with "|".

    `used_llm`: a model worded it. `degraded`: a model is set, and the answer without it was given instead.
    """

    text: str
    status: Status
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    ticket: str | None = None
    reason: Reason | None = None
    topics: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    progress: Progress | None = None
    by_staff: bool = False
    used_llm: bool = False
    degraded: bool = False
    kept: Kept | None = Field(default=None, exclude=True, repr=False)

    def as_kept(self) -> Reply:
        """The reply for the history."""
        if self.kept is None or self.kept.reply is None:
            return self.model_copy(update={"kept": None})
        return self.model_copy(update={"text": self.kept.reply, "attachments": (), "kept": None})
