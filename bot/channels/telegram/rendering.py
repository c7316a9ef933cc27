"""A reply as Telegram shows it: HTML with every character escaped, cut at paragraph borders, and its keyboard.

Limits are the Bot API's: 4,096 characters of text after the tags are taken away (counted in UTF-16
units, the strictest way), 64 bytes of callback data.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.messages import Choice, Citation

LONGEST = 4000
"""Units of text in a message; below Telegram's 4,096."""
LONGEST_DATA = 64
_LABEL = 60
_SHORT = 9
_BOLD = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_RULE = re.compile(r"^\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?$")
_SENTENCE = re.compile(r"(?<=[。！？；;\n])")

SOURCES, DONE, NTH = "s:", "x:", "n:"
"""Callback data of the channel's own buttons: show sources, a choice that was made, a choice by its place."""


@dataclass(frozen=True)
class Line:
    """A line as runs of (text, tag); the tag is "", "b" or "u". `gap`: a blank line comes before it."""

    runs: tuple[tuple[str, str], ...]
    gap: bool = False
    quote: bool = False

    @property
    def size(self) -> int:
        """Units of text, the line end and gap included."""
        return sum(units(text) for text, _ in self.runs) + (2 if self.gap else 1)


@dataclass(frozen=True)
class Button:
    """A button with callback data, or with a link."""

    label: str
    data: str | None = None
    url: str | None = None


Keyboard = tuple[tuple[Button, ...], ...]


def units(text: str) -> int:
    """Length in UTF-16 units, as Telegram counts offsets."""
    return len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def _inline(text: str) -> tuple[tuple[str, str], ...]:
    runs: list[tuple[str, str]] = []
    at = 0
    for found in _BOLD.finditer(text):
        if found.start() > at:
            runs.append((text[at : found.start()], ""))
        runs.append((found[1], "b"))
        at = found.end()
    if at < len(text):
        runs.append((text[at:], ""))
    return tuple(runs)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _table(rows: Sequence[str]) -> Iterator[str]:
    """A table as lines, for a phone's width: the first cell in bold, the others behind their headings."""
    ruled = len(rows) > 1 and _RULE.match(rows[1].strip()) is not None
    heads = _cells(rows[0]) if ruled else []
    for row in rows[2:] if ruled else rows:
        cells = _cells(row)
        first = cells[0].replace("**", "")
        rest = [
            f"{heads[n]}：{cell}" if len(cells) > 2 and n < len(heads) and heads[n] else cell
            for n, cell in enumerate(cells[1:], 1)
            if cell
        ]
        name = f"**{first}**" if first else ""
        yield f"- {name}：{'；'.join(rest)}" if name and rest else f"- {name}{'；'.join(rest)}"


def lines_of(markdown: str) -> list[Line]:
    """The replies' small Markdown as lines."""
    source: list[str] = []
    table: list[str] = []
    for raw in [*markdown.replace("\r\n", "\n").split("\n"), ""]:
        if raw.lstrip().startswith("|") and raw.count("|") > 1:
            table.append(raw)
            continue
        if table:
            source.extend(_table(table))
            table = []
        source.append(raw)
    found: list[Line] = []
    gap = False
    for raw in source:
        text = raw.rstrip()
        if not text.strip():
            gap = bool(found)
            continue
        quote = text.startswith(">")
        text = text.lstrip("> ") if quote else text
        if heading := re.match(r"#{1,6}\s+(.*)", text):
            text = f"**{heading[1].replace('**', '')}**"
        text = re.sub(r"^(\s*)[-*]\s+", r"\1• ", text)
        found.append(Line(_inline(text), gap, quote))
        gap = False
    return found


def _broken(line: Line, limit: int) -> Iterator[Line]:
    """A line longer than a message, at the ends of sentences, else hard; each piece has its own tags."""
    pieces: list[tuple[str, str]] = []
    for text, tag in line.runs:
        for sentence in _SENTENCE.split(text):
            rest = sentence
            while rest:
                head = _head(rest, limit - 2)
                pieces.append((head, tag))
                rest = rest[len(head) :]
    runs: list[tuple[str, str]] = []
    size, gap = 2, line.gap
    for text, tag in pieces:
        if runs and size + units(text) > limit:
            yield Line(tuple(runs), gap, line.quote)
            runs, size, gap = [], 2, False
        runs.append((text, tag))
        size += units(text)
    if runs:
        yield Line(tuple(runs), gap, line.quote)


def _head(text: str, limit: int) -> str:
    size = 0
    for n, char in enumerate(text):
        size += 2 if ord(char) > 0xFFFF else 1
        if size > limit:
            return text[:n]
    return text


def _paragraphs(lines: Iterable[Line]) -> Iterator[list[Line]]:
    held: list[Line] = []
    for line in lines:
        if line.gap and held:
            yield held
            held = []
        held.append(line)
    if held:
        yield held


def cut(lines: Iterable[Line], limit: int = LONGEST) -> list[list[Line]]:
    """Lines into messages: at paragraphs, a long paragraph at lines, a long line at sentences."""
    messages: list[list[Line]] = [[]]
    size = 0
    for paragraph in _paragraphs(lines):
        whole = sum(line.size for line in paragraph)
        pieces = (
            [paragraph]
            if whole <= limit
            else [[p] for line in paragraph for p in (_broken(line, limit) if line.size > limit else (line,))]
        )
        for piece in pieces:
            length = sum(line.size for line in piece)
            if messages[-1] and size + length > limit:
                messages.append([])
                size = 0
            messages[-1].extend(piece)
            size += length
    return [m for m in messages if m]


def to_html(lines: Sequence[Line], *, expandable: bool = False) -> str:
    """One message's HTML; quoted lines that follow each other share a block."""
    out: list[str] = []
    quoted = False
    for n, line in enumerate(lines):
        if line.quote != quoted and quoted:
            out.append("</blockquote>")
        if n:
            out.append("\n\n" if line.gap else "\n")
        if line.quote and not quoted:
            out.append("<blockquote expandable>" if expandable else "<blockquote>")
        quoted = line.quote
        for text, tag in line.runs:
            safe = html.escape(text, quote=False)
            out.append(f"<{tag}>{safe}</{tag}>" if tag else safe)
    if quoted:
        out.append("</blockquote>")
    return "".join(out)


def messages_of(markdown: str) -> list[str]:
    """A reply's text as the HTML of one or more messages."""
    return [to_html(lines) for lines in cut(lines_of(markdown))]


def citations_of(citations: Sequence[Citation]) -> list[str]:
    """The clauses that a reply rests on, each under its title, the words that support it underlined."""
    lines: list[Line] = []
    for n, cited in enumerate(citations):
        title = " ".join(p for p in (f"《{cited.document.strip('《》')}》", cited.clause) if p)
        lines.append(Line(((title, "b"),), gap=n > 0))
        for raw in cited.text.split("\n"):
            if raw.strip():
                lines.append(Line(_marked(raw.strip(), cited.quote), quote=True))
    return [to_html(part, expandable=True) for part in cut(lines)]


def _marked(text: str, quote: str | None) -> tuple[tuple[str, str], ...]:
    at = text.find(quote) if quote else -1
    if at < 0 or not quote:
        return ((text, ""),)
    runs = ((text[:at], ""), (quote, "u"), (text[at + len(quote) :], ""))
    return tuple(r for r in runs if r[0])


def keyboard(choices: Sequence[Choice], ref: str, sources: str | None = None) -> Keyboard:
    """Choices as buttons, short ones two in a row, and the button of the sources below.

    Args:
        ref: The turn's external id; a choice whose value is too long is found again by it.
        sources: Label of the sources' button; None: none.
    """
    buttons = []
    for n, choice in enumerate(choices):
        fits = len(choice.value.encode()) <= LONGEST_DATA and choice.value
        buttons.append(Button(choice.label[:_LABEL], choice.value if fits else f"{NTH}{n}:{ref}"))
    rows = list(in_rows(buttons))
    if sources:
        rows.append((Button(sources, f"{SOURCES}{ref}"),))
    return tuple(rows)


def in_rows(buttons: Sequence[Button]) -> Iterator[tuple[Button, ...]]:
    """Two short buttons share a row."""
    held: tuple[Button, ...] = ()
    for button in buttons:
        if len(button.label) > _SHORT:
            if held:
                yield held
                held = ()
            yield (button,)
        elif held:
            yield (*held, button)
            held = ()
        else:
            held = (button,)
    if held:
        yield held


_ONCE = ("e:", "g:", "f:", "u:", "r:", NTH)
"""Answers to a question: pressing another one later would contradict. Topics and commands may follow each other."""


def pressed(shown: Keyboard, data: str) -> Keyboard:
    """The keyboard after a press: the choice is ticked; the others stay only where they are no answers."""
    once = data.startswith(_ONCE)
    rows = []
    for row in shown:
        kept = []
        for button in row:
            if button.data == data:
                kept.append(Button(f"✓ {button.label}"[:_LABEL], DONE + "1"))
            elif button.url or (button.data or "").startswith((SOURCES, DONE)) or not once:
                kept.append(button)
        if kept:
            rows.append(tuple(kept))
    return tuple(rows)


def asked_once(data: str) -> bool:
    """Whether a press decides the whole message rather than its own button."""
    return data.startswith(_ONCE)
