"""Fitting the topic choice: weights and bars from wordings kept out of the index, and what they reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.choosing import (
    Calibration,
    ClauseCalibration,
    TopicModel,
    Vector,
    clause_features,
    fit_logistic,
    fit_weights,
    probabilities_of,
)
from knowledge.finding import NEGATIVE, Finder
from knowledge.index import Index, Kind
from knowledge.loading import Pack, clause_id
from knowledge.pack import TopicKind

WRONG_COSTS = 0.5
"""How many declined questions one wrongly answered one weighs, when the bars are chosen. Below one, because a wrong
topic is most often a neighbour whose answer, true and with its clause, still helps, while a decline costs a person's
time; and because the wordings kept out are harder than what people ask (docs/measured.md)."""

CLAUSE_WRONG_COSTS = 1.2
"""The same for quoting a clause: a clause is shown as what it is, and the words above it promise no more."""
CLAUSE_CANDIDATES = 10
"""Clauses of each question that the confidence is fitted on."""


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


def cases_of(
    pack: Pack, finder: Finder, encode: Callable[[Sequence[str]], Vector], clean: Callable[[str], str]
) -> list[Case]:
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


def _outcomes(
    cases: Sequence[Case], kinds: Sequence[TopicKind], calibration: Calibration
) -> list[tuple[float, bool, bool]]:
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
        cost = sum(
            WRONG_COSTS if p >= bar and not right else 1.0 if p < bar and right else 0.0 for p, right, _ in found
        )
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
    return Measured(
        positive,
        first / positive,
        three / positive,
        kind / positive,
        answered / positive,
        right_answered / max(1, answered),
        negatives,
        negatives_answered / max(1, negatives),
    )


@dataclass(frozen=True)
class ClauseCase:
    """A question put to the clauses alone.

    Attributes:
        features: `clause_features` of its best candidates.
        right: Which of them answer it.
        answerable: Whether any clause does at all.
    """

    features: Vector
    right: NDArray[np.bool_]
    answerable: bool


def clause_cases(pack: Pack, index: Index) -> list[ClauseCase]:
    """Every sample question, put to the pack's own clauses (which know nothing of sample questions).

    Right are the clauses that its topic cites, and those above or below them. Questions of declined and refused
    topics and the negatives have none.
    """
    clauses, passages = index.part(Kind.CLAUSE)
    samples, questions = index.part(Kind.SAMPLE)
    own = np.array([i for i, r in enumerate(clauses) if r.ref in pack.clauses], dtype=np.intp)
    cases = []
    for record, vector in zip(samples, questions, strict=True):
        topic = pack.topics.get(record.ref)
        kind = topic.kind if topic else TopicKind.DECLINE
        cited = tuple(clause_id(c) for c in topic.clauses) if topic and kind is TopicKind.ANSWER else ()
        if kind is TopicKind.CHITCHAT or (kind is TopicKind.ANSWER and not cited):
            continue
        similarity, lexical = passages[own] @ vector, index.lexical(Kind.CLAUSE, record.text)[own]
        features = clause_features(similarity, lexical)
        chosen = np.argsort(-(similarity + 0.5 * lexical))[:CLAUSE_CANDIDATES]
        refs = [clauses[own[i]].ref for i in chosen]
        right = np.array([any(ref.startswith(c) or c.startswith(ref) for c in cited) for ref in refs], dtype=bool)
        cases.append(ClauseCase(features[chosen], right, bool(cited)))
    return cases


def fit_clauses(cases: Sequence[ClauseCase]) -> ClauseCalibration:
    """Confidence by logistic regression over the candidates, the bar by the cheapest mistakes."""
    features = np.concatenate([c.features for c in cases])
    weights, constant = fit_logistic(features, np.concatenate([c.right for c in cases]).astype(np.float64))
    fitted = ClauseCalibration(weights, constant, 1.0)
    best = [(float(p[i := int(p.argmax())]), bool(c.right[i])) for c in cases for p in (fitted.confidence(c.features),)]
    costs = {
        float(bar): sum(
            CLAUSE_WRONG_COSTS if p >= bar and not right else 1.0 if p < bar and right else 0.0 for p, right in best
        )
        for bar in np.arange(0.2, 0.95, 0.01)
    }
    return ClauseCalibration(weights, constant, min(costs, key=lambda bar: costs[bar]))


def measure_clauses(cases: Sequence[ClauseCase], parts: int = 5) -> dict[str, float | int]:
    """Fit on four fifths, look at the rest, five times over: how often the best clause is right, and above the bar."""
    answerable = first = quoted = right = 0
    for part in range(parts):
        fitted = fit_clauses([c for i, c in enumerate(cases) if i % parts != part])
        for case in (c for i, c in enumerate(cases) if i % parts == part):
            confidence = fitted.confidence(case.features)
            hit = bool(case.right[int(confidence.argmax())])
            above = float(confidence.max()) >= fitted.bar
            answerable += case.answerable
            first += hit
            quoted += above
            right += above and hit
    return {
        "cases": len(cases),
        "answerable": answerable,
        "first": round(first / max(1, answerable), 4),
        "quoted": quoted,
        "right_when_quoted": round(right / max(1, quoted), 4),
    }


def confusions(cases: Sequence[Case], model: TopicModel, calibration: Calibration) -> list[tuple[str, str, str]]:
    """Wordings whose best topic is not theirs: (right, best, text)."""
    found = []
    for case in cases:
        if case.right is not None:
            best = int(probabilities_of(case.features, case.negative, calibration)[:-1].argmax())
            if best != case.right:
                found.append((model.topics[case.right], model.topics[best], case.text))
    return found
