"""Where a day stands against a dated duty. Both the opening and the closing day are inclusive.

The notice gives no time of day and does not say whether "X日前" counts the day itself; the day is
treated as the last one on which the duty is still open (READING.md, 2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from knowledge.pack import Milestone, Role


class State(StrEnum):
    """Where a day stands."""

    UPCOMING = "upcoming"
    OPEN = "open"
    LAST_DAY = "last_day"
    CLOSED = "closed"


@dataclass(frozen=True)
class Standing:
    """A milestone as of a day.

    Attributes:
        days: To the opening day (upcoming), to the last day (open), 0 (last day), since the last day (closed).
    """

    milestone: Milestone
    day: date
    state: State
    days: int


def standing(milestone: Milestone, day: date) -> Standing:
    """Tell where `day` stands against `milestone`; a milestone without an opening day is open until its last day."""
    if milestone.opens is not None and day < milestone.opens:
        return Standing(milestone, day, State.UPCOMING, (milestone.opens - day).days)
    if day < milestone.closes:
        return Standing(milestone, day, State.OPEN, (milestone.closes - day).days)
    if day == milestone.closes:
        return Standing(milestone, day, State.LAST_DAY, 0)
    return Standing(milestone, day, State.CLOSED, (day - milestone.closes).days)


def for_role(milestones: Iterable[Milestone], role: Role | None) -> list[Milestone]:
    """The milestones of a role (all where the role is unknown), by last day, then by opening day."""
    chosen = [m for m in milestones if role is None or role in m.who]
    return sorted(chosen, key=lambda m: (m.closes, m.opens or m.closes))
