"""`Assistant.handle`: one message in, one reply out, kept before it is given back."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from bot.conversation import Conversation, Turn
from bot.messages import Choice, Message, Reason, Reply, Status
from bot.texts import Texts

Step = Callable[[Message, Conversation], Awaitable[Reply | None]]
After = Callable[[Message, Conversation, Reply], Awaitable[Reply]]
"""Completes the reply that a step gave, e.g. repeats the question of an open form under an answer."""
_LONGEST = 4000
_WORD = re.compile(r"\w")

UNQUEUED = frozenset({Reason.OFF_TOPIC, Reason.BAD_INPUT})
"""Declined for these reasons, a message is nobody's work."""


class Keeper(Protocol):
    """Where conversations are kept (`bot.store`, or memory for question sets)."""

    async def load(self, message: Message) -> Conversation:
        """The conversation of a message; a new one where there is none."""

    async def earlier(self, message: Message) -> Reply | None:
        """The reply given to the same message before, if any."""

    async def ticket_number(self, message: Message, reply: Reply, conversation: Conversation) -> tuple[str, bool]:
        """The number under which an unanswered question will be filed (an open alike ticket's, or a new one),
        and whether this person is waiting for that ticket already."""

    async def keep(self, conversation: Conversation, turn: Turn) -> Reply:
        """Keep a turn, and its ticket where the reply names one, at once; returns the reply as kept."""


class Assistant:
    """Runs the steps in order; the first reply wins. Messages of one conversation wait for each other."""

    def __init__(self, steps: Sequence[Step], keeper: Keeper, texts: Texts, after: After | None = None) -> None:
        self._after = after
        self._steps = tuple(steps)
        self._keeper = keeper
        self._texts = texts
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}
        self.observe: Callable[[str, float], None] | None = None
        """Told the name and the seconds of each step that ran (`/metrics`)."""

    async def handle(self, message: Message) -> Reply:
        """Answer a message and keep the turn.

        A message that was handled before (same `external_id`) gets its earlier reply. Raises what the
        keeper raises where the turn cannot be kept: a reply that is not kept is not given.
        """
        async with self._alone(message.conversation_id):
            if message.external_id and (earlier := await self._keeper.earlier(message)):
                return earlier
            conversation = await self._keeper.load(message)
            reply = self._refused_input(message) or await self._run(message, conversation)
            reply = await self._escalated(message, reply, conversation)
            if self._after is not None:
                reply = await self._after(message, conversation, reply)
            said = message.text or self._label(message, conversation)
            if reply.kept is not None and reply.kept.message is not None:
                said = reply.kept.message
            turn = Turn(at=message.at, text=said, reply=reply.as_kept(), external_id=message.external_id)
            kept = await self._keeper.keep(conversation, turn)
            masked = reply.kept is not None and reply.kept.reply is not None
            return reply.model_copy(update={"kept": None}) if masked else kept

    async def _run(self, message: Message, conversation: Conversation) -> Reply:
        for step in self._steps:
            begun = time.perf_counter()
            reply = await step(message, conversation)
            if self.observe is not None:
                name = getattr(step, "__name__", type(step).__name__)
                self.observe(name.lower(), time.perf_counter() - begun)
            if reply is not None:
                return reply
        raise RuntimeError("the last step must always reply")

    async def _escalated(self, message: Message, reply: Reply, conversation: Conversation) -> Reply:
        """A declined question, one asked back twice, or one on which the sources contradict each other gets its
        ticket's number, and the person is told."""
        conflict = reply.reason is Reason.CONFLICT
        if not (conflict or _declined(reply) or _in_vain(message, reply, conversation)):
            return reply
        number, waits = await self._keeper.ticket_number(message, reply, conversation)
        if waits and not conflict:
            # Staff are at work on it: the assistant does not say its own refusal over them once more.
            return reply.model_copy(
                update={"text": self._texts.render("replies.with_staff", number=number), "ticket": number}
            )
        told = self._texts.render("replies.conflicting" if conflict else "replies.queued", number=number)
        return reply.model_copy(update={"text": f"{reply.text}\n\n{told}", "ticket": number})

    def _refused_input(self, message: Message) -> Reply | None:
        if message.choice:
            return None
        text = message.text.strip()
        if not text:
            key = "empty"
        elif len(text) > _LONGEST:
            key = "too_long"
        elif not _WORD.search(text):
            key = "unreadable"
        else:
            return None
        choices = tuple(Choice(**c) for c in self._texts.get("replies.most_asked"))
        words = self._texts.render(f"replies.bad_input.{key}", length=len(text), limit=_LONGEST)
        return Reply(text=words, status=Status.CLARIFY, reason=Reason.BAD_INPUT, choices=choices)

    @asynccontextmanager
    async def _alone(self, conversation_id: str) -> AsyncIterator[None]:
        lock, waiting = self._locks.get(conversation_id, (asyncio.Lock(), 0))
        self._locks[conversation_id] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks[conversation_id]
            if waiting == 1:
                del self._locks[conversation_id]
            else:
                self._locks[conversation_id] = (lock, waiting - 1)

    def _label(self, message: Message, conversation: Conversation) -> str:
        """What a pressed button said, for the history: one of the thread's, or one that is always offered."""
        offered = [c for turn in reversed(conversation.turns) for c in turn.reply.choices]
        offered += [Choice(**c) for c in self._texts.get("replies.most_asked")]
        return next((c.label for c in offered if c.value == message.choice), message.choice or "")


def _declined(reply: Reply) -> bool:
    """Whether something is left for a person: all of it, or the part that the sources do not say."""
    partly = reply.status is Status.ANSWERED and reply.reason is Reason.NOT_IN_SOURCES
    return partly or (reply.status is Status.UNANSWERED and reply.reason not in UNQUEUED)


def _in_vain(message: Message, reply: Reply, conversation: Conversation) -> bool:
    """Asked back, answered in words instead of by a button, and still not understood."""
    asked_back = reply.status is Status.CLARIFY and bool(reply.topics)
    if not asked_back or message.choice or not conversation.turns:
        return False
    before = conversation.turns[-1].reply
    return before.status is Status.CLARIFY and bool(before.topics) and before.ticket is None
