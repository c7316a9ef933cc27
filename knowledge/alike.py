"""When two questions are the same question: a bar on the similarity of their vectors, read off the samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
_CHUNK = 256
_PROBES = 1024
_LEAST, _MOST = 0.5, 0.98


def alike_bar(vectors: Vector, owners: Sequence[str], precision: float = 0.97) -> float:
    """The lowest similarity at which a sample's nearest other sample belongs to the same topic.

    It follows the encoder: another encoder, or other topics, give another bar, and nothing is set by hand.

    Args:
        vectors: Sample questions, n x d, of length one.
        owners: The topic of each.
        precision: Share of the pairs above the bar that must ask the same.
    """
    names = {owner: place for place, owner in enumerate(dict.fromkeys(owners))}
    places = np.array([names[owner] for owner in owners])
    # A thousand questions, spread over all topics, place the bar as well as all of them, in a third of the time.
    probes = np.unique(np.linspace(0, len(vectors) - 1, min(len(vectors), _PROBES)).astype(int))
    nearest = np.empty(len(probes), dtype=np.float32)
    right = np.empty(len(probes), dtype=bool)
    for start in range(0, len(probes), _CHUNK):
        rows = probes[start : start + _CHUNK]
        sims = vectors[rows] @ vectors.T
        places_here = np.arange(len(rows))
        sims[places_here, rows] = -1.0
        best = sims.argmax(axis=1)
        nearest[start : start + _CHUNK] = sims[places_here, best]
        right[start : start + _CHUNK] = places[best] == places[rows]
    order = np.argsort(-nearest)
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= precision)
    bar = float(nearest[order[good[-1]]]) if len(good) else _MOST
    return min(_MOST, max(_LEAST, bar))
