"""How alike a sentence and pieces of its sources are: whose number it is, whether a no was turned into a yes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

_WINDOW = re.compile(r"[。；;！？!?\n]+")
_PIECE = re.compile(r"[，,、。；;：:！？!?\n]+|或者?")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_WORD = re.compile(r"[A-Za-z]{2,}")
_ATTACHMENT = re.compile(r"附件\d")
_OTHERS = re.compile(r"非([\u4e00-\u9fff]{2})")

_AGENT = re.compile(
    r"(?P<subject>[^，,。；;：:\n由]*)由(?P<agent>[\u4e00-\u9fff]{2,16}?)"
    r"(?=来|负责|完成|填|审|办|绑|盖|提交|报送|认定|上传|组织|委托|进行|做|写|开展|抽|联系)"
)

SEPARATOR = "\n\x1e\n"
"""Stands between two sources that are held against a text together."""
_HEADER = 24


@lru_cache(maxsize=1)
def _rules() -> tuple[frozenset[str], re.Pattern[str], re.Pattern[str]]:
    from bot.llm.lock import rules

    data = rules()

    def either(words: list[str]) -> re.Pattern[str]:
        return re.compile("|".join(re.escape(w) for w in sorted(words, key=len, reverse=True)))

    return frozenset(data["stop"]), either(data["negations"]), either(data["not_negations"])


@lru_cache(maxsize=1)
def _common() -> tuple[str, ...]:
    from bot.llm.lock import rules

    return tuple(sorted(rules()["common"], key=len, reverse=True))


def grams(text: str) -> Counter[str]:
    """Pairs of neighbouring characters, and words in Latin letters (which count twice)."""
    found: Counter[str] = Counter()
    for run in _HAN.findall(text):
        for at in range(len(run) - 1):
            found[run[at : at + 2]] = 1
    for word in (*_WORD.findall(text), *_ATTACHMENT.findall(text)):
        found[word.lower()] = 2
    return found


def _shared(one: Counter[str], two: Counter[str]) -> int:
    return sum((one & two).values())


def _negations(text: str) -> tuple[int, str]:
    """How many noes a piece holds, and the piece without them."""
    _, no, none = _rules()
    masked = none.sub(lambda m: "　" * len(m[0]), text)
    count = len(no.findall(masked))
    return count, no.sub("", masked)


@dataclass(frozen=True)
class Piece:
    """Words between two marks of punctuation: pairs, whether an odd number of noes is in them, "non-…" words."""

    words: str
    grams: Counter[str]
    odd: bool
    others: frozenset[str]
    before: Counter[str]


def pieces_of(text: str) -> list[Piece]:
    """The pieces of a text, each with what stands before it in its sentence."""
    found = []
    for sentence in _WINDOW.split(text):
        earlier: list[Counter[str]] = []
        for words in _PIECE.split(sentence):
            if not words.strip():
                continue
            count, bare = _negations(words)
            pairs = grams(bare)
            before: Counter[str] = Counter()
            for more in earlier[-2:]:
                before |= more
            found.append(Piece(words.strip(), pairs, count % 2 == 1, frozenset(_OTHERS.findall(words)), before))
            earlier.append(pairs)
    return found


def _rated(mine: Counter[str], source: Sequence[Piece]) -> list[tuple[float, Piece]]:
    """The source's pieces most like a piece: those within reach of the best."""
    total = sum(mine.values())
    rated = [(_shared(mine, p.grams) / total, p) for p in source] if total >= 3 else []
    best = max((share for share, _ in rated), default=0.0)
    return [(share, p) for share, p in rated if share >= best - 0.1] if best >= 0.6 else []


def negated_differently(sentence: str, source: Sequence[Piece]) -> str | None:
    """A piece of the sentence that says no where the piece of the sources most like it says yes, or the reverse.

    A condition and its consequence may stand in one piece of the source and in two of the sentence; so a piece
    is given the noes of a neighbour that says nothing else. "非企业" is not "企业".
    """
    mine = pieces_of(sentence)
    near = [_rated(p.grams, source) for p in mine]
    for at, piece in enumerate(mine):
        close = near[at]
        if not close:
            continue
        neighbours = [
            mine[i]
            for i in (at - 1, at + 1)
            if 0 <= i < len(mine) and (not near[i] or {id(p) for _, p in near[i]} & {id(p) for _, p in close})
        ]
        lent = any(n.odd for n in neighbours)
        if not any(p.odd == piece.odd for _, p in close) and not lent:
            return piece.words
        if not any(_same_kind(piece, p) for _, p in close):
            return piece.words
        if at and _under_another_condition(mine[at - 1], piece, source):
            return piece.words
    return None


def _under_another_condition(condition: Piece, piece: Piece, source: Sequence[Piece]) -> bool:
    """Whether the sources say the reverse under the very condition that the sentence names before a piece."""
    total, given = sum(piece.grams.values()), sum(condition.grams.values())
    if given < 2:
        return False
    fitting = {True: 0.0, False: 0.0}
    for theirs in source:
        if _shared(piece.grams, theirs.grams) >= 0.5 * total:
            fitting[theirs.odd] = max(fitting[theirs.odd], _shared(condition.grams, theirs.before) / given)
    return fitting[not piece.odd] >= max(0.4, fitting[piece.odd] + 0.2)


def wrong_agent(sentence: str, source: str) -> str | None:
    """Who is said to do something ("由…负责") where the sources name nobody so, or name somebody else for it."""
    for match in _AGENT.finditer(sentence):
        subject, agent = grams(match["subject"]), match["agent"]
        mine = grams(agent)
        if sum(mine.values()) and _shared(mine, grams(source)) < 0.6 * sum(mine.values()):
            return agent
        if not sum(subject.values()):
            continue
        near = [(_shared(subject, grams(_OTHERS.sub("", w))), w) for w in _WINDOW.split(source)]
        best = max((worth for worth, _ in near), default=0)
        if not best:
            continue
        close = [w for worth, w in near if worth == best]
        if not any(_shared(mine, grams(w)) >= 0.6 * sum(mine.values()) for w in close):
            return agent
        named = [
            m["agent"]
            for w in close
            for m in _AGENT.finditer(_OTHERS.sub("", w))
            if _shared(subject, grams(m["subject"]))
        ]
        if named and not any(_shared(mine, grams(n)) >= 0.6 * sum(mine.values()) for n in named):
            return agent
    return None


def without_hedge(sentence: str, source: Sequence[Piece], hedges: Sequence[str]) -> str | None:
    """A hedge ("原则上") that the sentence leaves out of what it says after the source."""
    for piece in pieces_of(sentence):
        close = _rated(piece.grams, source)
        for hedge in hedges:
            if close and hedge not in sentence and all(hedge in theirs.words for _, theirs in close):
                return hedge
    return None


def _same_kind(mine: Piece, theirs: Piece) -> bool:
    """Whether two pieces speak of the same kind, not one of "企业" and the other of "非企业"."""
    said = mine.words
    return all(f"非{word}" in said or word not in said for word in theirs.others) and all(
        word in theirs.others or word not in theirs.words for word in mine.others
    )


def covered(sentence: str, source: str, least: float = 0.6) -> bool:
    """Whether a sentence speaks of what its sources speak of: the share of its characters with content found there."""
    stop, _, _ = _rules()
    for word in _common():
        sentence = sentence.replace(word, "")
    mine = {c for c in sentence if "\u4e00" <= c <= "\u9fff" and c not in stop}
    share = sum(c in source for c in mine) / len(mine) if mine else 1.0
    return share >= least if len(mine) >= 4 else share > 0


def _around(text: str, start: int) -> tuple[int, int]:
    """The piece around a place; the whole sentence where the piece says too little by itself."""
    for border in (_PIECE, _WINDOW):
        left = max((m.end() for m in border.finditer(text[:start])), default=0)
        right = next((m.start() for m in border.finditer(text, start)), len(text))
        if sum(grams(text[left:right]).values()) >= 4:
            break
    return left, right


def _windows(source: str, starts: Sequence[int]) -> list[tuple[int, int, Counter[str]]]:
    """The sources' sentences (start, end, pairs); each is given the short lines above it that hold no value."""
    found = []
    offset = 0
    for block in source.split(SEPARATOR):
        header: Counter[str] = Counter()
        at = 0
        for line in block.split("\n"):
            left, right = offset + at, offset + at + len(line)
            if len(line) <= _HEADER and not any(left <= s < right for s in starts):
                header |= grams(line)
            place = 0
            for match in _WINDOW.finditer(line + "\n"):
                pairs = grams(line[place : match.start()])
                if pairs or match.start() > place:
                    found.append((left + place, left + match.end(), pairs | header))
                place = match.end()
            at += len(line) + 1
        offset += len(block) + len(SEPARATOR)
    return found


class Placed(Protocol):
    """A value and where it stands."""

    @property
    def start(self) -> int:
        """Place of its first character."""


_P = TypeVar("_P", bound=Placed)


def belongs_elsewhere(
    text: str,
    value: _P,
    said: Sequence[_P],
    source: str,
    rivals: Sequence[_P],
    same: Callable[[_P, _P], bool],
    margin: int = 2,
) -> bool:
    """Whether the words around a value are clearly those of a source sentence that holds another value of its kind.

    Args:
        text, value, said: The text, the value looked at, and all of its kind that the text says.
        source, rivals: The sources in one, with `SEPARATOR` between them, and all values of the kind in them.
        same: Whether two of them are one value.
        margin: How many pairs of characters more the other sentence must share.
    """
    left, right = _around(text, value.start)
    mine = grams(text[left:right])
    if sum(mine.values()) < 3:
        return False
    beside = [v for v in said if left <= v.start < right]
    own, other = 0, 0
    for begin, end, pairs in _windows(source, [r.start for r in rivals]):
        values = [r for r in rivals if begin <= r.start < end]
        if not values:
            continue
        worth = _shared(mine, pairs)
        if any(same(value, v) for v in values):
            own = max(own, worth)
        elif not any(same(b, v) for b in beside for v in values):
            other = max(other, worth)
    return other >= own + (margin if own else 1) and other >= 1.5 * own
