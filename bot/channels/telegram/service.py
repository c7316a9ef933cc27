"""Running the channel beside whatever else the process does."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from telegram import Bot, User
from telegram.error import InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from bot.channels.telegram.delivering import Delivering
from bot.channels.telegram.menu import set_menu
from bot.channels.telegram.pace import Pace
from bot.channels.telegram.polling import Polling
from bot.channels.telegram.reading import ALLOWED
from bot.channels.telegram.reminding import keep_reminding
from bot.channels.telegram.sending import Never, Sender
from bot.channels.telegram.turns import Turns
from bot.channels.telegram.webhook import Webhook, secret

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bot.bootstrap import Service

log = logging.getLogger(__name__)
_API = "https://api.telegram.org"
_CONNECTIONS = 100
_DAY = 24 * 3600


class Channel:
    """The channel as it runs.

    Attributes:
        problem: The sentence that says why it does not run; None: nothing is wrong.
        name: The bot's user name, once known.
        connected: Set when updates are taken.
        over: Set when the channel has ended for good, because of `problem`.
    """

    def __init__(self, service: Service, webhook: Webhook | None, now: Callable[[], datetime], pace: Pace) -> None:
        self.problem: str | None = None
        self.name: str | None = None
        self.connected = asyncio.Event()
        self.over = asyncio.Event()
        self._service = service
        self._webhook = webhook
        self._now = now
        self._pace = pace
        self._turns: Turns | None = None
        # One for getUpdates, which waits long, and one for the rest.
        self._requests = (_request(pace, 2), _request(pace, _CONNECTIONS))
        self._bot = _bot(service, *self._requests)

    async def run(self) -> None:
        """Connect and go on until cancelled, or until the token is not accepted; says so in one sentence then."""
        try:
            me = await self._connect()
            await self._work(me)
        except InvalidToken:
            self._end(self._service.texts.render("telegram.cli.bad_token"))
        except Never as never:
            self._end(self._service.texts.render("telegram.cli.bad_webhook", problem=str(never)))

    def _end(self, sentence: str) -> None:
        self.problem = sentence
        log.error("%s", sentence)
        self.over.set()

    async def _connect(self) -> User:
        failures = 0
        while True:
            try:
                await self._bot.initialize()
                me = await self._bot.get_me()
                break
            except InvalidToken:
                raise
            except TelegramError as error:
                if failures == 0:
                    log.warning("Telegram: not reachable yet: %s", error)
                await asyncio.sleep(self._pace.pause(failures))
                failures += 1
        self.name = me.username
        try:
            await set_menu(self._bot, self._service.texts)
        except InvalidToken:
            raise
        except TelegramError as error:  # the bot answers without a menu too
            log.warning("Telegram: the commands could not be set: %s", error)
        return me

    async def _work(self, me: User) -> None:
        service, pace = self._service, self._pace
        worker = f"telegram-{uuid4().hex[:12]}"
        sender = Sender(self._bot, service.texts, pace)
        self._turns = turns = Turns(service, sender, me, self._now, pace.direct)
        if self._webhook is not None:
            self._webhook.connect(self._bot, me, turns)
            await sender.call(self._set_webhook, _DAY)
        else:
            await sender.call(self._bot.delete_webhook, _DAY)
        mode = service.texts.render(f"telegram.cli.{'webhook' if self._webhook else 'polling'}")
        log.info("%s", service.texts.render("telegram.cli.running", name=me.username, mode=mode))
        loops = [
            Delivering(service, sender, worker, self._now, pace).keep_on(),
            keep_reminding(service, worker, self._now, pace.reminders),
        ]
        if self._webhook is None:
            loops.append(Polling(self._bot, me, turns, pace, self._conflict).run())
        self.connected.set()
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _set_webhook(self) -> bool:
        assert self._webhook is not None
        settings = self._service.settings
        address = (settings.telegram_webhook_url or "").rstrip("/") + self._webhook.path
        return await self._bot.set_webhook(
            address, secret_token=secret(settings), allowed_updates=ALLOWED, max_connections=100
        )

    def _conflict(self) -> None:
        log.warning("%s", self._service.texts.render("telegram.cli.conflict"))

    async def close(self) -> None:
        """Let running turns end, and close the connections."""
        if self._turns is not None:
            await self._turns.settle(self._pace.goodbye)
        with suppress(TelegramError, RuntimeError):
            await self._bot.shutdown()
        for request in self._requests:  # the bot leaves them open where it never knew itself
            await request.shutdown()


def _request(pace: Pace, size: int) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=size,
        read_timeout=pace.read,
        connect_timeout=pace.read,
        pool_timeout=pace.read,
        write_timeout=pace.read,
        media_write_timeout=4 * pace.read,
    )


def _bot(service: Service, updates: HTTPXRequest, request: HTTPXRequest) -> Bot:
    settings = service.settings
    assert settings.telegram_bot_token is not None
    base = (settings.telegram_api_base_url or _API).rstrip("/")

    return Bot(
        settings.telegram_bot_token.get_secret_value(),
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=request,
        get_updates_request=updates,
    )


@asynccontextmanager
async def running(
    service: Service, app: FastAPI | None = None, *, now: Callable[[], datetime] | None = None, pace: Pace | None = None
) -> AsyncIterator[Channel | None]:
    """Run the channel while the block lasts; yields at once, whatever Telegram does.

    Args:
        service: What `open_service` opened.
        app: The web application that gets the webhook's route where TELEGRAM_WEBHOOK_URL is set; without
            it, or without the address, updates are polled.
        now: The clock of the turns and reminders; by default the system's.
        pace: How long things may take.

    Yields:
        The channel, or None where no token is set.
    """
    if service.settings.telegram_bot_token is None:
        yield None
        return
    os.environ.setdefault("PTB_TIMEDELTA", "true")  # the library's coming way; the old one warns at each use
    # The libraries below log addresses, and the token is part of each.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    chosen = pace or Pace()
    hook = Webhook(service.settings, chosen) if app is not None and service.settings.telegram_webhook_url else None
    if hook is not None and app is not None:
        hook.mount(app)
    channel = Channel(service, hook, now or _clock, chosen)
    task = asyncio.create_task(_guarded(channel))
    try:
        yield channel
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await channel.close()
        if hook is not None and app is not None:
            hook.unmount(app)


async def _guarded(channel: Channel) -> None:
    """Whatever happens in the channel, the rest of the process goes on."""
    failures = 0
    while True:
        try:
            await channel.run()
            return
        except Exception:
            log.exception("Telegram: the channel starts again")
            await asyncio.sleep(min(2.0**failures, 60))
            failures += 1


def _clock() -> datetime:
    return datetime.now(UTC)
