"""References to places in regulations: 第十二条第二款第（三）项, in a question or in a clause's own text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.clauses import Clause
from knowledge.clauses.numbering import chinese, numeral

_N = r"[〇零一二三四五六七八九十百\d]+"
_PLACE = re.compile(
    rf"(?:《(?P<title>[^《》]{{2,60}})》\s*)?"
    rf"(?:第\s*(?P<chapter>{_N})\s*章(?:\s*第\s*(?P<section>{_N})\s*节)?"
    rf"|第\s*(?P<article>{_N})\s*条(?P<more>之[一二三四五六七八九十])?"
    rf"(?:\s*第\s*(?P<paragraph>{_N})\s*款)?(?:\s*第?\s*[（(]?\s*(?P<item>{_N})\s*[）)]?\s*项(?!目))?"
    rf"(?:\s*第\s*(?P<point>{_N})\s*目(?![标的录前]))?"
    rf"|第\s*(?P<paragraph2>{_N})\s*款(?:\s*第?\s*[（(]?\s*(?P<item2>{_N})\s*[）)]?\s*项(?!目))?"
    rf"|第\s*[（(]\s*(?P<item3>{_N})\s*[）)]\s*项(?!目))"
)
_JOIN = re.compile(r"\s*(?:[、，,]|和|及|以及|或者?|与|至|到)\s*$")


@dataclass(frozen=True)
class Reference:
    """A place named in a text; `start` and `end` are the words' place in it.

    `title` is the 《title》 right before it, else None: the document that the text itself belongs to.
    """

    start: int
    end: int
    title: str | None = None
    chapter: int | None = None
    section: int | None = None
    article: int | None = None
    more: str = ""
    paragraph: int | None = None
    item: int | None = None
    point: int | None = None

    @property
    def label(self) -> str:
        """As documents write it, e.g. 第十二条第二款第（三）项."""
        if self.article is None:
            section = f"第{chinese(self.section)}节" if self.section else ""
            return f"第{chinese(self.chapter or 0)}章{section}"
        text = f"第{chinese(self.article)}条{self.more}"
        if self.paragraph:
            text += f"第{chinese(self.paragraph)}款"
        if self.item:
            text += f"第（{chinese(self.item)}）项"
        return text + (f"第{self.point}目" if self.point else "")

    def matches(self, clause: Clause) -> bool:
        """Whether a clause is the place or lies in it."""
        if self.article is None:
            return self._in_chapter(clause)
        rest = after(clause.path, f"第{chinese(self.article)}条{self.more}")
        if rest is None:
            return False
        if self.paragraph is not None:
            name = f"第{chinese(self.paragraph)}款"
            if rest.startswith(name):
                rest = rest[len(name) :]
            elif self.paragraph != 1 or re.match(r"第.+款", rest):
                return False
        if self.item is not None:
            if self.paragraph is None:
                rest = re.sub(r"^第[^（]+?款", "", rest)
            name = f"（{chinese(self.item)}）"
            if not rest.removeprefix("第").startswith(name):
                return False
            rest = rest.removeprefix("第")[len(name) :].removeprefix("项")
        if self.point is not None:
            return re.match(rf"第?{self.point}(?!\d)", rest) is not None
        return True

    def _in_chapter(self, clause: Clause) -> bool:
        if self.chapter is None:
            return False
        chapter = f"第{chinese(self.chapter)}章"
        section = f"第{chinese(self.section)}节" if self.section else ""
        if clause.path.startswith(chapter):
            return clause.path.startswith(chapter + section)
        return any(h.startswith(chapter) for h in clause.headings) and (
            not section or any(h.startswith(section) for h in clause.headings)
        )


def after(path: str, label: str) -> str | None:
    """What follows an article's label in a path; None where the path is of another article."""
    if not path.startswith(label):
        return None
    rest = path[len(label) :]
    return None if rest.startswith("之") else rest


def find_references(text: str) -> list[Reference]:
    """Every place named in a text; 第四条第（一）项和第（三）项 names two of the same article."""
    found: list[Reference] = []
    for match in _PLACE.finditer(text):
        number = {name: _number(value) for name, value in match.groupdict().items() if name not in ("title", "more")}
        if number["article"] is None and number["chapter"] is None:
            last = found[-1] if found else None
            if last is None or last.article is None or not _JOIN.fullmatch(text[last.end : match.start()]):
                continue
            paragraph = number["paragraph2"] or last.paragraph
            item = number["item2"] or number["item3"]
            found.append(
                Reference(match.start(), match.end(), last.title, None, None, last.article, last.more, paragraph, item)
            )
            continue
        found.append(
            Reference(
                match.start(),
                match.end(),
                match["title"],
                number["chapter"],
                number["section"],
                number["article"],
                match["more"] or "",
                number["paragraph"],
                number["item"],
                number["point"],
            )
        )
    return found


def _number(text: str | None) -> int | None:
    if not text:
        return None
    try:
        value = numeral(text)
    except ValueError:
        return None
    return value if 0 < value < 1000 else None


@dataclass(frozen=True)
class Link:
    """A reference in a clause's text with the clauses that it leads to."""

    reference: Reference
    clauses: tuple[Clause, ...]


def links(clause: Clause, document: Iterable[Clause]) -> list[Link]:
    """The references of a clause that lead to places of its own document, for pages to make links of."""
    own = list(document)
    # A clause that begins with its own number (第五条 …) does not refer to itself.
    found = []
    for reference in find_references(clause.text):
        if reference.start == 0 or reference.title:
            continue
        targets = tuple(c for c in own if c.id != clause.id and reference.matches(c))
        if targets:
            found.append(Link(reference, targets))
    return found
