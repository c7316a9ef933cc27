"""Which engine a topic's `engine` names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bot.engines.base import Answer, Ask, Book
from bot.engines.eligibility import eligibility
from bot.engines.guide import guide
from bot.engines.milestone import milestone, timeline
from bot.engines.self_check import self_check
from bot.engines.template import template

Engine = Callable[[Ask, Book], Answer]

ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        "template": template,
        "milestone": milestone,
        "timeline": timeline,
        "eligibility": eligibility,
        "self_check": self_check,
        "guide": guide,
    }
)


def engine_for(name: str | None) -> Engine:
    """The engine of a topic; a topic without one fills in its template."""
    return ENGINES[name or "template"]
