"""What can be held against a source: days, amounts, ordinals, years, telephones, links, titles, clause numbers.

`marks_of` takes a text apart into such marks and blanks them out one kind after the other, so that a day is
not read again as a number. What is left over in digits is kept too: it must stand in the sources as it is.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from knowledge.dates import find_dates
from knowledge.quantities import Quantity, find_quantities, parse_number

_CIRCLED = re.compile(r"[①-⑳⑴-⒇]")
_LINK = re.compile(
    r"(?:https?://|www\.)[\w./?=&%#:~-]+|(?<![\w@.])(?:[a-z0-9-]+\.)+(?:com|cn|net|org|gov|edu|io|top|xyz)(?:\.cn)?(?:/[\w./?=&%-]*)?",
    re.IGNORECASE | re.ASCII,
)
_NUMBERED = re.compile(r"[\u4e00-\u9fff]{1,4}[〔\[(【]\s*\d{4}\s*[〕\])】]\s*第?\s*\d+\s*号")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TITLE = re.compile(r"《([^》]*)》")
_PHONE = re.compile(
    r"(?<![\d.])(?:\+?\d{2,4}[\s-])?\(?\d{3,4}\)?[\s-]?\d{4}(?:[\s-]?\d{4})?(?![\d.])|(?<!\d)\d{7,12}(?!\d)"
)
_SPOKEN = re.compile(r"[零〇一二三四五六七八九幺两\d]{7,13}")
_SPOKEN_DIGITS = str.maketrans("零〇一二三四五六七八九幺两", "0012345678912")
_MONEY_AFTER = re.compile(r"\s*(?:[万亿千百]|元|块|平|㎡|人|项|%|美)")
_CN = "零〇一二两三四五六七八九十百"
_YEAR = re.compile(
    r"(?<![\d.])((?:19|20)\d\d)(?=\s*(?:年|[-/.至到]|第|\b))|([一二][九〇零○][〇零○一二三四五六七八九]{2})(?=年)"
)
_SHORT_YEAR = re.compile(r"(?<!\d)([12]\d)年(?=获|批|认|第|建|的|上|下|\(|（|和|、)")
_ORDINAL = re.compile(
    rf"第?([{_CN}\d]+)(批次?|季度|轮|名)|第([{_CN}\d]+)(条|款|章|节|部分|次|年|季|类|档|点|项|个|家|位|期|步|段)"
)
_ATTACHMENT = re.compile(r"(附件|附表|附录|表)\s*([一二三四五六七八九十\d]+)")
_OUTLINE = re.compile(
    r"[一二三四五六七八九十]{1,2}[（(][一二三四五六七八九十\d]{1,2}[）)]|[（(][一二三四五六七八九十]{1,2}[）)](?=[第项条款·])"
)
_CLOCK = re.compile(
    rf"(?<!\d)(?:[01]?\d|2[0-4])\s*[:：]\s*[0-5]\d|(?<!\d)\d{{1,2}}\s*(?:点(?![击开名])(?:半|整|钟|\d{{1,2}}分?)?|时(?![候间段限常]))"
    rf"|(?:(?<=[上下中]午)|(?<=[早晚]上)|(?<=凌晨))[{_CN}]{{1,3}}点|[{_CN}]{{1,3}}(?:点(?:半|整|钟|前|之前|以前|关|截止|开始)|时(?:整|前))"
)
_RANGE_TAIL = re.compile(rf"^\s*(?:[-~—–－至到]+)\s*(3[01]|[12]\d|[1-9]|[{_CN}]{{1,3}})(?:日|号)")
_MONTH = re.compile(r"(?<!\d)(1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月(?:份)?(?!\d)")
_WEEKDAY = re.compile(r"(?:周|星期|礼拜)([一二三四五六日天])")
_TOKEN = re.compile(r"\d+(?:\.\d+)?")
_HAN_NUMBER = re.compile(r"[一二两三四五六七八九十][百千万亿][一二三四五六七八九十百千万亿]*")
_RANGE = re.compile(r"^\s*(?:[-~—–－]+|至|到)\s*$")
_BASE = date(2000, 1, 1)
_CN_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}


def plain(text: str) -> str:
    """`text` comparable: full width made plain, Markdown marks and circled numbers dropped, case kept."""
    text = _CIRCLED.sub("\n", text.replace("**", "").replace("`", ""))
    text = unicodedata.normalize("NFKC", text)
    return re.sub(r"(?<=[\u4e00-\u9fff，。；、])[ \t]+(?=[\u4e00-\u9fff])", "", text)


@dataclass(frozen=True)
class Day:
    """A day named: `year` None where none is said; `role` start or end of a range, else None."""

    month: int
    day: int
    year: int | None
    words: str
    start: int
    end: int
    role: str | None = None
    relative: bool = False

    @property
    def key(self) -> tuple[int, int]:
        """Month and day."""
        return self.month, self.day


@dataclass(frozen=True)
class Mark:
    """Something else that is compared as it is: `value` normalised, `words` as written."""

    value: str
    words: str
    start: int = 0


@dataclass
class Marks:
    """Everything found in one text; `rest` is the text with the marks blanked out."""

    text: str
    rest: str = ""
    days: list[Day] = field(default_factory=list)
    quantities: list[Quantity] = field(default_factory=list)
    years: list[Mark] = field(default_factory=list)
    ordinals: list[Mark] = field(default_factory=list)
    clauses: list[Mark] = field(default_factory=list)
    phones: list[Mark] = field(default_factory=list)
    numbers: list[Mark] = field(default_factory=list)
    links: list[Mark] = field(default_factory=list)
    titles: list[Mark] = field(default_factory=list)
    clocks: list[Mark] = field(default_factory=list)
    months: list[Mark] = field(default_factory=list)
    weekdays: list[Mark] = field(default_factory=list)
    tokens: list[Mark] = field(default_factory=list)


def number(words: str) -> int | None:
    """A small number in digits or Chinese numerals."""
    if words.isdigit():
        return int(words)
    if all(c in _CN_DIGITS for c in words) and len(words) > 1:
        return int("".join(str(_CN_DIGITS[c]) for c in words))
    value = parse_number(words)
    return int(value) if value is not None else _CN_DIGITS.get(words)


def link_key(link: str) -> str:
    """A link without scheme and closing slash, in lower case."""
    return re.sub(r"^https?://", "", link.rstrip("/.,;:!?）)"), flags=re.IGNORECASE).rstrip("/").lower()


def marks_of(text: str, today: date | None = None) -> Marks:
    """Take a text (as `plain` gives it) apart.

    Args:
        today: Day that relative days and weekdays are resolved at; None: 2000-01-01, for comparing days of
            the calendar alone.
    """
    found = Marks(text)
    rest = list(text)

    def blank(start: int, end: int) -> None:
        rest[start:end] = " " * (end - start)

    def now() -> str:
        return "".join(rest)

    for match in _MAIL.finditer(text):
        found.links.append(Mark(match[0].lower(), match[0], match.start()))
        blank(*match.span())
    for match in _LINK.finditer(now()):
        found.links.append(Mark(link_key(match[0]), match[0], match.start()))
        blank(*match.span())
    for match in _TITLE.finditer(text):
        found.titles.append(Mark(re.sub(r"\s", "", match[1]), match[0], match.start()))
    for match in _NUMBERED.finditer(now()):
        found.numbers.append(Mark("".join(re.findall(r"\d+|[\u4e00-\u9fff]字", match[0])), match[0], match.start()))
        blank(*match.span())
    _days(now(), today, found, blank)
    for match in _CLOCK.finditer(now()):
        found.clocks.append(Mark(re.sub(r"\s", "", match[0]), match[0], match.start()))
        blank(*match.span())
    for match in _WEEKDAY.finditer(now()):
        found.weekdays.append(Mark("日" if match[1] == "天" else match[1], match[0], match.start()))
        blank(*match.span())
    for match in _YEAR.finditer(now()):
        found.years.append(Mark(match[1] or str(number(match[2])), match[0], match.start()))
        blank(*match.span())
    for match in _SHORT_YEAR.finditer(now()):
        found.years.append(Mark(f"20{match[1]}", match[0], match.start()))
        blank(match.start(1), match.end(1))
    for match in _ATTACHMENT.finditer(now()):
        found.clauses.append(
            Mark(f"附件{number(match[2])}" if match[1] != "表" else f"表{number(match[2])}", match[0], match.start())
        )
        blank(*match.span())
    for match in _OUTLINE.finditer(now()):
        found.clauses.append(
            Mark(re.sub(r"[（）]", lambda m: "()"["（）".index(m[0])], match[0]), match[0], match.start())
        )
        blank(*match.span())
    for match in _ORDINAL.finditer(now()):
        if not (match[1] and not match[0].startswith("第") and match[2] in ("名", "轮", "季度")):
            value, unit = number(match[1] or match[3]), match[2] or match[4]
            target = found.clauses if unit in ("条", "款", "章", "节", "部分", "段") else found.ordinals
            target.append(Mark(f"第{value}{unit[0]}", match[0], match.start()))
            blank(*match.span())
    _phones(now(), found, blank)
    for match in _MONTH.finditer(now()):
        found.months.append(Mark(str(number(match[1])), match[0], match.start()))
        blank(*match.span())
    for quantity in find_quantities(now()):
        found.quantities.append(quantity)
        blank(quantity.start, quantity.end)
    found.rest = now()
    found.tokens += [Mark(m[0], m[0], m.start()) for m in _TOKEN.finditer(found.rest)]
    found.tokens += [Mark(m[0], m[0], m.start()) for m in _HAN_NUMBER.finditer(found.rest)]
    return found


def _days(text: str, today: date | None, found: Marks, blank: object) -> None:
    base = today or _BASE
    mentions = [m for m in find_dates(text, base) if m.words not in ("当天", "今日", "今天")]
    days: list[Day] = []
    for mention in mentions:
        year = (
            mention.day.year
            if re.match(r"(20\d\d|\d\d)(?:年|[-/.]\d)", mention.words) or re.match(r"20\d\d", mention.words)
            else None
        )
        # A slash or dot between small numbers can be a share (1/3); it is a day only where a month could be meant.
        if re.fullmatch(r"1/[2-9]|2/3|3/4", mention.words):
            continue
        days.append(
            Day(
                mention.day.month,
                mention.day.day,
                year,
                mention.words,
                mention.start,
                mention.end,
                None,
                mention.relative,
            )
        )
    more: list[Day] = []
    for at, day in enumerate(days):
        if match := _RANGE_TAIL.match(text[day.end :]):
            number_ = number(match[1])
            end = day.end + match.end()
            if number_ and not any(d.start < end and d.start >= day.end for d in days):
                days[at] = Day(day.month, day.day, day.year, day.words, day.start, day.end, "start", day.relative)
                more.append(
                    Day(day.month, number_, day.year, match[0].strip("-~—–－至到 "), day.end, end, "end", day.relative)
                )
    days = sorted([*days, *more], key=lambda d: d.start)
    for at in range(len(days) - 1):
        one, two = days[at], days[at + 1]
        if _RANGE.match(text[one.end : two.start]):
            days[at] = Day(one.month, one.day, one.year, one.words, one.start, one.end, "start", one.relative)
            days[at + 1] = Day(two.month, two.day, two.year, two.words, two.start, two.end, "end", two.relative)
    for day in days:
        found.days.append(day)
        blank(day.start, day.end)  # type: ignore[operator]


def _phones(text: str, found: Marks, blank: object) -> None:
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if 7 <= len(digits) <= 13 and not _MONEY_AFTER.match(text, match.end()):
            found.phones.append(Mark(digits, match[0].strip(), match.start()))
            blank(*match.span())  # type: ignore[operator]
    for match in _SPOKEN.finditer(text):
        digits = match[0].translate(_SPOKEN_DIGITS)
        if not match[0].isdigit() and not _MONEY_AFTER.match(text, match.end()):
            found.phones.append(Mark(digits, match[0], match.start()))
            blank(*match.span())  # type: ignore[operator]


def same_amount(one: Quantity, two: Quantity) -> bool:
    """Whether two quantities are the same amount; a rounded third (33.3%) is a third."""
    anything = {"items", "cases", "persons", None}
    fits = (
        one.unit == two.unit
        or None in (one.unit, two.unit)
        or ({one.unit, two.unit} <= anything and (one.text.endswith("个") or two.text.endswith("个")))
    )
    if not fits:
        return False
    if one.unit == "share" or two.unit == "share":
        rounded = Fraction(1, 2000) if Fraction(1, 3) in (one.exact, two.exact) else Fraction(0)
        return abs(one.exact - two.exact) <= rounded
    return one.exact == two.exact or abs(one.value - two.value) <= 1e-9 * max(abs(one.value), abs(two.value))
