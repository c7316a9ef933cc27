"""Server-sent events: turns that came about elsewhere (a staff answer, another device) reach open pages.

One watcher a process moves due deliveries of the channel into their conversations' history, then looks, by one
statement, whether any conversation that has a page open here has grown. So it does not matter which of several
processes took the delivery, and a turn that nobody saw lies in the history for later.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog

from bot.store import Store, StoreError

_log = structlog.get_logger("bot.web.events")
KEEP_ALIVE = 20.0
"""Seconds between comments, so that proxies keep a silent stream open."""


@dataclass(frozen=True)
class Grown:
    """A conversation has a new turn."""

    conversation_id: str
    number: int


@dataclass(eq=False)
class Stream:
    """An open page. `None` in the queue: the service goes down."""

    conversations: frozenset[str]
    queue: asyncio.Queue[Grown | None] = field(default_factory=lambda: asyncio.Queue(maxsize=200))


class Hub:
    """The open streams of this process."""

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self._numbers: dict[str, int] = {}
        self.closed = False

    def __len__(self) -> int:
        return len(self._streams)

    def open(self, conversations: Iterable[str]) -> Stream:
        """A stream that hears of these conversations."""
        stream = Stream(frozenset(conversations))
        self._streams.add(stream)
        if self.closed:
            stream.queue.put_nowait(None)
        return stream

    def release(self, stream: Stream) -> None:
        """The page is gone."""
        self._streams.discard(stream)
        heard = self.conversations()
        self._numbers = {c: n for c, n in self._numbers.items() if c in heard}

    def count(self, conversation_id: str) -> int:
        """How many streams of a conversation are open here."""
        return sum(conversation_id in s.conversations for s in self._streams)

    def conversations(self) -> set[str]:
        """What anybody here wants to hear of."""
        return {c for s in self._streams for c in s.conversations}

    def known(self, conversation_id: str, number: int) -> None:
        """A conversation has `number` turns now: tell of those not told yet."""
        before = self._numbers.get(conversation_id)
        self._numbers[conversation_id] = max(number, before or 0)
        if before is None or number <= before:
            return
        listening: dict[str, list[Stream]] = defaultdict(list)
        for stream in self._streams:
            for name in stream.conversations:
                listening[name].append(stream)
        for new in range(before + 1, number + 1):
            for stream in listening[conversation_id]:
                with contextlib.suppress(asyncio.QueueFull):  # the page reads its history when it comes back
                    stream.queue.put_nowait(Grown(conversation_id, new))

    def close(self) -> None:
        """Tell every page that the service goes down, so that it comes back by itself."""
        self.closed = True
        for stream in self._streams:
            with contextlib.suppress(asyncio.QueueFull):
                stream.queue.put_nowait(None)


async def watch(store: Store, hub: Hub, channel: str, now: Callable[[], datetime], *, every: float = 1.0) -> None:
    """Deliver and tell, until cancelled."""
    worker = f"{channel}-{uuid4().hex[:12]}"
    while True:
        try:
            await deliver_due(store, channel, worker, now)
            if heard := hub.conversations():
                for conversation_id, count in (await store.conversations.turn_counts(heard)).items():
                    hub.known(conversation_id, count)
        except StoreError as error:
            _log.warning("events.store", key=error.key)
        await asyncio.sleep(every)


async def deliver_due(store: Store, channel: str, worker: str, now: Callable[[], datetime]) -> int:
    """Put every due delivery into its conversation's history, where open and later pages find it; how many."""
    delivered = 0
    while claimed := await store.outbox.claim(channel, worker, now=now()):
        for delivery in claimed:
            try:
                delivered += await store.outbox.sent(delivery, worker, now())
            except StoreError as error:
                again = now() + timedelta(seconds=min(600, 5 * 2 ** min(delivery.attempts, 7)))
                await store.outbox.failed(delivery, worker, error.key, retry_at=again, now=now())
    return delivered


def event(kind: str, data: Any, number: str | None = None) -> str:
    """One event in the wire's form."""
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def events(
    hub: Hub, stream: Stream, show: Callable[[Grown], Awaitable[str | None]], first: Iterable[str] = ()
) -> AsyncIterator[str]:
    """The body of an event stream, until the page or the service goes.

    Args:
        show: The wire form of a new turn; None where it is gone already.
        first: Events to begin with.
    """
    try:
        yield "retry: 3000\n\n"
        for said in first:
            yield said
        while True:
            try:
                grown = await asyncio.wait_for(stream.queue.get(), KEEP_ALIVE)
            except TimeoutError:
                yield ": \n\n"
                continue
            if grown is None:
                yield event("bye", {})
                return
            if (shown := await show(grown)) is not None:
                yield shown
    finally:
        hub.release(stream)
