"""What changed between two readings of a document, clause by clause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from knowledge.clauses import Clause, squeeze

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
        return "moved" if squeeze(self.old.text) == squeeze(self.new.text) else "changed"


def differences(old: Iterable[Clause], new: Iterable[Clause]) -> list[Change]:
    """The changes from `old` to `new`, in the order of the new document, what is gone last."""
    before, after = list(old), list(new)
    words = {c.path: squeeze(c.text) for c in before}
    paths = {c.path: c for c in before}
    left = {c.path: c for c in before if c.path not in {n.path for n in after}}
    found: list[Change] = []
    for clause in after:
        text = squeeze(clause.text)
        if (same := paths.get(clause.path)) is not None:
            if words[same.path] != text:
                found.append(Change(same, clause))
            continue
        origin = next((c for c in left.values() if words[c.path] == text), None) or _alike(text, left.values())
        if origin is not None:
            left.pop(origin.path)
        found.append(Change(origin, clause))
    return found + [Change(clause, None) for clause in left.values()]


def _alike(text: str, candidates: Iterable[Clause]) -> Clause | None:
    best, score = None, _ALIKE
    for clause in candidates:
        matcher = SequenceMatcher(None, squeeze(clause.text), text, autojunk=False)
        # The two quick bounds spare nearly every full comparison.
        if matcher.real_quick_ratio() > score and matcher.quick_ratio() > score and (ratio := matcher.ratio()) > score:
            best, score = clause, ratio
    return best
