"""A strict reader of what a text states: every date, amount, share, telephone, link, year and title in it.

Used by tests to hold answers against the clauses they cite; it knows nothing of how answers are made.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

from bot.texts import short_date, weekday
from knowledge.dates import workdays
from knowledge.milestones import standing
from knowledge.pack import Milestone

_COUNTED = r"(?:万元|亿元|元|万|亿|%|‰|平方米|公顷|亩|人|名|位|项|例|天|周|个月|年|月|日|号|小时|点|批|次|份|页|家|分|倍|篇|字|届|[MGK]B)"
_PATTERNS = (
    ("title", re.compile(r"《[^》]+》")),
    (
        "link",
        re.compile(
            r"https?://[A-Za-z0-9_./-]+|www\.[A-Za-z0-9_./-]+|[A-Za-z0-9-]+\.(?:com|cn|gov|org)[A-Za-z0-9_./-]*"
        ),
    ),
    ("date", re.compile(r"(?:\d{4}年)?\d{1,2}月(?:\d{1,2}[日号])?")),
    ("phone", re.compile(r"(?<!\d)\d{3,4}-\d{7,8}(?!\d)|(?<!\d)\d{7,11}(?!\d)")),
    ("amount", re.compile(rf"\d+(?:\.\d+)?(?:个)?{_COUNTED}")),
    ("year", re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")),
    (
        "amount",
        re.compile(
            r"[一二两三四五六七八九十百千]+(?<!一)(?:万元|亿元|元|平方米|人|天|年|个月)|[一二两三四五六七八九十百千]+分之[一二三四五六七八九十]+"
        ),
    ),
    ("amount", re.compile(r"百分之[一二三四五六七八九十百点]+")),
    ("weekday", re.compile(r"(?:周|星期)[一二三四五六日天]")),
    ("number", re.compile(r"(?<![\d.])\d+(?:\.\d+)?")),
)
_MARKS = re.compile(
    r"(?m)(?:^|(?<=[:：,，;；]))\s*\d{1,2}[.、](?!\d)\s*|附件[123](?:[、和及至-][123](?!\d))*(?!\d)|[*\s]"
)


def plain(text: str) -> str:
    """Without blanks, Markdown marks, list numbers and the names of the three attachments."""
    return _MARKS.sub("", unicodedata.normalize("NFKC", text))


def stated(text: str) -> set[str]:
    """Everything checkable that a text states; a longer statement hides the shorter ones inside it."""
    rest, found = plain(text), set()
    for _, pattern in _PATTERNS:
        for match in pattern.finditer(rest):
            found.add(match[0])
        rest = pattern.sub(lambda m: "　" * len(m[0]), rest)
    return found


def computed(milestones: Iterable[Milestone], day: date) -> set[str]:
    """What an engine may say without a clause: today, weekdays, the days (and working days) to and since the dated duties."""
    allowed = {short_date(day), weekday(day)}
    for milestone in milestones:
        allowed |= {weekday(d) for d in (milestone.opens, milestone.closes) if d}
        allowed |= {f"{standing(milestone, day).days}天", f"{workdays(day, milestone.closes)}天"}
    return allowed


def unsupported(text: str, clauses: Iterable[str], allowed: Iterable[str] = ()) -> set[str]:
    """What a text states that none of the clauses holds and that is not allowed as computed."""
    held = [plain(c) for c in clauses]
    return {s for s in stated(text) - set(allowed) if not any(_holds(c, s) for c in held)}


def _holds(clause: str, statement: str) -> bool:
    """Whether a clause holds the statement as a whole number, not as a part of a longer one ("3人" in "30人" is none)."""
    if statement.startswith("《") and len(statement) > 6:
        return statement[1:-1] in clause  # the clause may give the title without its marks
    edge = r"(?<![\d.])" if statement[0].isdigit() else ""
    stop = r"(?!\d)" if statement[-1].isdigit() else ""
    return re.search(edge + re.escape(statement) + stop, clause) is not None
