"""lexicon.yaml: the pack's own words, as patterns and aliases."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from knowledge.pack import Role, UnitType


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Indicator(_Data):
    """A quantity that a person may give. `sums` names the one-year quantity that this is the total of."""

    title: str
    unit: str
    aliases: tuple[str, ...]
    sums: str | None = None


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
    deadline_claims: tuple[str, ...]
    total_marks: tuple[str, ...]
    year_marks: tuple[str, ...]
    judging_words: tuple[str, ...]
    question_marks: tuple[str, ...]
    follow_ups: FollowUps
    corrector_words: tuple[str, ...] = Field(default=())
