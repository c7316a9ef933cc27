"""The webhook: a route on the web application's own port, answered when the update is done."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from contextlib import suppress

from fastapi import FastAPI, Request, Response
from pydantic import SecretStr
from telegram import Bot, Update, User
from telegram.error import InvalidToken

from bot.channels.telegram.pace import Pace
from bot.channels.telegram.reading import read
from bot.channels.telegram.turns import Turns
from bot.settings import Settings
from bot.store import StoreError

log = logging.getLogger(__name__)
HEADER = "X-Telegram-Bot-Api-Secret-Token"
LARGEST = 1_000_000
"""Bytes of an update; Telegram's are far smaller."""


def _derived(token: SecretStr, purpose: str) -> str:
    return hmac.new(token.get_secret_value().encode(), purpose.encode(), hashlib.sha256).hexdigest()


def path(token: SecretStr) -> str:
    """The route's path; it cannot be guessed without the token, and the token not from it."""
    return f"/telegram/{_derived(token, 'path')[:40]}"


def secret(settings: Settings) -> str:
    """The secret token that Telegram sends along."""
    if settings.telegram_webhook_secret is not None:
        return settings.telegram_webhook_secret.get_secret_value()
    assert settings.telegram_bot_token is not None
    return _derived(settings.telegram_bot_token, "secret")


class Webhook:
    """Takes updates from Telegram's requests; not ready (503) until `connect`."""

    def __init__(self, settings: Settings, pace: Pace) -> None:
        assert settings.telegram_bot_token is not None
        self.path = path(settings.telegram_bot_token)
        self._secret = secret(settings)
        self._pace = pace
        self._bot: Bot | None = None
        self._me: User | None = None
        self._turns: Turns | None = None
        self._last = 0
        self._arrived = asyncio.Condition()

    def connect(self, bot: Bot, me: User, turns: Turns) -> None:
        """From now on updates are handled."""
        self._bot, self._me, self._turns = bot, me, turns

    def mount(self, app: FastAPI) -> None:
        """Put the route before all others (one of them may catch everything)."""
        app.add_api_route(self.path, self.receive, methods=["POST"], include_in_schema=False)
        app.router.routes.insert(0, app.router.routes.pop())

    def unmount(self, app: FastAPI) -> None:
        """Take the route away."""
        app.router.routes[:] = [r for r in app.router.routes if getattr(r, "path", None) != self.path]

    async def receive(self, request: Request) -> Response:
        """One update: 200 when it is done, 503 where it has to come again."""
        said = request.headers.get(HEADER, "")
        if not hmac.compare_digest(said.encode(), self._secret.encode()):
            return Response(status_code=403)
        if self._turns is None or self._me is None:
            return Response(status_code=503)
        body = await request.body()
        if len(body) > LARGEST:
            return Response(status_code=413)
        try:
            update = Update.de_json(json.loads(body), self._bot)
        except (ValueError, KeyError, TypeError, AttributeError):  # no JSON, or of another shape
            return Response(status_code=400)
        await self._in_turn(update.update_id)
        incoming = read(update, self._me)
        if incoming is None:
            return Response(status_code=200)
        try:
            await asyncio.wait_for(asyncio.shield(self._turns.submit(incoming)), self._pace.webhook)
        except (StoreError, InvalidToken, TimeoutError):
            return Response(status_code=503)
        return Response(status_code=200)

    async def _in_turn(self, number: int) -> None:
        """Where the update before this one has not come yet, give it a moment: requests may overtake each other."""
        async with self._arrived:
            if self._last and number > self._last + 1:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._arrived.wait_for(lambda: self._last >= number - 1), self._pace.reorder)
            self._last = max(self._last, number)
            self._arrived.notify_all()
