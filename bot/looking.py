"""What the assistant looked at when it declined, and which questions are alike: for the queue and for staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.understanding.privacy import mask
from knowledge.alike import alike_bar
from knowledge.choosing import Calibration
from knowledge.encoder import Encoder
from knowledge.finding import NEGATIVE, Finder, clean, cleaner
from knowledge.index import Kind
from knowledge.loading import Pack
from knowledge.pack import Topic

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Looked:
    """A question as the encoder sees it, what was nearest, and the day that makes it urgent."""

    vector: Vector
    tried: dict[str, Any]
    deadline: date | None


class Looking:
    """Looks questions up without answering them. Encoding takes milliseconds: call it in a worker thread."""

    def __init__(self, pack: Pack, finder: Finder, encoder: Encoder, calibration: Calibration) -> None:
        self._pack = pack
        self._finder = finder
        self._encoder = encoder
        self._calibration = calibration
        self._corrector = cleaner(pack)

    @cached_property
    def _samples(self) -> tuple[list[str], Vector]:
        records, vectors = self._finder.index.part(Kind.SAMPLE)
        kept = [place for place, record in enumerate(records) if record.ref != NEGATIVE]
        return [records[place].ref for place in kept], vectors[kept]

    @cached_property
    def bar(self) -> float:
        """Above this similarity two questions ask the same."""
        refs, vectors = self._samples
        return alike_bar(vectors, refs)

    @cached_property
    def answer_bar(self) -> float:
        """Above this similarity to a promoted wording its answer is given, where no topic is nearer. Lower than
        `bar`, which has no such second guard."""
        refs, vectors = self._samples
        return alike_bar(vectors, refs, precision=0.9)

    def encode(self, texts: Sequence[str]) -> Vector:
        """Vectors of questions, cleaned as those of the index are."""
        return self._encoder.encode_queries([clean(text, self._corrector) for text in texts])

    def look(self, question: str, day: date) -> Looked:
        """The nearest topics and clauses of a question, with scores."""
        text = clean(question, self._corrector)
        vector = self._encoder.encode_queries([text])[0]
        scored = self._finder.model.score(vector, self._calibration, self._finder.lexical(text))[:5]
        hits = self._finder.index.search(vector, text, 5)
        tried = {
            "topics": [
                {"id": s.topic, "title": self._title(s.topic), "probability": round(s.probability, 3),
                 "similarity": round(s.nearest, 3)}
                for s in scored
            ],
            "clauses": [{"id": h.ref, "score": round(h.score, 3)} for h in hits.clauses],
            "bar": round(self._calibration.answer, 3),
        }  # fmt: skip
        topics = [self._pack.topics[s.topic] for s in scored if s.topic in self._pack.topics]
        return Looked(vector, tried, self.deadline(topics[0] if topics else None, day))

    def nearest_topics(self, vector: Vector) -> dict[str, float]:
        """Similarity of each topic's nearest sample question."""
        refs, vectors = self._samples
        best: dict[str, float] = {}
        for ref, similarity in zip(refs, vectors @ vector, strict=True):
            if similarity > best.get(ref, -1.0):
                best[ref] = float(similarity)
        return best

    def nearest_clauses(self, question: str, count: int = 5) -> list[tuple[str, float]]:
        """The clauses nearest to a question, by id, with scores."""
        text = clean(question, self._corrector)
        hits = self._finder.index.search(self._encoder.encode_queries([text])[0], text, count)
        return [(h.ref, h.score) for h in hits.clauses]

    def deadline(self, topic: Topic | None, day: date) -> date | None:
        """The last day that a question is about: its topic's milestone, else the next one to come."""
        for claim in topic.claims if topic else ():
            milestone = self._pack.milestones.get(claim.partition(".")[0])
            if milestone is not None and milestone.closes >= day:
                return milestone.closes
        coming = [m.closes for m in self._pack.facts.milestones if m.closes >= day]
        return min(coming, default=None)

    def _title(self, topic: str) -> str:
        found = self._pack.topics.get(topic)
        return found.title if found else topic


def pack_vector(vector: Vector) -> bytes:
    """A vector as kept with a ticket; half precision is plenty for ranking."""
    return vector.astype(np.float16).tobytes()


def nearest_ticket(vector: Vector, tickets: Sequence[tuple[str, bytes]], limit: int = 1) -> list[tuple[str, float]]:
    """The tickets nearest to a question with their similarity, best first; vectors of another encoder are passed over."""  # noqa: E501
    size = len(vector) * 2
    kept = [(number, kept) for number, kept in tickets if len(kept) == size]
    if not kept:
        return []
    matrix = np.frombuffer(b"".join(raw for _, raw in kept), dtype=np.float16).reshape(len(kept), -1)
    similarity = matrix.astype(np.float32) @ vector
    order = np.argsort(-similarity)[:limit]
    return [(kept[place][0], float(similarity[place])) for place in order]


def question_of(text: str) -> str:
    """A question as the queue may show it."""
    return mask(text).strip()
