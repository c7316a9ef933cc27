"""The typed contents of a pack: one round of one programme, as data.

A pack is a folder:

    pack.yaml          title, round, documents (declared and, where we have them, their files)
    facts.yaml         milestones, contacts, thresholds, values; each with its clause and a quote
    eligibility.yaml   conditions and verdict texts         guide.yaml   registration, step by step
    lexicon.yaml       the pack's vocabulary: subjects, aspects, unit types, indicators, their aliases
    topics/*.yaml      what people ask, with sample questions
    negatives.yaml     messages that no topic should answer, for calibration

Everything is checked at load: a quote must occur in its clause, a reference must exist. A `PackError`
names the file, the place in it, what is wrong and what was expected.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Role(StrEnum):
    """Who the person is: somebody at a centre's unit, or an officer of a competent department."""

    APPLICANT = "applicant"
    OFFICER = "officer"


class UnitType(StrEnum):
    """Kind of the unit that leads a centre (notice, 五（一）: who fills in depends on it)."""

    COMPANY = "company"
    UNIVERSITY = "university"
    INSTITUTE = "institute"
    HOSPITAL = "hospital"
    PUBLIC_INSTITUTION = "public_institution"


class PackError(Exception):
    """A pack that cannot be used; the message names the file, the place, and what was expected."""


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Refs = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""Clause references such as "四（一）" or "notice:四（一）"; a bare path is one of the notice."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DocumentSpec(_Data):
    """A source text. `file` None: declared and missing, never answered from, never guessed.

    `effective`: the first day on which it holds. `supersedes`: documents, or places of them
    ("measures:第九条"), that it replaces. `imported`: it comes from the operator's library, not the pack.
    """

    id: str
    kind: Literal["notice", "measures", "amendment", "answers"]
    title: str
    short: str
    number: str | None = None
    issuer: str | None = None
    issued: date | None = None
    file: str | None = None
    effective: date | None = None
    supersedes: tuple[str, ...] = ()
    imported: bool = False


class Fact(_Data):
    """Something the sources state: `quote` occurs, character for character, in the clause `clause`."""

    clause: str
    quote: str


class Milestone(Fact):
    """A dated duty. `opens` None: only the last day is given. Both days are inclusive (READING.md, 2).

    `note` is a template that goes with every answer on it, e.g. to keep two like dates apart.
    """

    id: str
    title: str
    duty: str
    who: tuple[Role, ...]
    opens: date | None = None
    closes: date
    where: str | None = None
    seal: str | None = None
    note: str | None = None


class Contact(Fact):
    """A telephone of the notice and what it is for."""

    id: str
    office: str
    phone: str
    purpose: str
    business: bool = False


class Threshold(Fact):
    """A numeric requirement of attachment 1.

    `indicator` names the quantity; `unit` its base unit (yuan, persons, m2, items, cases, days, share).
    `applies_to` empty: the source names nobody, so everybody may be meant.
    `of` is the indicator that a share is taken of, with `part` the indicator of the part.
    """

    id: str
    indicator: str
    title: str
    comparison: Literal[">=", ">"]
    value: float
    unit: str
    said: str
    applies_to: tuple[UnitType, ...] = ()
    applies_note: str | None = None
    part: str | None = None
    of: str | None = None


class Value(Fact):
    """Any other named fact, e.g. the portal's address, as text."""

    id: str
    text: str


class Facts(_Data):
    """facts.yaml."""

    milestones: tuple[Milestone, ...]
    contacts: tuple[Contact, ...]
    thresholds: tuple[Threshold, ...]
    values: tuple[Value, ...]


class TopicKind(StrEnum):
    """What a topic does with a question."""

    ANSWER = "answer"
    DECLINE = "decline"
    REFUSE = "refuse"
    CHITCHAT = "chitchat"


SUBJECTS = frozenset(
    (
        "notice",
        "measures",
        "timeline",
        "self_evaluation",
        "filing",
        "review",
        "online_review",
        "evaluation",
        "site_visit",
        "agency",
        "summary_table",
        "roster",
        "report",
        "info_table",
        "evidence",
        "materials",
        "pledge",
        "unit_account",
        "personal_account",
        "account",
        "portal",
        "browser",
        "menu",
        "platform_office",
        "service_centre",
        "technical_support",
        "contacts",
        "jinhong",
        "scope",
        "batch",
        "upgrade",
        "other_platforms",
        "withdrawal",
        "results",
        "grades",
        "content",
        "period",
        "plan",
        "outline",
        "industry",
        "rd_spending",
        "rd_ratio",
        "co_funding",
        "projects",
        "key_technology",
        "outputs",
        "patents",
        "transfer",
        "horizontal",
        "transfer_cases",
        "benefit",
        "talents",
        "staff",
        "degree_share",
        "staff_days",
        "floor_area",
        "equipment",
        "pilot_base",
        "legal_entity",
        "council",
        "governance",
        "integrity",
        "department",
        "designated_person",
        "attachments",
        "self_check",
        "form",
        "assistant",
        "other",
    )
)
"""What a topic can be about. Closed: a follow-up ("那审核呢？") finds its topic by subject and aspect."""

ASPECTS = frozenset(
    (
        "when",
        "who",
        "where",
        "how",
        "what",
        "whether",
        "seal",
        "number",
        "consequence",
        "contact",
        "content",
        "format",
        "count",
        "why",
    )
)
"""What can be asked of a subject. Closed."""


class Topic(_Data):
    """One thing that people ask.

    Args:
        title: A short label for a choice, at most 18 characters.
        subject, aspect: What it is about and what is asked of it (`SUBJECTS`, `ASPECTS`), for follow-ups.
        clauses: What answers it; cited in this order. Facts named in the template are cited too.
        answer: Jinja template, verdict first. For kind `decline`: what can be said truly.
        engine: Name of the engine that writes the answer instead of `answer`, with `params`.
        reason: For declined and refused topics, a `bot.messages.Reason` value.
        partial: A declined topic of which the sources answer a part: that part is the answer, the rest is queued.
        next: Topics offered as choices.
        claims: Fact ids ("filing.closes", "staff_total") which a value asserted in the question is held against.
        samples: The ways people type it; also its tests.
        heldout: Wordings kept out of the index and of training, to measure and to calibrate with.
    """

    id: str
    title: str
    kind: TopicKind
    subject: str
    aspect: str
    clauses: Refs = ()
    answer: str | None = None
    engine: str | None = None
    params: dict[str, str | list[str]] = Field(default_factory=dict)
    reason: str | None = None
    partial: bool = False
    next: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    samples: tuple[str, ...]
    heldout: tuple[str, ...] = ()
