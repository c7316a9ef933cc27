"""The kinds of answers in figures, lists of texts, yes and no; and `KINDS`, the table of all kinds.

How a kind works is said in `kinds`, where those in words are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any

from pydantic import Field

from bot.forms.definition import FieldSpec
from bot.forms.kinds import (
    Batch,
    Choice,
    Email,
    Kind,
    LongText,
    Mobile,
    OfficePhone,
    PersonName,
    Reject,
    ShortText,
    Uscc,
    narrow,
    plain,
    worded,
)
from bot.texts import Texts
from knowledge.quantities import Quantity, find_quantities, say_yuan

MAX_YUAN = 10**13
MAX_COUNT = 10**7
MAX_M2 = 10**8
MAX_LIST = 60


_NONE = re.compile(r"(?:暂时?|目前|都|均)?(?:没有?|无|零|未有|none|0)(?:相关|任何)?[。.!！]?", re.IGNORECASE)
_NEGATIVE = re.compile(r"(?:^|[\s:：为是(（])[-−－负](?=\s*[\d０-９一二三四五六七八九十两])")


def _one(text: str, code: str) -> Quantity:
    """The single quantity of an answer. Raises Reject with `code` where there is none."""
    if _NEGATIVE.search(text):
        raise Reject("negative")
    found = [q for q in find_quantities(text) if q.unit != "years" or code == "count"]
    if len(found) > 1:
        raise Reject("several", count=len(found), said="、".join(q.text for q in found[:4]))
    if not found:
        raise Reject(code)
    return found[0]


_FOREIGN = re.compile(r"美元|美金|欧元|日元|港元|港币|英镑|USD|EUR|HKD|\$|€", re.IGNORECASE)


def _yuan(quantity: Quantity, text: str) -> int:
    if _FOREIGN.search(text):
        raise Reject("money_currency")
    if quantity.unit not in ("yuan", None):
        raise Reject("wrong_unit", said=quantity.text)
    # "2300" alone is as likely to be 万元: ask rather than guess. 23000000 cannot be meant in 万元.
    if quantity.unit is None and 0 < quantity.exact < 10**5:
        raise Reject("money_unit", said=quantity.text)
    if quantity.exact >= MAX_YUAN:
        raise Reject("too_large", said=quantity.text)
    return int(quantity.exact + Fraction(1, 2))


class Money(Kind):
    """An amount in yuan, whole; 万 and 亿 are understood."""

    python = Annotated[int, Field(ge=0, lt=MAX_YUAN)]

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said = plain(text)
        return 0 if _NONE.fullmatch(said) else _yuan(_one(said, "money"), said)

    @classmethod
    def say(cls, value: Any, field: FieldSpec, texts: Texts) -> str:
        return say_yuan(int(value))


class Count(Kind):
    """A whole number of persons or things."""

    python = Annotated[int, Field(ge=0, lt=MAX_COUNT)]

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said = plain(text)
        if _NONE.fullmatch(said):
            return 0
        quantity = _one(said, "count")
        if quantity.unit in ("share", "m2", "days", "years") or quantity.unit == "yuan" and "元" in quantity.text:
            raise Reject("wrong_unit", said=quantity.text)
        if quantity.exact.denominator != 1:
            raise Reject("count_whole", said=quantity.text)
        if quantity.exact >= MAX_COUNT:
            raise Reject("too_large", said=quantity.text)
        return int(quantity.exact)

    @classmethod
    def say(cls, value: Any, field: FieldSpec, texts: Texts) -> str:
        return f"{value}{field.unit or ''}"


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


class Area(Kind):
    """A floor area in m², to the square decimetre; 亩 and 公顷 are understood."""

    python = Annotated[float, Field(ge=0, lt=MAX_M2)]

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said = plain(text)
        quantity = _one(said, "area")
        # 2万 alone reads as money elsewhere; here it can only be an area.
        if quantity.unit not in ("m2", None) and not (quantity.unit == "yuan" and "元" not in quantity.text):
            raise Reject("wrong_unit", said=quantity.text)
        if quantity.unit is None and re.match(r"\s*[间栋层台米亿]", said[quantity.end :]):
            raise Reject("wrong_unit", said=said[quantity.start : quantity.end + 1])
        if quantity.exact >= MAX_M2:
            raise Reject("too_large", said=quantity.text)
        return float(round(quantity.exact, 2))

    @classmethod
    def say(cls, value: Any, field: FieldSpec, texts: Texts) -> str:
        return texts.render("forms.words.area", value=_number(float(value)))


class Percentage(Kind):
    """A share from 0 to 1; a bare number is a percentage."""

    python = Annotated[float, Field(ge=0, le=1)]

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        quantity = _one(plain(text), "percentage")
        if quantity.unit not in ("share", None):
            raise Reject("wrong_unit", said=quantity.text)
        share = quantity.exact if quantity.unit == "share" else quantity.exact / 100
        if share > 1:
            raise Reject("percentage_range", said=quantity.text)
        return float(round(share, 6))

    @classmethod
    def say(cls, value: Any, field: FieldSpec, texts: Texts) -> str:
        return f"{_number(float(value) * 100)}%"


class YesNo(Kind):
    """Yes or no."""

    python = bool
    _no = re.compile(r"(?:否|不|没|无|未|尚未|还没|暂无|no?\b|false|×|✗)", re.IGNORECASE)
    _yes = re.compile(r"(?:是|有|对|已|建|成立|实行|一致|嗯|好|yes|y\b|true|√|✓|✔)", re.IGNORECASE)

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said = narrow(text)
        if re.search(r"吗|[?？]|不知道|不清楚|不确定|是否|是不是|有没有", said) or len(said) > 20:
            raise Reject("yes_no")
        if cls._no.match(said):
            return False
        if cls._yes.match(said):
            return True
        raise Reject("yes_no")

    @classmethod
    def say(cls, value: Any, field: FieldSpec, texts: Texts) -> str:
        return str(texts.get(f"forms.words.{'yes' if value else 'no'}"))


class TextList(Kind):
    """Several short texts; "无" is the empty list."""

    python = list[str]
    _between = re.compile(r"[;；\n]|(?<!\d)[、](?!\d)|[、](?=[^\d\s])")
    _mark = re.compile(r"^\s*(?:[（(]?\d{1,2}[)）]|\d{1,2}[.．](?!\d)|[①-⑳•·*\-])\s*")

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        if _NONE.fullmatch(plain(text)):
            return []
        items: list[str] = []
        for part in cls._between.split(text):
            item = plain(part).strip("。，, ")
            while (bare := cls._mark.sub("", item).strip("。，, ")) != item:
                item = bare
            if item and item not in items and not _NONE.fullmatch(item):
                items.append(item)
        if not items and _NONE.search(text):
            return []
        if not any(worded(item) for item in items):
            raise Reject("no_words")
        if (longest := max(len(item) for item in items)) > 200:
            raise Reject("too_long", length=longest, limit=200)
        if len(items) > MAX_LIST:
            raise Reject("list_long", count=len(items), limit=MAX_LIST)
        return items

    @classmethod
    def say(cls, value: Any, field: FieldSpec, texts: Texts) -> str:
        # The semicolon, not 、: an item may hold one between digits.
        return "；".join(value) if value else str(texts.get("forms.words.none"))


class Yearly(Kind):
    """An amount in yuan for each of the field's years: {"2023": 6000000, …}."""

    python = dict[str, Annotated[int, Field(ge=0, lt=MAX_YUAN)]]
    _year = re.compile(r"(?<!\d)(20\d\d)\s*年?(?:度)?\s*[:：是为]?\s*")

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said = "\n".join(plain(line) for line in text.splitlines())
        years = [str(year) for year in field.years]
        shown = {"years": texts.get("forms.words.list").join(years)}
        if _NEGATIVE.search(said):
            raise Reject("negative")
        if _NONE.fullmatch(said):
            return dict.fromkeys(years, 0)
        labelled: dict[str, str] = {}
        marks = [m for m in cls._year.finditer(said) if m[1] in years or "年" in m.group()]
        for mark, after in zip(marks, [*marks[1:], None], strict=False):
            if mark[1] not in years:
                raise Reject("yearly_year", said=mark[1], **shown)
            labelled[mark[1]] = said[mark.end() : after.start() if after else len(said)]
        if labelled:
            found = {}
            for year, words in labelled.items():
                words = words.strip("，,；;、。 \n")
                amounts = [q for q in find_quantities(words) if q.unit != "years"]
                if len(amounts) > 1:
                    raise Reject("yearly_many", count=len(amounts), **shown)
                if amounts:
                    found[year] = _yuan(amounts[0], words)
                elif _NONE.fullmatch(words):
                    found[year] = 0
            return cls._complete(found, years, shown)
        amounts = [q for q in find_quantities(said) if q.unit != "years"]
        if len(amounts) > len(years):
            raise Reject("yearly_many", count=len(amounts), **shown)
        if not amounts:
            raise Reject("money")
        return cls._complete({y: _yuan(q, said) for y, q in zip(years, amounts, strict=False)}, years, shown)

    @staticmethod
    def _complete(found: dict[str, int], years: list[str], shown: dict[str, Any]) -> dict[str, int]:
        missing = [year for year in years if year not in found]
        if missing:
            raise Reject("yearly_missing", missing="、".join(missing), **shown)
        return {year: found[year] for year in years}

    @classmethod
    def say(cls, value: Any, field: FieldSpec, texts: Texts) -> str:
        return str(texts.get("forms.words.between")).join(
            texts.render("forms.words.yearly", year=year, amount=say_yuan(int(amount)))
            for year, amount in value.items()
        )


KINDS: Mapping[str, type[Kind]] = {
    "short_text": ShortText, "long_text": LongText, "person": PersonName, "uscc": Uscc, "choice": Choice,
    "batch": Batch, "mobile": Mobile, "office_phone": OfficePhone, "email": Email, "money": Money,
    "count": Count, "area": Area, "percentage": Percentage, "yes_no": YesNo, "list": TextList, "yearly": Yearly,
}  # fmt: skip


def kind_of(field: FieldSpec) -> type[Kind]:
    """The kind of a field."""
    return KINDS[field.type]
