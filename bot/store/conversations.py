"""Conversations and their turns: loaded by one statement, a whole turn saved by one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Integer, Select, String, Table, bindparam, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation import Conversation, Turn
from bot.messages import Reply, Status
from bot.store.codec import aware, digest, dump_body, load_body
from bot.store.database import Database
from bot.store.errors import Missing, StaleConversation
from bot.store.filing import Filing
from bot.store.outbox import NewDelivery, Outbox
from bot.store.tables import ConversationRow, Meta, ProcessedUpdate, Told, TurnRow
from bot.store.threads import thread_of
from bot.store.ticket_values import NewTicket
from bot.understanding.privacy import mask


@dataclass(frozen=True)
class Source:
    """What a reply rests on, beyond the clauses that it cites: "fact", "topic" or "promoted"."""

    kind: str
    id: str
    version: str


@dataclass(frozen=True)
class SavedTurn:
    """What became of a turn.

    Args:
        reply: What to send: the reply that was saved, or the earlier one where the message came again.
        number: Counts the conversation's turns from 1.
        version: The conversation's version now.
        ticket_number: The ticket that the turn was filed under, if any.
        duplicate: The message had been handled before; nothing was written.
    """

    reply: Reply
    number: int
    version: int
    ticket_number: str | None = None
    duplicate: bool = False


@dataclass(frozen=True)
class KeptTurn:
    """A turn as kept, with what is known of it afterwards."""

    number: int
    turn: Turn
    thumbs: int | None = None
    thumbs_words: str | None = None
    sources: tuple[Source, ...] = field(default=())


class Conversations:
    """Loading and saving conversations."""

    def __init__(self, db: Database, tickets: Filing, outbox: Outbox) -> None:
        self._db = db
        self._tickets = tickets
        self._outbox = outbox
        self.knowledge_revision = 0
        """Revision of the promoted answers when a conversation was last loaded (any process raises it)."""

    async def load(
        self, conversation_id: str, channel: str, now: datetime | None = None, *, history: int = 8
    ) -> Conversation:
        """The conversation with its last `history` turns; a fresh one (not yet written) where there is none.

        Raises:
            VaultError: It was encrypted with another key.
        """
        async with self._db.read(single=True) as connection:
            rows = (await connection.execute(_LOAD, {"id": conversation_id, "history": history})).all()
        self.knowledge_revision = int(rows[0].revision)
        if rows[0].data is None:
            return Conversation(id=conversation_id, channel=channel, created_at=aware(self._db.at(now)), version=0)
        decrypt = self._db.vault.decrypt
        conversation = Conversation.model_validate_json(decrypt(rows[0].data))
        conversation.version = rows[0].version
        for row in rows:
            if row.number is not None:
                text, reply = load_body(decrypt(row.body))
                conversation.turns.append(
                    Turn.model_construct(at=row.at, text=text, reply=reply, external_id=row.external_id)
                )
        return conversation

    async def history(
        self, conversation_id: str, *, after: int = 0, before: int | None = None, limit: int = 200
    ) -> list[KeptTurn]:
        """Turns by number, oldest first, e.g. for a page that is opened again or for the console."""
        statement = select(TurnRow).where(TurnRow.conversation_id == conversation_id, TurnRow.number > after)
        if before is not None:
            statement = statement.where(TurnRow.number < before)
        statement = statement.order_by(TurnRow.number.desc()).limit(limit)
        decrypt = self._db.vault.decrypt
        kept = []
        for row in reversed(await self._db.rows(statement)):
            text, reply = load_body(decrypt(row["body"]))
            words = row["thumbs_words"]
            kept.append(
                KeptTurn(
                    number=row["number"],
                    turn=Turn(at=row["at"], text=text, reply=reply, external_id=row["external_id"]),
                    thumbs=row["thumbs"],
                    thumbs_words=decrypt(words) if words else None,
                )
            )
        return kept

    async def turn_counts(self, conversation_ids: Iterable[str]) -> dict[str, int]:
        """How many turns each conversation has, by one statement; those not written yet are left out."""
        statement = select(ConversationRow.id, ConversationRow.turn_count).where(
            ConversationRow.id.in_(list(conversation_ids))
        )
        return {row["id"]: row["turn_count"] for row in await self._db.rows(statement)}

    async def earlier(self, conversation_id: str, external_id: str) -> SavedTurn | None:
        """What was replied to the channel's message `external_id`, if it was handled already."""
        async with self._db.read() as connection:
            return await self._earlier(connection, conversation_id, external_id)

    async def _earlier(self, connection: AsyncConnection, conversation_id: str, external_id: str) -> SavedTurn | None:
        statement = (
            select(TurnRow.number, TurnRow.body, TurnRow.ticket, ConversationRow.version)
            .join(ConversationRow, ConversationRow.id == TurnRow.conversation_id)
            .where(TurnRow.conversation_id == conversation_id, TurnRow.external_id == external_id)
        )
        row = (await connection.execute(statement)).first()
        if row is None:
            return None
        _, reply = load_body(self._db.vault.decrypt(row.body))
        return SavedTurn(reply, row.number, row.version, row.ticket, duplicate=True)

    async def save_turn(
        self,
        conversation: Conversation,
        turn: Turn,
        *,
        ticket: NewTicket | None = None,
        deliveries: Sequence[NewDelivery] = (),
        sources: Sequence[Source] = (),
        person_id: str | None = None,
        update_id: str | None = None,
    ) -> SavedTurn:
        """Keep a turn and all that belongs to it, in one transaction; the same `external_id` once.

        Args:
            conversation: As changed by the turn; `turns` is not written.
            turn: The new turn. Its citations are remembered as what the person was told.
            ticket: To be filed or joined. Where its number was taken by a different question meanwhile, the
                returned reply carries another.
            deliveries: Replies to be sent later.
            sources: What the reply rests on beyond its citations.
            person_id: Whose conversation it is, from `Persons.remember`; kept once given.
            update_id: The channel's update, marked as processed with the turn.

        Raises:
            StaleConversation: It was saved elsewhere since it was loaded.
        """
        # A plain answer can be asked for again; what somebody waits for or works on must outlive a power cut.
        durable = ticket is not None or bool(deliveries) or turn.reply.status is Status.FORM
        async with self._db.write(durable=durable) as connection:
            number = await self._bump(connection, conversation, turn, person_id)
            if number is None:
                earlier = None
                if turn.external_id is not None:
                    earlier = await self._earlier(connection, conversation.id, turn.external_id)
                if earlier is None:
                    raise StaleConversation
                return earlier
            reply, ticket_number = turn.reply, turn.reply.ticket
            if ticket is not None:
                ticket_number = await self._tickets.file(connection, ticket, conversation.id, number, turn.at)
                reply = _renumbered(reply, ticket.number, ticket_number)
            await self._insert_turn(connection, conversation.id, number, turn, reply, ticket_number)
            await self._remember_told(connection, conversation.id, number, turn.at, reply, sources)
            for delivery in deliveries:
                await self._outbox.put(connection, delivery, turn.at)
            if update_id is not None:
                mark = self._db.insert_new(ProcessedUpdate, ["channel", "update_id"])
                await connection.execute(mark.values(channel=conversation.channel, update_id=update_id, at=turn.at))
        return SavedTurn(reply, number, conversation.version + 1, ticket_number)

    async def save(self, conversation: Conversation, now: datetime | None = None) -> int:
        """Keep what is known of a conversation without a turn (e.g. after "重新开始"); its version now.

        Raises:
            StaleConversation: It was saved elsewhere since it was loaded.
        """
        values = {"data": self._data(conversation), "updated_at": self._db.at(now)}
        async with self._db.write() as connection:
            statement = update(ConversationRow).where(
                ConversationRow.id == conversation.id, ConversationRow.version == conversation.version
            )
            done = await connection.execute(statement.values(version=ConversationRow.version + 1, **values))
            if done.rowcount == 0:
                await self._create(connection, conversation, 0, None, self._db.at(now))
        return conversation.version + 1

    async def rate(
        self,
        conversation_id: str,
        number: int,
        thumbs: int,
        words: str | None = None,
        *,
        now: datetime | None = None,
    ) -> None:
        """Keep a person's judgement of a turn: `thumbs` 1 or -1, and words; the latest counts.

        Raises:
            Missing: There is no such turn.
        """
        at = self._db.at(now)
        async with self._db.write() as connection:
            rated = (
                await connection.execute(
                    update(TurnRow)
                    .where(TurnRow.conversation_id == conversation_id, TurnRow.number == number)
                    .values(
                        thumbs=thumbs,
                        thumbs_words=self._db.vault.encrypt(words) if words else None,
                        thumbs_at=at,
                    )
                    .returning(TurnRow.body, TurnRow.ticket, TurnRow.status, TurnRow.by_staff)
                )
            ).first()
            if rated is None:
                raise Missing(turn=number)
            worth = rated.status in ("answered", "clarify") and rated.ticket is None and not rated.by_staff
            if thumbs < 0 and worth:
                await self._file_rated(connection, conversation_id, number, rated.body, words, at)

    async def _file_rated(
        self,
        connection: AsyncConnection,
        conversation_id: str,
        number: int,
        body: str,
        words: str | None,
        at: datetime,
    ) -> None:
        """A thumbs-down is a question for a person; the same question is filed once."""
        text, reply = load_body(self._db.vault.decrypt(body))
        question = mask(text)
        if not question:
            return
        same = await self._tickets.same_question(question)
        joined = {"number": same, "joins": True} if same else {}
        new = NewTicket(
            question=question,
            wording=f"{text}\n{words}" if words else text,
            reason="thumbs_down",
            topic=reply.topics[0] if reply.topics else None,
            **joined,  # type: ignore[arg-type]
        )
        await self._tickets.file(connection, new, conversation_id, number, at)

    async def processed(self, channel: str, update_id: str) -> bool:
        """Whether the channel's update was handled already."""
        statement = select(ProcessedUpdate.at).where(
            ProcessedUpdate.channel == channel, ProcessedUpdate.update_id == update_id
        )
        return await self._db.row(statement) is not None

    async def mark_processed(self, channel: str, update_id: str, now: datetime | None = None) -> bool:
        """Mark an update as handled, or a part of a reply as sent; False where it was marked before.

        Without an fsync: after a power cut the channel may say again what it said last, and loses nothing.
        """
        mark = self._db.insert_new(ProcessedUpdate, ["channel", "update_id"])
        values = mark.values(channel=channel, update_id=update_id, at=self._db.at(now))
        async with self._db.write(durable=False) as connection:
            return (await connection.execute(values)).rowcount == 1

    async def _bump(
        self, connection: AsyncConnection, conversation: Conversation, turn: Turn, person_id: str | None
    ) -> int | None:
        """Write the conversation under its version; the new turn's number, None if it was not ours to write."""
        if conversation.version > 0:
            values = {
                "b_id": conversation.id,
                "b_version": conversation.version,
                "b_external_id": turn.external_id,
                "b_person": person_id,
                "data": self._data(conversation),
                "updated_at": turn.at,
            }
            number: int | None = (await connection.execute(_BUMP, values)).scalar()
            return number
        try:
            await self._create(connection, conversation, 1, person_id, turn.at)
        except StaleConversation:
            return None
        return 1

    async def _create(
        self,
        connection: AsyncConnection,
        conversation: Conversation,
        turn_count: int,
        person_id: str | None,
        at: datetime,
    ) -> None:
        if conversation.version > 0:
            raise StaleConversation
        done = await connection.execute(
            self._db.insert_new(ConversationRow, ["id"]).values(
                id=conversation.id,
                channel=conversation.channel,
                person_id=person_id,
                thread_id=thread_of(conversation.id),
                data=self._data(conversation),
                version=1,
                turn_count=turn_count,
                created_at=conversation.created_at,
                updated_at=at,
            )
        )
        if done.rowcount != 1:
            raise StaleConversation

    def _data(self, conversation: Conversation) -> str:
        kept = conversation.model_dump_json(exclude={"turns", "version"}, exclude_defaults=True)
        return self._db.vault.encrypt(kept)

    async def _insert_turn(
        self,
        connection: AsyncConnection,
        conversation_id: str,
        number: int,
        turn: Turn,
        reply: Reply,
        ticket: str | None,
    ) -> None:
        values = {
            "conversation_id": conversation_id,
            "number": number,
            "at": turn.at,
            "body": self._db.vault.encrypt(dump_body(turn.text, reply)),
            "external_id": turn.external_id,
            "status": reply.status.value,
            "reason": reply.reason.value if reply.reason else None,
            "topics": list(reply.topics),
            "ticket": ticket,
            "by_staff": reply.by_staff,
            "used_llm": reply.used_llm,
        }
        await connection.execute(_INSERT_TURN, values)

    async def _remember_told(
        self,
        connection: AsyncConnection,
        conversation_id: str,
        number: int,
        at: datetime,
        reply: Reply,
        sources: Sequence[Source],
    ) -> None:
        told = {(s.kind, s.id): s.version for s in sources}
        for c in reply.citations:
            told["clause", c.clause_id or f"{c.document}:{c.clause}"] = digest(c.text)
        if told:
            rows = [
                {
                    "conversation_id": conversation_id,
                    "number": number,
                    "kind": kind,
                    "source_id": source_id,
                    "version": version,
                    "at": at,
                }
                for (kind, source_id), version in told.items()
            ]
            await connection.execute(_INSERT_TOLD, rows)


def _renumbered(reply: Reply, told: str, filed: str) -> Reply:
    if reply.ticket == filed:
        return reply
    return reply.model_copy(update={"ticket": filed, "text": reply.text.replace(told, filed)})


def _load_statement() -> Select[Any]:
    turns = (
        select(TurnRow.number, TurnRow.at, TurnRow.body, TurnRow.external_id)
        .where(TurnRow.conversation_id == bindparam("id"))
        .order_by(TurnRow.number.desc())
        .limit(bindparam("history", type_=Integer))
        .subquery()
    )
    # From `meta`, so that there is a row, and the revision, even for a new conversation.
    return (
        select(Meta.value.label("revision"), ConversationRow.data, ConversationRow.version, turns)
        .select_from(Meta)
        .outerjoin(ConversationRow, ConversationRow.id == bindparam("id"))
        .outerjoin(turns, ConversationRow.id.is_not(None))
        .where(Meta.name == "knowledge_revision")
        .order_by(turns.c.number)
    )


def _bump_statement() -> Any:
    said_before = exists().where(
        TurnRow.conversation_id == bindparam("b_id"), TurnRow.external_id == bindparam("b_external_id")
    )
    return (
        update(_CONVERSATIONS)
        .where(
            _CONVERSATIONS.c.id == bindparam("b_id"),
            _CONVERSATIONS.c.version == bindparam("b_version"),
            ~said_before,
        )
        .values(
            data=bindparam("data"),
            updated_at=bindparam("updated_at"),
            person_id=func.coalesce(bindparam("b_person", type_=String), _CONVERSATIONS.c.person_id),
            version=_CONVERSATIONS.c.version + 1,
            turn_count=_CONVERSATIONS.c.turn_count + 1,
        )
        .returning(_CONVERSATIONS.c.turn_count)
    )


# Made once: building them took longer than running them.
_CONVERSATIONS: Any = ConversationRow.__table__
_LOAD = _load_statement()
_BUMP = _bump_statement()
_INSERT_TURN = insert(cast(Table, TurnRow.__table__))
_INSERT_TOLD = insert(cast(Table, Told.__table__))
