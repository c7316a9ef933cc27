"""The last step: what nothing else could answer is declined in words, for a person to answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from bot.conversation import Conversation
from bot.engines.base import Book
from bot.messages import Choice, Message, Reason, Reply, Status
from bot.texts import Texts
from knowledge.loading import Pack


class Escalating:
    """Always replies."""

    def __init__(self, pack: Pack, texts: Texts, day: Callable[[Message], date]) -> None:
        self._pack = pack
        self._texts = texts
        self._day = day

    async def __call__(self, message: Message, conversation: Conversation) -> Reply:
        """Say that the sources do not answer this, and whom to ask."""
        choices = tuple(Choice(**c) for c in self._texts.get("replies.most_asked"))
        if message.choice:
            # A button that no step knows any more is nobody's question.
            return Reply(text=self._texts.render("replies.stale_choice"), status=Status.CLARIFY, choices=choices)
        book = Book(self._pack, self._texts, self._day(message))
        text = self._texts.render("replies.unanswered", phone=book.phone("business"))
        return Reply(
            text=text,
            status=Status.UNANSWERED,
            citations=book.citations(),
            choices=choices,
            reason=Reason.NOT_UNDERSTOOD,
        )
