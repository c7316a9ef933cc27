"""From a message to topics: normalise, resolve the follow-up, find slots, score topics, decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bot.conversation import Conversation
from bot.understanding.figures import Figures, find_figures
from bot.understanding.followup import facets, is_correction, leaning
from bot.understanding.segments import last_question, questions
from bot.understanding.slots import Slots, find_slots
from knowledge.choosing import Calibration, Scored, TopicModel
from knowledge.dates import DateMention, find_dates
from knowledge.loading import Pack
from knowledge.pack import Topic, TopicKind

Vector = NDArray[np.float32]
_STANDALONE, _TOGETHER, _FACET = 1.0, 0.7, 0.9
_TRUSTED = 0.85
_SAME = 0.9995
"""Similarity of a message to itself, but for the rounding of the int8 encoder."""


class Decision(StrEnum):
    """What the scores come to."""

    ANSWER = "answer"
    CLARIFY = "clarify"
    NONE = "none"


@dataclass(frozen=True)
class Understood:
    """A message, understood.

    Attributes:
        text: Normalised and corrected.
        topics: The topics to answer (one, or two asked in one message), or to offer as choices.
        scores: The best topics, for the ticket and the logs.
        leaned: Whether reading it together with the one before changed the topic.
        leans: Whether it is worded as a follow-up.
        corrects: Whether it corrects what the person said before.
    """

    text: str
    decision: Decision
    topics: tuple[Topic, ...]
    scores: tuple[Scored, ...]
    slots: Slots
    figures: Figures
    dates: tuple[DateMention, ...]
    leaned: bool = False
    leans: bool = False
    corrects: bool = False
    vector: Vector | None = field(default=None, repr=False)


class Understander:
    """Finds the topics of a message without an LLM.

    Args:
        encode: Texts to unit vectors.
        lexical: BM25 scores of the model's topics for a text, in their order.
        clean: Normalises and corrects what was typed.
    """

    def __init__(
        self,
        pack: Pack,
        model: TopicModel,
        calibration: Calibration,
        encode: Callable[[Sequence[str]], Vector],
        lexical: Callable[[str], Vector | None],
        clean: Callable[[str], str],
        topics: Mapping[str, Topic] | None = None,
    ) -> None:
        self.pack = pack
        self._model = model
        self._calibration = calibration
        self._encode = encode
        self._lexical = lexical
        self._clean = clean
        self._topics = topics or pack.topics

    def understand(self, raw: str, conversation: Conversation, today: date) -> Understood:
        """Understand one message. Pure but for the encoder; a few milliseconds of computing."""
        text = self._clean(raw)
        lexicon = self.pack.lexicon
        slots = find_slots(text, lexicon, self.pack.eligibility, self.pack.info.year, conversation.profile.conditions)
        vector = self._encode([text])[0]
        scores = self._score(vector, text)
        leaned = False
        leans = False
        last = self._topics.get(conversation.last_topics[0]) if conversation.last_topics else None
        if last is not None and (lean := leaning(text, lexicon.follow_ups)):
            combined = self._lean(
                text,
                conversation,
                last,
                scores,
                lean_strong=lean.strong,
                named=facets(lean, last, self._topics.values()),
            )
            leans = lean.strong
            leaned = combined[0].topic != scores[0].topic
            scores = combined
        decision, topics = self._decide(scores)
        if not leaned and (same := next((s for s in scores if s.nearest >= _SAME), None)):
            # Its very words stand among a topic's samples, however near others are.
            decision, topics = Decision.ANSWER, (self._topics[same.topic],)
        if decision is not Decision.ANSWER and not leaned and (piece := last_question(text, lexicon)):
            again = self._score(self._encode([piece])[0], piece)
            if again[0].probability >= max(self._calibration.answer, scores[0].probability):
                scores = again
                decision, topics = self._decide(scores)
        asked = questions(text, lexicon)
        if len(asked) > 1 and not leaned:
            topics = self._several(asked, decision, topics)
            decision = Decision.ANSWER if len(topics) > 1 and decision is not Decision.CLARIFY else decision
        return Understood(
            text,
            decision,
            topics,
            tuple(scores),
            slots,
            find_figures(text, lexicon, conversation.profile.figures),
            tuple(find_dates(text, today)),
            leaned,
            leans,
            is_correction(text, lexicon.follow_ups),
            vector,
        )

    def _score(self, vector: Vector, text: str) -> list[Scored]:
        return self._model.score(vector, self._calibration, self._lexical(text))

    def _lean(
        self,
        text: str,
        conversation: Conversation,
        last: Topic,
        alone: list[Scored],
        *,
        lean_strong: bool,
        named: set[str],
    ) -> list[Scored]:
        """Scores read together with the question before; a message that is clear by itself keeps its own."""
        if alone[0].probability >= _TRUSTED and not named:
            return alone
        together_text = f"{conversation.last_question} {text}" if conversation.last_question else text
        together = self._score(self._encode([together_text])[0], together_text)
        worth: dict[str, float] = {}
        nearest: dict[str, float] = {}
        for scored in alone:
            worth[scored.topic] = worth.get(scored.topic, 0.0) + _STANDALONE * scored.probability
            nearest[scored.topic] = scored.nearest
        for scored in together:
            # What merely repeats the last answer counts little: the person asks for something else.
            share = 0.3 if scored.topic == last.id and (lean_strong or named) else 1.0
            worth[scored.topic] = worth.get(scored.topic, 0.0) + _TOGETHER * share * scored.probability
            nearest.setdefault(scored.topic, scored.nearest)
        for topic in named:
            worth[topic] = worth.get(topic, 0.0) + _FACET / len(named)
            nearest.setdefault(topic, 0.0)
        total = max(1.0, sum(worth.values()))
        best = sorted(worth.items(), key=lambda item: -item[1])
        return [
            Scored(
                topic, min(1.0, value / total if value < 0.5 else max(value / total, min(value, 0.99))), nearest[topic]
            )
            for topic, value in best
        ]

    def _decide(self, scores: Sequence[Scored]) -> tuple[Decision, tuple[Topic, ...]]:
        best = scores[0]
        if best.probability >= self._calibration.answer:
            return Decision.ANSWER, (self._topics[best.topic],)
        close = [s for s in scores[:3] if s.probability >= self._calibration.clarify]
        together = sum(s.probability for s in close)
        kinds = {self._topics[s.topic].kind for s in close}
        if len(close) > 1 and together >= self._calibration.answer:
            topics = [self._topics[s.topic] for s in close]
            # Close topics on one thing answer each other's question: nobody is asked which of them was meant.
            alike = (
                len({t.subject for t in topics}) == 1
                or len({t.engine for t in topics if t.engine}) == 1
                and all(t.engine for t in topics)
            )
            if alike or kinds == {TopicKind.DECLINE} or TopicKind.REFUSE in kinds or TopicKind.CHITCHAT in kinds:
                return Decision.ANSWER, (self._topics[best.topic],)
            return Decision.CLARIFY, tuple(self._topics[s.topic] for s in close)
        return Decision.NONE, ()

    def _several(self, asked: list[str], decision: Decision, topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
        """Two clear questions in one message: the topics of both."""
        vectors = self._encode(asked[:3])
        found: list[Topic] = []
        for sentence, vector in zip(asked[:3], vectors, strict=True):
            best = self._score(vector, sentence)[0]
            topic = self._topics[best.topic]
            if (
                best.probability >= _TRUSTED
                and topic.kind in (TopicKind.ANSWER, TopicKind.DECLINE)
                and topic not in found
            ):
                found.append(topic)
        if len(found) < 2:
            return topics
        if decision is Decision.ANSWER and topics[0] not in found:
            return topics
        return tuple(found[:2])
