"""Numbers and amounts as Chinese people type them, found in running text.

The map: a *run* is a stretch of digits and multipliers (`3千2百万`, `三千二百万`, `23,000,000`); `_value`
gives it a value or refuses it; `_UNITS` then reads what stands behind. Fractions (`百分之三`, `三分之一`,
`1/3`, `一半`) are read first, for they would otherwise fall apart into two numbers. Ordinals (`第1批`),
calendar dates, outline numbers, `附件3` and mobile numbers are no quantities and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

Unit = Literal["yuan", "persons", "m2", "items", "cases", "days", "share", "years"]


@dataclass(frozen=True)
class Quantity:
    """An amount in the text.

    Args:
        value: In the base unit: yuan, persons, m², items, cases, days, years, or a share from 0 to 1.
        unit: None where the text names none that is known here.
        start, end: Place in the text, unit included.
        text: The words themselves.
        exact: The value without rounding, for money.
    """

    value: float
    unit: Unit | None
    start: int
    end: int
    text: str
    exact: Fraction = Fraction(0)


_WIDE = str.maketrans("０１２３４５６７８９．％／－～＋ＷｗＭｍ", "0123456789.%/-~+WwMm")
_DIGITS = {c: v for v, cs in enumerate(["零〇", "一壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"])
           for c in cs}  # fmt: skip
_SMALL = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_LARGE = {"万": 10**4, "w": 10**4, "W": 10**4, "亿": 10**8}
_MOST = 10**18
"""Nothing that people count here is more; a longer row of digits is a code or a joke."""
_CN = "".join(_DIGITS)
_HAN = re.escape(_CN) + "十拾百佰千仟万亿"

# "600，650" is a list, "23，000，000" is one number: a wide comma joins only where a group starts with 0.
_ARABIC = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,3}(?=(?:，\d{3})*，0\d\d(?!\d))(?:，\d{3})+(?!\d)|\d+(?:\.\d+)?"
_TOKEN = re.compile(
    rf"(?P<arabic>{_ARABIC})|(?P<point>点[{_CN}]+)|(?P<han>[{_CN}]+)|(?P<mult>[十拾百佰千仟万亿]|[wW](?![A-Za-z]))"
)
_RUN = re.compile(
    rf"(?:{_ARABIC}|[{_CN}十拾])(?:{_ARABIC}|点(?=[{_CN}])|[{_HAN}]|[wW](?![A-Za-z])"
    r"|[多余来](?=[万亿])|(?<=\d) (?=[万亿]))*"
)  # "八百多万" is at least 8 million; "2,100 万元" is one amount
_OF = re.compile(rf"(?P<den>[{_HAN}]+|\d+)分之(?P<num>[{_HAN}]+(?:点[{_CN}]+)?|\d+(?:\.\d+)?)")
_SLASH = re.compile(r"(?<![\d/.])(?P<num>\d{1,2})/(?P<den>\d{1,3})(?![\d/.年月])")
_HALF = re.compile(r"一半|半(?=年|个月|天)")

_OTHER_MONEY = r"美元|美金|欧元|日元|港元|港币|英镑|韩元"
_PEOPLE = r"人员|人才|员工|博士|硕士|教授|专家|职工|研究员|工程师|学生"
_KIND = r"(?:研发|科研|固定|技术|全职|专职|在职|正式|研究|本科|高级|中级|高层次|高端)"
# In order: the first that fits behind the number is the unit. (pattern, unit, factor)
_UNIT_WORDS: tuple[tuple[str, Unit | None, Fraction], ...] = (
    (r"%", "share", Fraction(1, 100)),
    (r"‰", "share", Fraction(1, 1000)),
    (r"个?百分点|个点", "share", Fraction(1, 100)),
    (r"成(?![果功员本立交长绩效为熟都就套形才人])", "share", Fraction(1, 10)),
    (_OTHER_MONEY, None, Fraction(1)),
    (r"million(?: (?:yuan|rmb|cny))?", "yuan", Fraction(10**6)),
    (r"billion(?: (?:yuan|rmb|cny))?", "yuan", Fraction(10**9)),
    (r"yuan", "yuan", Fraction(1)),
    (r"(?:people|persons)", "persons", Fraction(1)),
    (r"square met(?:er|re)s?|sqm", "m2", Fraction(1)),
    (r"days?", "days", Fraction(1)),
    (r"元(?:人民币|整)?|块钱?|人民币|RMB|rmb|CNY", "yuan", Fraction(1)),
    (r"平方公里", "m2", Fraction(10**6)),
    (r"平方米|平米|㎡|[mM][2²]|平方|平(?![均台时行安等衡价稳])", "m2", Fraction(1)),
    (r"公顷", "m2", Fraction(10**4)),
    (r"亩", "m2", Fraction(2000, 3)),
    (r"个(?:成功|转化|典型)?案例|例|起(?![草来])", "cases", Fraction(1)),
    (rf"个?人(?![民次均月工才])|[名位](?![词称于置])|个(?={_KIND}{{0,3}}(?:{_PEOPLE}))|{_KIND}{{0,3}}(?:{_PEOPLE})",
     "persons", Fraction(1)),
    (r"个?工作日|天", "days", Fraction(1)),
    (r"个月", "years", Fraction(1, 12)),
    (r"周年|年(?![度份级])", "years", Fraction(1)),
    (r"[项件种款]|个(?![月点])", "items", Fraction(1)),
)  # fmt: skip
_UNITS = tuple((re.compile(pattern), unit, factor) for pattern, unit, factor in _UNIT_WORDS)
_COUNTER = re.compile(r"[台辆吨次字册户套篇部家所本条股份倍斤公里米度点页]|[a-zA-Z]")
_NOT_BEFORE = re.compile(
    r"(?:第|附件|附|这|那|哪|每|某|另|同|任|唯|统)\s*$|[A-Za-z_]$"
    r"|\b(?i:article|annex|attachment|section|part|no\.?|item)\s+$|(?<![\d" + _HAN + r"])万$"
)
_DATE_AFTER = re.compile(r"\s*(?:月(?!均)|日|号)|\s*[:：]\d\d")
_BETWEEN = re.compile(r"\s*(?:[-~—–、，,/]|至|到|和)\s*|\s+")


def _tokens(run: str) -> list[tuple[str, str]]:
    return [(match.lastgroup or "", match.group()) for match in _TOKEN.finditer(run)]


def _value(run: str) -> Fraction | None:
    """The value of a whole run, or None where it is not one number."""
    tokens = _tokens(run)
    multiplied = any(kind == "mult" for kind, _ in tokens)
    total, section = Fraction(0), Fraction(0)
    number: Fraction | None = None
    last, small_limit, large_limit, zero, single = 0, 10**4, 10**12, False, False
    for kind, word in tokens:
        if kind == "arabic":
            if number is not None:
                return None
            plain = word.replace(",", "").replace("，", "")
            number, single = Fraction(plain), len(plain) == 1
        elif kind == "han":
            if number is not None:
                return None
            zero = word[0] in "零〇" and multiplied
            digits = word.lstrip("零〇") if multiplied else word
            if len(digits) > 1 and multiplied or len(digits) == 2 and not set(digits) & set("零〇"):
                return None  # 三五个: about three to five, no number
            number, single = Fraction(int("".join(str(_DIGITS[c]) for c in digits) or "0")), True
        elif kind == "point":
            decimals = "".join(str(_DIGITS[c]) for c in word[1:])
            number, single = (number or Fraction(0)) + Fraction(int(decimals), 10 ** len(decimals)), False
        elif word in _SMALL:
            size = _SMALL[word]
            if size >= small_limit or (number is None and size != 10):
                return None
            section += (Fraction(1) if number is None else number) * size
            number, last, small_limit, zero = None, size, size, False
        else:
            size = _LARGE[word]
            if size >= large_limit and not (size == 10**8 and last == 10**4):
                return None
            section += number or 0
            if not section and not total:
                return None
            total = (total + section) * size if size == 10**8 else total + section * size
            section, number, last, small_limit, large_limit, zero = (
                Fraction(0),
                None,
                size,
                10**4,
                size,
                False,
            )
    if number is not None and last >= 100 and single and not zero and number:
        number *= last // 10  # 三万五 is 35000, 三百五 is 350
    elif number is not None and last and number >= last:
        return None
    return total + section + (number or 0)


def parse_number(text: str) -> Fraction | None:
    """The value of a text that is one number and nothing else ("三千二百万", "1.2亿", "23,000,000")."""
    run = text.translate(_WIDE).strip()
    if not _RUN.fullmatch(run):
        return None
    return _value(run)


def _runs(text: str) -> Iterator[tuple[int, int, Fraction]]:
    """Runs with a value; a run that is two amounts ("600万650万") is cut behind 万 or 亿."""
    at = 0
    while match := _RUN.search(text, at):
        start, end = match.span()
        while end > start and (value := _value(text[start:end])) is None:
            cut = max((i + 1 for i in range(start, end - 1) if text[i] in _LARGE), default=start)
            end = cut
        if end > start and value is not None:
            yield start, end, value
            at = end
        else:
            at = match.end()


def _skipped(text: str, start: int, end: int, value: Fraction, bare: bool) -> bool:
    """Whether the number is an ordinal, a date, a telephone or a mark in an outline."""
    before, after = text[:start], text[end:]
    if _NOT_BEFORE.search(before):
        return True
    digits = text[start:end]
    year = digits.isdigit() and 1900 <= value <= 2100 or (len(digits) == 4 and digits[0] in "二一" and value > 1900
                                                         and "千" not in digits)  # fmt: skip
    if year and (re.match(r"\s*(?:年|[-~至到/]\s*(?:19|20)\d\d)", after) or bare and 2010 <= value <= 2040):
        return True
    if _DATE_AFTER.match(after) and (value <= 31 or not after.lstrip().startswith("日")):
        return True
    if "+" in (before[-1:], after[:1]) and digits.isdigit():
        return True
    if re.fullmatch(r"1[3-9]\d{9}", digits) or re.search(r"\d-$", before) and len(digits) >= 7:
        return True
    line_start = not before or before[-1] == "\n"
    if digits.isdigit() and len(digits) <= 2 and line_start and re.match(r"[、)）]|\.(?!\d)", after):
        return not re.match(r"、\s*\d", after)
    return bool(bare and before[-1:] in "（(" and before and re.match(r"[)）]", after))


def _unit(text: str, end: int, run: str) -> tuple[Unit | None, Fraction, int]:
    """Unit, factor and end of what stands behind a number."""
    gap = re.compile(r"\s?[多余来几]?\s?").match(text, end)
    place = gap.end() if gap else end
    for pattern, unit, factor in _UNITS:
        if match := pattern.match(text, place):
            if place > end and text[end].isspace() and any(c in _LARGE for c in run) and unit in ("persons", "years"):
                continue  # "2000万 研发人员60人": what stands behind the blank is the next item
            return unit, factor, match.end()
    # 1800万 without a unit is money, unless a counter follows (一万台).
    if any(c in _LARGE for c in run) and not _COUNTER.match(text, place):
        return "yuan", Fraction(1), end
    return None, Fraction(1), end


def _inherit(found: list[Quantity], runs: list[str], text: str) -> list[Quantity]:
    """ "1800-2000万", "20到30人", "600、650、700万元": the earlier take the later one's unit."""
    out = list(found)
    for i in range(len(out) - 2, -1, -1):
        one, after = out[i], out[i + 1]
        if one.unit is not None or after.unit is None or one.end > after.start:
            continue
        if not _BETWEEN.fullmatch(text[one.end : after.start]) or any(c in _LARGE for c in runs[i]):
            continue
        if any(c in _SMALL for c in runs[i]):
            if not any(c in _LARGE for c in runs[i + 1]):
                continue
            factor = Fraction(_LARGE[[c for c in runs[i + 1] if c in _LARGE][-1]])  # 五百、六百、七百万
        else:
            factor = _factor(runs[i + 1], after) if runs[i + 1] else Fraction(1)
        exact = one.exact * factor
        if after.exact and exact > after.exact * 100:  # 8000到1万: the first is meant as it stands
            exact = one.exact
            factor = Fraction(1)
        out[i] = replace(one, value=float(exact), exact=exact, unit=after.unit)
        runs[i] = runs[i] + runs[i + 1].lstrip("0123456789.,，" + _CN + "点") if factor != 1 else runs[i]
    return out


def _factor(run: str, quantity: Quantity) -> Fraction:
    """How many times its leading digits a quantity is worth."""
    head = re.match(rf"(?:{_ARABIC})|[{_CN}](?:点[{_CN}]+)?", run)
    value = parse_number(head.group()) if head else None
    return quantity.exact / value if value else Fraction(1)


def find_quantities(text: str) -> list[Quantity]:
    """Every amount in the text, in order of place.

    Args:
        text: What a person typed; full-width digits and thousand separators are understood.

    Returns:
        The quantities. A range or a list gives one for each number, all in the last one's unit. A single
        Chinese digit without a unit counts only where it is the whole text ("一般" holds no number).
    """
    plain = text.translate(_WIDE)
    taken = [False] * (len(plain) + 1)
    found: list[tuple[Quantity, str]] = []

    def add(start: int, end: int, exact: Fraction, unit: Unit | None, run: str) -> None:
        taken[start:end] = [True] * (end - start)
        if exact > _MOST:
            return
        found.append((Quantity(float(exact), unit, start, end, text[start:end], exact), run))

    for match in _OF.finditer(plain):
        named = {"百": 100, "千": 1000, "万": 10**4}
        den = named.get(match["den"]) or parse_number(match["den"])
        num = named.get(match["num"]) or parse_number(match["num"])
        if den and num is not None:
            add(*match.span(), Fraction(num) / Fraction(den), "share", "")
    for match in _SLASH.finditer(plain):
        num, den = int(match["num"]), int(match["den"])
        if 0 < num < den and (den <= 10 or den == 100) and not taken[match.start()]:
            add(*match.span(), Fraction(num, den), "share", "")
    for match in _HALF.finditer(plain):
        unit, factor, end = _unit(plain, match.end(), "")
        if match.group() == "一半":
            add(*match.span(), Fraction(1, 2), "share", "")
        elif not re.search(rf"[{_CN}十\d]年$|[{_CN}十\d]个$", plain[: match.start()]):
            add(match.start(), end, Fraction(1, 2) * factor, unit, "")
    masked = "".join(" " if used else c for c, used in zip(plain, taken, strict=False))
    whole = plain.strip("。！!，, \t\n")
    for start, end, value in _runs(masked):
        run = plain[start:end]
        unit, factor, stop = _unit(plain, end, run)
        exact = value * factor
        if taken[start] or _skipped(plain, start, end, value, unit is None):
            continue
        if unit is None and run[0] in _HAN and len(run) == 1 and whole != run:
            if not _BETWEEN.match(plain, end):
                continue
            if not re.match(rf"[\d{_CN}十]", plain[_BETWEEN.match(plain, end).end() :]):  # type: ignore[union-attr]
                continue
        if unit == "years" and (half := re.match("半", plain[stop:])):
            exact, stop = exact + factor / 2, stop + half.end()
        if unit == "share" and plain[stop - 1] == "成" and plain[stop : stop + 1] in _DIGITS and stop < len(plain):
            exact, stop = exact + Fraction(_DIGITS[plain[stop]], 100), stop + 1
        add(start, stop, exact, unit, run)
    found.sort(key=lambda pair: pair[0].start)
    return _inherit([quantity for quantity, _ in found], [run for _, run in found], plain)


def say_yuan(yuan: int) -> str:
    """An amount said back: "2300万元", "1.2亿元", "8500元"."""
    for size, name in ((10**8, "亿"), (10**4, "万")):
        if abs(yuan) >= size:
            return f"{_trim(Fraction(yuan, size), 8 if size == 10**8 else 4)}{name}元"
    return f"{yuan}元"


def _trim(value: Fraction, places: int) -> str:
    text = f"{float(value):.{places}f}"
    return text.rstrip("0").rstrip(".")
