"""Three-valued eligibility: each condition is met, not met or unknown, and unknown never decides.

The conditions are data (`eligibility.yaml` of the pack); what is known of a person comes as
`known`: condition id -> value, e.g. {"batch": "2022-1", "upgraded": "no"}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ConditionChoice(_Data):
    """A button for a condition's value."""

    value: str
    label: str


class YearWords(_Data):
    """How a year in running text is known for the year of an approval; patterns over normalised text.

    Attributes:
        approved: Words of an approval near a year; the first that fits wins over `founded`.
        founded: Weaker words, which may speak of the unit rather than of the centre.
        owners: What stands right before a bare year that is the speaker's own ("我们是2021年的").
        own: What stands right behind such a bare year.
        unrelated: What stands right behind a year that is of something else ("2023年研发费用").
        unrelated_before: What stands right before a year that is of something else ("近三年2023").
    """

    approved: str
    founded: str
    owners: str
    own: str
    unrelated: str
    unrelated_before: str


class Condition(_Data):
    """A condition of the pack. `decides` False: it warns, but does not settle who takes part.

    `years` is given where the condition's value is a year (and batch) that people name in running text.
    """

    id: str
    title: str
    decides: bool
    question: str
    choices: tuple[ConditionChoice, ...]
    met: tuple[str, ...] = ()
    not_met: tuple[str, ...] = ()
    ask_more: tuple[str, ...] = ()
    caution: tuple[str, ...] = ()
    otherwise: Literal["not_met", "unknown"]
    clause: str
    quote: str
    said: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    years: YearWords | None = None
    texts: dict[str, str]


class Consequence(_Data):
    """What follows for a unit in scope that takes no part."""

    text: str
    clause: str
    quote: str


class EligibilityRules(_Data):
    """eligibility.yaml."""

    conditions: tuple[Condition, ...]
    verdicts: dict[str, str]
    consequence: Consequence


class Finding(StrEnum):
    """What one condition comes to."""

    MET = "met"
    NOT_MET = "not_met"
    CAUTION = "caution"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What all conditions come to."""

    IN_SCOPE = "in_scope"
    NOT_IN_SCOPE = "not_in_scope"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Result:
    """The verdict with its proof: every condition's finding, and the condition to ask about next."""

    verdict: Verdict
    findings: tuple[tuple[Condition, Finding], ...]
    ask: Condition | None


def judge(condition: Condition, value: str | None) -> Finding:
    """What `value` comes to. A value "2021-2" (year and batch) falls back to its year where that is met."""
    if value is None or value in condition.ask_more:
        return Finding.UNKNOWN
    if value in condition.met:
        return Finding.MET
    if value in condition.not_met:
        return Finding.NOT_MET
    if value in condition.caution:
        return Finding.CAUTION
    if value.split("-")[0] in condition.met:
        return Finding.MET
    return Finding(condition.otherwise)


def decide(rules: EligibilityRules, known: Mapping[str, str]) -> Result:
    """Decide from what is known.

    A deciding condition that is not met settles it; otherwise every deciding condition must be met
    for "in scope"; the first unknown one is what to ask.
    """
    findings = tuple((c, judge(c, known.get(c.id))) for c in rules.conditions)
    deciding = [(c, f) for c, f in findings if c.decides]
    unknown = next((c for c, f in deciding if f is Finding.UNKNOWN), None)
    if any(f is Finding.NOT_MET for _, f in deciding):
        return Result(Verdict.NOT_IN_SCOPE, findings, None)
    if unknown is not None:
        return Result(Verdict.UNKNOWN, findings, unknown)
    open_note = next((c for c, f in findings if not c.decides and f is Finding.UNKNOWN), None)
    return Result(Verdict.IN_SCOPE, findings, open_note)
