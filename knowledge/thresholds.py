"""Own figures held against the numeric requirements of the writing outline (attachment 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from knowledge.pack import Threshold, UnitType


class Outcome(StrEnum):
    """What a figure comes to."""

    MET = "met"
    SHORT = "short"
    OPEN = "open"
    OTHERS_ONLY = "others_only"


@dataclass(frozen=True)
class Check:
    """One requirement against one figure.

    Attributes:
        figure: In the threshold's unit; None where it was not given.
        gap: How much is missing, in the threshold's unit, 0 where the requirement is met; for a
            strict requirement (more than 183 days) a figure on the bound is short with gap 0.
        part, whole: The two numbers that a share was computed from.
        missing: For a share of persons, how many more persons are needed at the given whole.
    """

    threshold: Threshold
    outcome: Outcome
    figure: float | None = None
    gap: float = 0.0
    part: float | None = None
    whole: float | None = None
    missing: int | None = None


def figure_of(threshold: Threshold, figures: Mapping[str, float]) -> tuple[float | None, float | None, float | None]:
    """The figure for a threshold, directly given or computed as a share: (figure, part, whole)."""
    if threshold.part and threshold.of and threshold.part in figures and figures.get(threshold.of, 0) > 0:
        part, whole = figures[threshold.part], figures[threshold.of]
        return part / whole, part, whole
    return figures.get(threshold.indicator), None, None


def check(threshold: Threshold, figures: Mapping[str, float], unit_type: UnitType | None) -> Check:
    """Hold the person's figures against one requirement.

    A requirement that names unit types is applied to those alone; where the unit type is unknown it
    is still computed, and the caller says whom it names.
    """
    figure, part, whole = figure_of(threshold, figures)
    if threshold.applies_to and unit_type is not None and unit_type not in threshold.applies_to:
        return Check(threshold, Outcome.OTHERS_ONLY, figure)
    if figure is None:
        return Check(threshold, Outcome.OPEN)
    # A third is exact as a fraction: 10 of 30 persons meets it, whatever binary floats say.
    bound = Fraction(threshold.value).limit_denominator(1000)
    exact = (
        Fraction(part).limit_denominator(10**6) / Fraction(whole).limit_denominator(10**6)
        if part is not None and whole
        else Fraction(figure).limit_denominator(10**6)
    )
    met = exact > bound if threshold.comparison == ">" else exact >= bound
    missing = None
    if part is not None and whole is not None and threshold.unit == "share" and not met:
        needed = bound * Fraction(whole).limit_denominator(10**6)
        missing = -int(-needed // 1) - int(part)
    return Check(
        threshold,
        Outcome.MET if met else Outcome.SHORT,
        figure,
        0.0 if met else max(0.0, float(bound - exact)),
        part,
        whole,
        missing,
    )
