"""The first step of every turn: see to it that the newest documents are answered from. It never replies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.conversation import Conversation
from bot.messages import Message, Reply


class Following:
    """Calls `follow` (see `bot.live`) before the others look into the knowledge."""

    def __init__(self, follow: Callable[[], Awaitable[None]]) -> None:
        self._follow = follow

    async def __call__(self, message: Message, conversation: Conversation) -> Reply | None:
        """Nothing to say."""
        await self._follow()
        return None
