"""A model's help for people who work with it: nothing here is sent or stored before a person has looked at it.

`suggest_reply` words a draft for staff from clauses; `split_paragraph` finds form fields in a pasted text;
`draft_samples` drafts ways to ask for a topic. All behind the lock: a draft says nothing that its sources do not,
a field's value stands in the paragraph as it is, a sample names nothing that the source does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, Field

from bot.llm.budget import Budget
from bot.llm.composing import Cut, compose
from bot.llm.lock import Kind, unsupported
from bot.llm.masking import masked
from bot.llm.model import ChatModel
from bot.llm.prompts import fenced, new_fence, prompt
from bot.llm.sources import Source, sources_of
from bot.messages import Citation
from bot.texts import Texts
from knowledge.loading import Pack

_FIELDS, _SAMPLES = 900, 600
_LONGEST_SAMPLE = 60
# A question may well ask for what the source does not say; it may not carry days, numbers or names of its own.
_OF_A_QUESTION = frozenset(
    {
        Kind.LANGUAGE,
        Kind.LENGTH,
        Kind.PHONE,
        Kind.LINK,
        Kind.TITLE,
        Kind.PERSON,
        Kind.ADDRESS,
        Kind.DATE,
        Kind.TIME,
        Kind.NUMBER,
        Kind.CLAUSE,
    }
)


@dataclass(frozen=True)
class Draft:
    """A suggested reply: its text, the clauses it rests on, what was cut. Empty where nothing could be said."""

    text: str
    citations: tuple[Citation, ...]
    cut: tuple[Cut, ...]


class FieldValue(BaseModel):
    """One field found."""

    id: str
    value: str


class Fields(BaseModel):
    """What a model found in a paragraph."""

    fields: list[FieldValue] = Field(default_factory=list, max_length=80)


class Samples(BaseModel):
    """What a model drafted."""

    samples: list[str] = Field(default_factory=list, max_length=60)


async def suggest_reply(
    model: ChatModel,
    budget: Budget,
    pack: Pack,
    texts: Texts,
    question: str,
    citations: Sequence[Citation],
    today: date,
    notes: Sequence[str] = (),
) -> Draft:
    """A draft for staff.

    Args:
        question: As it was asked; personal data is masked before the call.
        citations: The clauses that staff or the search found.
        notes: Earlier answers of staff that may be used as sources.

    Raises:
        LLMError: The model gave nothing usable.
    """
    sources: list[Source] = sources_of(pack, citations, [masked(n).text for n in notes])
    titles = [t for d in pack.documents.values() for t in (d.title, d.short)]
    locked = await compose(
        model, budget.open_turn(today), masked(question).text, sources, today, texts, limit=model.timeout, titles=titles
    )
    used = {i for s in locked.kept for i in s.ids}
    cited = tuple(s.citation for s in sources if s.id in used and s.citation)
    return Draft(locked.text if locked.complete != "none" else "", cited, tuple(locked.cut))


async def split_paragraph(
    model: ChatModel, budget: Budget, paragraph: str, fields: Mapping[str, str], today: date
) -> dict[str, str]:
    """The fields of a form that a pasted paragraph holds, by id; the person confirms each.

    Personal data is masked before the call and restored after it. A value that does not stand in the paragraph as
    it is, or a field that was not asked for, is dropped.

    Args:
        fields: Label by field id.

    Raises:
        LLMError: The model gave nothing usable.
    """
    told, fence, hidden = prompt("splitting"), new_fence(), masked(paragraph)
    listed = "\n".join(f"- {name} {label}" for name, label in fields.items())
    user = told.fill(fence=fence, fields=listed, paragraph=fenced(hidden.text, "段落", fence))
    got = await model.structured(Fields, told.system, user, budget.open_turn(today), tokens=_FIELDS)
    found: dict[str, str] = {}
    for item in got.fields:
        value = hidden.restore(item.value.strip())
        if item.id in fields and value and value in paragraph:
            found.setdefault(item.id, value)
    return found


async def draft_samples(
    model: ChatModel, budget: Budget, title: str, source: str, existing: Sequence[str], today: date, number: int = 10
) -> list[str]:
    """Ways to ask for a topic, for review: new ones only, in Chinese, short, naming nothing that the source does not.

    Raises:
        LLMError: The model gave nothing usable.
    """
    told, fence = prompt("samples"), new_fence()
    user = told.fill(
        fence=fence,
        number=number,
        title=title,
        source=fenced(source, "来源", fence),
        existing="\n".join(f"- {s}" for s in existing),
    )
    got = await model.structured(Samples, told.system, user, budget.open_turn(today), tokens=_SAMPLES)
    kept: list[str] = []
    for sample in got.samples:
        words = sample.strip()
        wrong = {u.kind for u in unsupported(words, [source, title], today=today)}
        if words and len(words) <= _LONGEST_SAMPLE and words not in (*existing, *kept) and not wrong & _OF_A_QUESTION:
            kept.append(words)
    return kept[:number]
