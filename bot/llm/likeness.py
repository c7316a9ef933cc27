"""How alike a sentence and pieces of its sources are in words: whose number it is, whether a no was turned into a yes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

_WINDOW = re.compile(r"[。；;！？!?\n]+")
_PIECE = re.compile(r"[，,、。；;：:！？!?\n]+")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_WORD = re.compile(r"[A-Za-z]{2,}")
_STRUCTURE = re.compile(r"[（(]?[一二三四五六七八九十]+[）)、]|[（(]\d[）)]|^\d+[.、]")


@lru_cache(maxsize=1)
def _rules() -> tuple[frozenset[str], re.Pattern[str], re.Pattern[str]]:
    from bot.llm.lock import rules

    data = rules()

    def either(words: list[str]) -> re.Pattern[str]:
        return re.compile("|".join(re.escape(w) for w in sorted(words, key=len, reverse=True)))

    return frozenset(data["stop"]), either(data["negations"]), either(data["not_negations"])


def grams(text: str) -> Counter[str]:
    """Pairs of neighbouring characters, and words in Latin letters (which count twice)."""
    found: Counter[str] = Counter()
    for run in _HAN.findall(text):
        for at in range(len(run) - 1):
            found[run[at : at + 2]] = 1
    for word in _WORD.findall(text):
        found[word.lower()] = 2
    return found


def _shared(one: Counter[str], two: Counter[str]) -> int:
    return sum((one & two).values())


def windows(source: str) -> list[str]:
    """The sentences of the sources."""
    return [w.strip() for w in _WINDOW.split(source) if w.strip()]


def _negations(text: str) -> tuple[int, str]:
    """How many noes a piece holds, and the piece without them."""
    _, no, none = _rules()
    masked = none.sub(lambda m: "　" * len(m[0]), text)
    count = len(no.findall(masked))
    return count, no.sub("", masked)


def negated_differently(sentence: str, source_windows: Sequence[str]) -> str | None:
    """A piece of the sentence that says no where the piece of the sources most like it says yes, or the reverse."""
    pieces = [(grams(bare), count % 2) for w in source_windows for p in _PIECE.split(w) if p
              for count, bare in [_negations(p)]]
    for piece in _PIECE.split(sentence):
        count, bare = _negations(piece)
        mine = grams(bare)
        total = sum(mine.values())
        if total < 3:
            continue
        rated = [(_shared(mine, theirs) / total, parity) for theirs, parity in pieces]
        best = max((share for share, _ in rated), default=0.0)
        if best < 0.6:
            continue
        if not any(parity == count % 2 for share, parity in rated if share >= best - 0.15):
            return piece.strip()
    return None


def covered(sentence: str, source: str, least: float = 0.6) -> bool:
    """Whether a sentence speaks of what its sources speak of: the share of its characters with content found there."""
    stop, _, _ = _rules()
    mine = {c for c in sentence if "\u4e00" <= c <= "\u9fff" and c not in stop}
    if len(mine) < 4:
        return True
    return sum(c in source for c in mine) / len(mine) >= least


def _around(text: str, start: int) -> str:
    """The piece around a place; the whole sentence where the piece says too little by itself."""
    left = max((m.end() for m in re.finditer(r"[，,、。；;！？!?\n]", text[:start])), default=0)
    right = next((m.start() for m in re.finditer(r"[，,。；;！？!?\n]", text[start:])), len(text) - start) + start
    if sum(grams(text[left:right]).values()) >= 4:
        return text[left:right]
    left = max((m.end() for m in re.finditer(r"[。；;！？!?\n]", text[:start])), default=0)
    right = next((m.start() for m in re.finditer(r"[。；;！？!?\n]", text[start:])), len(text) - start) + start
    return text[left:right]


def _bounds(text: str, start: int) -> tuple[int, int]:
    left = max((m.end() for m in _WINDOW.finditer(text[:start])), default=0)
    right = next((m.start() for m in _WINDOW.finditer(text, start)), len(text))
    return left, right


def best_window(text: str, start: int, words: str, source: str, rivals: Sequence[Any], same: Callable[[Any], bool]) -> bool:
    """Whether the words around a value are clearly those of a source sentence that holds another value of its kind.

    Args:
        text, start, words: The text, and where the value stands in it.
        source: The sources in one.
        rivals: All values of the kind in the sources, with a `start` each.
        same: Whether one of them is the value said.
    """
    mine = grams(_around(text, start))
    if sum(mine.values()) < 3:
        return False
    own, other = 0, 0
    holding: dict[tuple[int, int], list[Any]] = {}
    for rival in rivals:
        holding.setdefault(_bounds(source, rival.start), []).append(rival)
    for (left, right), values in holding.items():
        worth = _shared(mine, grams(source[left:right]))
        if any(same(v) for v in values):
            own = max(own, worth)
        else:
            other = max(other, worth)
    return other >= own + 3 and other >= 1.5 * own
