"""Where the assistant's turns are kept: in the database, or, for question sets, in memory alone."""

from __future__ import annotations

from bot.conversation import Conversation, Turn
from bot.messages import Message, Reply
from bot.store import NewTicket, Store, new_number
from bot.understanding.privacy import mask


class MemoryKeeper:
    """Keeps conversations in memory; question sets run on it, so that they never touch the database."""

    def __init__(self) -> None:
        self.conversations: dict[str, Conversation] = {}

    async def load(self, message: Message) -> Conversation:
        """The conversation of a message; a new one where there is none."""
        found = self.conversations.get(message.conversation_id)
        return found.model_copy(deep=True) if found else Conversation(
            id=message.conversation_id, channel=message.channel, created_at=message.at)

    async def earlier(self, message: Message) -> Reply | None:
        """The reply given to the same message before, if any."""
        found = self.conversations.get(message.conversation_id)
        turns = found.turns if found else []
        return next((t.reply for t in turns if t.external_id == message.external_id), None)

    async def ticket_number(self, message: Message, reply: Reply) -> str:
        """A number of the usual form; nothing is filed under it."""
        return new_number("ticket")

    async def keep(self, conversation: Conversation, turn: Turn) -> Reply:
        """Keep a turn."""
        conversation.turns.append(turn)
        self.conversations[conversation.id] = conversation
        return turn.reply


class StoreKeeper:
    """Keeps conversations, turns and tickets in the database, each turn in one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self, message: Message) -> Conversation:
        """The conversation of a message; a new one where there is none."""
        return await self._store.load(message.conversation_id, message.channel, message.at)

    async def earlier(self, message: Message) -> Reply | None:
        """The reply given to the same message before, if any."""
        saved = await self._store.conversations.earlier(message.conversation_id, message.external_id or "")
        return saved.reply if saved else None

    async def ticket_number(self, message: Message, reply: Reply) -> str:
        """The number of an open ticket with the same question, or a new one."""
        same = await self._store.tickets.same_question(mask(message.text))
        return same or new_number("ticket")

    async def keep(self, conversation: Conversation, turn: Turn) -> Reply:
        """Keep a turn and file its ticket, at once."""
        ticket = None
        if turn.reply.ticket:
            question = mask(turn.text)
            joins = await self._store.tickets.same_question(question) == turn.reply.ticket
            ticket = NewTicket(
                question=question, wording=turn.text, reason=turn.reply.reason or "not_understood",
                topic=turn.reply.topics[0] if turn.reply.topics else None, number=turn.reply.ticket, joins=joins,
            )
        saved = await self._store.save_turn(conversation, turn, ticket=ticket)
        return saved.reply
