"""Promoted answers, and who was told what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Integer, RowMapping, String, cast, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import Citation
from bot.store.database import Database
from bot.store.errors import Missing, Stale
from bot.store.tables import ConversationRow, Meta, PromotedAnswer, Told

ACTIVE, WITHDRAWN = "active", "withdrawn"


@dataclass(frozen=True)
class Promoted:
    """A staff answer that became a topic.

    Args:
        wordings: Sample questions, cleaned of personal data; each is a regression case.
        scope: Whom it applies to, e.g. {"role": "applicant", "unit_type": ["university"]}; {}: everybody.
        valid_until: The last day on which it answers; None: without end.
        replaces: Id of the pack's topic that it stands in for, if any.
    """

    topic_id: str
    title: str
    wordings: tuple[str, ...]
    answer: str
    author: str
    citations: tuple[Citation, ...] = ()
    scope: dict[str, Any] | None = None
    valid_until: date | None = None
    ticket: str | None = None
    replaces: str | None = None
    state: str = ACTIVE
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class ToldPerson:
    """A turn in which somebody was told something from a source, and in which version."""

    conversation_id: str
    channel: str
    turn: int
    at: datetime
    version: str


class Knowledge:
    """Promoted answers. Every change raises `revision`, by which other processes see it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def promote(self, answer: Promoted, now: datetime | None = None) -> Promoted:
        """Write a promoted answer, or a new version of it; as it is now.

        Raises:
            Stale: "stale_answer": it was changed since it was read, or the id is taken.
        """
        at = self._db.at(now)
        values: dict[str, Any] = {
            "version": answer.version + 1,
            "state": answer.state,
            "title": answer.title,
            "wordings": list(answer.wordings),
            "answer": answer.answer,
            "citations": [c.model_dump(mode="json", exclude_defaults=True) for c in answer.citations],
            "scope": answer.scope or {},
            "valid_until": answer.valid_until,
            "author": answer.author,
            "ticket": answer.ticket,
            "replaces": answer.replaces,
            "updated_at": at,
        }
        async with self._db.write() as connection:
            if answer.version == 0:
                statement = self._db.insert_new(PromotedAnswer, ["topic_id"]).values(
                    topic_id=answer.topic_id, created_at=at, **values
                )
            else:
                statement = (
                    update(PromotedAnswer)
                    .where(
                        PromotedAnswer.topic_id == answer.topic_id,
                        PromotedAnswer.version == answer.version,
                    )
                    .values(values)
                )
            if (await connection.execute(statement)).rowcount != 1:
                raise Stale("stale_answer", topic=answer.topic_id)
            await self._raise_revision(connection)
            kept = select(PromotedAnswer.__table__).where(PromotedAnswer.topic_id == answer.topic_id)
            return _promoted((await connection.execute(kept)).mappings().one())

    async def withdraw(self, topic_id: str, *, version: int, now: datetime | None = None) -> None:
        """Let a promoted answer answer no more; it stays on record.

        Raises:
            Stale: "stale_answer": it was changed since `version`.
        """
        async with self._db.write() as connection:
            done = await connection.execute(
                update(PromotedAnswer)
                .where(PromotedAnswer.topic_id == topic_id, PromotedAnswer.version == version)
                .values(state=WITHDRAWN, version=version + 1, updated_at=self._db.at(now))
            )
            if done.rowcount != 1:
                raise Stale("stale_answer", topic=topic_id)
            await self._raise_revision(connection)

    async def get(self, topic_id: str) -> Promoted:
        """One promoted answer.

        Raises:
            Missing: There is none of that id.
        """
        row = await self._db.row(select(PromotedAnswer).where(PromotedAnswer.topic_id == topic_id))
        if row is None:
            raise Missing(topic=topic_id)
        return _promoted(row)

    async def all(self) -> list[Promoted]:
        """All promoted answers, withdrawn and expired ones too, oldest first."""
        rows = await self._db.rows(select(PromotedAnswer).order_by(PromotedAnswer.created_at))
        return [_promoted(row) for row in rows]

    async def answering(self, today: date) -> list[Promoted]:
        """Those that answer on the day `today` (of the notice's time zone)."""
        statement = (
            select(PromotedAnswer)
            .where(
                PromotedAnswer.state == ACTIVE,
                or_(PromotedAnswer.valid_until.is_(None), PromotedAnswer.valid_until >= today),
            )
            .order_by(PromotedAnswer.created_at)
        )
        return [_promoted(row) for row in await self._db.rows(statement)]

    async def revision(self) -> int:
        """Counts the changes; compare with that of what was loaded (`Conversations.knowledge_revision`)."""
        row = await self._db.row(select(Meta.value).where(Meta.name == "knowledge_revision"))
        return int(row["value"]) if row is not None else 0

    async def told(
        self, kind: str, source_ids: Sequence[str], *, except_version: str | None = None
    ) -> list[ToldPerson]:
        """Everybody who was told something from these sources, latest turn first.

        Args:
            kind: "clause", "fact", "topic" or "promoted".
            except_version: Leave out who was told this (the right) version.
        """
        statement = (
            select(
                Told.conversation_id,
                ConversationRow.channel,
                Told.number.label("turn"),
                Told.at,
                Told.version,
            )
            .join(ConversationRow, ConversationRow.id == Told.conversation_id)
            .where(Told.kind == kind, Told.source_id.in_(source_ids))
            .order_by(Told.at.desc())
        )
        if except_version is not None:
            statement = statement.where(Told.version != except_version)
        return [ToldPerson(**row) for row in await self._db.rows(statement)]

    async def told_versions(self, kind: str) -> list[tuple[str, str, int]]:
        """Source id, version and how many conversations were told it."""
        count = func.count(func.distinct(Told.conversation_id))
        statement = (
            select(Told.source_id, Told.version, count.label("people"))
            .where(Told.kind == kind)
            .group_by(Told.source_id, Told.version)
        )
        return [(row["source_id"], row["version"], row["people"]) for row in await self._db.rows(statement)]

    async def _raise_revision(self, connection: AsyncConnection) -> None:
        await connection.execute(
            update(Meta)
            .where(Meta.name == "knowledge_revision")
            .values(value=cast(cast(Meta.value, Integer) + 1, String))
        )


def _promoted(row: RowMapping) -> Promoted:
    names = [n for n in Promoted.__dataclass_fields__ if n not in ("wordings", "citations")]
    return Promoted(
        wordings=tuple(row["wordings"]),
        citations=tuple(Citation.model_validate(c) for c in row["citations"]),
        **{name: row[name] for name in names},
    )
