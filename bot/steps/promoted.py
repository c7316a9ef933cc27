"""Staff answers that became knowledge: asked before the pack's topics, in every process, from the next message on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.conversation import Conversation
from bot.messages import Choice, Citation, Reply, Status
from bot.texts import Texts
from bot.understanding.understand import Understood
from knowledge.pack import Topic, TopicKind

Vector = NDArray[np.float32]
_LENIENT = 0.05
"""How much nearer a declined topic's sample may be: what the notice does not say, staff have said since."""


class PromotedAnswer(Protocol):
    """A staff answer in use, as the store keeps it."""

    @property
    def topic_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def wordings(self) -> tuple[str, ...]: ...
    @property
    def answer(self) -> str: ...
    @property
    def citations(self) -> tuple[Citation, ...]: ...
    @property
    def scope(self) -> dict[str, Any] | None: ...
    @property
    def replaces(self) -> str | None: ...
    @property
    def version(self) -> int: ...


@dataclass(frozen=True)
class _Shelf:
    """The promoted answers of one revision and day, their wordings as vectors."""

    revision: int
    day: date | None
    answers: Mapping[str, PromotedAnswer]
    owners: tuple[str, ...]
    vectors: Vector | None


class Promoted:
    """Answers from promoted answers.

    Args:
        revision: Counts the changes made in any process; read again with every conversation.
        answering: The promoted answers in use on a day.
        encode: Wordings to vectors.
        bar: Above this similarity a question asks the same as a wording.
        nearest_topics: Similarity of the nearest sample of each of the pack's topics.
    """

    def __init__(
        self,
        texts: Texts,
        topics: Mapping[str, Topic],
        revision: Callable[[], int],
        answering: Callable[[date], Awaitable[Sequence[PromotedAnswer]]],
        encode: Callable[[Sequence[str]], Vector],
        bar: Callable[[], float],
        nearest_topics: Callable[[Vector], Mapping[str, float]],
    ) -> None:
        self._texts = texts
        self._topics = topics
        self._revision = revision
        self._answering = answering
        self._encode = encode
        self._bar = bar
        self._nearest_topics = nearest_topics
        self._shelf = _Shelf(0, None, {}, (), None)

    async def shelf(self, day: date) -> _Shelf:
        """What is in use on a day; loaded anew when anything was promoted or withdrawn, or a day began."""
        revision = self._revision()
        if revision == self._shelf.revision and (day == self._shelf.day or revision == 0):
            return self._shelf
        return await self.reload(day)

    async def reload(self, day: date) -> _Shelf:
        """Load what is in use on a day, whatever the revision."""
        revision, found = self._revision(), await self._answering(day)
        pairs = [(one.topic_id, wording) for one in found for wording in one.wordings]
        vectors = await asyncio.to_thread(self._encode, [wording for _, wording in pairs]) if pairs else None
        self._shelf = _Shelf(revision, day, {one.topic_id: one for one in found}, tuple(o for o, _ in pairs), vectors)
        return self._shelf

    async def reply(self, found: Understood, conversation: Conversation, day: date) -> Reply | None:
        """The promoted answer to an understood message; None where none is meant."""
        shelf = await self.shelf(day)
        if shelf.vectors is None or found.vector is None:
            return None
        answer = await self._find(shelf, found.vector)
        if answer is None or not _applies(answer, conversation):
            return None
        conversation.last_topics, conversation.last_question, conversation.pending = (), found.text, None
        return Reply(
            text=self.words(answer), status=Status.ANSWERED, citations=answer.citations, topics=(answer.topic_id,),
            choices=tuple(Choice(**c) for c in self._texts.get("helpdesk.promoted.choices")),
        )  # fmt: skip

    async def find(self, vector: Vector, day: date) -> str | None:
        """Id of the promoted answer that a question would get, whoever asks; loaded anew."""
        shelf = await self.reload(day)
        answer = await self._find(shelf, vector) if shelf.vectors is not None else None
        return answer.topic_id if answer else None

    async def _find(self, shelf: _Shelf, vector: Vector) -> PromotedAnswer | None:
        assert shelf.vectors is not None
        similarity = shelf.vectors @ vector
        best = int(similarity.argmax())
        answer, near = shelf.answers[shelf.owners[best]], float(similarity[best])
        if (answer.scope or {}).get("extends") or near < await asyncio.to_thread(self._bar):
            return None
        return answer if self._ahead(vector, near, answer) else None

    def _ahead(self, vector: Vector, near: float, answer: PromotedAnswer) -> bool:
        for topic_id, rival in self._nearest_topics(vector).items():
            topic = self._topics.get(topic_id)
            if topic is None or topic_id == answer.replaces:
                continue
            allowed = _LENIENT if topic.kind is TopicKind.DECLINE else 0.0
            if rival - allowed > near:
                return False
        return True

    def words(self, answer: PromotedAnswer) -> str:
        """What a person reads."""
        return self._texts.render(
            "helpdesk.promoted.answer", answer=answer.answer, scope=said_scope(answer.scope, self._texts)
        )

    async def extended(self, reply: Reply, day: date) -> Reply:
        """A topic's answer with what staff added to it."""
        shelf = await self.shelf(day)
        added = [a for a in shelf.answers.values() if (a.scope or {}).get("extends") in reply.topics]
        if not added or reply.status is not Status.ANSWERED:
            return reply
        more = "\n\n".join(self._texts.render("helpdesk.promoted.added", answer=a.answer) for a in added)
        citations = {c.clause_id or c.clause: c for c in (*reply.citations, *(c for a in added for c in a.citations))}
        return reply.model_copy(update={
            "text": f"{reply.text}\n\n{more}", "citations": tuple(citations.values()),
            "topics": (*reply.topics, *(a.topic_id for a in added)),
        })  # fmt: skip

    def versions(self, reply: Reply) -> list[tuple[str, str]]:
        """The promoted answers that a reply rests on, with their versions."""
        known = self._shelf.answers
        return [(t, str(known[t].version)) for t in reply.topics if t in known]


def _applies(answer: PromotedAnswer, conversation: Conversation) -> bool:
    """Unless the person is known to be somebody else."""
    scope, profile = answer.scope or {}, conversation.profile
    role, units = scope.get("role"), scope.get("unit_type")
    if role and profile.role and profile.role.value != role:
        return False
    return not (units and profile.unit_type and profile.unit_type.value not in units)


def said_scope(scope: Mapping[str, Any] | None, texts: Texts) -> str:
    """Whom an answer applies to, in words; empty: everybody."""
    scope = scope or {}
    labels = texts.get("helpdesk.scope")
    named = [labels["role"][scope["role"]]] if scope.get("role") else []
    return "、".join([*named, *(labels["unit_type"][u] for u in scope.get("unit_type") or ())])
