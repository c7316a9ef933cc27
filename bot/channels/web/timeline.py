"""The state of the notice today, in words, and the milestones as data for the page's picture (an SVG)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from bot.texts import Texts, short_date
from knowledge.milestones import Standing, State, for_role, standing
from knowledge.pack import Milestone, Role

WIDTH = 340
_LEFT, _RIGHT = 6, 6
_TOP, _ROW, _BAR = 30, 38, 9
_OVER_DAYS = 4
"""Days that the picture shows before the first and after the last milestone."""


@dataclass(frozen=True)
class Bar:
    """A milestone in the picture."""

    title: str
    span: str
    state: State
    officer_only: bool
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Mark:
    """A day on the axis."""

    label: str
    x: float
    anchor: str = "middle"


@dataclass(frozen=True)
class Picture:
    """Everything the SVG's template draws, in its own units."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    today: Mark | None
    alternative: str
    bar_height: int = _BAR


@dataclass(frozen=True)
class Line:
    """One sentence of today's state."""

    state: State
    text: str


def span(milestone: Milestone, texts: Texts) -> str:
    """3月26日—4月7日, or 4月15日前."""
    closes = short_date(milestone.closes)
    if milestone.opens is None:
        return texts.render("web.timeline.until", closes=closes)
    return texts.render("web.timeline.span", opens=short_date(milestone.opens), closes=closes)


def state_today(
    milestones: Iterable[Milestone], day: date, texts: Texts, role: Role | None = Role.APPLICANT
) -> list[Line]:
    """What is open and what comes next; when nothing of both, that all is over. Like dates share a sentence."""
    groups: dict[tuple[State, date | None, date], list[Standing]] = {}
    for milestone in for_role(milestones, role):
        found = standing(milestone, day)
        groups.setdefault((found.state, milestone.opens, milestone.closes), []).append(found)
    open_now = [g for (state, _, _), g in groups.items() if state in (State.OPEN, State.LAST_DAY)]
    coming = [g for (state, _, _), g in groups.items() if state is State.UPCOMING]
    over = [g for (state, _, _), g in groups.items() if state is State.CLOSED]
    # What closed last matters as long as anything is still to come; once all is over, the whole is over.
    shown = over[-1:] + open_now + coming[:1]
    return [Line(g[0].state, _sentence(g, texts)) for g in shown]


def _sentence(group: list[Standing], texts: Texts) -> str:
    first = group[0].milestone
    return texts.render(
        f"web.today.{group[0].state.value}",
        titles="、".join(s.milestone.title for s in group),
        days=group[0].days,
        opens=short_date(first.opens or first.closes),
        closes=short_date(first.closes),
    )


def picture(milestones: Iterable[Milestone], day: date, texts: Texts) -> Picture:
    """The milestones as bars over a common axis, with a marker for today where it falls into it."""
    rows = sorted(milestones, key=lambda m: (m.opens or m.closes, m.closes))
    begin = min(m.opens or m.closes for m in rows) - timedelta(days=_OVER_DAYS)
    end = max(m.closes for m in rows) + timedelta(days=_OVER_DAYS)
    per_day = (WIDTH - _LEFT - _RIGHT) / ((end - begin).days + 1)

    def x(moment: date) -> float:
        return round(_LEFT + (moment - begin).days * per_day, 1)

    bars = []
    said = []
    for number, milestone in enumerate(rows):
        found = standing(milestone, day)
        opens = milestone.opens or milestone.closes
        width = max(6.0, round(((milestone.closes - opens).days + 1) * per_day, 1))
        officer_only = milestone.who == (Role.OFFICER,)
        bars.append(
            Bar(
                milestone.title,
                span(milestone, texts),
                found.state,
                officer_only,
                x(opens),
                _TOP + number * _ROW,
                width,
            )
        )
        said.append(
            texts.render(
                "web.timeline.item",
                title=milestone.title,
                span=span(milestone, texts),
                state=found.state.value,
                officer=officer_only,
            )
        )
    today = None
    if begin <= day <= end:
        at = x(day) + per_day / 2
        anchor = "start" if at < 70 else "end" if at > WIDTH - 70 else "middle"
        today = Mark(texts.render("web.timeline.today", day=short_date(day)), round(at, 1), anchor)
    first = begin + timedelta(days=_OVER_DAYS)
    days = [first + timedelta(days=n) for n in range(0, (end - first).days, 10)]
    marks = tuple(Mark(f"{d.month}/{d.day}", x(d)) for d in days)
    alternative = texts.render("web.timeline.alternative", today=short_date(day), items=said)
    return Picture(WIDTH, _TOP + len(rows) * _ROW + 4, tuple(bars), marks, today, alternative)
