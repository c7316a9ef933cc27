"""Messages that lean on the one before: "那审核呢？", "要盖章吗", "高校呢？"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knowledge.lexicon import FollowUps
from knowledge.pack import Topic

_LONGEST = 24


@dataclass(frozen=True)
class Leaning:
    """How a message leans on the one before.

    Attributes:
        subjects, aspects: What it names itself.
        strong: It opens like a follow-up or uses a pronoun.
    """

    subjects: frozenset[str]
    aspects: frozenset[str]
    strong: bool


def named(text: str, words: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """The ids whose words stand in the text; a longer word hides a shorter one inside it."""
    hits = [(text.find(w), len(w), name) for name, ws in words.items() for w in ws if w in text]
    kept = [h for h in hits if not any(o[1] > h[1] and o[0] <= h[0] and h[0] + h[1] <= o[0] + o[1] for o in hits)]
    return frozenset(name for _, _, name in kept)


def leaning(text: str, words: FollowUps) -> Leaning | None:
    """How a message (normalised) leans on the one before, or None where it stands by itself."""
    if len(text) > _LONGEST:
        return None
    strong = any(re.search(p, text) for p in words.openers) or any(p in text for p in words.pronouns)
    subjects, aspects = named(text, words.subjects), named(text, words.aspects)
    if not strong and subjects and aspects:
        return None
    if not strong and len(text) > 12:
        return None
    return Leaning(subjects, aspects, strong)


def is_correction(text: str, words: FollowUps) -> bool:
    """Whether a message corrects what the person said before."""
    return any(re.search(p, text) for p in words.corrections)


def facets(lean: Leaning, last: Topic, topics: Iterable[Topic]) -> set[str]:
    """The topics that the message means by its own subject or aspect and the last topic's other half."""
    if lean.subjects and not lean.aspects:
        wanted = {(s, last.aspect) for s in lean.subjects}
    elif lean.aspects and not lean.subjects:
        wanted = {(last.subject, a) for a in lean.aspects}
    else:
        return set()
    return {t.id for t in topics if (t.subject, t.aspect) in wanted and t.id != last.id}
