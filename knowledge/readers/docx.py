"""Word files: paragraphs with their automatic numbers, text boxes, and tables in their places."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from zipfile import BadZipFile

import docx
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn

from knowledge.readers.base import (
    Caution,
    Limits,
    Params,
    Problem,
    ReaderError,
    Remark,
    Source,
    span_rows,
    table_text,
)
from knowledge.readers.package import check_package
from knowledge.readers.word_numbering import Numbering

_SPAN_LIMIT = 100
"""Most columns that one cell may take; Word itself allows 63."""

_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_BLIP = "{http://schemas.openxmlformats.org/drawingml/2006/main}blip"
_TEXT_BOX = qn("w:txbxContent")
_LEFT_OUT = {_FALLBACK, _TEXT_BOX, qn("w:moveFrom"), qn("w:del"), qn("w:pPr"), qn("w:rPr")}
_SIGNS = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}


def read_docx(data: bytes, limits: Limits) -> Source:
    """The text of a Word file.

    Raises:
        ReaderError: See `check_package`; or the file is broken; or it holds nothing but pictures.
    """
    remarks = check_package(data, limits)
    try:
        document = docx.Document(io.BytesIO(data))
        body = document.element.body
        walk = _Walk(Numbering(document))
        parts = list(walk.blocks(body))
    except (OpcError, KeyError, ValueError, AttributeError, BadZipFile, SyntaxError) as error:
        raise ReaderError(Problem.BROKEN) from error
    text = "\n\n".join(parts)
    pictures = sum(1 for _ in body.iter(_BLIP))
    if pictures and not text.strip():
        raise ReaderError(Problem.SCANNED)
    found: list[tuple[Caution, bool, Params]] = [
        (Caution.CHANGES_ACCEPTED, _has(body, "w:ins", "w:del", "w:moveFrom"), {}),
        (Caution.NOTES_IGNORED, _has(body, "w:footnoteReference", "w:endnoteReference"), {}),
        (Caution.OBJECTS_IGNORED, _has(body, "w:object"), {}),
        (Caution.IMAGES_IGNORED, bool(pictures), {"count": pictures}),
        (Caution.NUMBERING_UNKNOWN, walk.numbering.unknown, {}),
        (Caution.NUMBERING_DERIVED, bool(walk.numbering.derived), {"count": walk.numbering.derived}),
    ]
    remarks += [Remark(key, params) for key, holds, params in found if holds]
    return Source(text, "docx", tuple(remarks))


def _has(body: Any, *names: str) -> bool:
    return any(next(body.iter(qn(name)), None) is not None for name in names)


class _Walk:
    """Goes through a body in the order of reading."""

    def __init__(self, numbering: Numbering) -> None:
        self.numbering = numbering

    def blocks(self, parent: Any) -> Iterator[str]:
        """Paragraphs and tables below an element, content controls and other wrappers opened."""
        for child in parent:
            if child.tag == qn("w:p"):
                yield from self._paragraph(child)
            elif child.tag == qn("w:tbl"):
                yield from self._table(child)
            elif isinstance(child.tag, str) and child.tag not in _LEFT_OUT:
                yield from self.blocks(child)

    def _paragraph(self, paragraph: Any) -> Iterator[str]:
        for box in paragraph.iter(_TEXT_BOX):
            if not any(above.tag == _FALLBACK for above in box.iterancestors()):
                yield from self.blocks(box)
        label = self.numbering.label(paragraph)
        text = "".join(_words(paragraph)).strip()
        if text:
            yield "\n".join(line.strip() for line in (label + text).split("\n") if line.strip())

    def _table(self, table: Any) -> Iterator[str]:
        rows: list[list[tuple[str, int, int]]] = []
        # Per column, the cell that a vertical merge goes on with, as (row, place in the row).
        open_cells: dict[int, tuple[int, int]] = {}
        layout = True
        contents: list[list[str]] = []
        for row in _children(table, "w:tr"):
            cells: list[tuple[str, int, int]] = []
            column = _number(row, "w:trPr", "w:gridBefore", 0)
            if column:
                cells.append(("", column, 1))
            filled = 0
            for cell in _children(row, "w:tc"):
                columns = _number(cell, "w:tcPr", "w:gridSpan", 1)
                merge = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
                parts = list(self.blocks(cell))
                filled += 1
                if merge is not None and merge.get(qn("w:val"), "continue") != "restart" and column in open_cells:
                    y, x = open_cells[column]
                    text, width, height = rows[y][x]
                    # A merged cell holds its text above; what stands in the rest of it is kept all the same.
                    rows[y][x] = (" ".join([text, *parts]).strip(), width, height + 1)
                else:
                    contents.append(parts)
                    cells.append((" ".join(_flat(part) for part in parts), columns, 1))
                    open_cells.pop(column, None)
                    if merge is not None:
                        open_cells[column] = (len(rows), len(cells) - 1)
                column += columns
            layout = layout and filled <= 1
            rows.append(cells)
        if layout:
            # One cell a row is a frame around text, not a table.
            for parts in contents:
                yield from parts
        elif text := table_text([row for row in span_rows(rows) if any(row)]):
            yield text


def _flat(part: str) -> str:
    """A block within a cell on one line; a table within a table gives its cells."""
    if part.startswith("| "):
        lines = [line.strip("| ") for line in part.split("\n") if not line.startswith("| ---")]
        return " ".join(" ".join(line.split(" | ")) for line in lines)
    return " ".join(part.split())


def _children(parent: Any, name: str) -> Iterator[Any]:
    """Rows or cells, also those in content controls and tracked insertions."""
    for child in parent:
        if child.tag == qn(name):
            yield child
        elif child.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:customXml")):
            yield from _children(child, name)


def _number(element: Any, properties: str, name: str, default: int) -> int:
    found = element.find(f"{qn(properties)}/{qn(name)}")
    value = "" if found is None else str(found.get(qn("w:val"), ""))
    return min(int(value), _SPAN_LIMIT) if value.isascii() and value.isdigit() else default


def _words(element: Any) -> Iterator[str]:
    for child in element:
        if child.tag in (qn("w:t"), _MATH_TEXT):
            yield child.text or ""
        elif child.tag in _SIGNS:
            yield _SIGNS[child.tag]
        elif child.tag not in _LEFT_OUT and child.tag not in (qn("w:p"), qn("w:tbl")):
            yield from _words(child)
