"""Measuring never lets a question find itself, and bars are read off what was found.

The records and scores are made up for these tests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.calibration import Found, confusions, curve, leave_one_out, look_up, lowest_bar, rates
from knowledge.encoder import load_encoder
from knowledge.index import Hit, Kind, Record, open_index


def found(wanted: str | None, *topics: tuple[str, float]) -> Found:
    hits = [Hit(ref, score, score, 0.0, Record("r", Kind.SAMPLE, ref, "t")) for ref, score in topics]
    return Found("q", wanted, tuple(hits))


EXAMPLES = [
    found("a", ("a", 0.9), ("b", 0.5)),
    found("a", ("b", 0.6), ("a", 0.55)),
    found("b", ("b", 0.8)),
    found("c", ("a", 0.4), ("b", 0.3)),
    found(None, ("a", 0.7)),
]


def test_rates_count_the_first_place_and_the_first_three() -> None:
    counted = rates(EXAMPLES)
    assert (counted.count, counted.first, counted.among_three) == (4, 0.5, 0.75)


def test_a_bar_is_described_by_what_passes_it() -> None:
    (point,) = curve(EXAMPLES, [0.65])
    assert point.precision == pytest.approx(2 / 3)
    assert point.recall == pytest.approx(2 / 4)
    assert point.false_positive == 1.0


def test_the_lowest_bar_keeps_its_precision_from_there_on() -> None:
    best = lowest_bar(curve(EXAMPLES), 0.95)
    assert best is not None and best.bar == 0.8
    assert lowest_bar(curve([found(None, ("a", 0.7))]), 0.5) is None


def test_confusions_name_the_topic_that_came_instead() -> None:
    assert confusions(EXAMPLES) == [("a", "b", 1), ("c", "a", 1)]


def test_a_sample_left_out_is_found_by_its_sisters_only(tmp_path: Path) -> None:
    encoder = load_encoder(None)
    texts = {"when": ["自评截止到哪天", "自评截止到哪一天"], "seal": ["报告要盖章吗", "报告需要盖章吗"]}
    records = [
        Record(f"{topic}{i}", Kind.SAMPLE, topic, text) for topic, some in texts.items() for i, text in enumerate(some)
    ]
    index, _ = open_index(records, encoder, tmp_path)
    left_out = leave_one_out(index)
    assert len(left_out) == 4 and rates(left_out).first == 1.0
    assert all(one.topics[0].record.text != one.question for one in left_out)
    (asked,) = look_up(index, encoder, [("自评截止哪天？", "when")])
    assert asked.rank == 1 and 0 < asked.margin < asked.score
