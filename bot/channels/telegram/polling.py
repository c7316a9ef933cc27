"""Updates fetched by getUpdates, and acknowledged only when each is done.

Asking with an offset acknowledges everything below it. So the offset stays at the smallest update that is
not done, those that Telegram therefore repeats are known by their number, and a process that is killed
finds them again. While turns run, we ask without waiting, at growing intervals; else Telegram holds the
request until something comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from telegram import Bot, Update, User
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.channels.telegram.pace import Pace
from bot.channels.telegram.reading import ALLOWED, read
from bot.channels.telegram.sending import wait_of
from bot.channels.telegram.turns import Turns

log = logging.getLogger(__name__)
_BATCH = 100
_SHORTEST, _LONGEST, _EACH = 0.05, 1.0, 0.005
"""Seconds between looks while turns run, and how much each unfinished one adds."""


class Polling:
    """The loop, for one bot."""

    def __init__(self, bot: Bot, me: User, turns: Turns, pace: Pace, conflict: Callable[[], None]) -> None:
        self._bot = bot
        self._me = me
        self._turns = turns
        self._pace = pace
        self._conflict = conflict
        self._running: dict[int, asyncio.Future[None]] = {}
        self._done: set[int] = set()
        self._next: int | None = None

    async def run(self) -> None:
        """Fetch for ever. Raises InvalidToken where the token is not accepted any more."""
        failures, interval = 0, _SHORTEST
        while True:
            try:
                updates = await self._fetch()
                failures = 0
            except InvalidToken:
                raise
            except RetryAfter as error:
                await asyncio.sleep(wait_of(error))
                continue
            except TelegramError as error:
                if isinstance(error, Conflict) and failures == 0:
                    self._conflict()
                elif failures == 0:
                    log.warning("Telegram: cannot fetch updates for now: %s", error)
                await asyncio.sleep(self._pace.pause(failures))
                failures += 1
                continue
            new = [u for u in updates if u.update_id not in self._running and u.update_id not in self._done]
            for update in sorted(new, key=lambda u: u.update_id):
                self._begin(update)
            # Each look fetches the unfinished anew, so the more there are, the rarer the looks.
            shortest = max(_SHORTEST, _EACH * len(self._running))
            interval = shortest if new else min(max(interval, shortest) * 2, _LONGEST)
            await self._look(interval)

    def _begin(self, update: Update) -> None:
        incoming = read(update, self._me)
        if incoming is None:
            self._done.add(update.update_id)
        else:
            self._running[update.update_id] = self._turns.submit(incoming)

    async def _fetch(self) -> tuple[Update, ...]:
        waits = 0.0 if self._running else self._pace.poll
        return await self._bot.get_updates(
            offset=self._next,
            limit=_BATCH,
            timeout=timedelta(seconds=int(waits)),
            allowed_updates=ALLOWED,
            read_timeout=self._pace.read,
        )

    async def _look(self, interval: float) -> None:
        """Wait a moment for running turns, and move the offset up to the smallest that is not done."""
        if self._running:
            await asyncio.wait(self._running.values(), timeout=interval)
        failed = False
        for number, future in list(self._running.items()):
            if future.done():
                del self._running[number]
                if future.cancelled() or future.exception() is not None:
                    failed = True  # not done: Telegram gives it to us again
                    self._next = min(number, self._next) if self._next is not None else number
                else:
                    self._done.add(number)
        if failed:
            await asyncio.sleep(self._pace.first_pause)
            self._done = {n for n in self._done if self._next is None or n >= self._next}
            return
        if self._running:
            self._next = min(self._running)
        elif self._done:
            self._next = max(self._done) + 1
        self._done = {n for n in self._done if self._next is None or n >= self._next}
