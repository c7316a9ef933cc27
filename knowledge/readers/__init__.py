"""From a file as an office sends it to plain text that `knowledge.clauses` understands.

One function a kind of file and the table `READERS`; `read` checks size and kind first. What a reader
leaves out or guesses it says in `Source.warnings`; what it cannot read safely it refuses with `ReaderError`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from knowledge.readers.base import Caution, Limits, Problem, ReaderError, Remark, Source

__all__ = ["READERS", "Caution", "Limits", "Problem", "ReaderError", "Remark", "Source", "read"]

Reader = Callable[[bytes, Limits], Source]


def _docx(data: bytes, limits: Limits) -> Source:
    from knowledge.readers.docx import read_docx

    return read_docx(data, limits)


def _doc(data: bytes, limits: Limits) -> Source:
    from knowledge.readers.doc import read_doc

    return read_doc(data, limits)


def _pdf(data: bytes, limits: Limits) -> Source:
    from knowledge.readers.pdf import read_pdf

    return read_pdf(data, limits)


def _html(data: bytes, limits: Limits) -> Source:
    from knowledge.readers.html import read_html

    return read_html(data, limits)


def _markdown(data: bytes, limits: Limits) -> Source:
    from knowledge.readers.plain import read_markdown

    return read_markdown(data, limits)


def _text(data: bytes, limits: Limits) -> Source:
    from knowledge.readers.plain import read_text

    return read_text(data, limits)


# The libraries are heavy and seldom needed, so each is imported by the function that needs it.
READERS: dict[str, Reader] = {
    ".docx": _docx,
    ".doc": _doc,
    ".pdf": _pdf,
    ".html": _html,
    ".htm": _html,
    ".md": _markdown,
    ".txt": _text,
}


def read(path: Path, limits: Limits | None = None) -> Source:
    """The text of a file, by the kind that its name says.

    Raises:
        ReaderError: The file is missing, too large, of an unknown kind, not what its name says,
            encrypted, unsafe, or without a text layer.
    """
    limits = limits or Limits()
    suffix = path.suffix.lower()
    if suffix in (".docm", ".dotm"):
        raise ReaderError(Problem.MACROS, name=path.name)
    reader = READERS.get(suffix)
    if reader is None:
        raise ReaderError(Problem.UNSUPPORTED, name=path.name, kinds="、".join(READERS))
    if not path.is_file():
        raise ReaderError(Problem.MISSING, name=path.name)
    try:
        # One byte more than allowed is enough to know; the size on disk may change under the reading.
        with path.open("rb") as file:
            data = file.read(limits.bytes + 1)
    except OSError as error:
        raise ReaderError(Problem.UNREADABLE, name=path.name) from error
    if len(data) > limits.bytes:
        raise ReaderError(Problem.TOO_LARGE, name=path.name, limit=limits.bytes // (1024 * 1024))
    if not data:
        raise ReaderError(Problem.EMPTY, name=path.name)
    try:
        source = reader(data, limits)
    except ReaderError as error:
        raise ReaderError(error.key, **{"name": path.name, **error.params}) from error
    if not source.text.strip():
        raise ReaderError(Problem.NO_TEXT, name=path.name)
    if len(source.text) > limits.characters:
        raise ReaderError(Problem.TOO_LONG, name=path.name, limit=limits.characters)
    return source
