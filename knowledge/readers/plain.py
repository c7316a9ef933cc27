"""Plain text and Markdown, in UTF-8 or GB18030."""

from __future__ import annotations

import codecs
import re

from knowledge.readers.base import Caution, Limits, Problem, ReaderError, Remark, Source

_FOREIGN = (
    b"%PDF-",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"{\\rtf",
    b"\x89PNG",
    b"\xff\xd8\xff",
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ufffd\ufffe\uffff]")
_HAN = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")

_FRONT_MATTER = re.compile(r"\A---\n(?:.*\n)*?---\n")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCE = re.compile(r"^\s*(?:```|~~~).*$", re.MULTILINE)
_LINE_MARKS = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|(?:>[ \t]?)+|[-*+][ \t]+)", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:-{3,}|\*{3,}|_{3,})[ \t]*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\(([^()\s]+)\)")
_STRONG = re.compile(r"(?<!\*)\*\*([^*\n]+)\*\*(?!\*)")
_EMPHASIS = re.compile(r"(?<!\*)\*([^*\s](?:[^*\n]*[^*\s])?)\*(?!\*)")
_CODE = re.compile(r"`([^`\n]+)`")
_ESCAPE = re.compile(r"\\([*_`#\[\]()>.+!-])")


def decode(data: bytes) -> tuple[str, list[Remark]]:
    """Bytes as text: by their mark, else UTF-8, else GB18030.

    Raises:
        ReaderError: It is another kind of file, or no text in these encodings.
    """
    if data.startswith(_FOREIGN):
        raise ReaderError(Problem.NOT_WHAT_IT_SAYS)
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            return _clean(_strict(data[len(mark) :], encoding)), []
    try:
        return _clean(data.decode("utf-8")), []
    except UnicodeDecodeError:
        text = _clean(_strict(data, "gb18030"))
    # GB18030 takes nearly any bytes: what it makes of another encoding is hardly ever Chinese.
    wide = [char for char in text if ord(char) > 0x7F]
    if sum(bool(_HAN.match(char)) for char in wide) < 0.8 * len(wide):
        raise ReaderError(Problem.ENCODING)
    return text, [Remark(Caution.ENCODING_GUESSED, {"encoding": "GB18030"})]


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ReaderError(Problem.ENCODING) from error


def _clean(text: str) -> str:
    if _CONTROL.search(text):
        raise ReaderError(Problem.ENCODING)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_text(data: bytes, limits: Limits) -> Source:
    """Plain text, kept as it is."""
    text, remarks = decode(data)
    return Source(text, "txt", tuple(remarks))


def read_markdown(data: bytes, limits: Limits) -> Source:
    """Markdown without its marks; tables stay, and what only looks like a mark (******) stays too."""
    text, remarks = decode(data)
    text = _FENCE.sub("", _COMMENT.sub("", _FRONT_MATTER.sub("", text)))
    lines = [
        line if line.lstrip().startswith("|") else _LINE_MARKS.sub("", _RULE.sub("", line)).rstrip()
        for line in text.split("\n")
    ]
    text = "\n".join(lines)
    text = _LINK.sub(lambda found: found[1] if found[2] in found[1] else f"{found[1]}（{found[2]}）", text)
    for mark in (_STRONG, _EMPHASIS, _CODE, _ESCAPE):
        text = mark.sub(r"\1", text)
    return Source(text, "md", tuple(remarks))
