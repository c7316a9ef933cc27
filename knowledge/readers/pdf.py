"""PDF files with a text layer: lines joined, running heads and page numbers removed, tables kept."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import pdfplumber
import pypdf
from pdfminer.pdfexceptions import PDFException
from pdfplumber.utils.exceptions import PdfminerException
from pypdf.errors import LimitReachedError, PyPdfError

from knowledge.clauses.layout import is_ended
from knowledge.clauses.numbering import find_mark
from knowledge.readers.base import Caution, Limits, Problem, ReaderError, Remark, Source, table_text

_PAGE_NUMBER = re.compile(r"[-—–－·\s]*(?:第\s*)?\d{1,4}(?:\s*页)?(?:\s*[/／，,]?\s*共?\s*\d{1,4}\s*页?)?[-—–－·\s]*")
_UNKNOWN_GLYPH = re.compile(r"\(cid:\d+\)")
_WORD_END = re.compile(r"[A-Za-z0-9,.;:)%]$")
_WORD_START = re.compile(r"[A-Za-z0-9(]")
_MARGIN = 0.12
"""Share of the page's height, above and below, where running heads and page numbers stand."""

_TEXT_PER_PAGE = 10
"""Fewer characters a page than this, and a file with pictures counts as scanned."""


@dataclass(frozen=True)
class _Line:
    text: str
    left: float
    right: float
    top: float
    size: float


@dataclass(frozen=True)
class _Grid:
    rows: list[list[str]]
    top: float


_Block = _Line | _Grid


def read_pdf(data: bytes, limits: Limits) -> Source:
    """The text of a PDF.

    Raises:
        ReaderError: No PDF, encrypted, broken, too many pages, or without a text layer that can be used.
    """
    if b"%PDF-" not in data[:1024]:
        raise ReaderError(Problem.NOT_WHAT_IT_SAYS)
    _check(data, limits)
    pages: list[list[_Block]] = []
    heights: list[float] = []
    pictures = False
    try:
        with pdfplumber.open(io.BytesIO(data)) as pdf:
            for page in pdf.pages:
                pages.append(_blocks(page))
                heights.append(float(page.height))
                pictures = pictures or bool(page.images)
                page.close()
    except (PdfminerException, PDFException, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReaderError(Problem.BROKEN) from error
    words = "".join(_words(block) for page in pages for block in page)
    unknown = sum(len(found) for found in _UNKNOWN_GLYPH.findall(words))
    if (pictures and len(words) < _TEXT_PER_PAGE * len(pages)) or unknown > 0.1 * len(words):
        raise ReaderError(Problem.SCANNED)
    remarks: list[Remark] = []
    if empty := [str(number) for number, page in enumerate(pages, start=1) if not page]:
        remarks.append(Remark(Caution.PAGES_WITHOUT_TEXT, {"pages": "、".join(empty)}))
    removed = _remove_running_lines(pages, heights)
    if removed:
        remarks.append(Remark(Caution.LINES_REMOVED, {"count": len(removed), "example": removed[0][:40]}))
    return Source("\n\n".join(_paragraphs(pages)), "pdf", tuple(remarks))


def _check(data: bytes, limits: Limits) -> None:
    """Encryption, number of pages, and that no page unpacks to more than pypdf allows (75 MB)."""
    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ReaderError(Problem.ENCRYPTED)
        count = len(reader.pages)
        if count > limits.pages:
            raise ReaderError(Problem.TOO_MANY_PAGES, pages=count, limit=limits.pages)
        unpacked = 0
        for page in reader.pages:
            contents = page.get_contents()
            unpacked += len(contents.get_data()) if contents is not None else 0
            if unpacked > limits.unpacked_bytes:
                raise ReaderError(Problem.ARCHIVE_BOMB)
    except LimitReachedError as error:
        raise ReaderError(Problem.ARCHIVE_BOMB) from error
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReaderError(Problem.BROKEN) from error


def _blocks(page: Any) -> list[_Block]:
    tables = [table for table in page.find_tables() if max(len(row.cells) for row in table.rows) > 1]
    boxes = [table.bbox for table in tables]

    def outside(item: dict[str, Any]) -> bool:
        x, y = (item["x0"] + item["x1"]) / 2, (item["top"] + item["bottom"]) / 2
        return not any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in boxes)

    blocks: list[_Block] = []
    for table in tables:
        rows = [[_cell(cell) for cell in row] for row in table.extract()]
        if any(any(row) for row in rows):
            blocks.append(_Grid([row for row in rows if any(row)], float(table.bbox[1])))
    for line in page.filter(outside).dedupe_chars().extract_text_lines(x_tolerance_ratio=0.4):
        if line["text"].strip():
            size = median(char["size"] for char in line["chars"])
            blocks.append(_Line(line["text"].strip(), line["x0"], line["x1"], line["top"], size))
    return sorted(blocks, key=lambda block: block.top)


def _cell(text: str | None) -> str:
    joined = ""
    for line in (text or "").split("\n"):
        joined = _join(joined, line.strip())
    return joined


def _join(before: str, after: str) -> str:
    """Two lines of one paragraph: a blank only between Latin words or numbers."""
    blank = _WORD_END.search(before) and _WORD_START.match(after)
    return f"{before} {after}" if blank else before + after


def _words(block: _Block) -> str:
    text = block.text if isinstance(block, _Line) else "".join("".join(row) for row in block.rows)
    return "".join(text.split())


def _remove_running_lines(pages: list[list[_Block]], heights: list[float]) -> list[str]:
    """Takes running heads and feet and page numbers off the pages; what was taken."""
    edges = [_edges(page, height) for page, height in zip(pages, heights, strict=True)]
    counts = Counter(name for edge in edges for name in {_masked(line) for line in edge})
    often = max(2, len(pages) / 2)
    removed = []
    for page, edge in zip(pages, edges, strict=True):
        for line in edge:
            if _PAGE_NUMBER.fullmatch(line.text) or counts[_masked(line)] >= often:
                page.remove(line)
                removed.append(line.text)
    return removed


def _edges(page: list[_Block], height: float) -> list[_Line]:
    lines = [block for block in page if isinstance(block, _Line)]
    found = [line for line in lines[:2] if line.top < _MARGIN * height]
    return found + [line for line in lines[-2:] if line.top > (1 - _MARGIN) * height]


def _masked(line: _Line) -> str:
    return re.sub(r"\d+", "#", "".join(line.text.split()))


def _by_indent(lines: list[_Line], left: float, size: float) -> bool:
    """Whether the text indents its paragraphs: most lines that begin one stand away from the margin."""
    starts = [
        line.left - left > 1.2 * size
        for before, line in pairwise(lines)
        if is_ended(before.text) and find_mark(line.text)
    ]
    indented = sum(1.2 * size < line.left - left < 3 * size for line in lines)
    return indented >= 2 and (sum(starts) >= 0.7 * len(starts) if starts else indented >= 0.1 * len(lines))


def _paragraphs(pages: list[list[_Block]]) -> list[str]:
    """Lines to paragraphs, over page ends too, by indents and by how far the line before reaches."""
    lines = [block for page in pages for block in page if isinstance(block, _Line)]
    left = min((line.left for line in lines), default=0.0)
    right = max((line.right for line in lines), default=0.0)
    size = median([line.size for line in lines]) if lines else 1.0
    # Only where paragraphs are indented does a line flush left tell that it goes on with the one before.
    by_indent = _by_indent(lines, left, size)
    paragraphs: list[str] = []
    last: _Line | None = None
    grid: _Grid | None = None
    grids: dict[int, _Grid] = {}
    for page in pages:
        for place, block in enumerate(page):
            if isinstance(block, _Grid):
                if grid is not None and place == 0 and len(grid.rows[0]) == len(block.rows[0]):
                    # A table that goes on over the page's end; a repeated row of headings is not said twice.
                    grid.rows.extend(block.rows[1:] if block.rows[0] == grid.rows[0] else block.rows)
                    continue
                grid, last = block, None
                grids[len(paragraphs)] = block
                paragraphs.append("")
                continue
            grid = None
            full = last is not None and last.right > right - 2.5 * size
            if last is not None and full and block.left - left <= 1.2 * size:
                paragraphs[-1] = _join(paragraphs[-1], block.text) if by_indent else f"{paragraphs[-1]}\n{block.text}"
            else:
                paragraphs.append(block.text)
            last = block
    for at, table in grids.items():
        paragraphs[at] = table_text(table.rows)
    return paragraphs
