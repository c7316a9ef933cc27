"""What a model is given to rest its sentences on: clauses and engine results, each with an id that travels as a token."""

from __future__ import annotations

from knowledge.clauses import Clause
from knowledge.loading import Pack


def clause_text(pack: Pack, clause: Clause) -> str:
    """A clause with its document and path, as the model and the lock see it."""
    document = pack.documents[clause.document]
    above = "".join(f"{heading}\n" for heading in clause.headings)
    return f"{document.short} {clause.path}\n{above}{clause.text}"
