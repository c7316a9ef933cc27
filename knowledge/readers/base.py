"""What every reader returns, raises and keeps to."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Problem(StrEnum):
    """Why a file cannot be read. A closed set; each has its text in `prompts/texts/readers.yaml`, errors."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    TOO_MANY_PAGES = "too_many_pages"
    TOO_LONG = "too_long"
    EMPTY = "empty"
    NO_TEXT = "no_text"
    NOT_WHAT_IT_SAYS = "not_what_it_says"
    ENCODING = "encoding"
    ENCRYPTED = "encrypted"
    MACROS = "macros"
    ARCHIVE_BOMB = "archive_bomb"
    ENTITIES = "entities"
    BROKEN = "broken"
    SCANNED = "scanned"
    NEEDS_OFFICE = "needs_office"
    OFFICE_FAILED = "office_failed"


class Caution(StrEnum):
    """What a reader left out or guessed. A closed set; texts in `prompts/texts/readers.yaml`, warnings."""

    MACROS_IGNORED = "macros_ignored"
    CHANGES_ACCEPTED = "changes_accepted"
    NOTES_IGNORED = "notes_ignored"
    IMAGES_IGNORED = "images_ignored"
    OBJECTS_IGNORED = "objects_ignored"
    NUMBERING_UNKNOWN = "numbering_unknown"
    NUMBERING_DERIVED = "numbering_derived"
    LINES_REMOVED = "lines_removed"
    PAGES_WITHOUT_TEXT = "pages_without_text"
    WHOLE_PAGE = "whole_page"
    ENCODING_GUESSED = "encoding_guessed"
    ANOTHER_KIND = "another_kind"


_GRID_LIMIT = 200_000
"""Most cells of a table, spanned ones included."""

Params = dict[str, str | int]


@dataclass(frozen=True)
class Remark:
    """A caution with what its text needs: `texts().render("readers.warnings." + key, **params)`."""

    key: Caution
    params: Params = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """The text of a file.

    Args:
        text: Paragraphs on lines of their own with an empty line between; tables as Markdown.
        kind: How the file was read: docx, doc, pdf, html, md or txt.
        warnings: What was left out or guessed.
    """

    text: str
    kind: str
    warnings: tuple[Remark, ...] = ()


class ReaderError(Exception):
    """A file that cannot be read.

    The person's sentence is `texts().render("readers.errors." + error.key, **error.params)`; the message of
    the exception itself is for logs.
    """

    def __init__(self, key: Problem, **params: str | int) -> None:
        super().__init__(f"{key}: {params}")
        self.key = key
        self.params: Params = params


@dataclass(frozen=True)
class Limits:
    """What a file may be at most: sizes in bytes, text in characters, time in seconds."""

    bytes: int = 20 * 1024 * 1024
    pages: int = 300
    characters: int = 1_000_000
    unpacked_bytes: int = 200 * 1024 * 1024
    unpacked_ratio: int = 200
    entries: int = 2000
    seconds: int = 90


def table_text(rows: list[list[str]]) -> str:
    """A table in Markdown; line ends within a cell become blanks, pipes are escaped."""
    width = max((len(row) for row in rows), default=0)
    if not width:
        return ""
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def span_rows(cells: list[list[tuple[str, int, int]]]) -> list[list[str]]:
    """Rows of (text, columns, rows) laid on a grid; a merged cell's text stands once, at its upper left."""
    taken: dict[tuple[int, int], str] = {}
    for y, row in enumerate(cells):
        x = 0
        for text, columns, rows in row:
            while (y, x) in taken:
                x += 1
            if len(taken) + columns * rows > _GRID_LIMIT:
                columns = rows = 1  # a table of a few bytes must not fill the memory
            for dy in range(rows):
                for dx in range(columns):
                    taken[y + dy, x + dx] = text if dx == dy == 0 else ""
            x += columns
    width = max((x for _, x in taken), default=-1) + 1
    return [[taken.get((y, x), "") for x in range(width)] for y in range(len(cells))]
