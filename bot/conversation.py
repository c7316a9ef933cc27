"""One person's thread, and what is known of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.messages import Reply
from knowledge.pack import Role, UnitType


class Figure(BaseModel):
    """A number of the person's own, bound to a threshold's indicator.

    Args:
        indicator: Id of the indicator, e.g. "rd_total".
        value: In the indicator's base unit (yuan, persons, m², items, days, or a share from 0 to 1).
        said: The person's own words.
    """

    model_config = ConfigDict(frozen=True)
    indicator: str
    value: float
    said: str


class Profile(BaseModel):
    """What the person has said of themselves; shown by "我说过什么", forgotten by "重新开始".

    `conditions` holds what is known for the eligibility conditions by their ids (values as the pack
    names them); `said` the person's own words for each remembered fact, by field or condition id.
    """

    role: Role | None = None
    unit_type: UnitType | None = None
    conditions: dict[str, str] = Field(default_factory=dict)
    figures: dict[str, Figure] = Field(default_factory=dict)
    said: dict[str, str] = Field(default_factory=dict)


class Turn(BaseModel):
    """One message and its reply, as kept in the history."""

    at: datetime
    text: str
    reply: Reply
    external_id: str | None = None


class FormPlace(BaseModel):
    """What a conversation's open form asked last. Where the person stands follows from the draft's answers.

    Args:
        form: Id of the form.
        mode: What was asked: consent, known values, a field, whether values were read right, which field is
            meant, whether to hand in, whether to give up.
        at: The field that was asked.
        seen: Version of the draft as the person saw it; a draft of another version was changed elsewhere.
        found: Values read from a message or known before, by field, that the person has not confirmed.
        options: The fields to choose from.
        words: The new value that waits for the choice of its field.
    """

    form: str
    mode: Literal["consent", "known", "ask", "confirm", "which", "review", "abandon"] = "ask"
    at: str | None = None
    seen: int = 0
    found: dict[str, Any] = Field(default_factory=dict)
    options: tuple[str, ...] = ()
    words: str = ""


class Conversation(BaseModel):
    """A thread.

    Args:
        pending: What the next message may be the answer to, by the step that asked, e.g.
            {"kind": "eligibility", "condition": "batch"} or {"kind": "clarify", "topics": [...]}.
        form: The form that is open here; None: there is none, or the person put it aside.
        last_topics: The topics of the last answered turn, for follow-ups.
        last_question: The last stand-alone question, for follow-ups.
        version: Counts saves; a writer with an old version is told so (`store.StaleConversation`).
    """

    id: str
    channel: str
    created_at: datetime
    profile: Profile = Field(default_factory=Profile)
    turns: list[Turn] = Field(default_factory=list)
    pending: dict[str, Any] | None = None
    form: FormPlace | None = None
    last_topics: tuple[str, ...] = ()
    last_question: str = ""
    version: int = 0
