"""What a person says to staff on their ticket goes to staff: the assistant does not talk over them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.conversation import Conversation
from bot.messages import Message, Reply, Status
from bot.texts import Texts
from knowledge.text import normalise

Says = Callable[[str, str, str, datetime], Awaitable[bool]]
"""Ticket number, conversation id, text, time; False where that is not this person's ticket."""
BUTTON = "k"
QUESTION = "staff.question"
"""Topic of a question that staff ask back; the person's next message answers it."""


class StaffThread:
    """The step for answers to staff."""

    def __init__(self, texts: Texts, says: Says) -> None:
        self._texts = texts
        self._says = says
        self._steering = {w for ws in texts.get("commands.words").values() for w in ws}

    async def __call__(self, message: Message, conversation: Conversation) -> Reply | None:
        """The receipt of what was said to staff; None where the message is not for them."""
        kind, _, number = (message.choice or "").partition(":")
        if kind == BUTTON and number:
            conversation.pending = {"kind": "staff", "ticket": number}
            return Reply(text=self._texts.render("helpdesk.thread.say"), status=Status.CHITCHAT)
        waiting = self._waiting(conversation)
        if message.choice or waiting is None:
            return None
        if normalise(message.text).strip() in self._steering or not message.text.strip():
            return None
        if (conversation.pending or {}).get("kind") == "staff":
            conversation.pending = None
        if not await self._says(waiting, conversation.id, message.text, message.at):
            return None
        return Reply(text=self._texts.render("helpdesk.thread.passed_on", number=waiting), status=Status.CHITCHAT)

    def _waiting(self, conversation: Conversation) -> str | None:
        pending = conversation.pending or {}
        if pending.get("kind") == "staff":
            return str(pending["ticket"])
        last = conversation.turns[-1].reply if conversation.turns else None
        if last is not None and last.by_staff and QUESTION in last.topics:
            return last.ticket
        return None
