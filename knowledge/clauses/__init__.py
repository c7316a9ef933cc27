"""From the text of an official document to its clauses, the smallest pieces that can be cited.

    layout      characters -> lines and tables
    sections    letterhead, title, addressees, body, list of attachments, signature, attachments
    numbering   what begins a unit, and what only refers to one
    outline     the tree of units of a body, and the paths

Paths: 四（一）, 五（二）1, 附件1·五·1, 附件1·六·2（1）; a second paragraph without a number is
五（一）·第2段; a table 附件2·表. In a regulation: 第十二条, 第十二条第二款 where the 条 has several
paragraphs, 第十二条（三） or 第十二条第一款第（三）项, and chapters as clauses of their own. Where only one
attachment counts 条 and the body does not, its 条 are cited without the attachment's name.

A heading and the text right under it that has no number of its own are one clause. No character but
layout blanks and the marks of Markdown tables is dropped: `ParseReport.leftovers` proves it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256

from knowledge.clauses.layout import read_blocks, squeeze, without_blanks
from knowledge.clauses.numbering import Style, find_mark
from knowledge.clauses.outline import (
    Kind,
    Outline,
    Uncertainty,
    headings_of,
    is_heading,
    path_of,
)
from knowledge.clauses.sections import Part, split

__all__ = ["Clause", "Kind", "ParseReport", "Uncertainty", "parse", "parse_report", "squeeze"]


@dataclass(frozen=True)
class Clause:
    """The smallest citable piece of a document.

    Args:
        id: `document:path`, the same for the same place in a later edition of the document.
        document: The document's id, e.g. "notice".
        path: Where it stands, e.g. "四（一）"; a path that occurs again gets "#2".
        headings: The headings above it, widest first.
        text: Its words as in the source; paragraphs and table rows on lines of their own, cells after a tab.
        digest: SHA-256 of document, path and text without blanks: changes when the words do.
        kind: A heading alone, text, or a table.
    """

    id: str
    document: str
    path: str
    headings: tuple[str, ...]
    text: str
    digest: str
    kind: Kind


@dataclass(frozen=True)
class ParseReport:
    """What came of a parse.

    Args:
        leftovers: Pieces of the source that are in no clause; a parse is sound only if there are none.
        uncertainties: Places that can be read in two ways.
    """

    clauses: tuple[Clause, ...]
    leftovers: tuple[str, ...]
    uncertainties: tuple[Uncertainty, ...]


def parse(document_id: str, text: str) -> list[Clause]:
    """The clauses of a document in order.

    Args:
        document_id: Short id of the document, e.g. "measures".
        text: Its whole text; tables as Markdown or with tabs.
    """
    return list(parse_report(document_id, text).clauses)


def parse_report(document_id: str, text: str) -> ParseReport:
    """Like `parse`, with what was left over and what is uncertain."""
    parts = split(read_blocks(text, lambda line: find_mark(line) is not None))
    outlines = [(part, Outline(part.blocks, part.head) if not part.name else None) for part in parts]
    counting = [part for part, outline in outlines if outline and _counts_articles(outline)]
    doubts: list[Uncertainty] = []
    seen: Counter[str] = Counter()
    clauses: list[Clause] = []

    def add(path: str, headings: tuple[str, ...], words: str, kind: Kind) -> None:
        seen[path] += 1
        if seen[path] > 1:
            doubts.append(Uncertainty("path_twice", words[:40]))
            path = f"{path}#{seen[path]}"
        digest = sha256("\n".join((document_id, path, without_blanks(words))).encode()).hexdigest()
        clauses.append(Clause(f"{document_id}:{path}", document_id, path, headings, words, digest, kind))

    for part, outline in outlines:
        above = _head_above(part, parts)
        if outline is None:
            path = f"{part.prefix}·{part.name}" if part.prefix else part.name
            add(path, above, part.text, "heading" if part.name == "标题" else "text")
            continue
        doubts.extend(outline.doubts)
        article_prefix = "" if len(counting) == 1 else part.prefix
        root_name = _root_name(part, outline, parts)
        for piece in outline.pieces:
            path = path_of(piece, part.prefix, article_prefix, root_name)
            is_head = bool(part.head) and piece.unit.mark is None and piece.index == 0 and piece.kind == "text"
            kind: Kind = "table" if piece.kind == "table" else "heading" if is_head or is_heading(piece) else "text"
            words = piece.text if kind == "table" else piece.unit.paragraphs[piece.index]
            add(path, () if is_head else (*above, *headings_of(piece)), words, kind)
    return ParseReport(tuple(clauses), _leftovers(text, clauses), tuple(doubts))


def _counts_articles(outline: Outline) -> bool:
    return any(piece.unit.mark and piece.unit.mark.style is Style.ARTICLE for piece in outline.pieces)


def _head_above(part: Part, parts: list[Part]) -> tuple[str, ...]:
    """An attachment's number and title, as the heading of all that is in it."""
    if not part.prefix:
        return ()
    head = next((other.head for other in parts if other.prefix == part.prefix and other.head), "")
    return (" ".join(head.split("\n")[:2]),) if head else ()


def _root_name(part: Part, outline: Outline, parts: list[Part]) -> str:
    if part.head:
        return ""
    addressed = any(other.name == "主送" for other in parts)
    return "引言" if outline.root.children or addressed else "正文"


def _leftovers(text: str, clauses: list[Clause]) -> tuple[str, ...]:
    """The source's characters against those of the clauses: what is missing, or else what is out of place."""
    source = squeeze(text)
    parsed = "".join(without_blanks(clause.text) for clause in clauses)
    if source == parsed:
        return ()
    at = next(
        (place for place, (one, other) in enumerate(zip(source, parsed, strict=False)) if one != other),
        min(len(source), len(parsed)),
    )
    return (source[at : at + 80] or parsed[at : at + 80],)
