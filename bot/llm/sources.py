"""What a model may rest its sentences on: clauses and engine results, each with an id that travels as a token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.llm.prompts import fenced
from bot.messages import Citation
from knowledge.clauses import Clause
from knowledge.loading import Pack


@dataclass(frozen=True)
class Source:
    """One source: `id` is a token ("C1" a clause, "E1" what an engine or template found), never a clause's own id."""

    id: str
    text: str
    citation: Citation | None = None


def clause_text(pack: Pack, clause: Clause) -> str:
    """A clause with its document and path, as the model and the lock see it."""
    document = pack.documents[clause.document]
    above = "".join(f"{heading}\n" for heading in clause.headings)
    return f"{document.short} {clause.path}\n{above}{clause.text}"


def sources_of(pack: Pack, citations: Iterable[Citation], results: Sequence[str] = ()) -> list[Source]:
    """Sources for an answer: each result of an engine, then each clause cited."""
    found = [Source(f"E{n}", text) for n, text in enumerate(results, 1)]
    for n, cited in enumerate(citations, 1):
        clause = pack.clauses.get(cited.clause_id)
        text = clause_text(pack, clause) if clause else f"{cited.document} {cited.clause}\n{cited.text}"
        found.append(Source(f"C{n}", text, cited))
    return found


def show_sources(sources: Sequence[Source], fence: str) -> str:
    """The sources as fenced data for a prompt."""
    return "\n".join(fenced(s.text, s.id, fence) for s in sources)
