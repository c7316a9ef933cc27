"""What the page and the API share: one message in, one kept turn out; a person's history; erasing it."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from starlette.requests import HTTPConnection

from bot.assistant import Assistant
from bot.channels.web.events import Hub
from bot.channels.web.identity import Identity
from bot.channels.web.limits import RateLimiter, Rates
from bot.channels.web.metrics import Metrics
from bot.channels.web.problems import Problem
from bot.llm.streaming import Listener, listening
from bot.messages import Attachment, Message, Reply
from bot.settings import Settings, zone
from bot.store import Erased, KeptTurn, StaleConversation, Store
from bot.texts import Texts
from knowledge.loading import Pack

CHANNEL = "web"
RESUME_ATTEMPTS = 10
TURNS_AT_ONCE = 4
"""Without a model, computing is all a turn does: with 100 people at once, 4 answer a third more a second than
100 do, and p95 is a third of it (`benchmarks/load.py`)."""
TURNS_WITH_A_MODEL = 64
"""With one, a turn mostly waits for the network."""


class Service(Protocol):
    """What a channel needs of the running service (`bot.bootstrap.Service`)."""

    @property
    def settings(self) -> Settings: ...
    @property
    def pack(self) -> Pack: ...
    @property
    def texts(self) -> Texts: ...
    @property
    def store(self) -> Store: ...
    @property
    def assistant(self) -> Assistant: ...


@dataclass(frozen=True)
class ThreadTurn:
    """A turn of one of the conversations that are a person's; `id` names it among them."""

    conversation_id: str
    number: int
    at: datetime
    text: str
    reply: Reply
    thumbs: int | None
    thumbs_words: str | None

    @property
    def id(self) -> str:
        """E.g. "web-3f….12"."""
        return f"{self.conversation_id}.{self.number}"


@dataclass
class Talk:
    """The web's way to the assistant and the store."""

    service: Service
    now: Callable[[], datetime]
    metrics: Metrics
    hub: Hub
    limiter: RateLimiter
    rates: Rates
    gate: asyncio.Semaphore
    """Lets some turns in at once, the longest waiting first: more of them only fight for the interpreter's lock."""
    stopping: bool = False
    under_way: set[asyncio.Task[ThreadTurn]] = field(default_factory=set)

    def today(self) -> date:
        """The day in the pack's time zone."""
        return self.now().astimezone(zone(self.service.pack.info.time_zone)).date()

    def count_message(self, connection: HTTPConnection, identity: Identity) -> None:
        """Count a message against the limits of its person and address. Raises Problem "too_many"."""
        self.limiter.take(f"person:{identity.conversation_id}", self.rates.person_per_minute)
        self.limiter.take(f"address:{address(connection)}", self.rates.address_per_minute)

    async def say(
        self, identity: Identity, text: str, choice: str | None, key: str | None = None, told: Listener | None = None
    ) -> ThreadTurn:
        """Handle a message.

        Args:
            key: The sender's own name for it; the same key is handled once.
            told: Hears sentences while a model writes them; the turn that is returned is the one that counts.

        Raises:
            Problem: "stopping": the service is going down; the sender should repeat the message.
            StoreError: The turn could not be kept.
        """
        if self.stopping:
            raise Problem("stopping", retry_after=5)
        external_id = f"k:{hashlib.sha256(key.encode()).hexdigest()[:40]}" if key else f"r:{secrets.token_hex(12)}"
        message = Message(
            conversation_id=identity.conversation_id,
            channel=CHANNEL,
            text=text,
            at=self.now(),
            choice=choice or None,
            external_id=external_id,
        )
        begun = time.perf_counter()
        async with self.gate, listening(told) if told else nullcontext():
            reply = await self._handled(message)
        self.metrics.turn(reply, time.perf_counter() - begun)
        conversations = self.service.store.conversations
        kept = await conversations.history(message.conversation_id, limit=1)
        if kept and kept[0].turn.external_id != external_id:  # a repeated message, or one more came meanwhile
            saved = await conversations.earlier(message.conversation_id, external_id)
            number = saved.number if saved else 0
            kept = await conversations.history(message.conversation_id, after=number - 1, before=number + 1)
        if not kept:  # erased from another device at this very moment
            raise Problem("not_found")
        self.hub.known(identity.conversation_id, kept[0].number)
        return _turn(identity.conversation_id, kept[0])

    async def progressively(
        self, identity: Identity, text: str, choice: str | None, key: str | None = None
    ) -> AsyncIterator[str | ThreadTurn]:
        """The sentences of an answer as they are written, then the turn as it is kept.

        A reader that goes away does not stop the turn: it is kept all the same.
        Raises what `say` raises.
        """
        heard: asyncio.Queue[str | None] = asyncio.Queue()
        saying = asyncio.create_task(self.say(identity, text, choice, key, heard.put))
        saying.add_done_callback(lambda _: heard.put_nowait(None))
        self.under_way.add(saying)
        saying.add_done_callback(self._done)
        while (sentence := await heard.get()) is not None:
            yield sentence
        yield await asyncio.shield(saying)

    def _done(self, saying: asyncio.Task[ThreadTurn]) -> None:
        self.under_way.discard(saying)
        if not saying.cancelled():
            saying.exception()  # whoever still listened has had it

    async def _handled(self, message: Message) -> Reply:
        """Another process may have answered the same person meanwhile: then once more, on what is there now."""
        for _ in range(3):
            try:
                return await self.service.assistant.handle(message)
            except StaleConversation:
                continue
        return await self.service.assistant.handle(message)

    async def thread(self, identity: Identity) -> tuple[str, ...]:
        """The ids of all conversations that are this person's, their own first."""
        if identity.fresh:
            return (identity.conversation_id,)
        joined = await self.service.store.threads.conversations(identity.conversation_id)
        return (identity.conversation_id, *sorted(c for c in joined if c != identity.conversation_id))

    async def history(
        self, identity: Identity, *, limit: int = 100, before: datetime | None = None
    ) -> list[ThreadTurn]:
        """The latest turns of the person's thread, oldest first, all with an earlier time than `before`."""
        found: list[ThreadTurn] = []
        for conversation_id in await self.thread(identity):
            kept = await self.service.store.conversations.history(conversation_id, limit=1000 if before else limit)
            await self._seen(kept)
            found += [_turn(conversation_id, k) for k in kept if before is None or k.turn.at < before]
        return sorted(found, key=lambda t: (t.at, t.number))[-limit:]

    async def turn(self, identity: Identity, conversation_id: str, number: int) -> ThreadTurn:
        """One turn. Raises Problem "not_found" where it is not this person's."""
        if conversation_id not in await self.thread(identity):
            raise Problem("not_found")
        kept = await self.service.store.conversations.history(conversation_id, after=number - 1, before=number + 1)
        if not kept:
            raise Problem("not_found")
        return _turn(conversation_id, kept[0])

    async def turn_named(self, identity: Identity, turn_id: str) -> ThreadTurn:
        """One turn by its id. Raises Problem "not_found"."""
        conversation_id, _, number = turn_id.rpartition(".")
        if not number.isascii() or not number.isdigit() or len(number) > 9 or number == "0":
            raise Problem("not_found")
        return await self.turn(identity, conversation_id, int(number))

    async def attachment(self, identity: Identity, turn_id: str, index: int) -> Attachment:
        """A document that went with a turn. Raises Problem "not_found"."""
        turn = await self.turn_named(identity, turn_id)
        if not 0 <= index < len(turn.reply.attachments):
            raise Problem("not_found")
        return turn.reply.attachments[index]

    async def rate(self, identity: Identity, turn_id: str, thumbs: int, words: str | None) -> ThreadTurn:
        """Keep the person's judgement of a turn."""
        turn = await self.turn_named(identity, turn_id)
        await self.service.store.conversations.rate(turn.conversation_id, turn.number, thumbs, words, now=self.now())
        return await self.turn(identity, turn.conversation_id, turn.number)

    async def resume_code(self, identity: Identity) -> str:
        """A code by which another device joins."""
        return await self.service.store.threads.issue(identity.conversation_id, now=self.now())

    async def resume(self, connection: HTTPConnection, identity: Identity, code: str) -> None:
        """Join the person's conversation to the thread of a code. Raises Problem or StoreError."""
        window = timedelta(minutes=10)
        for key in (f"resume:{identity.conversation_id}", f"resume-address:{address(connection)}"):
            limit = RESUME_ATTEMPTS if key.startswith("resume:") else RESUME_ATTEMPTS * 10
            if not await self.service.store.limits.allow(key, limit=limit, window=window, now=self.now()):
                raise Problem("too_many", retry_after=600, seconds=600)
        await self.service.store.threads.redeem(code, identity.conversation_id, self.now())

    async def erase(self, identity: Identity) -> Erased:
        """Delete everything of the person."""
        return await self.service.store.privacy.erase(identity.conversation_id, self.now())

    async def _seen(self, kept: Sequence[KeptTurn]) -> None:
        for turn in kept[-3:]:
            kind, _, delivery = (turn.turn.external_id or "").partition(":")
            if kind == "delivery":
                await self.service.store.outbox.read(delivery, self.now())


def address(connection: HTTPConnection) -> str:
    """The address a request comes from, as the server makes it out behind trusted proxies."""
    return connection.client.host if connection.client else "-"


def _turn(conversation_id: str, kept: KeptTurn) -> ThreadTurn:
    return ThreadTurn(
        conversation_id, kept.number, kept.turn.at, kept.turn.text, kept.turn.reply, kept.thumbs, kept.thumbs_words
    )
