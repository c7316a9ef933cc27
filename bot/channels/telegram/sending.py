"""Calls of the Bot API that outlast bad minutes: flood limits are obeyed, failures tried again with growing pauses."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TypeVar

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, ReplyParameters
from telegram.constants import ChatAction, ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.channels.telegram.pace import Pace
from bot.channels.telegram.rendering import Keyboard, keyboard, messages_of
from bot.messages import Attachment, Reply
from bot.texts import Texts

log = logging.getLogger(__name__)
T = TypeVar("T")
_GONE = re.compile(
    r"chat not found|user is deactivated|bot was (kicked|blocked)|PEER_ID_INVALID|group chat was deleted|"
    r"user not found|not enough rights to send|have no rights to send",
    re.I,
)
_UNREADABLE = re.compile(r"can't parse entities", re.I)
LARGEST_FILE = 50_000_000
"""Bytes of a document that a bot may send."""


class Later(Exception):
    """It could not be sent for the time being.

    Args:
        after: Seconds that Telegram asked us to wait; None: it did not say.
    """

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Never(Exception):
    """It cannot be sent. `unreachable`: the person blocked the bot, or the chat is gone."""

    def __init__(self, reason: str, *, unreachable: bool) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


def wait_of(error: RetryAfter) -> float:
    """The seconds a flood limit asks for."""
    given = error.retry_after
    return given.total_seconds() if isinstance(given, timedelta) else float(given)


def judged(error: TelegramError) -> Later | Never | None:
    """Whether trying again may help; None: the token is not accepted, which is not this call's matter."""
    if isinstance(error, RetryAfter):
        return Later("flood limit", wait_of(error))
    if isinstance(error, InvalidToken):
        return None
    if isinstance(error, Forbidden):
        return Never(f"forbidden: {error.message}", unreachable=True)
    if isinstance(error, BadRequest):
        return Never(error.message, unreachable=_GONE.search(error.message) is not None)
    if isinstance(error, TimedOut):
        return Later("time-out")
    if isinstance(error, NetworkError | Conflict):
        return Later(f"network: {error.message[:120]}")
    return Never(error.message, unreachable=False)


def markup_of(rows: Keyboard) -> InlineKeyboardMarkup | None:
    """A keyboard in the library's words."""
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton(b.label, url=b.url)
                if b.url
                else InlineKeyboardButton(b.label, callback_data=b.data)
                for b in row
            ]
            for row in rows
        ]
    )


class Sender:
    """Sends for one bot."""

    def __init__(self, bot: Bot, texts: Texts, pace: Pace) -> None:
        self.bot = bot
        self._texts = texts
        self._pace = pace

    async def call(self, make: Callable[[], Awaitable[T]], patience: float) -> T:
        """Call until it works, at most `patience` seconds.

        Raises:
            Later: It did not work in that time.
            Never: It cannot work.
            InvalidToken: The token is not accepted any more.
        """
        loop = asyncio.get_running_loop()
        end, attempt = loop.time() + patience, 0
        while True:
            try:
                return await make()
            except ChatMigrated:
                raise
            except TelegramError as error:
                found = judged(error)
                if found is None:
                    raise
                if isinstance(found, Never):
                    raise found from error
                pause = found.after if found.after is not None else self._pace.pause(attempt)
                attempt += 1
                if loop.time() + pause > end:
                    raise found from error
                await asyncio.sleep(pause)

    async def text(
        self, chat: int, html: str, rows: Keyboard = (), *, answers: int | None = None, patience: float
    ) -> None:
        """One message. Raises Later, Never, InvalidToken."""
        markup = markup_of(rows)
        quoted = ReplyParameters(answers, allow_sending_without_reply=True) if answers is not None else None

        async def send(to: int, words: str, mode: str | None) -> None:
            await self.bot.send_message(to, words, parse_mode=mode, reply_markup=markup, reply_parameters=quoted)

        try:
            await self.call(lambda: send(chat, html, ParseMode.HTML), patience)
        except ChatMigrated as moved:
            new = moved.new_chat_id
            await self.call(lambda: send(new, html, ParseMode.HTML), patience)
        except Never as never:
            if never.unreachable or not _UNREADABLE.search(str(never)):
                raise
            log.error("Telegram could not read our HTML; sent without it")
            await self.call(lambda: send(chat, re.sub(r"<[^>]+>", "", html), None), patience)

    async def document(self, chat: int, file: Attachment, patience: float) -> None:
        """One document. Raises Later, Never, InvalidToken."""
        if len(file.content) > LARGEST_FILE:
            raise Never("file too large", unreachable=False)
        await self.call(
            lambda: self.bot.send_document(chat, InputFile(file.content, file.filename, attach=False)), patience
        )

    async def reply(
        self,
        chat: int,
        reply: Reply,
        ref: str,
        *,
        lead: str = "",
        answers: int | None = None,
        patience: float,
        fresh: Callable[[int], Awaitable[bool]] | None = None,
        sent: Callable[[int], Awaitable[None]] | None = None,
        files: bool = True,
    ) -> None:
        """A whole reply: its messages, the keyboard under the last, its documents.

        Args:
            ref: The turn's external id, behind the sources' button.
            lead: Words before the reply.
            fresh, sent: Asked and told of each part, so that a second try begins where the first ended.

        Raises:
            Later, Never, InvalidToken.
        """
        pages = messages_of(f"{lead}\n\n{reply.text}" if lead else reply.text)
        count = len(reply.citations)
        label = self._texts.render("telegram.sources", count=count) if count else None
        rows = keyboard(reply.choices, ref, label)
        steps: list[Callable[[], Awaitable[None]]] = []
        for n, page in enumerate(pages):
            last = n == len(pages) - 1
            steps.append(self._page(chat, page, rows if last else (), answers if n == 0 else None, patience))
        if files:
            steps += [self._file(chat, file, patience) for file in reply.attachments]
        for n, step in enumerate(steps):
            tracked = len(steps) > 1
            if tracked and fresh is not None and not await fresh(n):
                continue
            await step()
            if tracked and sent is not None:
                await sent(n)

    def _page(
        self, chat: int, html: str, rows: Keyboard, answers: int | None, patience: float
    ) -> Callable[[], Awaitable[None]]:
        return lambda: self.text(chat, html, rows, answers=answers, patience=patience)

    def _file(self, chat: int, file: Attachment, patience: float) -> Callable[[], Awaitable[None]]:
        return lambda: self.document(chat, file, patience)

    async def quietly(self, make: Callable[[], Awaitable[object]]) -> None:
        """A call whose failure harms nobody: tried once."""
        with suppress(TelegramError):
            await make()

    @asynccontextmanager
    async def typing(self, chat: int) -> AsyncIterator[None]:
        """Show "typing" while the block lasts, if it lasts."""

        async def keep() -> None:
            await asyncio.sleep(self._pace.typing_after)
            while True:
                await self.quietly(lambda: self.bot.send_chat_action(chat, ChatAction.TYPING))
                await asyncio.sleep(self._pace.typing_every)

        task = asyncio.create_task(keep())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
