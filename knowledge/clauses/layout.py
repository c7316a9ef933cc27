"""From characters to lines and tables: blanks, line ends, table marks, and how wrapped lines are joined."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CELL_LIMIT = 20
"""Longest cell, in characters, of a table written with tabs; anything longer is indented text."""

HEADING_WIDTH = 60
"""Widest line, in cells, that is still taken for a heading."""

_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad]")
_LINE_END = re.compile(r"\r\n|[\n\r\x0b\x0c\u2028\u2029\x85]")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")
_PIPE_ROW = re.compile(r"\s*\|.*\|\s*")
_PIPE_RULE = re.compile(r"\s*\|(\s*:?-{3,}:?\s*\|)+\s*")
_PIPE = re.compile(r"(?<!\\)\|")

_ENDED = re.compile(r"(?:[。！？；：!?;:…]|(?<=[\u4e00-\u9fff])\.)[”’\"）)】》」』]*$")
_FINAL = re.compile(r"(?:[。！？!?…]|(?<=[\u4e00-\u9fff])\.)[”’\"）)】》」』]*$")
_GOES_ON_SIGN = re.compile(r"[，、,（(《“‘「【—]$")
_GOES_ON_WORD = re.compile(
    r"(?:按照|依照|根据|依据|参照|参见|详见|(?<!意)见|违反|符合|适用|依|按|和|(?<!普)及|(?<!参)与|或|(?<!理)由|"
    r"(?<!核)对|(?<![所存])在|(?<!目)的|除|第|附件|本办法|本规定|本细则|本条例)$"
)
_WORD_END = re.compile(r"[A-Za-z0-9)%]$")
_WORD_START = re.compile(r"[A-Za-z0-9(]")


@dataclass(frozen=True)
class Line:
    """One line of text, layout blanks collapsed.

    `indent` and `width` are in cells (a Chinese character fills two); `gap`: an empty line stands before.
    """

    text: str
    indent: int = 0
    gap: bool = False

    @property
    def width(self) -> int:
        return self.indent + cells(self.text)


@dataclass(frozen=True)
class Table:
    """A table; a row that holds nothing is left out."""

    rows: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        return "\n".join("\t".join(row).rstrip("\t") for row in self.rows)


Block = Line | Table


def cells(text: str) -> int:
    """Width on the page, in cells: two for a wide character, one for any other."""
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)


def collapse(text: str) -> str:
    """The text without layout blanks: invisible characters gone, each run of blanks one space."""
    return _BLANKS.sub(" ", _INVISIBLE.sub("", text)).strip()


def squeeze(text: str) -> str:
    """Every character of a document that is neither blank nor a mark of a Markdown table, in order."""
    kept = []
    for line in split_lines(text):
        if _PIPE_ROW.fullmatch(line):
            line = "" if _PIPE_RULE.fullmatch(line) else _PIPE.sub(" ", line).replace("\\|", "|")
        kept.append(line)
    return without_blanks("".join(kept))


def without_blanks(text: str) -> str:
    """The text with every blank and invisible character removed."""
    return _BLANKS.sub("", _INVISIBLE.sub("", text))


def split_lines(text: str) -> list[str]:
    return _LINE_END.split(text)


def is_ended(text: str) -> bool:
    """Whether a line ends a sentence or a member of a list, so that a new paragraph may follow."""
    return bool(_ENDED.search(text))


def is_final(text: str) -> bool:
    """Whether a line ends a sentence for good (a full stop, not a semicolon or colon)."""
    return bool(_FINAL.search(text))


def goes_on(text: str, *, heading: bool = False) -> bool:
    """Whether a line cannot be the end of anything: what follows belongs to the same sentence.

    Args:
        heading: The line may be a heading, so that its last word proves nothing (一、评价与参与).
    """
    if is_ended(text):
        return False
    if _GOES_ON_SIGN.search(text) or _open_bracket(text):
        return True
    return not heading and _GOES_ON_WORD.search(text) is not None


def _open_bracket(text: str) -> bool:
    return text.count("（") > text.count("）") or text.count("《") > text.count("》")


def glue(before: str, after: Line, *, full: bool, heading: bool) -> str:
    """What stands between two lines of one paragraph: nothing where a line was wrapped, else a line end.

    Args:
        full: `before` ends a line that fills the page's width.
        heading: `before` may be a heading.
    """
    if goes_on(before, heading=heading) or (full and not after.gap):
        return " " if _WORD_END.search(before) and _WORD_START.match(after.text) else ""
    return "\n"


def read_blocks(text: str, numbered: Callable[[str], bool]) -> list[Block]:
    """Lines and tables in their order.

    Args:
        numbered: Whether a line begins a numbered unit; such a line is never a cell.
    """
    raws = split_lines(text)
    blocks: list[Block] = []
    gap, at = False, 0
    while at < len(raws):
        raw = raws[at]
        if _PIPE_ROW.fullmatch(raw):
            end = at
            while end < len(raws) and _PIPE_ROW.fullmatch(raws[end]):
                end += 1
            table = Table(_rows(_pipe_cells(row) for row in raws[at:end] if not _PIPE_RULE.fullmatch(row)))
        else:
            end, table = _tab_table(raws, at, numbered)
        if end > at:
            if table.rows:
                blocks.append(table)
            gap, at = False, end
            continue
        line = collapse(raw)
        if line:
            lead = raw[: len(raw) - len(raw.lstrip())].expandtabs(4)
            blocks.append(Line(line, cells(_INVISIBLE.sub("", lead)), gap))
        gap, at = not line, at + 1
    return blocks


def _pipe_cells(row: str) -> list[str]:
    return [cell.replace("\\|", "|") for cell in _PIPE.split(row.strip()[1:-1])]


def _rows(rows: Iterator[list[str]]) -> tuple[tuple[str, ...], ...]:
    clean = (tuple(collapse(cell) for cell in row) for row in rows)
    return tuple(row for row in clean if any(row))


def _tab_table(raws: list[str], start: int, numbered: Callable[[str], bool]) -> tuple[int, Table]:
    """A table as word processors save it in plain text: each cell after a tab, mostly a line each."""

    def is_cell(at: int) -> bool:
        text = collapse(raws[at])
        return (
            raws[at].startswith("\t")
            and not _PIPE_ROW.fullmatch(raws[at])
            and (
                not text
                or not is_ended(text)
                and not numbered(text)
                and all(len(collapse(part)) <= CELL_LIMIT for part in raws[at].split("\t"))
            )
        )

    def next_filled(at: int) -> int:
        while at < len(raws) and not raws[at].strip(" \u3000") and "\t" not in raws[at]:
            at += 1
        return at

    found: list[list[str]] = []
    at, end, lines = start, start, 0
    while (at := next_filled(at)) < len(raws):
        text = collapse(raws[at])
        if is_cell(at):
            parts = raws[at].strip(" \n").split("\t")[1:]
            lines += bool(text)
            if len(parts) > 1 or not found:
                found.append(parts)
            else:
                found[-1].extend(parts)
        elif _PIPE_ROW.fullmatch(raws[at]):
            break
        elif found and len(text) <= CELL_LIMIT and not is_ended(text) and not numbered(text):
            # A second line within a cell: only between cells, else it is the text after the table.
            following = next_filled(at + 1)
            if following >= len(raws) or not is_cell(following):
                break
            found[-1][-1] += " " + text
        else:
            break
        at += 1
        end = at
    if lines < 2 or (start < len(raws) and not collapse(raws[start])):
        return start, Table(())
    return end, Table(_rows(iter(found)))
