"""Tickets that documents brought in since can answer, each with the answer to propose."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime

from bot.messages import Reason, Reply
from bot.steps.quoting import Quoting
from bot.store import Store
from bot.texts import Texts
from knowledge.quoting import ClauseFinder
from knowledge.text import normalise

REASONS = frozenset({Reason.ONLY_MEASURES, Reason.NOT_IN_SOURCES, Reason.NOT_UNDERSTOOD})
_MOST = 1000
"""Open tickets looked at; those with the most askers first."""


@dataclass(frozen=True)
class Proposal:
    """A ticket, its question, and what the clauses say to it; a person decides whether it is sent."""

    ticket: str
    question: str
    reply: Reply


async def proposals(store: Store, finder: ClauseFinder, texts: Texts, now: datetime) -> list[Proposal]:
    """The open tickets that an imported document answers, those with the most askers first."""
    if not finder.documents:
        return []
    quoting = Quoting(lambda: finder, texts)
    found = []
    for ticket in await store.tickets.queue(limit=_MOST):
        if ticket.reason in REASONS:
            reply = await asyncio.to_thread(_answer, quoting, ticket.question, now.date())
            if reply is not None:
                found.append(Proposal(ticket.number, ticket.question, reply))
    return found


def _answer(quoting: Quoting, question: str, day: date) -> Reply | None:
    seen = quoting.look(normalise(question), None, day, undecided=False)
    return (quoting.place(seen) if seen.places else None) or quoting.imported(seen)
