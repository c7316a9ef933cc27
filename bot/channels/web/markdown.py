"""The small Markdown of replies as safe HTML: paragraphs, **bold**, "---", "- " and "1. " lists, "|" tables, addresses.

Not a general Markdown: CommonMark does not close bold between a Chinese full stop and a Chinese letter
("**截止日是4月7日。**今天…"), which is how most of our replies begin. Everything that comes in is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

_BOLD = re.compile(r"\*\*(.+?)\*\*")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]+[A-Za-z0-9/=#]")
_BULLET = re.compile(r"^(\s*)[-*] +(.*)$")
_NUMBER = re.compile(r"^(\s*)(\d{1,3})[.、] *(.*)$")
_LINE = re.compile(r"^\s*-{3,}\s*$")
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")


def to_html(text: str) -> Markup:
    """The HTML of a reply's text."""
    return Markup("\n").join(_blocks(text.replace("\r\n", "\n").split("\n")))


def to_plain(text: str) -> str:
    """The text without its marks, e.g. for a picture's alternative."""
    return text.replace("**", "")


def inline(text: str) -> Markup:
    """One line: bold and addresses."""
    parts = []
    at = 0
    for found in _BOLD.finditer(text):
        parts += [_linked(text[at : found.start()]), Markup("<strong>{}</strong>").format(_linked(found[1]))]
        at = found.end()
    return Markup("").join([*parts, _linked(text[at:])])


def marked(text: str, quote: str | None) -> Markup:
    """A clause's text with the supporting words marked, line breaks kept."""
    if not quote or quote not in text:
        return Markup(escape(text))
    before, _, after = text.partition(quote)
    return Markup("{}<mark>{}</mark>{}").format(before, quote, after)


def _linked(text: str) -> Markup:
    parts = []
    at = 0
    for found in _ADDRESS.finditer(text):
        link = Markup('<a href="{0}" rel="noopener noreferrer nofollow" target="_blank">{0}</a>').format(found[0])
        parts += [escape(text[at : found.start()]), link]
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])


def _blocks(lines: list[str]) -> Iterator[Markup]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif _LINE.match(line):
            yield Markup("<hr>")
            at += 1
        elif "|" in line and at + 1 < len(lines) and _RULE.match(lines[at + 1]):
            end = at + 2
            while end < len(lines) and "|" in lines[end]:
                end += 1
            yield _table(lines[at], lines[at + 2 : end])
            at = end
        elif _BULLET.match(line):
            block, at = _list(lines, at, _BULLET, "ul")
            yield block
        elif _NUMBER.match(line):
            block, at = _list(lines, at, _NUMBER, "ol")
            yield block
        else:
            end = at + 1
            while end < len(lines) and lines[end].strip() and not _begins(lines, end):
                end += 1
            yield Markup("<p>{}</p>").format(Markup("<br>").join(inline(x.strip()) for x in lines[at:end]))
            at = end


def _begins(lines: list[str], at: int) -> bool:
    """Whether a block of another kind begins here."""
    table = "|" in lines[at] and at + 1 < len(lines) and _RULE.match(lines[at + 1])
    return bool(table or _LINE.match(lines[at]) or _BULLET.match(lines[at]) or _NUMBER.match(lines[at]))


def _list(lines: list[str], at: int, mark: re.Pattern[str], tag: str) -> tuple[Markup, int]:
    """A list from line `at`; deeper items go into their parent. Returns it and the first line after it."""
    first = mark.match(lines[at])
    assert first is not None
    depth = len(first[1])
    start = Markup(' start="{}"').format(first[2]) if tag == "ol" and first[2] != "1" else Markup("")
    items: list[Markup] = []
    while at < len(lines) and lines[at].strip():
        bullet, number = _BULLET.match(lines[at]), _NUMBER.match(lines[at])
        found = bullet or number
        if found and len(found[1]) > depth and items:
            inner, at = _list(lines, at, _BULLET if bullet else _NUMBER, "ul" if bullet else "ol")
            items[-1] += inner
        elif (same := mark.match(lines[at])) and len(same[1]) == depth:
            items.append(inline(same[same.lastindex or 0].strip()))
            at += 1
        elif found or not lines[at].startswith(" "):
            break
        else:
            items[-1] += Markup("<br>") + inline(lines[at].strip())
            at += 1
    body = Markup("").join(Markup("<li>{}</li>").format(item) for item in items)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), start, body), at


def _table(head: str, rows: list[str]) -> Markup:
    cells = [Markup('<th scope="col">{}</th>').format(inline(c)) for c in _cells(head)]
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(inline(c)) for c in _cells(row)))
        for row in rows
    )
    table = Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(Markup("").join(cells), body)
    return Markup('<div class="table" tabindex="0" role="group">{}</div>').format(table)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]
