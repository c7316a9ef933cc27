"""The numbering of Chinese official documents: what begins a unit, and what only refers to one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

_CN = "〇零一二三四五六七八九十百千两"
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_PLAIN = str.maketrans("０１２３４５６７８９．()", "0123456789.（）")


class Style(IntEnum):
    """Ways to number a unit, from the widest to the narrowest (GB/T 9704: 一、（一）1.（1）)."""

    CHAPTER = 1  # 第一章, also 第一编, 第一部分
    SECTION = 2  # 第一节
    ARTICLE = 3  # 第一条
    CHINESE = 4  # 一、
    BRACKETED = 5  # （一）
    ARABIC = 6  # 1. 1． 1、
    ARABIC_BRACKETED = 7  # （1）
    ARABIC_HALF = 8  # 1）
    CIRCLED = 9  # ①


@dataclass(frozen=True)
class Mark:
    """The number at the start of a line: `label` as it stands in a path, `rest` the text after it.

    `spaced`: a blank or the line's end follows the number.
    """

    style: Style
    number: int
    label: str
    rest: str
    spaced: bool = False


_FORMS: tuple[tuple[Style, re.Pattern[str]], ...] = (
    (Style.CHAPTER, re.compile(rf"第\s*([{_CN}]+|\d{{1,3}})\s*([章编]|部分)")),
    (Style.SECTION, re.compile(rf"第\s*([{_CN}]+|\d{{1,3}})\s*(节)")),
    (Style.ARTICLE, re.compile(rf"第\s*([{_CN}]+|\d{{1,3}})\s*(条(?:之[一二三四五六七八九十])?)")),
    (Style.CHINESE, re.compile(r"([一二三四五六七八九十百零〇]+)\s*[、.]")),
    (Style.BRACKETED, re.compile(r"（\s*([一二三四五六七八九十百零〇]+)\s*）")),
    (Style.ARABIC, re.compile(r"(\d{1,2})\s*(?:、(?!\s*\d)|、(?=\s*\d{4}年)|\.(?!\s*\d)|\.(?=\s*\d{4}年))")),
    (Style.ARABIC_BRACKETED, re.compile(r"（\s*(\d{1,2})\s*）")),
    (Style.ARABIC_HALF, re.compile(r"(\d{1,2})\s*）")),
    (Style.CIRCLED, re.compile(r"([①-⑳])")),
)

# Words that begin a sentence as well (中心, 项目, 条件, 所在地) are kept apart from those that refer.
_WITHIN = r"中(?![心央国小介试])|内(?![容部])|所(?![在属有])"
_JOINS = r"[、，,。；;）》]|[和及与或至到的]"
_REFERENCE_AFTER_ARTICLE = re.compile(
    rf"\s*(?:第\s*(?:[{_CN}]+|\d+|（)|{_JOINS}|{_WITHIN}|[—~-]|（[{_CN}]+）项(?!目)|"
    r"之外|以外|规定|要求|列(?!入)|执行|办理|情形)"
)
_REFERENCE_AFTER_CHAPTER = re.compile(rf"\s*(?:第\s*[{_CN}]+[节条章]|{_JOINS}|{_WITHIN}|规定)")
_MEMBER = r"项(?!目)|款(?!项)|目(?![标的录前])|条(?![件款])"
_REFERENCE_AFTER_BRACKET = re.compile(rf"\s*(?:{_MEMBER}|{_JOINS}|规定)")
_MEMBER_WORD = re.compile(rf"\s*(?:{_MEMBER})")
_MORE_NUMERALS = re.compile(rf"\s*(?:[{_CN}]+\s*(?:[、，等级类款项条批次期档]|$)|等|[款项条])")


_INLINE_REACH = 2000
"""Characters back in which a count in mid-text is sought; keeps the reading of broken texts fast."""


def numeral(text: str) -> int:
    """The value of a Chinese or Arabic numeral below ten thousand, e.g. 一百二十 is 120.

    Raises:
        ValueError: The text is no such numeral.
    """
    text = text.translate(_PLAIN)
    if re.fullmatch(r"\d+", text, re.ASCII):
        return int(text)
    if not text or any(char not in _DIGITS and char not in _PLACES for char in text):
        raise ValueError(text)
    if not any(char in _PLACES for char in text):
        return int("".join(str(_DIGITS[char]) for char in text))
    total, digit = 0, -1
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        else:
            total += (1 if digit < 0 else digit) * _PLACES[char]
            digit = -1
    return total + max(digit, 0)


def chinese(number: int) -> str:
    """A number from 1 to 999 in Chinese numerals as official documents write it, e.g. 120 is 一百二十."""
    names = "零一二三四五六七八九"
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{names[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else names[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (names[ones] if ones else "")


def find_mark(text: str) -> Mark | None:
    """The number that a line begins with, if any; whether it begins a unit is for the outline to say."""
    plain = text.translate(_PLAIN)
    for style, form in _FORMS:
        found = form.match(plain)
        if found is None:
            continue
        try:
            number = ord(found[1]) - ord("①") + 1 if style is Style.CIRCLED else numeral(found[1])
        except ValueError:
            return None
        rest = text[found.end() :]
        label = {
            Style.CHINESE: found[1],
            Style.ARABIC: found[1],
            Style.BRACKETED: f"（{found[1]}）",
            Style.ARABIC_BRACKETED: f"（{found[1]}）",
            Style.ARABIC_HALF: f"{found[1]}）",
            Style.CIRCLED: found[1],
        }.get(style) or f"第{found[1]}{found[2]}"
        return Mark(style, number, label, rest.strip(), not rest or rest[0].isspace())
    return None


def refers(mark: Mark, *, open_before: bool) -> bool:
    """Whether the number is part of a sentence (第五条规定, （三）项, 一、二等奖) and begins no unit.

    Args:
        open_before: The line before did not end its sentence, so a reference is likelier.
    """
    rest = mark.rest
    if mark.style in (Style.CHAPTER, Style.SECTION):
        return bool(_REFERENCE_AFTER_CHAPTER.match(rest)) and (open_before or not mark.spaced) or len(rest) > 40
    if mark.style is Style.ARTICLE:
        return bool(_REFERENCE_AFTER_ARTICLE.match(rest)) and (open_before or not mark.spaced)
    if mark.style in (Style.BRACKETED, Style.ARABIC_BRACKETED, Style.ARABIC_HALF):
        return bool(_REFERENCE_AFTER_BRACKET.match(rest)) and (open_before or _MEMBER_WORD.match(rest) is not None)
    if mark.style is Style.CHINESE:
        return bool(_MORE_NUMERALS.match(rest)) and open_before
    return not rest and mark.style is Style.ARABIC and open_before


def counted_inline(mark: Mark, paragraph: str) -> bool:
    """Whether the paragraph already counts in this style in mid-text, so that this number only goes on.

    A wrapped line of "…：①甲；②乙" may begin with "②"; it begins no unit.
    """
    if mark.number < 2:
        return False
    last = mark.number - 1
    plain = paragraph[1:][-_INLINE_REACH:].translate(_PLAIN)
    form = {
        Style.CHINESE: rf"(?<![第{_CN}]){chinese(last)}、",
        Style.BRACKETED: rf"（{chinese(last)}）(?![项款目])",
        Style.ARABIC: rf"(?<!\d){last}[.、](?!\d)",
        Style.ARABIC_BRACKETED: rf"（{last}）",
        Style.ARABIC_HALF: rf"(?<![（\d]){last}）",
        Style.CIRCLED: chr(ord("①") + last - 1),
    }.get(mark.style)
    return form is not None and re.search(form, plain) is not None
