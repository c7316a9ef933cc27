"""One update from beginning to end, once: updates of one chat in order, chats in parallel."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from telegram import User
from telegram.error import InvalidToken

from bot.channels.telegram.reading import Incoming
from bot.channels.telegram.reminding import Reminding
from bot.channels.telegram.rendering import DONE, NTH, SOURCES, Button, asked_once, citations_of, pressed
from bot.channels.telegram.sending import Later, Never, Sender, markup_of
from bot.conversation import Conversation, Turn
from bot.messages import Choice, Message, Reply, Status
from bot.store import NewDelivery, StoreError
from knowledge.text import normalise

if TYPE_CHECKING:
    from bot.bootstrap import Service

log = logging.getLogger(__name__)
CHANNEL = "telegram"
_PAUSES = (0.1, 0.5, 2.0)
"""Between tries of a turn that the store could not keep."""


class Turns:
    """Handles updates for one bot."""

    def __init__(
        self, service: Service, sender: Sender, me: User, now: Callable[[], datetime], patience: float
    ) -> None:
        self._service = service
        self._store = service.store
        self._texts = service.texts
        self._sender = sender
        self._me = me
        self._now = now
        self._patience = patience
        self._reminding = Reminding(service, now)
        self._waiting: dict[int, list[tuple[int, Incoming]]] = {}
        self._promised: dict[int, asyncio.Future[None]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._commands: dict[str, dict[str, str]] = self._texts.get("telegram.commands")

    def submit(self, incoming: Incoming) -> asyncio.Future[None]:
        """Queue an update behind those of its chat; done when it needs no acknowledgement any more.

        The same update again gets the same future while it is under way. The future raises StoreError
        where the update could not be handled and has to come again.
        """
        if (known := self._promised.get(incoming.order)) is not None:
            return known
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._promised[incoming.order] = future
        future.add_done_callback(lambda f: self._settle(incoming.order, f))
        queue = self._waiting.get(incoming.chat)
        if queue is None:
            queue = self._waiting[incoming.chat] = []
            worker = asyncio.create_task(self._work(incoming.chat, queue))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        heapq.heappush(queue, (incoming.order, incoming))
        return future

    def _settle(self, order: int, future: asyncio.Future[None]) -> None:
        self._promised.pop(order, None)
        if not future.cancelled():
            future.exception()  # looked at, so that nobody is told it was not

    async def settle(self, patience: float) -> None:
        """Let running turns end, then stop those that do not."""
        if self._workers:
            await asyncio.wait(self._workers, timeout=patience)
        for worker in list(self._workers):
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _work(self, chat: int, queue: list[tuple[int, Incoming]]) -> None:
        await asyncio.sleep(0)  # those of one batch are sorted before the first begins
        try:
            while queue:
                order, incoming = heapq.heappop(queue)
                future = self._promised.get(order)
                if future is None:
                    continue
                try:
                    await self._once(incoming)
                except (StoreError, InvalidToken) as error:
                    if not future.done():
                        future.set_exception(error)
                else:
                    if not future.done():
                        future.set_result(None)
        finally:
            if self._waiting.get(chat) is queue:
                del self._waiting[chat]
            for order, _ in queue:
                if (left := self._promised.get(order)) is not None:
                    left.cancel()

    async def _once(self, incoming: Incoming) -> None:
        key = str(incoming.order)
        if await self._store.conversations.processed(CHANNEL, key):
            return
        try:
            await self._handle(incoming)
        except (StoreError, InvalidToken):
            raise
        except Never as never:
            log.info("Telegram: a reply could not be sent: %s", never)
        except Exception:
            log.exception("Telegram: an update could not be handled")
            await self._say(incoming, self._texts.render("telegram.failed"))
        await self._store.conversations.mark_processed(CHANNEL, key, self._now())

    async def _say(self, incoming: Incoming, text: str) -> None:
        """A sentence that belongs to no turn; its failure is left at that."""
        try:
            reply = Reply(text=text, status=Status.CHITCHAT)
            await self._sender.reply(incoming.chat, reply, incoming.external_id, patience=self._patience / 4)
        except (Later, Never) as error:
            log.warning("Telegram: %s", error)

    # --- what an update asks for

    async def _handle(self, incoming: Incoming) -> None:
        person = await self._store.persons.remember(CHANNEL, incoming.person, self._now())
        conversation = f"{CHANNEL}-{person}"
        match incoming.kind:
            case "press":
                await self._press(incoming, conversation, person)
            case "edit":
                await self._edit(incoming, conversation, person)
            case "medium":
                await self._medium(incoming, conversation, person)
            case "gone":
                await self._reminding.stop(conversation)
                await self._store.persons.unreachable(person, self._now())
            case "arrival":
                await self._say(incoming, self._texts.render("telegram.group.hello", name=self._me.username))
            case "back":
                pass
            case _:
                await self._text(incoming, conversation, person, incoming.text)

    async def _text(self, incoming: Incoming, conversation: str, person: str, text: str, lead: str = "") -> None:
        command, words = incoming.command or ("", "")
        if not incoming.private and (
            self._commands.get(command, {}).get("personal") or self._reminding.wants(normalise(text))
        ):
            await self._go_private(incoming, command)
            return
        if command == "start" and words:
            await self._deep_link(incoming, conversation, person, words)
            return
        if command:
            text = self._commands.get(command, {}).get("says") or f"/{command}" + (f" {words}" if words else "")
        local = None if command else self._reminding.asked(normalise(text))
        if command == "remind":
            local = "r:stop" if words and self._reminding.asked(normalise(words)) == "r:stop" else "r:on"
        await self._answer(incoming, conversation, person, text, lead=lead, choice=local)

    async def _deep_link(self, incoming: Incoming, conversation: str, person: str, payload: str) -> None:
        """t.me/<bot>?start=<payload>: a topic's id with hyphens, or a resume code."""
        plain = re.sub(r"[^a-z0-9]+", "-", payload.lower()).strip("-")
        for topic in self._service.pack.topics:
            if re.sub(r"[^a-z0-9]+", "-", topic.lower()) == plain:
                await self._answer(incoming, conversation, person, "", choice=f"t:{topic}")
                return
        if not incoming.private:
            await self._go_private(incoming, "form")
            return
        # A resume code says itself what it wants, like one that is typed; anything else is a plain start.
        code = re.fullmatch(r"(?i)c-?[0-9a-z-]{10,12}", payload)
        await self._answer(incoming, conversation, person, payload if code else "/start")

    async def _edit(self, incoming: Incoming, conversation: str, person: str) -> None:
        """A changed message is a correction where it was the last one; an older one is left as it was."""
        turns = await self._store.conversations.history(conversation, limit=8)
        said = [t.turn for t in turns if not (t.turn.external_id or "").startswith("delivery:")]
        ours = incoming.external_id.partition(":")[0]
        if not said or (said[-1].external_id or "").partition(":")[0] != ours:
            return
        if said[-1].text == incoming.text or not incoming.text:
            return
        if said[-1].reply.status is Status.FORM:
            text = self._texts.render("telegram.edit.form", text=incoming.text)
            await self._answer(incoming, conversation, person, text)
            return
        await self._text(incoming, conversation, person, incoming.text, self._texts.render("telegram.edit.lead"))

    async def _medium(self, incoming: Incoming, conversation: str, person: str) -> None:
        known = self._texts.get("telegram.media")
        words = self._texts.render(f"telegram.media.{incoming.medium if incoming.medium in known else 'other'}")
        if incoming.text:
            lead = f"{words}\n\n{self._texts.render('telegram.caption')}"
            await self._text(incoming, conversation, person, incoming.text, lead)
            return

        async def say(_: Conversation) -> Reply:
            return Reply(text=words, status=Status.CLARIFY, choices=self._most_asked())

        label = self._texts.render("telegram.medium", name=incoming.medium)
        await self._local(incoming, conversation, person, label, say)

    async def _press(self, incoming: Incoming, conversation: str, person: str) -> None:
        data = incoming.data
        bot, query = self._sender.bot, incoming.query or ""
        if data.startswith(DONE):
            text = self._texts.render("telegram.pressed")
            await self._sender.quietly(lambda: bot.answer_callback_query(query, text))
            return
        if data.startswith(SOURCES):
            await self._sources(incoming, conversation, data.removeprefix(SOURCES))
            return
        # One press a message for answers to a question, one a button for the rest; kept when it is done, so
        # that an update that comes again after a kill is not taken for a second press.
        scope = "" if asked_once(data) else hashlib.sha256(data.encode()).hexdigest()[:12]
        once = f"press:{conversation}:{incoming.message_id}:{scope}"
        if await self._store.conversations.processed(CHANNEL, once):
            text = self._texts.render("telegram.pressed")
            await self._sender.quietly(lambda: bot.answer_callback_query(query, text))
            return
        await self._sender.quietly(lambda: bot.answer_callback_query(query))
        choice = await self._by_place(data, conversation) if data.startswith(NTH) else data
        if incoming.shown and incoming.message_id is not None:
            rows = markup_of(pressed(incoming.shown, data))
            at = incoming.message_id
            await self._sender.quietly(lambda: bot.edit_message_reply_markup(incoming.chat, at, reply_markup=rows))
        if not incoming.private and choice.startswith("r:"):
            await self._go_private(incoming, "remind")
        else:
            await self._answer(incoming, conversation, person, "", choice=choice)
        await self._store.conversations.mark_processed(CHANNEL, once, self._now())

    async def _by_place(self, data: str, conversation: str) -> str:
        place, _, ref = data.removeprefix(NTH).partition(":")
        saved = await self._store.conversations.earlier(conversation, ref)
        choices = saved.reply.choices if saved else ()
        return choices[int(place)].value if place.isdigit() and int(place) < len(choices) else "stale"

    async def _sources(self, incoming: Incoming, conversation: str, ref: str) -> None:
        saved = await self._store.conversations.earlier(conversation, ref)
        pages = citations_of(saved.reply.citations) if saved else []
        bot, query = self._sender.bot, incoming.query or ""
        if not pages:
            text = self._texts.render("telegram.no_sources")
            await self._sender.quietly(lambda: bot.answer_callback_query(query, text, show_alert=True))
            return
        await self._sender.quietly(lambda: bot.answer_callback_query(query))
        for page in pages:
            try:
                await self._sender.text(incoming.chat, page, answers=incoming.message_id, patience=self._patience)
            except Later as later:  # can be pressed again
                log.warning("Telegram: sources not sent: %s", later)
                return

    # --- a turn and its reply

    async def _answer(
        self,
        incoming: Incoming,
        conversation: str,
        person: str,
        text: str,
        *,
        lead: str = "",
        choice: str | None = None,
    ) -> None:
        if choice is not None and choice.startswith("r:"):
            value = choice
            await self._local(
                incoming, conversation, person, text or self._label(incoming), lambda c: self._reminding.reply(c, value)
            )
            return
        message = Message(
            conversation_id=conversation,
            channel=CHANNEL,
            text="" if choice else text,
            choice=choice,
            at=self._now(),
            external_id=incoming.external_id,
        )
        async with self._sender.typing(incoming.chat):
            reply = await self._kept(lambda: self._service.assistant.handle(message))
        if not incoming.private and (reply.status is Status.FORM or reply.progress is not None):
            await self._leave_form(conversation)
            await self._go_private(incoming, "form")
            return
        await self._out(incoming, conversation, person, reply, lead)

    async def _local(
        self,
        incoming: Incoming,
        conversation: str,
        person: str,
        text: str,
        make: Callable[[Conversation], Awaitable[Reply]],
    ) -> None:
        """A turn of the channel's own, kept like any other."""

        async def turn() -> Reply:
            earlier = await self._store.conversations.earlier(conversation, incoming.external_id)
            if earlier is not None:
                return earlier.reply
            loaded = await self._store.load(conversation, CHANNEL, self._now())
            if loaded.version == 0:  # what belongs to a conversation needs one
                await self._store.conversations.save(loaded, self._now())
                loaded.version = 1
            async with self._store.transaction():  # e.g. a resume code is used up with the turn or not at all
                reply = await make(loaded)
                kept = Turn(at=self._now(), text=text, reply=reply, external_id=incoming.external_id)
                return (await self._store.save_turn(loaded, kept)).reply

        await self._out(incoming, conversation, person, await self._kept(turn))

    async def _kept(self, turn: Callable[[], Awaitable[Reply]]) -> Reply:
        """A turn again where the store was busy, or the thread changed on another replica."""
        for pause in _PAUSES:
            try:
                return await turn()
            except StoreError as error:
                log.info("Telegram: a turn is tried again: %s", error.key)
                await asyncio.sleep(pause)
        return await turn()

    async def _out(self, incoming: Incoming, conversation: str, person: str, reply: Reply, lead: str = "") -> None:
        await self._store.persons.attach(conversation, person)
        receipt = reply.status is Status.FORM and bool(reply.attachments)
        if receipt:
            paper = Reply(text="", status=Status.FORM, attachments=reply.attachments)
            await self._store.outbox.add(
                NewDelivery(
                    conversation,
                    CHANNEL,
                    paper,
                    "receipt",
                    f"receipt:{conversation}:{incoming.external_id}",
                    address=incoming.person,
                ),
                self._now(),
            )

        async def fresh(part: int) -> bool:
            return not await self._store.conversations.processed(CHANNEL, f"{incoming.order}#{part}")

        async def sent(part: int) -> None:
            await self._store.conversations.mark_processed(CHANNEL, f"{incoming.order}#{part}", self._now())

        try:
            await self._sender.reply(
                incoming.chat,
                reply,
                incoming.external_id,
                lead=lead,
                patience=self._patience,
                fresh=fresh,
                sent=sent,
                answers=None if incoming.private else incoming.message_id,
                files=not receipt,
            )
        except Later as later:
            # The chat must not wait for ever; the outbox keeps it.
            log.warning("Telegram: a reply goes to the outbox: %s", later)
            whole = reply if not receipt else reply.model_copy(update={"attachments": ()})
            whole = whole.model_copy(update={"text": f"{lead}\n\n{whole.text}"}) if lead else whole
            pause = timedelta(seconds=later.after or 0)
            await self._store.outbox.add(
                NewDelivery(
                    conversation,
                    CHANNEL,
                    whole,
                    "reply",
                    f"reply:{conversation}:{incoming.external_id}",
                    address=incoming.person,
                    not_before=self._now() + pause,
                ),
                self._now(),
            )
        except Never as never:
            if never.unreachable:
                await self._store.persons.unreachable(person, self._now())
            raise

    async def _leave_form(self, conversation: str) -> None:
        """In a group no form stays open: the next message there is no answer to it."""
        loaded = await self._store.load(conversation, CHANNEL, self._now())
        for name in ("form", "pending"):
            if name in Conversation.model_fields:
                setattr(loaded, name, None)
        await self._store.conversations.save(loaded, self._now())

    async def _go_private(self, incoming: Incoming, command: str) -> None:
        name = self._me.username or ""
        link = f"https://t.me/{name}?start={quote(command or 'group')}"
        row = ((Button(self._texts.render("telegram.group.button"), url=link),),)
        text = self._texts.render("telegram.group.private")
        try:
            await self._sender.text(incoming.chat, text, row, answers=incoming.message_id, patience=self._patience)
        except Later as later:
            log.warning("Telegram: %s", later)

    def _most_asked(self) -> tuple[Choice, ...]:
        return tuple(Choice(**c) for c in self._texts.get("replies.most_asked"))

    def _label(self, incoming: Incoming) -> str:
        return next((b.label for row in incoming.shown for b in row if b.data == incoming.data), incoming.data)
