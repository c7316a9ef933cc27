"""Quoting: what the clauses themselves say, where no topic answers, where a document or a number is named,
and beside an answer where another document speaks of the same thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from bot.messages import Citation, Reason, Reply, Status
from bot.texts import Texts, short_date
from knowledge.choosing import Vector
from knowledge.clauses.numbering import find_mark
from knowledge.pack import DocumentSpec
from knowledge.quoting import ClauseFinder, Conflict, Quote, Seen, by_document, contradiction

_LONGEST = 1800
"""Characters of quoted text in one reply; what is beyond stands in the citations."""
_CITED = 12


class Quoting:
    """Turns what a `ClauseFinder` sees into replies.

    Args:
        finder: The finder in use now.
    """

    def __init__(self, finder: Callable[[], ClauseFinder], texts: Texts) -> None:
        self._finder = finder
        self._texts = texts

    def look(self, text: str, vector: Vector | None, day: date, *, undecided: bool) -> Seen:
        """What the documents hold for a question; some milliseconds of computing.

        Args:
            undecided: No topic answers, so a strong clause of the pack's own documents may be quoted too.
        """
        return self._finder().look(text, vector, day, notice=undecided)

    def place(self, seen: Seen) -> Reply | None:
        """The reply to "第十二条说什么"; None where no place of an imported document is named."""
        if seen.reference is None or not seen.named:
            return None
        document = seen.named[0]
        if not seen.places:
            text = self._texts.render(
                "documents.no_such_place", document=document.short, place=seen.reference.label, last=seen.last
            )
            return Reply(text=text, status=Status.ANSWERED, citations=self._opening(document))
        return self._quoted(seen.places, Status.ANSWERED)

    def subject(self, seen: Seen) -> Reply | None:
        """The reply from clauses found by subject; None where none is strong enough."""
        if not seen.strong:
            return None
        kept = [q for q in seen.found if q.score >= self._finder().bar] or list(seen.found[:1])
        return self._quoted(kept, Status.ANSWERED, seen.conflict)

    def nearest(self, seen: Seen) -> Reply | None:
        """A document was named and nothing in it is near enough: declined, with the nearest clause to look at."""
        if not seen.named or not seen.found:
            return None
        text = self._texts.render(
            "documents.not_found_in", document=seen.named[0].short, parts=self._parts(seen.found[:1])
        )
        return Reply(
            text=text, status=Status.UNANSWERED, reason=Reason.NOT_IN_SOURCES, citations=_cited(seen.found[:1])
        )

    def imported(self, seen: Seen) -> Reply | None:
        """Like `subject`, from imported documents alone: for a topic that says that the notice does not tell."""
        finder = self._finder()
        kept = tuple(q for q in seen.found if q.document.imported and q.score >= finder.bar)
        return self._quoted(kept, Status.ANSWERED, seen.conflict) if kept else None

    def beside(self, reply: Reply, seen: Seen, day: date) -> Reply:
        """An answer with what else is to be said of its sources: that a clause was replaced, that another
        document speaks of the same thing, which of them governs, and that they contradict each other."""
        finder = self._finder()
        if not finder.documents:
            return reply
        added = [
            self._texts.render(
                "documents.replaced_source",
                clause=c.clause,
                document=c.document,
                by=by.title,
                since=short_date(by.effective) if by.effective else "",
            )
            for c in reply.citations
            if (by := finder.replaced(c.clause_id, day)) is not None
        ]
        more = finder.beside((c.clause_id for c in reply.citations), seen, day)
        if not added and not more:
            return reply
        clash = self._clash(reply.citations, more)
        if more:
            added.append(
                self._texts.render(
                    "documents.also" if clash is None else "documents.also_conflict",
                    parts=self._parts(more),
                    first=clash[0] if clash else "",
                    second=clash[1] if clash else "",
                )
            )
        return reply.model_copy(
            update={
                "text": "\n\n".join([reply.text, *added]),
                "citations": (*reply.citations, *_cited(more)),
                "reason": Reason.CONFLICT if clash else reply.reason,
            }
        )

    def _clash(self, citations: Sequence[Citation], more: Sequence[Quote]) -> tuple[str, str] | None:
        for citation in citations:
            for quote in more:
                if (
                    quote.by is None
                    and not quote.pending
                    and (found := contradiction(citation.text, quote.clause.text))
                ):
                    return found
        return None

    def _quoted(self, quotes: Sequence[Quote], status: Status, conflict: Conflict | None = None) -> Reply:
        documents = by_document(quotes)
        several = len({q.document.id for q in quotes if q.by is None}) > 1
        text = self._texts.render(
            "documents.quoted",
            parts=self._parts(quotes),
            governing=quotes[0].document.short if several and len(documents) > 1 else "",
            kind=quotes[0].document.kind,
            conflict=conflict.values if conflict else (),
        )
        return Reply(text=text, status=status, citations=_cited(quotes), reason=Reason.CONFLICT if conflict else None)

    def _parts(self, quotes: Sequence[Quote]) -> list[dict[str, object]]:
        """The quotes for the texts: where from, the words, and whether they hold."""
        parts: list[dict[str, object]] = []
        size = 0
        for quote in quotes:
            words = shown(quote)
            size += len(words)
            parts.append(
                {
                    "document": quote.document.short,
                    "path": quote.clause.path,
                    "words": words if size <= _LONGEST or not parts else "",
                    "by": quote.by.short if quote.by else "",
                    "since": short_date(quote.by.effective) if quote.by and quote.by.effective else "",
                    "pending": _long_date(quote.document.effective)
                    if quote.pending and quote.document.effective
                    else "",
                }
            )
        return parts

    def _opening(self, document: DocumentSpec) -> tuple[Citation, ...]:
        first = next((c for c in self._finder().pack.clauses.values() if c.document == document.id), None)
        return (
            (Citation(document=document.title, clause=first.path, text=first.text, clause_id=first.id),)
            if first
            else ()
        )


def _long_date(day: date) -> str:
    return f"{day.year}年{short_date(day)}"


def _cited(quotes: Sequence[Quote]) -> tuple[Citation, ...]:
    return tuple(
        Citation(document=q.document.title, clause=q.clause.path, text=q.clause.text, clause_id=q.clause.id)
        for q in quotes[:_CITED]
    )


def shown(quote: Quote) -> str:
    """A clause's words for a reply, without the number that its path already gives; a table as one."""
    if quote.clause.kind != "table":
        text = " ".join(quote.clause.text.split("\n"))
        mark = find_mark(text)
        return mark.rest if mark is not None and mark.rest and mark.label in quote.clause.path else text
    rows = [row.split("\t") for row in quote.clause.text.split("\n")]
    width = max(len(row) for row in rows)
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in rows]
    return "\n" + "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])
