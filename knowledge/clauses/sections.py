"""The parts of an official document: letterhead, title, addressees, body, signature, attachments."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from knowledge.clauses.layout import HEADING_WIDTH, Block, Line, Table, cells, goes_on, is_ended, is_final
from knowledge.clauses.numbering import find_mark, refers

_ATTACHMENT = re.compile(r"附件\s*(\d{1,2}|[一二三四五六七八九十]*)\s*[：:]?$")
_ATTACHMENT_TITLED = re.compile(r"附件\s*(\d{1,2}|[一二三四五六七八九十]+)\s*[：:\s]\s*\S.{0,40}$")
_LIST = re.compile(r"附件\s*[\d一二三四五六七八九十]*\s*[：:]")
_CN_DAY = r"(?:\d{1,2}|[一二三四五六七八九十]+)?"
_DAY = rf"(?:\d{{4}}|[〇零○一二三四五六七八九]{{4}})?\s*年\s*{_CN_DAY}\s*月\s*{_CN_DAY}\s*日"
_DATE = re.compile(rf"{_DAY}$")
_SIGNED_DATE = re.compile(rf"\S*(?:局|委员会|厅|部|办公室|政府|院)\s+{_DAY}$")
_SIGNER = re.compile(r".*（(?:签字|签名|签章|公章|盖章)）\s*[：:]?\s*$")
_ISSUER = re.compile(r"[^，。；：、:;,.]*(?:局|委员会|厅|部|办公室|政府|院|会|公司|大学|学院|行|署)$")
_NUMBER = re.compile(r"[\u4e00-\u9fff]{1,12}\s*[〔\[（(【]\d{4}[〕\]）)】]\s*第?\d+号$")
_NOTE = re.compile(r"（.*）$")
_IMPRINT = re.compile(r"(?:抄送|主送|印发|承办)[：:]|.*\s?印发$|.*办公室\s+\d{4}年.*印发")
_TITLE_END = re.compile(
    r"(?:通知|办法|规定|细则|条例|意见|方案|公告|通告|决定|函|批复|规范|指南|制度|规程|章程|答复|解答|解读|说明|"
    r"提纲|名单|表|书|清单|模板|格式|目录|承诺|要求)(?:[（(][^（）()]*[）)])?$"
)
_CONTENTS = re.compile(r"目\s*[录次]$")
_PAGE_LEADER = re.compile(r"[\s.．…·]+\d*$")


@dataclass
class Part:
    """A part of the document.

    Args:
        name: What it is called in a path: 标题, 主送, 落款, …; empty: a body with numbered units.
        prefix: The attachment that it belongs to, e.g. 附件1, else "".
        head: Text of an attachment's title lines, for a body that has such.
        text: The text of a part that is one clause.
        blocks: The blocks of a body.
    """

    name: str
    prefix: str = ""
    head: str = ""
    text: str = ""
    blocks: list[Block] = field(default_factory=list)


def split(blocks: list[Block]) -> list[Part]:
    """The parts of a document in order; each block is in one of them."""
    parts: list[Part] = []
    for prefix, section in _attachments(blocks):
        rest, embedded = section, False
        while rest:
            # A notice that publishes a regulation: the regulation follows the signature, with its own title.
            rest = _section(prefix, rest, parts, embedded=embedded)
            embedded = True
    return parts


def _attachments(blocks: list[Block]) -> list[tuple[str, list[Block]]]:
    sections: list[tuple[str, list[Block]]] = [("", [])]
    signed, count = False, 0
    for at, block in enumerate(blocks):
        before = blocks[at - 1] if at else None
        if isinstance(block, Line) and _is_attachment(block, before, count, signed):
            count += 1
            found = _ATTACHMENT.match(block.text) or _ATTACHMENT_TITLED.match(block.text)
            sections.append((f"附件{found[1] if found else ''}", []))
        elif isinstance(block, Line) and _DATE.match(block.text):
            signed = True
        sections[-1][1].append(block)
    return [section for section in sections if section[1]]


def _is_attachment(line: Line, before: Block | None, count: int, signed: bool) -> bool:
    """A line that is 附件1 and nothing else; with a title on it only where a list cannot be meant."""
    found = _ATTACHMENT.match(line.text)
    if found is None:
        if not (signed or count) or not _ATTACHMENT_TITLED.match(line.text) or is_ended(line.text):
            return False
        return not isinstance(before, Line) or not goes_on(before.text) and not _LIST.match(before.text)
    if not isinstance(before, Line):
        return True
    if goes_on(before.text, heading=False):
        return False
    expected = found[1] in ("", str(count + 1), "一二三四五六七八九十"[count : count + 1])
    closed = is_ended(before.text) or bool(_DATE.match(before.text)) or line.gap
    if line.text.endswith(("：", ":")) and not signed and not count:
        return False  # the head of a list of attachments
    return closed or (expected and cells(before.text) <= HEADING_WIDTH)


def _section(prefix: str, blocks: list[Block], parts: list[Part], *, embedded: bool) -> list[Block]:
    """Reads one document into `parts`, up to what follows its signature; returns what follows.

    Args:
        embedded: The blocks do not open the attachment but follow a signature within it.
    """
    first = len(parts)
    if prefix and not embedded:
        taken = _attachment_head(blocks)
        head = _join_title([block for block in blocks[:taken] if isinstance(block, Line)])
    else:
        taken, head = _head(blocks, parts), ""
    body = blocks[taken:]
    start, end = _signature(body)
    listed = _listed(body, start)
    if body[:listed] or head:
        parts.append(Part("", prefix, head, blocks=body[:listed]))
    parts.extend(_one("附件清单", prefix, body[listed:start]))
    parts.extend(_one("落款", prefix, body[start:end]))
    while end < len(body) and (name := _trailer(body[end])):
        size = 1
        while name == "附件清单" and end + size < len(body) and _is_listed(body[end + size]):
            size += 1
        parts.extend(_one(name, prefix, body[end : end + size]))
        end += size
    for part in parts[first:]:
        part.prefix = prefix
    return body[end:]


def _one(name: str, prefix: str, blocks: list[Block]) -> list[Part]:
    if not blocks:
        return []
    return [Part(name, prefix, text="\n".join(block.text for block in blocks))]


def _trailer(line: Block) -> str:
    if isinstance(line, Table):
        return ""
    if _LIST.match(line.text):
        return "附件清单"
    if _NOTE.match(line.text):
        return "附注"
    return "版记" if _IMPRINT.match(line.text) else ""


def _begins_unit(block: Block) -> bool:
    if isinstance(block, Table):
        return True
    mark = find_mark(block.text)
    return mark is not None and not refers(mark, open_before=False)


def _head(blocks: list[Block], parts: list[Part]) -> int:
    """Reads letterhead, title, number, note and addressees into `parts`; how many blocks that took."""
    lines: list[Line] = []
    for block in blocks:
        if not isinstance(block, Line) or _begins_unit(block) or len(lines) == 12:
            break
        lines.append(block)
    at = 0
    number = next((place for place, line in enumerate(lines[:6]) if _NUMBER.match(line.text)), None)
    if number is not None and not any(_TITLE_END.search(line.text) for line in lines[:number]):
        at = number + 1
        parts.extend(_one("文头", "", list(lines[:at])))
    size = _title_size(lines[at:])
    if size:
        parts.append(Part("标题", text=_join_title(lines[at : at + size])))
        at += size
        while at < len(lines) and not is_ended(lines[at].text):
            if _NUMBER.match(lines[at].text):
                parts.extend(_one("文号", "", [lines[at]]))
            elif _NOTE.match(lines[at].text):
                parts.extend(_one("题注", "", [lines[at]]))
            else:
                break
            at += 1
    for end in range(at, min(at + 4, len(lines))):
        text = lines[end].text
        if text.endswith(("：", ":")) and "如下" not in text and "," not in text:
            parts.append(Part("主送", text="".join(line.text for line in lines[at : end + 1])))
            at = end + 1
            break
        if is_ended(text):
            break
    return at + _contents(blocks[at:], parts)


def _title_size(lines: list[Line]) -> int:
    """How many lines the title takes: up to the word that names the kind of document."""
    for size, line in enumerate(lines[:5], start=1):
        if is_ended(line.text) or cells(line.text) > 2 * HEADING_WIDTH or _CONTENTS.match(line.text):
            return size - 1 if size <= 4 else 0
        following = lines[size].text if size < len(lines) else ""
        if _TITLE_END.search(line.text) and not following.startswith(("的", "（试行）", "(试行)")):
            return size
    # No word of the kind: only what stands before an unmistakable end is a title.
    return len(lines) if len(lines) <= 3 else 1 if lines else 0


def _contents(blocks: list[Block], parts: list[Part]) -> int:
    """A table of contents: from 目录 to where its first entry comes again."""
    if len(blocks) < 3 or not isinstance(blocks[0], Line) or not _CONTENTS.match(blocks[0].text):
        return 0
    names = ["".join(_PAGE_LEADER.sub("", block.text).split()) for block in blocks]
    if names[1] not in names[2:]:
        return 0
    end = names.index(names[1], 2)
    parts.extend(_one("目录", "", blocks[:end]))
    return end


def _attachment_head(blocks: list[Block]) -> int:
    """How many blocks the head of an attachment takes: its number, title, notes, lines to fill in."""
    form = next((at for at, block in enumerate(blocks[:10]) if isinstance(block, Table)), 0)
    if form and all(_is_form_line(block) for block in blocks[:form]):
        return form  # a form: lines to fill in between its title and its table
    for at, block in enumerate(blocks):
        if at and (_begins_unit(block) or is_ended(block.text) or cells(block.text) > 2 * HEADING_WIDTH):
            return at
        if at and (_DATE.match(block.text) or _SIGNER.match(block.text)):
            return at
    return len(blocks)


def _is_form_line(block: Block) -> bool:
    return not _begins_unit(block) and not is_final(block.text) and cells(block.text) <= 2 * HEADING_WIDTH


def _join_title(lines: list[Line]) -> str:
    """Title lines as text: a title set over two lines is one, notes in brackets have their own."""
    text = ""
    for before, line in zip([None, *lines], lines, strict=False):
        if before is None:
            text = line.text
            continue
        alone = (
            _ATTACHMENT.match(before.text)
            or _ATTACHMENT_TITLED.match(before.text)
            or _TITLE_END.search(before.text)
            or line.text.startswith(("（", "("))
            or before.text.endswith(("）", ")"))
            or cells(line.text) > HEADING_WIDTH
        )
        text += ("\n" if alone and not line.text.startswith("的") else "") + line.text
    return text


def _signature(blocks: list[Block]) -> tuple[int, int]:
    """Where the signature stands: issuers or signers, then the date; at the end if there is none."""
    for at, block in enumerate(blocks):
        if isinstance(block, Table):
            continue
        if _SIGNED_DATE.match(block.text) and not (at and _is_open(blocks[at - 1])):
            return at, at + 1
        if not _DATE.match(block.text):
            continue
        start = at
        while start and at - start < 6 and _signs(blocks[start - 1]):
            start -= 1
        last = at + 1 == len(blocks)
        if start < at or (last and not (at and _is_open(blocks[at - 1]))):
            return start, at + 1
    return len(blocks), len(blocks)


def _is_open(block: Block) -> bool:
    return isinstance(block, Line) and not is_ended(block.text)


def _signs(block: Block) -> bool:
    if not isinstance(block, Line) or _begins_unit(block) or cells(block.text) > HEADING_WIDTH:
        return False
    return bool(_SIGNER.match(block.text) or _ISSUER.match(block.text)) and not block.text.startswith("附件")


def _listed(blocks: list[Block], end: int) -> int:
    """Where the list of attachments begins that runs up to the signature; `end` if there is none."""
    start = end
    while start and _is_listed(blocks[start - 1]):
        start -= 1
        block = blocks[start]
        if isinstance(block, Line) and _LIST.match(block.text):
            return start
    return end


def _is_listed(block: Block) -> bool:
    """A line of a list of attachments: a name with or without its number, no sentence."""
    if not isinstance(block, Line):
        return False
    return bool(_LIST.match(block.text)) or not is_ended(block.text) and cells(block.text) <= 2 * HEADING_WIDTH
