"""What changed between two readings of a document, clause by clause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from knowledge.clauses import Clause, squeeze
from knowledge.clauses.numbering import find_mark

_ALIKE = 0.6
"""Share of equal characters from which a clause under another number counts as the same one, moved."""


@dataclass(frozen=True)
class Change:
    """One clause that is not as it was: `old` None: added, `new` None: gone; both: other words or another place."""

    old: Clause | None
    new: Clause | None

    @property
    def kind(self) -> str:
        """added, removed, moved (same words, another place) or changed."""
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        return "moved" if _bare(self.old) == _bare(self.new) else "changed"


def differences(old: Iterable[Clause], new: Iterable[Clause]) -> list[Change]:
    """The changes from `old` to `new`, in the order of the new document, what is gone last.

    Words before numbers: an article that only got another number, because one was put in before it, has moved.
    """
    before, after = list(old), list(new)
    words = ([_bare(c) for c in before], [_bare(c) for c in after])
    origin: dict[int, int] = {}
    for block in SequenceMatcher(None, *words, autojunk=False).get_matching_blocks():
        origin |= {block.b + i: block.a + i for i in range(block.size)}
    left = {c.path: c for at, c in enumerate(before) if at not in origin.values()}
    found: list[Change] = []
    for at, clause in enumerate(after):
        if at in origin:
            same = before[origin[at]]
            if same.path != clause.path:
                found.append(Change(same, clause))
            continue
        source = left.get(clause.path) or _alike(_bare(clause), left.values())
        if source is not None:
            left.pop(source.path)
        found.append(Change(source, clause))
    return found + [Change(clause, None) for clause in left.values()]


def _bare(clause: Clause) -> str:
    """The words without blanks and without the number that they begin with."""
    mark = find_mark(clause.text)
    return squeeze(mark.rest if mark is not None and mark.rest else clause.text)


def _alike(text: str, candidates: Iterable[Clause]) -> Clause | None:
    best, score = None, _ALIKE
    for clause in candidates:
        matcher = SequenceMatcher(None, _bare(clause), text, autojunk=False)
        # The two quick bounds spare nearly every full comparison.
        if matcher.real_quick_ratio() > score and matcher.quick_ratio() > score and (ratio := matcher.ratio()) > score:
            best, score = clause, ratio
    return best
