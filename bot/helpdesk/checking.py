"""What in a staff answer stands in none of the clauses that it cites."""

from __future__ import annotations

import re
from collections.abc import Iterable

from knowledge.quantities import find_quantities
from knowledge.text import normalise

_PHONE = re.compile(r"(?<!\d)(?:\d{3,4}[- ]?)?\d{7,8}(?!\d)|(?<!\d)1[3-9]\d{9}(?!\d)")
_DATE = re.compile(r"(?:(\d{4})年)?(\d{1,2})月(\d{1,2})[日号]|(?<![\d.])(\d{1,2})[./](\d{1,2})(?![\d.])")
_YEAR = re.compile(r"(?<!\d)(20\d{2})年")
_LINK = re.compile(r"(?:https?://)?(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/[^\s，。；）)]*)?", re.IGNORECASE)
_REFERENCE = re.compile(
    r"《[^》]*》|〔\d{4}〕\d+号|附件\s*\d+|第?[一二三四五六七八九十]+[条款项章节]|(?<=[《》：:])?[一二三四五六七]（[一二三四五六七八九十]+）\d*"
)  # noqa: E501


def unsupported(text: str, sources: Iterable[str]) -> list[str]:
    """The telephones, dates, links and amounts of a text that occur in none of the sources, in order, as written.

    Args:
        text: The answer. References such as 附件2 or 四（一） are passed over.
        sources: The texts of the clauses cited.
    """
    written = normalise(text)
    source = "\n".join(normalise(s) for s in sources)
    found: list[tuple[int, str]] = []
    plain = _blank(_REFERENCE, written)
    phones = {re.sub(r"\D", "", p.group()) for p in _PHONE.finditer(source)}
    for match in _PHONE.finditer(plain):
        digits = re.sub(r"\D", "", match.group())
        if not any(digits.endswith(phone) or phone.endswith(digits) for phone in phones):
            found.append((match.start(), match.group()))
    plain = _blank(_PHONE, plain)
    links = {m.group().removeprefix("https://").removeprefix("http://").rstrip("/") for m in _LINK.finditer(source)}
    for match in _LINK.finditer(plain):
        if match.group().removeprefix("https://").removeprefix("http://").rstrip("/") not in links:
            found.append((match.start(), match.group()))
    plain = _blank(_LINK, plain)
    days = {_day(m) for m in _DATE.finditer(source)} | _spans(source)
    for match in _DATE.finditer(plain):
        if _day(match) not in days:
            found.append((match.start(), match.group()))
    plain = _blank(_DATE, plain)
    years = set(_YEAR.findall(source))
    found += [(m.start(), m.group()) for m in _YEAR.finditer(plain) if m[1] not in years]
    plain = _blank(_YEAR, plain)
    known = {q.exact for q in find_quantities(_blank(_PHONE, source))}
    found += [(q.start, q.text) for q in find_quantities(plain) if q.exact not in known]
    return list(dict.fromkeys(words for _, words in sorted(found)))


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda m: " " * len(m.group()), text)


def _day(match: re.Match[str]) -> tuple[int, int]:
    return int(match[2] or match[4]), int(match[3] or match[5])


def _spans(source: str) -> set[tuple[int, int]]:
    """Days written without month behind one with it: 3月26日-31日."""
    spans = re.finditer(r"(\d{1,2})月\d{1,2}日[-—~至到]+(\d{1,2})日", source)
    return {(int(m[1]), int(m[2])) for m in spans}
