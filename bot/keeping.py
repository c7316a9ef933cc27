"""Where the assistant's turns are kept: in the database, or, for question sets, in memory alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from bot.conversation import Conversation, Turn
from bot.looking import Looked, Looking, nearest_ticket, pack_vector, question_of
from bot.messages import Message, Reason, Reply
from bot.store import NewTicket, Source, Store, new_number


class MemoryKeeper:
    """Keeps conversations in memory; question sets run on it, so that they never touch the database."""

    def __init__(self) -> None:
        self.conversations: dict[str, Conversation] = {}

    async def load(self, message: Message) -> Conversation:
        """The conversation of a message; a new one where there is none."""
        found = self.conversations.get(message.conversation_id)
        return (
            found.model_copy(deep=True)
            if found
            else Conversation(id=message.conversation_id, channel=message.channel, created_at=message.at)
        )

    async def earlier(self, message: Message) -> Reply | None:
        """The reply given to the same message before, if any."""
        found = self.conversations.get(message.conversation_id)
        turns = found.turns if found else []
        return next((t.reply for t in turns if t.external_id == message.external_id), None)

    async def ticket_number(self, message: Message, reply: Reply, conversation: Conversation) -> tuple[str, bool]:
        """A number of the usual form; nothing is filed under it."""
        return new_number("ticket"), False

    async def keep(self, conversation: Conversation, turn: Turn) -> Reply:
        """Keep a turn."""
        conversation.turns.append(turn)
        self.conversations[conversation.id] = conversation
        return turn.reply


@dataclass(frozen=True)
class _Prepared:
    """What is known of a question between telling the person its number and filing it."""

    number: str
    question: str
    joins: bool
    looked: Looked | None


class StoreKeeper:
    """Keeps conversations, turns and tickets in the database, each turn in one transaction.

    Args:
        looking: Finds alike open questions by the encoder; None: only equal ones are alike.
        day: The day of a message in the pack's time zone.
        sources: What a reply rests on beyond its clauses (promoted answers and their versions).
    """

    def __init__(
        self,
        store: Store,
        looking: Looking | None = None,
        day: Callable[[Message], date] | None = None,
        sources: Callable[[Reply], Sequence[Source]] = lambda reply: (),
    ) -> None:
        self._store = store
        self._looking = looking
        self._day = day or (lambda message: message.at.date())
        self._sources = sources
        self._prepared: dict[str, _Prepared] = {}

    async def load(self, message: Message) -> Conversation:
        """The conversation of a message; a new one where there is none."""
        return await self._store.load(message.conversation_id, message.channel, message.at)

    async def earlier(self, message: Message) -> Reply | None:
        """The reply given to the same message before, if any."""
        saved = await self._store.conversations.earlier(message.conversation_id, message.external_id or "")
        return saved.reply if saved else None

    async def ticket_number(self, message: Message, reply: Reply, conversation: Conversation) -> tuple[str, bool]:
        """The number of the nearest open ticket that asks the same, or a new one; and whether this person
        waits for it already."""
        question, alone = _question(message, reply, conversation)
        looked = None
        if self._looking is not None and question:
            looked = await asyncio.to_thread(self._looking.look, question, self._day(message))
        same = None if alone else await self._same(question, looked)
        number = same or new_number("ticket")
        self._prepared[conversation.id] = _Prepared(number, question, same is not None, looked)
        waits = same is not None and any(
            asker.conversation_id == conversation.id for asker in await self._store.tickets.askers(same)
        )
        return number, waits

    async def _same(self, question: str, looked: Looked | None) -> str | None:
        same = await self._store.tickets.same_question(question)
        if same or looked is None or self._looking is None:
            return same
        bar = await asyncio.to_thread(lambda: self._looking.bar if self._looking else 1.0)
        found = nearest_ticket(looked.vector, await self._store.tickets.vectors())
        return found[0][0] if found and found[0][1] >= bar else None

    async def keep(self, conversation: Conversation, turn: Turn) -> Reply:
        """Keep a turn and file its ticket, at once."""
        prepared, ticket = self._prepared.pop(conversation.id, None), None
        if turn.reply.ticket and prepared is not None and prepared.number == turn.reply.ticket:
            looked = prepared.looked
            ticket = NewTicket(
                question=prepared.question or question_of(turn.text),
                wording=turn.text,
                reason=turn.reply.reason or "clarified_in_vain",
                topic=turn.reply.topics[0] if turn.reply.topics else None,
                number=prepared.number,
                joins=prepared.joins,
                tried=looked.tried if looked else None,
                deadline=looked.deadline if looked else None,
                vector=pack_vector(looked.vector) if looked else None,
            )
        saved = await self._store.save_turn(conversation, turn, ticket=ticket, sources=self._sources(turn.reply))
        return saved.reply


def _question(message: Message, reply: Reply, conversation: Conversation) -> tuple[str, bool]:
    """What is asked of staff, masked; and whether it must stand alone.

    Who asks for a person says what about in the question before, if at all: then two are not alike merely
    because both said "转人工".
    """
    if reply.reason is not Reason.WANTS_PERSON:
        return question_of(message.text), False
    asked = [
        t for t in conversation.turns if t.text and not t.reply.by_staff and t.reply.reason is not Reason.WANTS_PERSON
    ]  # noqa: E501
    before = asked[-1].text if asked else ""
    return question_of(before or message.text), not before
