"""The outbox's loop: what must not be lost is sent, tried again with growing pauses, or ended, and recorded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from telegram.error import InvalidToken

from bot.channels.telegram.pace import Pace
from bot.channels.telegram.sending import Later, Never, Sender
from bot.channels.telegram.turns import CHANNEL
from bot.settings import zone
from bot.store import Delivery, StoreError

if TYPE_CHECKING:
    from bot.bootstrap import Service

log = logging.getLogger(__name__)
_OLDEST = timedelta(days=3)
"""A delivery that could not be sent for so long ends, and the console shows it."""
_SHORT = 2.0
"""Seconds that one delivery may be tried before the others get their turn."""


class Delivering:
    """Sends the channel's deliveries for one process."""

    def __init__(self, service: Service, sender: Sender, worker: str, now: Callable[[], datetime], pace: Pace) -> None:
        self._store = service.store
        self._sender = sender
        self._worker = worker
        self._now = now
        self._pace = pace
        self._zone = zone(service.pack.info.time_zone)

    async def once(self) -> int:
        """Try everything that is due; how many were tried."""
        due = await self._store.outbox.claim(CHANNEL, self._worker, now=self._now())
        for delivery in due:
            await self._send(delivery)
            await asyncio.sleep(self._pace.bulk_gap)
        return len(due)

    async def _send(self, delivery: Delivery) -> None:
        outbox, now = self._store.outbox, self._now()
        if delivery.address is None:
            await outbox.failed(delivery, self._worker, "no address", retry_at=None, now=now)
            return
        if delivery.kind == "reminder" and self._day(delivery.created_at) != self._day(now):
            # "还剩3天" is true on its day only, and after the last day nobody is reminded.
            await outbox.failed(delivery, self._worker, "too late for a reminder", retry_at=None, now=now)
            return
        chat = int(delivery.address.split(":")[0])

        async def fresh(part: int) -> bool:
            return not await self._store.conversations.processed(CHANNEL, f"{delivery.id}#{part}")

        async def sent(part: int) -> None:
            await self._store.conversations.mark_processed(CHANNEL, f"{delivery.id}#{part}", self._now())

        try:
            await self._sender.reply(
                chat, delivery.reply, f"delivery:{delivery.id}", patience=_SHORT, fresh=fresh, sent=sent
            )
        except Never as never:
            await outbox.failed(
                delivery, self._worker, str(never), retry_at=None, unreachable=never.unreachable, now=now
            )
        except Later as later:
            wait = max(later.after or 0.0, self._pace.pause(delivery.attempts))
            again = None if now - delivery.created_at > _OLDEST else now + timedelta(seconds=wait)
            await outbox.failed(delivery, self._worker, str(later), retry_at=again, now=now)
        else:
            await outbox.sent(delivery, self._worker, self._now())

    def _day(self, moment: datetime) -> object:
        return moment.astimezone(self._zone).date()

    async def keep_on(self) -> None:
        """Look at the outbox for ever. Raises InvalidToken where the token is not accepted any more."""
        while True:
            tried = 0
            try:
                tried = await self.once()
            except InvalidToken:
                raise
            except StoreError as error:
                log.warning("Telegram: the outbox waits: %s", error.key)
            if not tried:
                await asyncio.sleep(self._pace.outbox)
