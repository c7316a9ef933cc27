"""Figures for the dashboard and the digest: counts, never contents."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import func, select

from bot.store.database import Database
from bot.store.tables import ConversationRow, DraftRow, SubmissionRow, TicketAsker, TicketRow, Told, TurnRow

_SAMPLE = 50_000


@dataclass(frozen=True)
class TicketFigures:
    """Tickets answered since a day: how many, how many from clauses that were there, median hours to answer."""

    answered: int
    from_clauses: int
    hours: float | None


class Figures:
    """Counts over the tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def turns_by_day(self, since: datetime, offset_hours: int) -> dict[str, dict[str, int]]:
        """Turns of the assistant by day (in a zone `offset_hours` ahead of UTC) and status."""
        day: Any = (
            func.date(TurnRow.at, f"{offset_hours:+d} hours")
            if self._db.sqlite
            else func.to_char(TurnRow.at + func.make_interval(0, 0, 0, 0, offset_hours), "YYYY-MM-DD")
        )
        statement = (
            select(day.label("day"), TurnRow.status, func.count().label("n"))
            .where(TurnRow.at >= since, TurnRow.by_staff.is_(False))
            .group_by(day, TurnRow.status)
        )
        found: dict[str, dict[str, int]] = {}
        for row in await self._db.rows(statement):
            found.setdefault(row["day"], {})[row["status"]] = row["n"]
        return dict(sorted(found.items()))

    async def topics(self, since: datetime, limit: int = 12) -> list[tuple[str, int]]:
        """The topics asked most."""
        statement = (
            select(TurnRow.topics)
            .where(TurnRow.at >= since, TurnRow.by_staff.is_(False))
            .order_by(TurnRow.at.desc())
            .limit(_SAMPLE)
        )
        counted = Counter(topic for row in await self._db.rows(statement) for topic in row["topics"] or ())
        return counted.most_common(limit)

    async def unanswered(self, limit: int = 10) -> list[tuple[str, str, int]]:
        """The open tickets with most askers: number, question, askers."""
        askers = func.count(TicketAsker.conversation_id)
        statement = (
            select(TicketRow.number, TicketRow.question, askers.label("askers"))
            .join(TicketAsker, TicketAsker.ticket == TicketRow.number)
            .where(TicketRow.status == "open", TicketRow.merged_into.is_(None))
            .group_by(TicketRow.number, TicketRow.question)
            .order_by(askers.desc())
            .limit(limit)
        )
        return [(row["number"], row["question"], row["askers"]) for row in await self._db.rows(statement)]

    async def clauses(self, since: datetime) -> dict[str, int]:
        """In how many turns each clause was told."""
        statement = (
            select(Told.source_id, func.count().label("n"))
            .where(Told.kind == "clause", Told.at >= since)
            .group_by(Told.source_id)
        )
        return {row["source_id"]: row["n"] for row in await self._db.rows(statement)}

    async def thumbs(self, since: datetime) -> tuple[int, int]:
        """Thumbs up and down."""
        statement = (
            select(TurnRow.thumbs, func.count().label("n"))
            .where(TurnRow.thumbs_at >= since, TurnRow.thumbs.is_not(None))
            .group_by(TurnRow.thumbs)
        )
        found = {row["thumbs"]: row["n"] for row in await self._db.rows(statement)}
        return found.get(1, 0), found.get(-1, 0)

    async def tickets(self, since: datetime) -> TicketFigures:
        """How staff answered."""
        statement = select(TicketRow.created_at, TicketRow.answered_at, TicketRow.citations).where(
            TicketRow.answered_at >= since
        )
        rows = await self._db.rows(statement)
        hours = [(row["answered_at"] - row["created_at"]).total_seconds() / 3600 for row in rows]
        return TicketFigures(len(rows), sum(bool(row["citations"]) for row in rows), median(hours) if hours else None)

    async def forms(self) -> list[tuple[str, str, int]]:
        """Latest submissions by department and state."""
        statement = (
            select(SubmissionRow.department, SubmissionRow.state, func.count().label("n"))
            .where(SubmissionRow.latest.is_(True))
            .group_by(SubmissionRow.department, SubmissionRow.state)
        )
        return [(row["department"] or "", row["state"], row["n"]) for row in await self._db.rows(statement)]

    async def totals(self, since: datetime) -> dict[str, int]:
        """Conversations with a turn since then, tickets filed since then, open drafts."""
        counts = {
            "conversations": select(func.count().label("n")).where(ConversationRow.updated_at >= since),
            "tickets": select(func.count().label("n")).where(TicketRow.created_at >= since),
            "drafts": select(func.count().label("n")).where(DraftRow.state == "open"),
        }
        found = {}
        for name, statement in counts.items():
            row = await self._db.row(statement)
            found[name] = int(row["n"]) if row else 0
        return found
