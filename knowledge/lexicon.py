"""lexicon.yaml: the pack's own words, as patterns and aliases."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from knowledge.pack import Role, UnitType


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Indicator(_Data):
    """A quantity that a person may give.

    Attributes:
        sums: The one-year quantity that this is the total of.
        weak: Aliases that count only where no other quantity is named beside the number ("比例").
        whole: The quantity that this is a part of.
        adds: Groups of words whose numbers exclude each other and so add up (8 with a master's, 5 with a bachelor's).
    """

    title: str
    unit: str
    aliases: tuple[str, ...]
    sums: str | None = None
    weak: tuple[str, ...] = ()
    whole: str | None = None
    adds: tuple[tuple[str, ...], ...] = ()


class FollowUps(_Data):
    """How an elliptical message is recognised and what its words stand for.

    `openers`, `pronouns`: patterns of messages that lean on the one before; `subjects`, `aspects`:
    the words for a topic's subject and aspect.
    """

    openers: tuple[str, ...]
    pronouns: tuple[str, ...]
    corrections: tuple[str, ...]
    subjects: dict[str, tuple[str, ...]]
    aspects: dict[str, tuple[str, ...]]


class Lexicon(_Data):
    """lexicon.yaml."""

    roles: dict[Role, tuple[str, ...]]
    unit_types: dict[UnitType, tuple[str, ...]]
    unit_labels: dict[UnitType, str]
    role_labels: dict[Role, str]
    indicators: dict[str, Indicator]
    requirement_marks: tuple[str, ...]
    claim_endings: tuple[str, ...]
    own_marks: tuple[str, ...]
    more_marks: tuple[str, ...]
    deadline_claims: tuple[str, ...]
    deadline_words: tuple[str, ...]
    asked_marks: tuple[str, ...]
    gap_marks: tuple[str, ...]
    other_things: tuple[str, ...]
    whole_marks: tuple[str, ...]
    total_marks: tuple[str, ...]
    year_marks: tuple[str, ...]
    judging_words: tuple[str, ...]
    question_marks: tuple[str, ...]
    follow_ups: FollowUps
    corrector_words: tuple[str, ...] = Field(default=())
