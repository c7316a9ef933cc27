"""What people type, made comparable: normalisation, and correction against the pack's own words.

`normalise` undoes what a keyboard does to a text (full width, traditional characters, stray marks, case).
`Corrector` undoes what an input method does to a word: it puts back a word of the pack where a person typed
characters of the same sound (自平 for 自评, 绩效平价 for 绩效评价). Neither needs pypinyin at run time: the
readings stand in `knowledge/data/` (`scripts/build_characters.py`).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencc import OpenCC

_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"})
_BLANK = frozenset({"So", "Sk", "Zs", "Zl", "Zp"})
_PUNCTUATION = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—―−﹣─━", "-"),
        **dict.fromkeys("“”„‟「」『』〝〞", '"'),
        **dict.fromkeys("‘’‚‛`´", "'"),
        **dict.fromkeys("〜∼˜", "~"),
        **dict.fromkeys("｡", "。"),
        **dict.fromkeys("･‧∙•", "·"),
        **dict.fromkeys("【〖", "["),
        **dict.fromkeys("】〗", "]"),
    }
)
_REPEATED = re.compile(r"([^\w\s])\1+")
_SPACES = re.compile(r"\s+")
_HAN_RUN = re.compile(r"[\u4e00-\u9fff]{2,}")
_NUMERALS = frozenset("零〇一二两三四五六七八九十百千万亿半")
# Characters that stand as a word of their own: two of them beside each other sound like a word by chance.
_LONE = frozenset(
    "的地得了是在有和与及或我你他她它们您这那哪就也都还要会能可吗呢吧啊呀嘛么啥咋谁几个次到从把被给让对"
    "为以不没别去来上下里外前后多少大小好再又很太最该请问想做用看说叫个家月日号年天时点周"
)
_ROUNDS = 4
_CONTEXT = 10


@cache
def _data(name: str) -> str:
    return resources.files("knowledge").joinpath("data", name).read_text(encoding="utf-8")


@cache
def _traditional() -> frozenset[str]:
    return frozenset(_data("traditional.txt").strip())


@cache
def _converter() -> OpenCC:
    from opencc import OpenCC

    return OpenCC("t2s")


def simplify(text: str) -> str:
    """`text` in simplified characters; opencc is loaded at the first text that holds a traditional one."""
    if text.isascii() or _traditional().isdisjoint(text):
        return text
    return str(_converter().convert(text))


def _normalise_once(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).lower()
    kept: list[str] = []
    for character in text:
        kind = "Lo" if "\u4e00" <= character <= "\u9fff" else unicodedata.category(character)
        if character in "\t\n\r\v\f" or kind in _BLANK:
            kept.append(" ")
        elif kind not in _DROPPED:
            kept.append(character)
    text = simplify("".join(kept)).translate(_PUNCTUATION)
    return _SPACES.sub(" ", _REPEATED.sub(r"\1", text)).strip()


def normalise(text: str) -> str:
    """`text` in one comparable spelling, for matching and encoding, never for showing.

    NFKC (full-width letters, digits and marks become plain), control, format and lone combining characters
    dropped, symbols such as emoji and every kind of white space one blank, traditional characters simplified,
    variants of dashes and quotes united, repeated marks single, letters in lower case. Normalising twice
    changes nothing; a text of nothing but emoji becomes the empty text.
    """
    for _ in range(_ROUNDS):
        before, text = text, _normalise_once(text)
        if text == before:
            break
    return text


@cache
def _readings() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for syllable, characters in json.loads(_data("pinyin.json")).items():
        for character in characters:
            found[character] = (*found.get(character, ()), syllable)
    return found


@cache
def _variants() -> dict[str, str]:
    return dict(json.loads(_data("variants.json")))


def readings(character: str) -> tuple[str, ...]:
    """The toneless syllables of one character; none for anything that is not common Chinese."""
    return _readings().get(character, ())


def _blurred(syllable: str) -> str:
    """The syllable without what Northern and Southern speakers mix: zh/z, ch/c, sh/s and final n/ng."""
    if syllable[1:2] == "h":
        syllable = syllable[0] + syllable[2:]
    return syllable[:-1] if syllable.endswith("ng") else syllable


@dataclass(frozen=True)
class Correction:
    """One word put right: characters `start` to `start + len(said)` of the text meant `meant`."""

    start: int
    said: str
    meant: str


@dataclass
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


def _segments(text: str) -> int:
    """How many dictionary words general Chinese needs for `text`: a typo falls apart into more of them."""
    import rjieba

    return len(rjieba.cut(text, False)) if text else 0


class Corrector:
    """Puts back words of a vocabulary that were typed with characters of the same sound.

    A stretch of text becomes a word of the vocabulary when it sounds the same without tones, shares at least
    half of its characters with it (three characters or more need no shared one), and when the sentence falls
    into fewer words of general Chinese with it than without: so ordinary words stay as they are. Words of
    three characters or more may also differ in one character by zh/z, ch/c, sh/s or n/ng. Numerals are
    never changed, nor is a word of the vocabulary, unless a longer one covers it.

    Args:
        vocabulary: The pack's words in simplified characters; the earlier one wins where two fit alike.
    """

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._words = dict.fromkeys(word for word in vocabulary if _HAN_RUN.fullmatch(word))
        self._order = {word: rank for rank, word in enumerate(self._words)}
        self._longest = max(map(len, self._words), default=0)
        self._lengths = sorted({len(word) for word in self._words}, reverse=True)
        self._root = _Node()
        for word in self._words:
            self._insert(word)
        self._variants = [(said, meant) for said, meant in _variants().items() if meant in self._words]

    def _insert(self, word: str) -> None:
        nodes = [self._root]
        for character in word:
            sounds = {_blurred(reading) for reading in readings(character)} or {character}
            nodes = [node.children.setdefault(sound, _Node()) for node in nodes for sound in sounds]
        for node in nodes:
            node.words.append(word)

    def correct(self, text: str) -> str:
        """`text` (normalised) with the pack's words put right; correcting twice changes nothing."""
        for said, meant in self._variants:
            text = text.replace(said, meant)
        for _ in range(_ROUNDS):
            found = self.corrections(text)
            if not found:
                break
            for correction in reversed(found):
                end = correction.start + len(correction.said)
                text = text[: correction.start] + correction.meant + text[end:]
        return text

    def corrections(self, text: str) -> list[Correction]:
        """What one pass would change in `text`, from left to right, without overlaps."""
        return [correction for run in _HAN_RUN.finditer(text) for correction in self._in_run(run.group(), run.start())]

    def _in_run(self, run: str, offset: int) -> Iterator[Correction]:
        position = 0
        while position < len(run):
            step = 1
            for end, words in self._sounding(run, position):
                said = run[position:end]
                if said in self._words:
                    step = len(said)
                    break
                meant = self._best(said, words)
                if meant and self._is_better(run, position, end):
                    yield Correction(offset + position, said, meant)
                    step = len(said)
                    break
            position += step

    def _sounding(self, run: str, start: int) -> list[tuple[int, list[str]]]:
        """Ends of the stretches from `start` that sound like words, the longest first, with the words."""
        nodes = [self._root]
        found: list[tuple[int, list[str]]] = []
        for end in range(start + 1, min(len(run), start + self._longest) + 1):
            character = run[end - 1]
            sounds = {_blurred(reading) for reading in readings(character)} or {character}
            nodes = [node.children[sound] for node in nodes for sound in sounds if sound in node.children]
            if not nodes:
                break
            words = [word for node in nodes for word in node.words]
            if words:
                found.append((end, words))
        return found[::-1]

    def _best(self, said: str, words: list[str]) -> str | None:
        rated = [(rate, -self._order[word], word) for word in words if (rate := self._rate(said, word))]
        return max(rated)[2] if rated else None

    @staticmethod
    def _rate(said: str, word: str) -> tuple[int, int] | None:
        """How well `said` fits `word`: (sounds exactly the same, characters shared); None: it does not."""
        differing = [(a, b) for a, b in zip(said, word, strict=True) if a != b]
        shared = len(word) - len(differing)
        if any(a in _NUMERALS or b in _NUMERALS for a, b in differing):
            return None
        exact = all(set(readings(a)) & set(readings(b)) for a, b in differing)
        if len(word) == 2:
            fits = exact and shared == 1 and _LONE.isdisjoint(a for a, _ in differing)
        else:
            fits = exact or len(differing) == 1
        return (int(exact), shared) if fits else None

    def _is_better(self, run: str, start: int, end: int) -> bool:
        """Whether a word at `start` to `end` cuts no known word in two and leaves fewer words in all."""
        for at in range(max(0, start - self._longest + 1), end):
            for length in self._lengths:
                stop = at + length
                inside = start <= at and stop <= end
                if start < stop <= len(run) and not inside and run[at:stop] in self._words:
                    return False
        before, after = run[max(0, start - _CONTEXT) : start], run[end : end + _CONTEXT]
        return _segments(before) + 1 + _segments(after) < _segments(before + run[start:end] + after)
