"""Which topic a question is about, with a calibrated probability.

Each topic gets four numbers for a question: the similarity of its nearest sample question, the mean of
its three nearest, the log-share of its centre among all centres, and its lexical (BM25) share. A
conditional logit over them, with "none of these" as one more alternative, gives the probabilities; its
few weights are fitted on wordings that are kept out of the index (`fit`), never set by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
FEATURES = ("nearest", "nearest_three", "centre", "lexical")
_CENTRE_SCALE = 20.0
_NEAREST = 3


CLAUSE_FEATURES = ("similarity", "words", "words_root", "words_share")


@dataclass(frozen=True)
class ClauseCalibration:
    """What makes a clause's confidence (logistic, one weight per feature), and the bar from which it is quoted."""

    weights: tuple[float, ...]
    constant: float
    bar: float

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> ClauseCalibration | None:
        """Read what `put` wrote; None where it never did."""
        if "clause" not in data or "clause" not in data["bars"]:
            return None
        weights = data["clause"]
        return cls(tuple(weights[name] for name in CLAUSE_FEATURES), weights["constant"], data["bars"]["clause"])

    def put(self, data: dict[str, Any]) -> None:
        """Write into the data of a calibration, beside what is there."""
        names = {name: round(float(w), 4) for name, w in zip(CLAUSE_FEATURES, self.weights, strict=True)}
        data["clause"] = names | {"constant": round(float(self.constant), 4)}
        data["bars"] = {**data["bars"], "clause": round(float(self.bar), 4)}

    def confidence(self, features: Vector) -> Vector:
        """For each row of features, the probability that the clause answers."""
        utilities = features @ np.array(self.weights, dtype=np.float32) + np.float32(self.constant)
        return np.asarray(1 / (1 + np.exp(-utilities)), dtype=np.float32)


UNFITTED = ClauseCalibration((1.5, 2.7, 1.3, 1.7), -3.9, float("inf"))
"""Ranks clauses where nothing was fitted yet; its bar is never reached."""


def clause_features(similarity: Vector, lexical: Vector) -> Vector:
    """Per record: similarity in standard deviations above the mean (thirds), agreement in words (as it is, its
    root, and as a share of the best). Encoders differ in their level of cosines, so only its spread counts."""
    spread = max(float(similarity.std()), 1e-6)
    words = np.maximum(lexical, 0)
    return np.stack(
        [
            (similarity - similarity.mean()) / (3 * spread),
            words,
            np.sqrt(words),
            words / max(float(words.max(initial=0)), 1e-6),
        ],
        axis=1,
    ).astype(np.float32)


def fit_logistic(features: Vector, right: NDArray[np.float64], rounds: int = 40) -> tuple[tuple[float, ...], float]:
    """Weights and constant of a logistic regression with a small ridge, by Newton's method."""
    rows = np.c_[features.astype(np.float64), np.ones(len(features))]
    ridge = np.r_[np.ones(rows.shape[1] - 1), 1e-6]
    theta = np.zeros(rows.shape[1])
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-np.clip(rows @ theta, -30, 30)))
        hessian = (rows * (p * (1 - p))[:, None]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(hessian, rows.T @ (right - p) - ridge * theta)
        theta = theta + step
        if float(np.abs(step).max()) < 1e-6:
            break
    return tuple(float(w) for w in theta[:-1]), float(theta[-1])


@dataclass(frozen=True)
class Calibration:
    """What `fit` found: weights of the features, the worth of "none", and the bars that decide.

    Attributes:
        weights: One per feature.
        none: Constant and weight of the nearest negative's similarity, for "none of these".
        answer: A topic at or above this probability answers.
        clarify: Two or three topics that reach `answer` only together, each at or above this, are asked back.
        clauses: When a clause is quoted where no topic answers; None: never fitted, so never.
    """

    weights: tuple[float, ...]
    none: tuple[float, float]
    answer: float
    clarify: float
    clauses: ClauseCalibration | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Calibration:
        """Read what `to_data` wrote."""
        return cls(
            tuple(data["weights"][name] for name in FEATURES),
            (data["none"]["constant"], data["none"]["nearest"]),
            data["bars"]["answer"],
            data["bars"]["clarify"],
            ClauseCalibration.from_data(data),
        )

    def to_data(self) -> dict[str, Any]:
        """As plain data for YAML."""
        data = {
            "weights": {name: round(float(w), 4) for name, w in zip(FEATURES, self.weights, strict=True)},
            "none": {"constant": round(float(self.none[0]), 4), "nearest": round(float(self.none[1]), 4)},
            "bars": {"answer": round(float(self.answer), 4), "clarify": round(float(self.clarify), 4)},
        }
        if self.clauses is not None:
            self.clauses.put(data)
        return data


@dataclass(frozen=True)
class Scored:
    """A topic with its probability and the similarity of its nearest sample question."""

    topic: str
    probability: float
    nearest: float


class TopicModel:
    """The sample questions as vectors, ready to score a question against every topic.

    Args:
        topics: Topic ids.
        owners: For each sample, the place of its topic in `topics`.
        samples: Sample vectors, n x d, of length one.
        negatives: Vectors of messages that no topic should answer, m x d.
    """

    def __init__(self, topics: Sequence[str], owners: NDArray[np.int64], samples: Vector, negatives: Vector) -> None:
        order = np.argsort(owners, kind="stable")
        self.topics = tuple(topics)
        self._owners = owners[order]
        self._samples = np.ascontiguousarray(samples[order], dtype=np.float32)
        self._starts = np.searchsorted(self._owners, np.arange(len(topics)))
        self._ends = np.searchsorted(self._owners, np.arange(len(topics)), side="right")
        centres = np.add.reduceat(self._samples, self._starts, axis=0)
        self._centres = centres / np.linalg.norm(centres, axis=1, keepdims=True)
        self._negatives = negatives
        self._order = order
        # Samples by topic as one rectangle, padded with the place behind the last sample.
        sizes = self._ends - self._starts
        columns = np.arange(max(int(sizes.max()), _NEAREST))
        self._rectangle = np.where(columns < sizes[:, None], self._starts[:, None] + columns, len(self._owners))
        self._counts = np.minimum(sizes, _NEAREST)

    def features(
        self, vector: Vector, lexical: Vector | None = None, *, without: int | None = None
    ) -> tuple[Vector, float]:
        """The topics' features (t x 4) for a question, and the similarity of the nearest negative.

        Args:
            lexical: BM25 scores of the topics, or None.
            without: Place (in the order given to the constructor) of a sample to leave out.
        """
        sims = self._samples @ vector
        centres = self._centres
        if without is not None:
            place = int(np.flatnonzero(self._order == without)[0])
            sims[place] = -1.0
            owner = self._owners[place]
            centre = self._samples[self._starts[owner] : self._ends[owner]].sum(axis=0) - self._samples[place]
            centres = centres.copy()
            centres[owner] = centre / max(float(np.linalg.norm(centre)), 1e-6)
        table = np.append(sims, -np.inf)[self._rectangle]
        best = -np.partition(-table, _NEAREST - 1, axis=1)[:, :_NEAREST]
        nearest = best.max(axis=1)
        three = np.where(np.isfinite(best), best, 0.0).sum(axis=1) / self._counts
        logits = _CENTRE_SCALE * (centres @ vector)
        logits -= logits.max()
        centre_share = logits - np.log(np.exp(logits).sum())
        lexical_share = np.zeros_like(nearest) if lexical is None else lexical / max(float(lexical.max()), 1e-6)
        stacked = np.stack([nearest, three, centre_share, lexical_share], axis=1).astype(np.float32)
        negative = float((self._negatives @ vector).max()) if len(self._negatives) else 0.0
        return stacked, negative

    def score(self, vector: Vector, calibration: Calibration, lexical: Vector | None = None) -> list[Scored]:
        """All topics by falling probability; the probabilities and that of "none" add up to one."""
        features, negative = self.features(vector, lexical)
        probabilities = probabilities_of(features, negative, calibration)
        order = np.argsort(-probabilities[:-1])
        return [Scored(self.topics[i], float(probabilities[i]), float(features[i, 0])) for i in order[:12]]


def probabilities_of(features: Vector, negative: float, calibration: Calibration) -> Vector:
    """Probabilities of every topic and, last, of none."""
    utilities = np.append(
        features @ np.array(calibration.weights, dtype=np.float32), calibration.none[0] + calibration.none[1] * negative
    )
    utilities -= utilities.max()
    weights = np.exp(utilities)
    return np.asarray(weights / weights.sum(), dtype=np.float32)


def fit_weights(
    cases: Sequence[tuple[Vector, float, int | None]], rounds: int = 60
) -> tuple[tuple[float, ...], tuple[float, float]]:
    """Fit the conditional logit by Newton's method with a small ridge.

    Args:
        cases: Per question: features, nearest negative, and the place of the right topic (None: no topic).

    Returns:
        The feature weights and the two numbers for "none".
    """
    size = len(FEATURES) + 2
    theta = np.zeros(size)
    theta[: len(FEATURES)] = (10.0, 5.0, 0.5, 1.0)
    theta[len(FEATURES)] = 8.0
    designs = []
    for features, negative, right in cases:
        rows = np.zeros((len(features) + 1, size))
        rows[:-1, : len(FEATURES)] = features
        rows[-1, len(FEATURES) :] = (1.0, negative)
        designs.append((rows, len(features) if right is None else right))
    ridge = 0.01
    worth = _worth(designs, theta, ridge)
    for _ in range(rounds):
        gradient = -ridge * theta
        hessian = -ridge * np.eye(size)
        for rows, right in designs:
            p = _softmax(rows @ theta)
            mean = p @ rows
            gradient += rows[right] - mean
            hessian -= (rows * p[:, None]).T @ rows - np.outer(mean, mean)
        step = -np.linalg.solve(hessian, gradient)
        share = 1.0
        while share > 1e-4 and (new := _worth(designs, theta + share * step, ridge)) < worth:
            share /= 2
        theta = theta + share * step
        if new - worth < 1e-4:
            break
        worth = new
    return tuple(float(w) for w in theta[: len(FEATURES)]), (float(theta[-2]), float(theta[-1]))


def _softmax(utilities: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(utilities - utilities.max())
    return np.asarray(weights / weights.sum())


def _worth(designs: Sequence[tuple[NDArray[np.float64], int]], theta: NDArray[np.float64], ridge: float) -> float:
    """The penalised log-likelihood."""
    total = -0.5 * ridge * float(theta @ theta)
    for rows, right in designs:
        utilities = rows @ theta
        top = float(utilities.max())
        total += float(utilities[right]) - top - float(np.log(np.exp(utilities - top).sum()))
    return total
