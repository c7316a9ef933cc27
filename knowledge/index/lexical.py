"""BM25 over word segments: bm25s weighs, numpy adds up.

bm25s is needed to build only: the weights it makes are a sparse matrix, kept in the snapshot, and adding up
a few of its columns takes no library (its import costs 0.1 s of each cold start).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.text import normalise


def segments(text: str) -> list[str]:
    """The words of `text`, long ones also in their parts; no marks."""
    import rjieba

    return [word for word in rjieba.cut_for_search(normalise(text)) if any(c.isalnum() for c in word)]


@dataclass(frozen=True)
class Lexicon:
    """BM25 weights of some texts: column t of a sparse matrix holds the weights of word t.

    Attributes:
        words: Column of each word.
        weights, rows: Weight and text number of each entry, column after column.
        starts: Where each column begins in them.
        size: Number of texts.
    """

    words: dict[str, int]
    weights: NDArray[np.float32]
    rows: NDArray[np.int32]
    starts: NDArray[np.int64]
    size: int

    @classmethod
    def build(cls, texts: Sequence[str]) -> Lexicon:
        """Weigh the words of `texts`."""
        segmented = [segments(text) for text in texts]
        if not any(segmented):
            nothing = np.zeros(0)
            return cls({}, nothing.astype(np.float32), nothing.astype(np.int32), np.zeros(1, np.int64), len(texts))
        from bm25s import BM25

        # Importing bm25s sets its logger to DEBUG.
        logging.getLogger("bm25s").setLevel(logging.WARNING)
        model: Any = BM25()
        model.index(segmented, show_progress=False)
        words = {word: column for word, column in model.vocab_dict.items() if word}
        matrix = model.scores
        return cls(
            words,
            np.asarray(matrix["data"], dtype=np.float32),
            np.asarray(matrix["indices"], dtype=np.int32),
            np.asarray(matrix["indptr"], dtype=np.int64),
            len(texts),
        )

    def scores(self, words: Iterable[str]) -> NDArray[np.float32]:
        """How well each text covers the words, from 0 to 1: 1 is more than any one text reaches.

        BM25 divided by the most that the words could weigh. A word that no text has counts as the rarest one:
        a question about something else than the texts stays low.
        """
        total = np.zeros(self.size, dtype=np.float32)
        ceiling = 0.0
        for word in dict.fromkeys(words):
            column = self.words.get(word)
            known = 1
            if column is not None:
                span = slice(self.starts[column], self.starts[column + 1])
                total[self.rows[span]] += self.weights[span]
                known = max(1, int(span.stop - span.start))
            ceiling += float(np.log(1 + (self.size - known + 0.5) / (known + 0.5)))
        return total / np.float32(ceiling) if ceiling > 0 else total
