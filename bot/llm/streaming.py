"""Who listens to sentences while an answer is being written: set by a channel around `Assistant.handle`.

    async with listening(send):          # send: async (sentence) -> None
        reply = await assistant.handle(message)

Only sentences that have passed the lock are told. The reply that `handle` returns is the one that counts: where
the answer without LLM is given in the end, it takes the place of what was told before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

Listener = Callable[[str], Awaitable[None]]
_listener: ContextVar[Listener | None] = ContextVar("qtic_llm_listener", default=None)


def listener() -> Listener | None:
    """Who listens to this turn, if anybody."""
    return _listener.get()


@asynccontextmanager
async def listening(send: Listener) -> AsyncIterator[None]:
    """Tell `send` each sentence of the turn that is handled inside."""
    token = _listener.set(send)
    try:
        yield
    finally:
        _listener.reset(token)
