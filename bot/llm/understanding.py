"""Understanding a message with a model: one structured call, held against the match of sample questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, Field

from bot.conversation import Conversation
from bot.llm.budget import Turn
from bot.llm.history import history_of, known_of
from bot.llm.masking import masked
from bot.llm.model import ChatModel
from bot.llm.prompts import fenced, new_fence, prompt
from bot.texts import Texts
from bot.understanding.understand import Decision, Understood
from knowledge.loading import Pack
from knowledge.pack import Role, Topic, TopicKind, UnitType

_ANSWER = 500
_HISTORY = 800
_NEAR = 0.97
_LIKELY = 0.2


class Slot(BaseModel):
    """Something the message says of the person; `words` must stand in it."""

    name: Literal["role", "unit_type", "batch", "figure", "date"]
    words: str
    value: str = ""


class Reading(BaseModel):
    """What a model makes of a message."""

    kind: Literal["question", "form_answer", "small_talk", "instructing"]
    standalone: str = Field(max_length=400)
    topics: list[str] = Field(default_factory=list, max_length=6)
    slots: list[Slot] = Field(default_factory=list, max_length=20)


async def read(
    model: ChatModel,
    turn: Turn,
    message: str,
    conversation: Conversation,
    found: Understood,
    pack: Pack,
    texts: Texts,
    *,
    limit: float,
) -> Reading:
    """Ask the model what a message is about.

    Personal data is masked before and restored after; topics that were not offered and words that do not stand in
    the message are dropped. Raises LLMError.
    """
    hidden = masked(message)
    fence = new_fence()
    told = prompt("understanding")
    offered = {s.topic for s in found.scores}
    listed = "\n".join(f"- {t} {pack.topics[t].title}" for t in (s.topic for s in found.scores) if t in pack.topics)
    history = history_of(conversation, pack, texts, _HISTORY)
    user = told.fill(
        fence=fence,
        topics=listed,
        known=known_of(conversation, pack, texts),
        history=fenced(history, "上文", fence) if history else "",
        question=fenced(hidden.text, "消息", fence),
    )
    got = await model.structured(Reading, told.system, user, turn, tokens=_ANSWER, limit=limit)
    return got.model_copy(
        update={
            "standalone": hidden.restore(got.standalone),
            "topics": [t for t in got.topics if t in offered][:2],
            "slots": [s for s in got.slots if s.words and s.words in hidden.text],
        }
    )


def agree(found: Understood, reading: Reading, pack: Pack, again: Callable[[str], Understood]) -> Understood:
    """One understanding out of two.

    Agreement answers. In disagreement the calibrated match decides, unless it finds both about as likely: then both
    are offered.
    A topic that the match does not find likely at all is never answered on the model's word alone, and whether the
    sources answer a question at all is never for the model to say.

    Args:
        again: Matches another wording of the question, by itself.
    """
    found = _with_slots(found, reading)
    if reading.kind != "question" or not reading.topics:
        return found
    named = [pack.topics[t] for t in reading.topics if t in pack.topics]
    chances = {s.topic: s.probability for s in found.scores}
    if found.decision is Decision.ANSWER:
        best = found.topics[0]
        rival = named[0] if named else best
        near = chances.get(rival.id, 0.0) >= _NEAR * chances.get(best.id, 1.0)
        if best in named or best.kind is not rival.kind or found.leaned or not near:
            return found
        return replace(found, decision=Decision.CLARIFY, topics=(best, rival))
    if found.decision is Decision.CLARIFY:
        both = [t for t in named if t in found.topics]
        same_kind = len({t.kind for t in found.topics}) == 1
        return replace(found, decision=Decision.ANSWER, topics=(both[0],)) if both and same_kind else found
    if (
        reading.standalone.strip()
        and (second := again(reading.standalone)).decision is Decision.ANSWER
        and second.topics[0] in named
    ):
        return replace(found, decision=Decision.ANSWER, topics=(second.topics[0],), scores=second.scores)
    return _offered(found, named, chances)


def _offered(found: Understood, named: Sequence[Topic], chances: dict[str, float]) -> Understood:
    likely = [t for t in named if chances.get(t.id, 0.0) >= _LIKELY and t.kind is TopicKind.ANSWER]
    return replace(found, decision=Decision.CLARIFY, topics=tuple(likely)) if likely else found


def _with_slots(found: Understood, reading: Reading) -> Understood:
    """Role and unit type where the words of the message name them and the match of words found none."""
    slots = found.slots
    for slot in reading.slots:
        if slot.name == "role" and slots.role is None and slot.value in set(Role):
            slots = replace(slots, role=Role(slot.value), said={**slots.said, "role": slot.words})
        if slot.name == "unit_type" and slots.unit_type is None and slot.value in set(UnitType):
            slots = replace(slots, unit_type=UnitType(slot.value), said={**slots.said, "unit_type": slot.words})
    return found if slots is found.slots else replace(found, slots=slots)
