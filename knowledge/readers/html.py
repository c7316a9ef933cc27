"""Web pages as government sites publish documents: the article without the page around it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

from knowledge.readers.base import (
    Caution,
    Limits,
    Problem,
    ReaderError,
    Remark,
    Source,
    span_rows,
    table_text,
)

_ARTICLES = (
    "#UCAP-CONTENT, .TRS_Editor, .TRS_UEDITOR, .trs_editor_view, #zoom, #Zoom, .pages_content, "
    ".article-content, .article_content, .articleContent, .article-con, .news_content, .view_content, "
    ".xxgk_content, .wenzhang, #articleContent, #article, #content, article, main"
)
_SKIPPED = {
    "script",
    "style",
    "noscript",
    "nav",
    "header",
    "footer",
    "aside",
    "form",
    "iframe",
    "object",
    "svg",
    "button",
    "select",
    "template",
    "head",
    "title",
    "meta",
    "link",
}
_BLOCKS = {
    "p",
    "div",
    "section",
    "article",
    "main",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "blockquote",
    "pre",
    "center",
    "figure",
    "figcaption",
    "fieldset",
    "address",
    "hr",
    "caption",
    "tr",
    "td",
    "th",
    "thead",
    "tbody",
    "tfoot",
}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_TAGS = re.compile(r"<\s*(?:!doctype|html|head|body|p|div|table|h[1-6]|span|br|article|section)\b", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]+)", re.IGNORECASE)
_WIDE = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
_SOURCE_BREAK = re.compile(rf"(?<={_WIDE})[ \t]*\r?\n\s*(?={_WIDE})")
_BLANKS = re.compile(r"[ \t\r\n]+")
_ENOUGH = 300
"""Characters from which on a known container is surely the article."""


def read_html(data: bytes, limits: Limits) -> Source:
    """The text of a web page's article; of the whole page where no article is marked.

    Raises:
        ReaderError: It is no web page, or in no known encoding.
    """
    markup = _decode(data)
    if not _TAGS.search(markup):
        raise ReaderError(Problem.NOT_WHAT_IT_SAYS)
    try:
        soup = BeautifulSoup(markup, "lxml")
        body = soup.body or soup
        whole = list(_blocks(body))
        article = _article(body, len("".join(whole)))
        found = whole if article is None else list(_blocks(article))
    except RecursionError as error:
        raise ReaderError(Problem.BROKEN) from error
    remarks: list[Remark] = []
    if article is None and body.find("a") is not None:
        remarks.append(Remark(Caution.WHOLE_PAGE))
    if pictures := len((article or body).find_all("img")):
        remarks.append(Remark(Caution.IMAGES_IGNORED, {"count": pictures}))
    title = _title(soup)
    if title and "".join(title.split()) not in "".join("".join(found).split())[:400]:
        found.insert(0, title)
    return Source("\n\n".join(found), "html", tuple(remarks))


def _decode(data: bytes) -> str:
    names = ["utf-8", "gb18030"]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        names = ["utf-16"]
    elif data.startswith(codecs.BOM_UTF8):
        names = ["utf-8-sig"]
    elif declared := _CHARSET.search(data[:4096]):
        name = declared[1].decode("ascii").lower()
        names.insert(0, "gb18030" if name.startswith("gb") else name)
    for name in names:
        try:
            return data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    raise ReaderError(Problem.ENCODING)


def _article(body: Tag, whole: int) -> Tag | None:
    """The known container that holds the most text, if it holds enough to be the article."""
    best, size = None, 0
    for candidate in body.select(_ARTICLES):
        length = len("".join(_blocks(candidate)))
        if length > size:
            best, size = candidate, length
    return best if size >= min(_ENOUGH, 0.4 * whole) else None


def _title(soup: BeautifulSoup) -> str:
    meta = soup.find("meta", attrs={"name": re.compile("^ArticleTitle$", re.IGNORECASE)})
    if isinstance(meta, Tag) and meta.get("content"):
        return " ".join(str(meta["content"]).split())
    heading = soup.find("h1")
    return " ".join(heading.get_text().split()) if isinstance(heading, Tag) else ""


def _blocks(root: Tag) -> Iterator[str]:
    """Paragraphs and tables below an element, in order."""
    buffer: list[str] = []

    def flush() -> Iterator[str]:
        text = "".join(buffer)
        buffer.clear()
        lines = [_BLANKS.sub(" ", line).strip() for line in text.split("\x00")]
        if any(lines):
            yield "\n".join(line for line in lines if line)

    def walk(node: Tag) -> Iterator[str]:
        for child in node.children:
            if isinstance(child, NavigableString):
                if not isinstance(child, PreformattedString):  # comments, declarations
                    buffer.append(_SOURCE_BREAK.sub("", str(child)).replace("\x00", ""))
            elif isinstance(child, Tag) and not _left_out(child):
                if child.name == "br":
                    buffer.append("\x00")
                elif child.name == "table":
                    yield from flush()
                    yield from _table(child)
                elif child.name in _BLOCKS:
                    yield from flush()
                    buffer.append(_label(child))
                    yield from walk(child)
                    yield from flush()
                else:
                    yield from walk(child)

    yield from walk(root)
    yield from flush()


def _left_out(tag: Tag) -> bool:
    return tag.name in _SKIPPED or tag.has_attr("hidden") or bool(_HIDDEN.search(str(tag.get("style", ""))))


def _label(tag: Tag) -> str:
    """The number that a browser sets before a member of an ordered list."""
    parent = tag.parent
    if tag.name != "li" or parent is None or parent.name != "ol":
        return ""
    start = str(parent.get("start", "1"))
    place = sum(1 for before in tag.find_previous_siblings("li"))
    return f"{(int(start) if start.isdigit() else 1) + place}."


def _table(table: Tag) -> Iterator[str]:
    rows = [row for row in table.find_all("tr") if row.find_parent("table") is table and not _left_out(row)]
    cells = [row.find_all(["td", "th"], recursive=False) for row in rows]
    caption = table.find("caption")
    if isinstance(caption, Tag):
        yield from _blocks(caption)
    if table.find("table") is not None or max((len(row) for row in cells), default=0) <= 1:
        # A table that only lays out the page.
        for cell in (cell for row in cells for cell in row):
            yield from _blocks(cell)
        return
    laid = [
        [(" ".join(" ".join(_blocks(cell)).split()), _span(cell, "colspan"), _span(cell, "rowspan")) for cell in row]
        for row in cells
    ]
    if text := table_text([row for row in span_rows(laid) if any(row)]):
        yield text


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name, "1")).strip()
    return min(max(int(value), 1), 100) if value.isascii() and value.isdigit() else 1
