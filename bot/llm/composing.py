"""Wording an answer with a model: sentences with the ids they rest on, each held against exactly those sources."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from bot.llm.budget import Turn
from bot.llm.lock import Kind, Unsupported, rules, said_verdicts, unsupported
from bot.llm.marks import marks_of, plain, same_amount
from bot.llm.metrics import metrics
from bot.llm.model import ChatModel, read_text
from bot.llm.prompts import fenced, new_fence, prompt
from bot.llm.sources import Source, show_sources
from bot.texts import Texts, short_date, weekday

Listener = Callable[[str], Awaitable[None]]
_ANSWER = 900
_MOST = 1600
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.S)


class Sentence(BaseModel):
    """One sentence and the ids of the sources it rests on."""

    text: str
    ids: list[str] = Field(default_factory=list)


class Composed(BaseModel):
    """What a model wrote."""

    complete: Literal["complete", "partial", "none"]
    sentences: list[Sentence] = Field(default_factory=list, max_length=40)


@dataclass(frozen=True)
class Cut:
    """A sentence that no person sees, and why."""

    sentence: str
    why: tuple[Unsupported, ...]


@dataclass
class Locked:
    """What the lock let pass."""

    complete: str = "none"
    kept: list[Sentence] = field(default_factory=list)
    cut: list[Cut] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The sentences as one text; items of a list keep their lines."""
        out = ""
        for sentence in self.kept:
            words = sentence.text.strip()
            listed = words.startswith(("- ", "|"))
            out += ("\n" if out and listed and not out.endswith("\n") else "") + words + ("\n" if listed else "")
        return out.strip()


class Lock:
    """Holds sentences against the sources they name, one after the other."""

    def __init__(self, sources: Sequence[Source], today: date, titles: Sequence[str] = ()) -> None:
        self._sources = {s.id: s for s in sources}
        self._today = today
        self._titles = tuple(titles)
        results = [s.text for s in sources if s.id.startswith("E")]
        bold = [m[1] for text in results for m in _BOLD.finditer(text)]
        self._verdict = "\n".join(bold) or None

    def held(self, sentence: Sentence) -> tuple[Unsupported, ...]:
        """What is wrong with a sentence; nothing where it may be shown."""
        named = [self._sources[i] for i in sentence.ids if i in self._sources]
        if len(named) < len(sentence.ids) or not named:
            return (Unsupported(",".join(sentence.ids) or sentence.text[:20], Kind.NO_SOURCE),)
        return tuple(
            unsupported(
                sentence.text, [s.text for s in named], today=self._today, titles=self._titles, verdict=self._verdict
            )
        )

    def take(self, sentence: Sentence, locked: Locked) -> bool:
        """Keep or cut a sentence; what is cut is recorded with its reason."""
        why = self.held(sentence)
        if len(locked.text) + len(sentence.text) > _MOST:
            why = (*why, Unsupported(sentence.text[:20], Kind.LENGTH))
        if not why:
            locked.kept.append(sentence)
            return True
        locked.cut.append(Cut(sentence.text, why))
        for item in why:
            metrics().cuts.labels(item.kind.value).inc()
        return False


async def compose(
    model: ChatModel,
    turn: Turn,
    question: str,
    sources: Sequence[Source],
    today: date,
    texts: Texts,
    *,
    limit: float,
    titles: Sequence[str] = (),
    listener: Listener | None = None,
) -> Locked:
    """Have an answer worded and locked.

    Args:
        question: Masked already.
        listener: Told each sentence once it has passed, while the model still writes.

    Raises:
        LLMError: The model gave nothing usable in time.
    """
    told = prompt("composing")
    fence = new_fence()
    user = told.fill(
        fence=fence,
        today=texts.render("llm.today", day=f"{today.year}年{short_date(today)}", weekday=weekday(today)),
        sources=show_sources(sources, fence),
        question=fenced(question, "问题", fence),
    )
    lock = Lock(sources, today, titles)
    locked = Locked()
    if listener is None:
        composed = await model.structured(Composed, told.system, user, turn, tokens=_ANSWER, limit=limit)
        locked.complete = composed.complete
        for sentence in composed.sentences:
            lock.take(sentence, locked)
        return locked
    whole = ""
    seen = 0
    async for piece in _streamed(model, told.system, user, turn, limit):
        whole += piece
        complete, sentences = partial_answer(whole)
        for sentence in sentences[seen:]:
            if lock.take(sentence, locked) and complete in ("complete", "partial"):
                await listener(sentence.text)
        seen = len(sentences)
    composed = read_text(Composed, whole)
    locked.complete = composed.complete
    for sentence in composed.sentences[seen:]:
        lock.take(sentence, locked)
    return locked


async def _streamed(model: ChatModel, system: str, user: str, turn: Turn, limit: float) -> AsyncIterator[str]:
    async for piece in model.text(system, user, turn, tokens=_ANSWER, limit=limit):
        yield piece


def partial_answer(text: str) -> tuple[str | None, list[Sentence]]:
    """What can be read of an answer that is still being written: its completeness and its finished sentences."""
    complete = re.search(r'"complete"\s*:\s*"(complete|partial|none)"', text)
    start = text.find('"sentences"')
    at = text.find("[", start) if start >= 0 else -1
    found: list[Sentence] = []
    decoder = json.JSONDecoder()
    while at >= 0:
        at = text.find("{", at)
        if at < 0:
            break
        try:
            data, at = decoder.raw_decode(text, at)
            found.append(Sentence.model_validate(data))
        except ValueError:
            break
    return complete[1] if complete else None, found


def misses(said: str, answer: str) -> list[str]:
    """What the answer without an LLM puts in bold and the worded one leaves out: days, amounts, numbers, verdicts.

    A wording that loses any of these is not whole, however true each of its sentences is.
    """
    bold = plain("。".join(_BOLD.findall(answer)))
    want, have = marks_of(bold), marks_of(plain(said))
    missing = [d.words for d in want.days if d.key not in {h.key for h in have.days}]
    missing += [q.text for q in want.quantities if not any(same_amount(q, h) for h in have.quantities)]
    for name in ("phones", "links", "titles", "years"):
        values = {m.value for m in getattr(have, name)}
        missing += [m.words for m in getattr(want, name) if m.value not in values]
    for family in rules()["verdicts"].values():
        there = said_verdicts(plain(said), family)
        missing += [words for value, words in said_verdicts(bold, family).items() if value not in there]
    silence = rules()["silence"]["said"]
    if any(w in bold for w in silence) and not any(w in said for w in silence):
        missing.append(next(w for w in silence if w in bold))
    return missing
