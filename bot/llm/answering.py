"""The step with a model around the step without: both understand, the model words, the lock decides what is shown.

The answer without an LLM is always made first. It is a source of the worded answer, the measure of whether that is
whole, and what the person gets where the model is late, wrong or gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import date

import structlog

from bot.conversation import Conversation
from bot.llm.budget import Budget
from bot.llm.composing import compose, misses
from bot.llm.errors import LLMError
from bot.llm.lock import Kind
from bot.llm.masking import masked
from bot.llm.metrics import metrics
from bot.llm.model import ChatModel
from bot.llm.sources import sources_of
from bot.llm.streaming import listener
from bot.llm.understanding import agree, read
from bot.messages import Message, Reply, Status
from bot.steps.answering import Answering
from bot.texts import Texts
from bot.understanding.understand import Understander, Understood
from knowledge.loading import Pack

_log = structlog.get_logger(__name__)
_FIRST = 0.45
_LEAST = 0.3


class LLMAnswering:
    """Answers like the step without an LLM, in better words where the lock lets them pass.

    Args:
        limit: Seconds the model may cost a turn, both calls together.
    """

    def __init__(
        self,
        inner: Answering,
        model: ChatModel,
        budget: Budget,
        understander: Callable[[], Understander],
        pack: Callable[[], Pack],
        texts: Texts,
        day: Callable[[Message], date],
        limit: float,
    ) -> None:
        self._inner = inner
        self._model = model
        self._budget = budget
        self._understander = understander
        self._packs = pack
        self._texts = texts
        self._day = day
        self._limit = limit

    async def __call__(self, message: Message, conversation: Conversation) -> Reply | None:
        """Answer, ask back or decline; None where nothing fits. Never raises what the model raises."""
        if message.choice or not message.text.strip():
            return await self._inner(message, conversation)
        day = self._day(message)
        ends = time.monotonic() + self._limit
        pack, understander, inner = self._packs(), self._understander(), self._inner
        found, seen = await asyncio.to_thread(inner.understand, message.text, conversation, day)
        if staff := await inner.by_staff(found, conversation, day):
            return staff
        try:
            turn = self._budget.open_turn(day)
            reading = await read(
                self._model,
                turn,
                message.text,
                conversation,
                found,
                pack,
                self._texts,
                limit=self._limit * _FIRST,
            )
        except LLMError as error:
            return _degraded(await inner.extended(inner.answer(found, conversation, day, seen), day), error)

        def again(text: str) -> Understood:
            alone = Conversation(id="", channel="", created_at=message.at)
            return understander.understand(text, alone, day)

        decided = await asyncio.to_thread(agree, found, reading, pack, again)
        reply = await inner.extended(inner.answer(decided, conversation, day, seen), day)
        if reply is None or reading.kind != "question" or not _may_be_worded(reply):
            metrics().turns.labels("not_worded").inc()
            return reply
        left = ends - time.monotonic()
        if left < _LEAST:
            metrics().turns.labels("late").inc()
            return reply.model_copy(update={"degraded": True})
        sources = sources_of(pack, reply.citations, [reply.text])
        try:
            locked = await compose(
                self._model,
                turn,
                masked(message.text).text,
                sources,
                day,
                self._texts,
                limit=left,
                titles=[t for d in pack.documents.values() for t in (d.title, d.short)],
                listener=listener(),
            )
        except LLMError as error:
            return _degraded(reply, error)
        for cut in locked.cut:
            _log.info(
                "llm.cut",
                topics=reply.topics,
                kinds=[u.kind.value for u in cut.why],
                words=[masked(u.words).text for u in cut.why],
            )
        # A model that got an engine's verdict wrong in one sentence is not trusted with the others.
        lost = misses(locked.text, reply.text) or any(u.kind is Kind.VERDICT for cut in locked.cut for u in cut.why)
        if locked.complete != "complete" or not locked.kept or len(locked.cut) > len(locked.kept) or lost:
            metrics().turns.labels("not_whole").inc()
            _log.info(
                "llm.not_whole",
                topics=reply.topics,
                complete=locked.complete,
                kept=len(locked.kept),
                cut=len(locked.cut),
                lost=lost,
            )
            return reply.model_copy(update={"degraded": True})
        metrics().turns.labels("worded").inc()
        return reply.model_copy(update={"text": locked.text, "used_llm": True})


def _may_be_worded(reply: Reply) -> bool:
    """Answers to topics alone are worded; what declines, refuses, asks back or quotes a clause is said as it is."""
    return (
        reply.status is Status.ANSWERED
        and bool(reply.citations and reply.topics)
        and not reply.attachments
        and not reply.by_staff
    )


def _degraded(reply: Reply | None, error: LLMError) -> Reply | None:
    metrics().turns.labels(error.kind.value).inc()
    _log.warning("llm.failed", kind=error.kind.value, detail=error.detail)
    return reply.model_copy(update={"degraded": True}) if reply else None
