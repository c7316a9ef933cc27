"""How well questions find their topic, and where a bar has to lie.

Two measurements that never let a question find itself: each sample with itself left out of the index, and
wordings that were kept out of it. Bars are read off the resulting curve, not set by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge.encoder.base import Encoder
from knowledge.index.records import Kind
from knowledge.index.search import Hit, Index
from knowledge.text import normalise


@dataclass(frozen=True)
class Found:
    """What one question found. `wanted` None: no topic should answer it (a negative)."""

    question: str
    wanted: str | None
    topics: tuple[Hit, ...]

    @property
    def rank(self) -> int | None:
        """Place of the wanted topic among the found ones, from 1; None: not among them."""
        refs = [hit.ref for hit in self.topics]
        return refs.index(self.wanted) + 1 if self.wanted in refs else None

    @property
    def score(self) -> float:
        """Of the best topic; 0 where there is none."""
        return self.topics[0].score if self.topics else 0.0

    @property
    def margin(self) -> float:
        """How far the best topic is ahead of the second."""
        return self.score - self.topics[1].score if len(self.topics) > 1 else self.score


@dataclass(frozen=True)
class Rates:
    """Shares of questions whose topic came first, and among the first three."""

    count: int
    first: float
    among_three: float


@dataclass(frozen=True)
class Point:
    """What a bar would do: of the questions above it, `precision` find their topic; `recall` of those that
    have a topic are above it and right; `false_positive` of the negatives are above it."""

    bar: float
    precision: float
    recall: float
    false_positive: float


def leave_one_out(index: Index, k: int = 5) -> list[Found]:
    """Every sample looked up with itself left out; uses the stored vectors, so nothing is encoded."""
    return [
        Found(record.text, record.ref, index.search(vector, record.text, k, without=(record.id,)).topics)
        for record, vector in zip(index.records, index.vectors, strict=True)
        if record.kind is Kind.SAMPLE
    ]


def look_up(index: Index, encoder: Encoder, questions: Sequence[tuple[str, str | None]], k: int = 5) -> list[Found]:
    """Questions that are not in the index, each with the topic that it wants (None: no topic)."""
    texts = [normalise(question) for question, _ in questions]
    vectors = encoder.encode_queries(texts)
    return [
        Found(question, wanted, index.search(vector, text, k).topics)
        for (question, wanted), text, vector in zip(questions, texts, vectors, strict=True)
    ]


def rates(found: Iterable[Found]) -> Rates:
    """Over the questions that want a topic."""
    ranks = [one.rank for one in found if one.wanted is not None]
    count = len(ranks)
    first = sum(rank == 1 for rank in ranks)
    three = sum(rank is not None and rank <= 3 for rank in ranks)
    return Rates(count, first / count if count else 0.0, three / count if count else 0.0)


def curve(found: Sequence[Found], bars: Iterable[float] | None = None) -> list[Point]:
    """What each bar would do; without `bars`, one at every hundredth of the scores that occur."""
    scores = sorted(one.score for one in found)
    if bars is None:
        step = max(1, len(scores) // 100)
        bars = dict.fromkeys(scores[::step])
    wanting = [one for one in found if one.wanted is not None]
    negatives = [one for one in found if one.wanted is None]
    points: list[Point] = []
    for bar in bars:
        above = [one for one in found if one.score >= bar]
        right = sum(one.wanted is not None and one.rank == 1 for one in above)
        wrong = sum(one.score >= bar for one in negatives)
        points.append(
            Point(
                bar,
                right / len(above) if above else 1.0,
                right / len(wanting) if wanting else 0.0,
                wrong / len(negatives) if negatives else 0.0,
            )
        )
    return points


def lowest_bar(points: Iterable[Point], precision: float) -> Point | None:
    """The lowest bar from which on precision stays at least `precision`; None: no bar reaches it."""
    best: Point | None = None
    for point in sorted(points, key=lambda point: -point.bar):
        if point.precision < precision:
            break
        best = point
    return best


def confusions(found: Iterable[Found]) -> list[tuple[str, str, int]]:
    """(wanted, found instead, how often), most often first: where samples of two topics want sorting out."""
    counts: dict[tuple[str, str], int] = {}
    for one in found:
        if one.wanted is not None and one.topics and one.rank != 1:
            pair = (one.wanted, one.topics[0].ref)
            counts[pair] = counts.get(pair, 0) + 1
    return sorted(((*pair, count) for pair, count in counts.items()), key=lambda row: (-row[2], row[:2]))
