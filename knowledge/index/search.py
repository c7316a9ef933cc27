"""Searching in memory: every record by meaning and by words, best first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.encoder.base import Vectors
from knowledge.index.lexical import Lexicon, segments
from knowledge.index.records import Kind, Record

LEXICAL_WEIGHT = {Kind.SAMPLE: 0.1, Kind.CLAUSE: 0.3}
"""What full agreement in words adds to a cosine. Words decide between near meanings, no more."""


@dataclass(frozen=True)
class Hit:
    """A topic or a clause that was found.

    Attributes:
        ref: Topic id or clause id.
        score: Similarity plus weighted agreement in words; hits are ordered by it.
        similarity: Cosine of the nearest record.
        lexical: Agreement in words of that record, 0 to 1.
        record: The record that was nearest.
    """

    ref: str
    score: float
    similarity: float
    lexical: float
    record: Record


@dataclass(frozen=True)
class Hits:
    """What a question found: topics and clauses, each best first."""

    topics: tuple[Hit, ...]
    clauses: tuple[Hit, ...]


class _Part:
    """The records of one kind, their rows, and which of them lead to the same place."""

    def __init__(
        self, kind: Kind, records: Sequence[Record], vectors: Vectors, lexicon: Lexicon, weight: float
    ) -> None:
        chosen = [row for row, record in enumerate(records) if record.kind is kind]
        self.records = [records[row] for row in chosen]
        self.row = {record.id: row for row, record in enumerate(self.records)}
        self.vectors = np.ascontiguousarray(vectors[chosen])
        self._lexicon = lexicon
        self._weight = weight
        self._refs = list(dict.fromkeys(record.ref for record in self.records))
        number = {ref: i for i, ref in enumerate(self._refs)}
        self._group = np.array([number[record.ref] for record in self.records], dtype=np.intp)

    def lexical(self, words: list[str]) -> NDArray[np.float32]:
        return self._lexicon.scores(words)

    def search(self, vector: NDArray[np.float32], words: list[str], k: int, without: Collection[str]) -> list[Hit]:
        if not self.records:
            return []
        similarity = self.vectors @ vector
        lexical = self._lexicon.scores(words)
        score = similarity + np.float32(self._weight) * lexical
        for left_out in without:
            if left_out in self.row:
                score[self.row[left_out]] = -np.inf
        best = np.full(len(self._refs), -np.inf, dtype=np.float32)
        np.maximum.at(best, self._group, score)
        first = np.argsort(-best, kind="stable")[:k]
        hits: list[Hit] = []
        for group in first:
            if not np.isfinite(best[group]):
                break
            row = int(np.flatnonzero((self._group == group) & (score == best[group]))[0])
            hits.append(
                Hit(
                    self._refs[group],
                    float(score[row]),
                    float(similarity[row]),
                    float(lexical[row]),
                    self.records[row],
                )
            )
        return hits


class Index:
    """Clauses and sample questions, ready to be searched; never changes, so any thread may search.

    Args:
        records: What was indexed.
        vectors: Unit vectors, one row a record.
        lexicons: Word weights of each kind, over its records in their order.
        weights: See `LEXICAL_WEIGHT`.
    """

    def __init__(
        self,
        records: Sequence[Record],
        vectors: Vectors,
        lexicons: dict[Kind, Lexicon],
        weights: dict[Kind, float] = LEXICAL_WEIGHT,
    ) -> None:
        self.records = tuple(records)
        self.vectors = vectors
        self._parts = {kind: _Part(kind, self.records, vectors, lexicons[kind], weights[kind]) for kind in Kind}

    def part(self, kind: Kind) -> tuple[list[Record], Vectors]:
        """The records of one kind and their vectors, row by row."""
        return self._parts[kind].records, self._parts[kind].vectors

    def lexical(self, kind: Kind, text: str) -> Vectors:
        """The agreement in words (0 to 1) of `text` with each record of a kind, in the order of `part`."""
        return self._parts[kind].lexical(segments(text))

    def search(self, vector: Vectors, text: str, k: int = 8, *, without: Collection[str] = ()) -> Hits:
        """The `k` best topics and the `k` best clauses for a question.

        Args:
            vector: Of the question, by the encoder of the index (`encode_queries`).
            text: The question, for the words in it.
            without: Ids of records to leave out (leave-one-out measuring).
        """
        words = segments(text)
        query = np.asarray(vector, dtype=np.float32).reshape(-1)
        topics = self._parts[Kind.SAMPLE].search(query, words, k, without)
        clauses = self._parts[Kind.CLAUSE].search(query, words, k, without)
        return Hits(tuple(topics), tuple(clauses))
