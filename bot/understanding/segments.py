"""The parts of a message that ask something."""

from __future__ import annotations

import re

from knowledge.lexicon import Lexicon

_SENTENCE = re.compile(r"[。?!;\n]+|(?:^|[,，\s])(?=(?:另外|还有|顺便|再问|再就是|然后问|对了)[^,，。]{2})")
_SMALL = re.compile(r"[。?!;,，\s\n]+")


def questions(text: str, lexicon: Lexicon) -> list[str]:
    """The sentences of a message (normalised) that hold a question word, at least four characters long."""
    parts, last = [], 0
    for match in _SENTENCE.finditer(text):
        parts.append(text[last : match.end()])
        last = match.end()
    parts.append(text[last:])
    kept = [p.strip(" ,，。") for p in parts]
    return [p for p in kept if len(p) >= 4 and any(m in p for m in lexicon.question_marks)]


def last_question(text: str, lexicon: Lexicon) -> str | None:
    """The last piece of a long message that asks something, with what stands right before it; None where there is none."""
    pieces = [p for p in _SMALL.split(text) if p]
    for at in range(len(pieces) - 1, -1, -1):
        if len(pieces[at]) >= 3 and any(m in pieces[at] for m in lexicon.question_marks):
            taken = " ".join(pieces[max(0, at - 1) : at + 1]) if len(pieces[at]) < 10 else pieces[at]
            return taken if len(taken) < len(text) - 4 else None
    return None
