"""Fitting the topic choice: weights and bars from wordings kept out of the index, and what they reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from knowledge.choosing import Calibration, TopicModel, Vector, fit_weights, probabilities_of
from knowledge.finding import NEGATIVE, Finder
from knowledge.index import Kind
from knowledge.loading import Pack
from knowledge.pack import TopicKind

WRONG_COSTS = 2.5
"""How many declined questions one wrongly answered one weighs, when the bars are chosen."""


@dataclass(frozen=True)
class Case:
    """A wording and its place among the model's topics; None: no topic answers it."""

    text: str
    right: int | None
    features: Vector
    negative: float


@dataclass(frozen=True)
class Measured:
    """What the fitted choice reaches on the wordings kept out, by cross-validation over five parts."""

    cases: int
    first: float
    first_three: float
    same_kind: float
    answered: float
    right_when_answered: float
    negatives: int
    negatives_answered: float

    def lines(self) -> dict[str, Any]:
        """As plain data."""
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in vars(self).items()}


def cases_of(pack: Pack, finder: Finder, encode: Callable[[Sequence[str]], Vector], clean: Callable[[str], str]) -> list[Case]:
    """The held-out wordings of every topic, and the negatives, each with itself left out."""
    model = finder.model
    place = {topic: i for i, topic in enumerate(model.topics)}
    texts = [(clean(h), place[t.id]) for t in pack.topics.values() for h in t.heldout]
    vectors = encode([t for t, _ in texts])
    cases = []
    for (text, right), vector in zip(texts, vectors, strict=True):
        features, negative = model.features(vector, finder.lexical(text))
        cases.append(Case(text, right, features, negative))
    samples, rows = finder.index.part(Kind.SAMPLE)
    chosen = [i for i, r in enumerate(samples) if r.ref == NEGATIVE]
    others = rows[chosen]
    for at, i in enumerate(chosen):
        features, _ = model.features(rows[i], finder.lexical(samples[i].text))
        similar = others @ rows[i]
        similar[at] = -1.0
        cases.append(Case(samples[i].text, None, features, float(similar.max())))
    return cases


def fit(cases: Sequence[Case], kinds: Sequence[TopicKind]) -> Calibration:
    """Weights by conditional logit, bars by the cheapest mistakes."""
    weights, none = fit_weights([(c.features, c.negative, c.right) for c in cases])
    calibration = Calibration(weights, none, 0.5, 0.15)
    answer = _bar(cases, kinds, calibration)
    return Calibration(weights, none, answer, min(0.18, answer / 2))


def _outcomes(cases: Sequence[Case], kinds: Sequence[TopicKind], calibration: Calibration) -> list[tuple[float, bool, bool]]:
    """Per case: best probability, whether it is right, whether the best topic answers (not declines)."""
    found = []
    for case in cases:
        p = probabilities_of(case.features, case.negative, calibration)[:-1]
        best = int(p.argmax())
        found.append((float(p[best]), case.right == best, kinds[best] is TopicKind.ANSWER))
    return found


def _bar(cases: Sequence[Case], kinds: Sequence[TopicKind], calibration: Calibration) -> float:
    found = _outcomes(cases, kinds, calibration)
    best_bar, best_cost = 0.5, float("inf")
    for bar in np.arange(0.2, 0.9, 0.01):
        cost = sum(WRONG_COSTS if p >= bar and not right else 1.0 if p < bar and right else 0.0 for p, right, _ in found)
        if cost < best_cost:
            best_bar, best_cost = float(bar), cost
    return best_bar


def measure(cases: Sequence[Case], topics: Sequence[str], kinds: Sequence[TopicKind], parts: int = 5) -> Measured:
    """Fit on four fifths, look at the rest, five times over."""
    first = three = kind = answered = right_answered = negatives = negatives_answered = positive = 0
    for part in range(parts):
        train = [c for i, c in enumerate(cases) if i % parts != part]
        test = [c for i, c in enumerate(cases) if i % parts == part]
        calibration = fit(train, kinds)
        for case in test:
            p = probabilities_of(case.features, case.negative, calibration)[:-1]
            order = np.argsort(-p)
            answers = float(p[order[0]]) >= calibration.answer
            if case.right is None:
                negatives += 1
                negatives_answered += int(answers and kinds[order[0]] is TopicKind.ANSWER)
                continue
            positive += 1
            first += int(order[0] == case.right)
            three += int(case.right in order[:3])
            kind += int(kinds[order[0]] is kinds[case.right])
            answered += int(answers)
            right_answered += int(answers and order[0] == case.right)
    return Measured(positive, first / positive, three / positive, kind / positive, answered / positive,
                    right_answered / max(1, answered), negatives, negatives_answered / max(1, negatives))


def confusions(cases: Sequence[Case], model: TopicModel, calibration: Calibration) -> list[tuple[str, str, str]]:
    """Wordings whose best topic is not theirs: (right, best, text)."""
    found = []
    for case in cases:
        if case.right is not None:
            best = int(probabilities_of(case.features, case.negative, calibration)[:-1].argmax())
            if best != case.right:
                found.append((model.topics[case.right], model.topics[best], case.text))
    return found
