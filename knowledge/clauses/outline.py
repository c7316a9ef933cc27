"""The tree of numbered units of one section, and the paths of its pieces."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from knowledge.clauses.layout import (
    HEADING_WIDTH,
    Block,
    Line,
    Table,
    cells,
    glue,
    goes_on,
    is_ended,
    is_final,
)
from knowledge.clauses.numbering import Mark, Style, chinese, counted_inline, find_mark, refers

Kind = Literal["heading", "text", "table"]
Doubt = Literal["numbering_jumps", "numbering_restarts", "sentence_unended", "line_may_be_wrapped", "path_twice"]

_LEAD = re.compile(r"^[^。；;.（）①0-9]{1,15}[：:]\s*(?=1[.．、](?!\d)|（一）|（1）|①)")


_LOOK_AHEAD = 200
"""Blocks in which the second member of a list is sought after the first."""


@dataclass(frozen=True)
class Uncertainty:
    """A place where the layout allows two readings, and the reading that was taken is worth a look."""

    reason: Doubt
    line: str


@dataclass
class Unit:
    """A numbered unit, or a section's root (no mark). `lines`: how many lines went into each paragraph."""

    mark: Mark | None = None
    parent: Unit | None = None
    children: list[Unit] = field(default_factory=list)
    paragraphs: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    within: int = 0

    @property
    def article(self) -> Unit | None:
        """The 条 that this unit is or lies in."""
        unit: Unit | None = self
        while unit is not None and not (unit.mark and unit.mark.style is Style.ARTICLE):
            unit = unit.parent
        return unit

    def child(self, style: Style) -> Unit | None:
        """The last child numbered in this style."""
        return next((unit for unit in reversed(self.children) if unit.mark and unit.mark.style is style), None)


@dataclass(frozen=True)
class Piece:
    """A paragraph or a table of a unit, in the order of the document; `index` counts the paragraphs."""

    unit: Unit
    kind: Kind
    index: int
    text: str = ""


class Outline:
    """Reads the blocks of one section into units; nothing is dropped.

    Args:
        blocks: Lines and tables after the section's head.
        head: The head's text where it is the root's own clause (attachments), else "".
    """

    def __init__(self, blocks: list[Block], head: str = "") -> None:
        self.root = Unit()
        self.pieces: list[Piece] = []
        self.doubts: list[Uncertainty] = []
        self._marks = [find_mark(block.text) if isinstance(block, Line) else None for block in blocks]
        self._unit = self.root
        self._last: Line | None = None
        self._last_article: int | None = None
        self._page = _Page(blocks)
        if head:
            self._paragraph(self.root, head)
        for at, block in enumerate(blocks):
            if isinstance(block, Table):
                self.pieces.append(Piece(self._unit, "table", 0, block.text))
                self._last = None
            else:
                self._line(at, block)
                self._last = block

    def _line(self, at: int, line: Line) -> None:
        last, unit = self._last, self._unit
        wrapped = last is not None and self._page.continues(last, line)
        mark = None if wrapped else self._marks[at]
        if not wrapped and mark is None:
            mark = self._lead(at, line)
        elif mark and not self._begins(mark, line):
            # A count in mid-text (①甲；②乙) that happens to go on at a line's start.
            wrapped = wrapped or (last is not None and counted_inline(mark, unit.paragraphs[-1]))
            mark = None
        if mark:
            self._open(mark, line)
        elif last is not None and (wrapped or self._unfinished(last, line)):
            full = self._page.full(last)
            unit.paragraphs[-1] += (
                glue(last.text, line, full=full or wrapped, heading=self._is_heading_line(last)) + line.text
            )
            unit.lines[-1] += 1
        else:
            if last is not None and self._page.full(last) and not line.gap and not self._page.indented:
                self._doubt("line_may_be_wrapped", line)
            self._unit = unit.article or unit
            self._paragraph(self._unit, line.text)

    def _unfinished(self, last: Line, line: Line) -> bool:
        unit = self._unit
        if not is_ended(last.text):
            if line.gap and cells(last.text) > HEADING_WIDTH and not goes_on(last.text):
                self._doubt("sentence_unended", line)
            return True
        first = unit.mark is not None and unit.lines == [1]
        if first and last.text[-1] in "：:" and cells(last.text) <= HEADING_WIDTH // 2:
            return True
        return self._page.full(last) and not line.gap and not is_final(last.text)

    def _begins(self, mark: Mark, line: Line) -> bool:
        """Whether the number opens a unit: its place in the sequence against what the line before says."""
        last = self._last
        heading = self._is_heading_line(last)
        if mark.style <= Style.ARTICLE and self._unit.article:
            heading = False  # what stands in a 条 is a sentence
        open_before = last is not None and not is_ended(last.text) and not heading
        before = self._place(mark)[1]
        fits = mark.number == (1 if before is None else before + 1) or ("之" in mark.label and mark.number == before)
        if refers(mark, open_before=open_before or (not fits and mark.style is Style.CHINESE)):
            return False
        if last is not None and goes_on(last.text, heading=heading):
            return False
        if fits:
            if mark.style is not Style.ARTICLE or mark.spaced or not open_before:
                if open_before and mark.style <= Style.ARTICLE:
                    self._doubt("sentence_unended", line)
                return True
            return False
        if open_before or (last is not None and counted_inline(mark, self._unit.paragraphs[-1])):
            return False
        self._doubt("numbering_restarts" if mark.number == 1 else "numbering_jumps", line)
        return True

    def _is_heading_line(self, last: Line | None) -> bool:
        """Whether the line before is a unit's whole text so far and short, so that it may be a heading."""
        mark = self._unit.mark
        if last is None or mark is None or mark.style is Style.ARTICLE or self._unit.lines != [1]:
            return False
        return cells(last.text) <= HEADING_WIDTH and not re.search(r"[，。；]", last.text)

    def _place(self, mark: Mark) -> tuple[Unit, int | None]:
        """The parent that a unit with this mark gets, and the number before it."""
        parent = self._unit
        while parent.mark is not None and parent.parent is not None and parent.mark.style >= mark.style:
            parent = parent.parent
        if mark.style is Style.ARTICLE:
            return parent, self._last_article
        sibling = parent.child(mark.style)
        return parent, sibling.mark.number if sibling and sibling.mark else None

    def _lead(self, at: int, line: Line) -> Mark | None:
        """The mark of a first unit behind a lead of a few words: 主要包括：1.发展定位."""
        found = _LEAD.match(line.text)
        if found is None or (self._last is not None and goes_on(self._last.text, heading=True)):
            return None
        mark = find_mark(line.text[found.end() :])
        if mark is None or self._place(mark)[1] is not None:
            return None
        second = Mark(mark.style, 3, "", "")
        if counted_inline(second, line.text):
            return None
        for following in self._marks[at + 1 : at + 1 + _LOOK_AHEAD]:
            if following and following.style <= mark.style:
                return mark if following.style is mark.style and following.number == 2 else None
        return None

    def _open(self, mark: Mark, line: Line) -> None:
        parent, _ = self._place(mark)
        if mark.style is Style.ARTICLE:
            self._last_article = mark.number
        within = len(parent.paragraphs) - 1
        self._unit = Unit(mark, parent, within=within)
        parent.children.append(self._unit)
        self._paragraph(self._unit, line.text)

    def _paragraph(self, unit: Unit, text: str) -> None:
        self.pieces.append(Piece(unit, "text", len(unit.paragraphs)))
        unit.paragraphs.append(text)
        unit.lines.append(1)

    def _doubt(self, reason: Doubt, line: Line) -> None:
        self.doubts.append(Uncertainty(reason, line.text))


class _Page:
    """What the line lengths and indents of a section tell about wrapping."""

    def __init__(self, blocks: list[Block]) -> None:
        lines = [block for block in blocks if isinstance(block, Line)]
        broken = [
            before.width
            for before, line in pairwise(blocks)
            if isinstance(before, Line) and isinstance(line, Line)
            if not line.gap and not is_ended(before.text) and find_mark(line.text) is None
        ]
        widths = [line.width for line in lines]
        self._widest = max(widths, default=0)
        # Lines are wrapped at a width only if hardly any line is wider than those that are broken.
        wrap = max(broken, default=0)
        self._wrap = wrap if sum(width > wrap + 4 for width in widths) <= 0.05 * len(widths) else 0
        numbered = [line.indent >= 2 for line in lines if find_mark(line.text)]
        flush = sum(line.indent == 0 for line in lines)
        self.indented = len(numbered) >= 3 and sum(numbered) >= 0.7 * len(numbered) and flush >= 3

    def full(self, line: Line) -> bool:
        """Whether the line reaches the width at which this text is wrapped (at least 18 characters)."""
        return self._wrap >= 36 and line.width >= 0.8 * self._wrap

    def continues(self, before: Line, line: Line) -> bool:
        """In a text with indented paragraphs: whether the line, flush left, goes on with the one before."""
        return self.indented and line.indent == 0 and not line.gap and before.width >= 0.75 * self._widest


def join_path(parent: str, label: str) -> str:
    """五 + （一） = 五（一）, 五（二） + 1 = 五（二）1, 附件1 + 一 = 附件1·一."""
    if not parent or not label:
        return parent + label
    if parent.endswith("）") or label.startswith("（") or (label[0] == "第" and label[-1] in "款项目节"):
        return parent + label
    return f"{parent}·{label}"


def path_of(piece: Piece, prefix: str, article_prefix: str, root_name: str) -> str:
    """The path of a piece.

    Args:
        prefix: The section's, e.g. 附件1.
        article_prefix: The same for its 条: empty where the document counts its 条 once only.
        root_name: Name of text before any number, e.g. 引言.
    """
    unit = piece.unit
    root = unit.mark is None
    base = join_path(prefix, root_name) if root else _unit_path(unit, prefix, article_prefix)
    if piece.kind == "table":
        return f"{base}·表"
    if unit.mark is not None and unit.mark.style is Style.ARTICLE and len(unit.paragraphs) > 1:
        return f"{base}第{chinese(piece.index + 1)}款"
    return base if piece.index == 0 else f"{base}·第{piece.index + 1}段"


def _unit_path(unit: Unit, prefix: str, article_prefix: str) -> str:
    if unit.mark is None or unit.parent is None:
        return prefix
    style, label = unit.mark.style, unit.mark.label
    if style is Style.ARTICLE:
        return join_path(article_prefix, label)
    article, parent = unit.article, unit.parent
    base = _unit_path(parent, prefix, article_prefix)
    if article is not None and len(article.paragraphs) > 1:
        if parent is article:
            base += f"第{chinese(unit.within + 1)}款"
        label = f"第{label}项" if parent is article else f"第{label}目"
    return join_path(base, label)


def heading_of(unit: Unit) -> str:
    """The unit's heading, or the words that lead to its members (ending with a colon), else ""."""
    if not unit.paragraphs:
        return ""
    first = unit.paragraphs[0].split("\n")[0]
    leads = first.endswith(("：", ":")) and bool(unit.children)
    return first if leads or not is_ended(first) and cells(first) <= HEADING_WIDTH else ""


def is_heading(piece: Piece) -> bool:
    """Whether the piece is nothing but a heading."""
    unit = piece.unit
    if piece.kind == "table" or piece.index or unit.mark is None or unit.lines[0] > 2:
        return False
    if unit.mark.style <= Style.SECTION:
        return True
    text = unit.paragraphs[0]
    return bool(unit.children) and unit.lines[0] == 1 and not is_ended(text) and cells(text) <= HEADING_WIDTH


def headings_of(piece: Piece) -> tuple[str, ...]:
    """The headings above the piece, widest first; of its own unit too where that has a heading apart."""
    found: list[str] = []
    apart = piece.kind == "table" or piece.index > 0
    unit: Unit | None = piece.unit if apart else piece.unit.parent
    while unit is not None and unit.mark is not None:
        heading = heading_of(unit)
        if heading and not (apart and unit is piece.unit and is_ended(heading)):
            found.append(heading)
        unit = unit.parent
    return tuple(reversed(found))
