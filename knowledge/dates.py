"""Days that a person names, resolved at a day: 4月7日, 四月七号, 4/7, 明天, 下周二, 月底, 清明."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "日": 7, "天": 7}
_RELATIVE = {
    "大前天": -3,
    "前天": -2,
    "昨天": -1,
    "昨日": -1,
    "昨晚": -1,
    "今天": 0,
    "今日": 0,
    "今晚": 0,
    "当天": 0,
    "明天": 1,
    "明日": 1,
    "明早": 1,
    "明晚": 1,
    "大后天": 3,
    "后天": 2,
}
_HOLIDAYS = {
    "清明": "Tomb-sweeping Day",
    "五一": "Labour Day",
    "劳动节": "Labour Day",
    "端午": "Dragon Boat Festival",
    "中秋": "Mid-autumn Festival",
    "国庆": "National Day",
    "春节": "Spring Festival",
    "元旦": "New Year's Day",
}
_CN = "[一二三四五六七八九十]"
_FULL = re.compile(
    rf"(?:(20\d\d|\d\d)年)?(?<!\d)(?P<m>1[0-2]|0?[1-9]|{_CN}{{1,2}})月(?:份)?(?P<d>3[01]|[12]\d|0?[1-9]|{_CN}{{1,3}})(?:日|号|$|(?=[^\d]))"
)
_SHORT = re.compile(
    r"(?<![\d./%])(?P<m>1[0-2]|0?[1-9])[/.](?P<d>3[01]|[12]\d|0?[1-9])(?![\d./%万亿个项人年米平元例篇家]|以[上下])"
)
_ISO = re.compile(r"(20\d\d)[-/.](\d{1,2})[-/.](\d{1,2})")
_DAY = re.compile(rf"(?<![\d月第])(?P<d>3[01]|[12]\d|[1-9]|{_CN}{{1,3}})号(?![楼门院线文馆])")
_REL = re.compile("|".join(sorted(_RELATIVE, key=len, reverse=True)))
_WEEK = re.compile(r"(?P<w>下下|下个?|这个?|本|上个?)?(?:周|星期|礼拜)(?P<d>[一二三四五六日天1-7])")
_MONTH_END = re.compile(rf"(?:(?P<m>1[0-2]|[1-9]|{_CN}{{1,2}})月|(?P<r>下个?月|这个?月|本月)?)(?P<e>底|末)")
_HOLIDAY = re.compile("|".join(_HOLIDAYS))


@dataclass(frozen=True)
class DateMention:
    """A day named in a text; `words` as written, `start` and `end` its place."""

    day: date
    words: str
    start: int
    end: int
    relative: bool


def _number(text: str) -> int:
    """A number up to 99; 0, which is no day and no month, where the signs are none ("十十", "三五")."""
    if text.isdigit():
        return int(text)
    if len(text) == 1 and text != "十":
        return _DIGITS[text]
    tens, ten, ones = text.partition("十")
    if not ten or not set(tens + ones) <= set("一二三四五六七八九") or len(tens) > 1 or len(ones) > 1:
        return 0
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _plus(day: date, days: int) -> date | None:
    """A day some days on; None beyond the calendar's ends."""
    try:
        return day + timedelta(days)
    except OverflowError:
        return None


def _nearest(today: date, number: int) -> date | None:
    """The day of the month nearest to today; a day ahead counts half, since people ask about what comes."""
    months = [(today.year, today.month - 1), (today.year, today.month), (today.year, today.month + 1)]
    days = [d for y, m in months if 1 <= m <= 12 and (d := _day(y, m, number))]
    return min(days, key=lambda d: (d - today).days if d >= today else 2 * (today - d).days, default=None)


@lru_cache(maxsize=16)
def holiday(name: str, year: int) -> tuple[date, ...]:
    """The days off of a public holiday in a year, first to last; empty where the calendar does not know them."""
    import chinese_calendar  # read only when a holiday is named: the package is slow to import

    days = []
    for n in range((date(year, 12, 31) - date(year, 1, 1)).days + 1):
        day = date(year, 1, 1) + timedelta(n)
        try:
            off, label = chinese_calendar.get_holiday_detail(day)
        except NotImplementedError:
            return ()
        if off and label == name:
            days.append(day)
    return tuple(days)


def workdays(after: date, until: date) -> int | None:
    """Working days after one day up to and with another, adjusted workdays counted; None where the calendar ends."""
    import chinese_calendar

    try:
        return sum(bool(chinese_calendar.is_workday(after + timedelta(n))) for n in range(1, (until - after).days + 1))
    except NotImplementedError:
        return None


def find_dates(text: str, today: date) -> list[DateMention]:
    """The days named in `text` (normalised), in order of place; the year is that of `today` where none is said."""
    found: list[DateMention] = []
    taken: list[tuple[int, int]] = []

    def add(match: re.Match[str], day: date | None, relative: bool = False) -> None:
        if day is None or any(s < match.end() and match.start() < e for s, e in taken):
            return
        taken.append(match.span())
        found.append(DateMention(day, match[0], match.start(), match.end(), relative))

    for m in _ISO.finditer(text):
        add(m, _day(int(m[1]), int(m[2]), int(m[3])))
    for m in _FULL.finditer(text):
        year = int(m[1]) if m[1] and len(m[1]) == 4 else 2000 + int(m[1]) if m[1] else today.year
        add(m, _day(year, _number(m["m"]), _number(m["d"])))
    for m in _SHORT.finditer(text):
        add(m, _day(today.year, int(m["m"]), int(m["d"])))
    for m in _REL.finditer(text):
        add(m, _plus(today, _RELATIVE[m[0]]), True)
    for m in _WEEK.finditer(text):
        weeks = {"下下": 2, "下": 1, "下个": 1, "上": -1, "上个": -1}.get(m["w"] or "", 0)
        place = (int(m["d"]) if m["d"].isdigit() else _DIGITS[m["d"]]) - 1
        if not m["w"] and place < today.weekday():
            weeks = 1
        add(m, _plus(today, 7 * weeks + place - today.weekday()), True)
    for m in _MONTH_END.finditer(text):
        year, month = today.year, today.month
        if m["m"]:
            month = _number(m["m"])
        elif m["r"] and m["r"].startswith("下"):
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        elif not m["r"] and text[max(0, m.start() - 1) : m.start()] != "月":
            continue
        if 1 <= month <= 12 and year <= date.max.year:
            add(m, date(year, month, calendar.monthrange(year, month)[1]), True)
    for m in _HOLIDAY.finditer(text):
        days = holiday(_HOLIDAYS[m[0]], today.year)
        if days:
            add(m, days[0], True)
    for m in _DAY.finditer(text):
        number = _number(m["d"])
        previous = max(
            (f for f in found if f.start < m.start() and not f.relative), key=lambda f: f.start, default=None
        )
        add(m, _day(previous.day.year, previous.day.month, number) if previous else _nearest(today, number))
    return sorted(found, key=lambda f: f.start)
