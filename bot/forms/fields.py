"""The kinds of answers: how each is read, said back, and masked. A kind is a few lines.

Every kind reads what a person typed into a plain JSON value (`parse`), and says it so that the same kind
reads it again to the same value (`say`). What it cannot read it refuses with a code of
`prompts/texts/forms.yaml`; the wording is there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, ClassVar

import phonenumbers
from pydantic import Field
from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, InvalidFormat, InvalidLength, ValidationError

from bot.forms.definition import FieldSpec
from bot.texts import Texts
from knowledge.quantities import Quantity, find_quantities, say_yuan

MAX_YUAN = 10**13
MAX_COUNT = 10**7
MAX_M2 = 10**8
MAX_LIST = 60


class Reject(Exception):
    """An answer that cannot be taken. `code` is a key of `forms.errors`, `values` fill its text."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values


class Kind:
    """What the kinds share. `python` is the type of the value, as pydantic checks it."""

    python: ClassVar[Any] = str
    pattern: ClassVar[re.Pattern[str] | None] = None
    """Finds an answer of this kind in running text, where its shape alone gives it away."""

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        """The value of a typed answer. Raises Reject."""
        raise NotImplementedError

    @classmethod
    def say(cls, value: Any, field: FieldSpec, texts: Texts) -> str:
        """The value as a person reads it."""
        return str(value)

    @classmethod
    def mask(cls, said: str) -> str:
        """What may stand in a log or on a shared screen."""
        return said[:1] + "*" * min(max(len(said) - 1, 1), 6)


def plain(text: str) -> str:
    """One line without control characters and doubled blanks."""
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zs", "Zl", "Zp") else c
                   for c in text if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn"))  # fmt: skip
    return re.sub(r" {2,}", " ", text).strip()


def _narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", plain(text)).strip()


def _short(text: str) -> str:
    text = plain(text)
    return text if len(text) <= 20 else text[:20] + "…"


def _worded(text: str) -> bool:
    return any(unicodedata.category(c)[0] == "L" for c in text)


class ShortText(Kind):
    """One line of words, at most `max_length` characters (100)."""

    python = Annotated[str, Field(min_length=1)]
    limit: ClassVar[int] = 100

    @classmethod
    def clean(cls, text: str) -> str:
        return plain(text)

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said, limit = cls.clean(text), field.max_length or cls.limit
        if not _worded(said):
            raise Reject("no_words")
        if len(said) > limit:
            raise Reject("too_long", length=len(said), limit=limit)
        return said


class LongText(ShortText):
    """Paragraphs, at most `max_length` characters (3000)."""

    limit = 3000

    @classmethod
    def clean(cls, text: str) -> str:
        lines = [plain(line) for line in text.splitlines()]
        return "\n".join(line for line in lines if line)


class PersonName(Kind):
    """A person's name: Han with the middle dot, or Latin."""

    _name = re.compile(
        r"[㐀-鿿\U00020000-\U0003ffff]{2,20}|[㐀-鿿]{1,15}(?:·[㐀-鿿]{1,15}){1,4}|[A-Za-z][A-Za-z.'’-]*(?: [A-Za-z.'’-]+){0,4}"
    )
    _not = re.compile(
        r"不知道|没有|暂无|跳过|先生$|女士$|经理$|主任$|老师$|教授$|同志$|怎么|什么|哪|吗$|公司|大学$|中心$"
    )

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said = re.sub(r"\s*[·•・．‧]\s*", "·", plain(text)).strip("。.，, ")
        if re.fullmatch(r"[㐀-鿿] +[㐀-鿿]{1,2}", said):
            said = said.replace(" ", "")
        if not cls._name.fullmatch(said) or len(said) > 60 or len(said) < 2 or cls._not.search(said):
            raise Reject("name", said=_short(text))
        return said


class Uscc(Kind):
    """Unified social credit code (GB 32100), by its check digit."""

    pattern = re.compile(
        r"(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy]{2}\d{6}[0-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy]{10}(?![0-9A-Za-z])"
    )

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        code = re.sub(r"[\s\-.。]", "", _narrow(text)).upper()
        try:
            return str(uscc.validate(code))
        except InvalidLength:
            raise Reject("uscc_length", length=len(code)) from None
        except InvalidFormat:
            raise Reject("uscc_characters") from None
        except InvalidChecksum:
            raise Reject("uscc_check") from None
        except ValidationError:
            raise Reject("uscc_characters") from None


class Choice(Kind):
    """One of a closed set: by label, alias, number in the list, or a part that fits one alone."""

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said = _narrow(text).strip("。.,")
        key = cls._key(said)
        if said.isascii() and said.isdigit() and 1 <= int(said) <= len(field.choices):
            return field.choices[int(said) - 1].value
        for option in field.choices:
            if key in {cls._key(word) for word in (option.value, option.label, *option.aliases)}:
                return option.value
        words = {
            option.value: [cls._key(w) for w in (option.label, *option.aliases)] for option in field.choices
        }
        # The longest name that stands in the text decides: 黄岛区科技局 is 黄岛区.
        inside = [(max((len(w) for w in ws if w in key), default=0), v) for v, ws in words.items()]
        best = max((size for size, _ in inside), default=0)
        fits = [v for size, v in inside if size == best and best > 1]
        if not fits and len(key) > 1:
            fits = [value for value, ws in words.items() if any(key in w for w in ws)]
        if len(fits) == 1:
            return fits[0]
        labels = {option.value: option.label for option in field.choices}
        if fits:
            options = texts.get("forms.words.list").join(labels[v] for v in fits)
            raise Reject("choice_several", said=_short(text), options=options, first=labels[fits[0]])
        raise Reject("choice", said=_short(text), options=texts.get("forms.words.list").join(labels.values()))

    @staticmethod
    def _key(word: str) -> str:
        return re.sub(r"[()\s（）]", "", unicodedata.normalize("NFKC", word)).casefold()

    @classmethod
    def say(cls, value: Any, field: FieldSpec, texts: Texts) -> str:
        return next((option.label for option in field.choices if option.value == value), str(value))


class Batch(Kind):
    """Year and batch of approval: "2022-1", or "2021" where no batch was said."""

    python = Annotated[str, Field(pattern=r"^20\d\d(-\d{1,2})?$")]
    _year = re.compile(r"(?<!\d)(\d{4}|\d{2}(?=\s*年))(?!\d)")
    _number = re.compile(r"第?\s*([0-9]{1,2}|[一二两三四五六七八九首])\s*批|-\s*([0-9]{1,2})$")

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said = _narrow(text)
        han = {"〇": "0", "零": "0", **{c: str(i) for i, c in enumerate("一二三四五六七八九", 1)}}
        said = re.sub(
            r"[二零〇一三四五六七八九]{4}(?=年)", lambda m: "".join(han[c] for c in m.group()), said
        )
        years = cls._year.findall(said)
        if len(years) != 1:
            raise Reject("batch")
        year = years[0] if len(years[0]) == 4 else "20" + years[0]
        if not 2000 <= int(year) <= 2099:
            raise Reject("batch_year", said=years[0])
        number = cls._number.search(said)
        if not number:
            return year
        word = (number[1] or number[2]).replace("首", "一").replace("两", "二")
        batch = int(han.get(word, word))
        return f"{year}-{batch}" if batch else year

    @classmethod
    def say(cls, value: Any, field: FieldSpec, texts: Texts) -> str:
        year, _, number = str(value).partition("-")
        return texts.render(f"forms.words.{'batch' if number else 'batch_year'}", year=year, number=number)


def _phone(text: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return None


_MOBILE_TYPES = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)


class Mobile(Kind):
    """A mainland mobile number, 11 digits."""

    python = Annotated[str, Field(pattern=r"^1\d{10}$")]
    pattern = re.compile(r"(?<![\d-])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said = _narrow(text)
        number = _phone(said) if re.fullmatch(r"[+\d\s\-()]+", said) else None
        if number and number.country_code == 86 and phonenumbers.is_valid_number(number):
            kind = phonenumbers.number_type(number)
            if kind in _MOBILE_TYPES and len(str(number.national_number)) == 11:
                return str(number.national_number)
            raise Reject("mobile_is_office", said=_short(text))
        if re.fullmatch(r"[2-9]\d{7}", said):
            raise Reject("mobile_is_office", said=said)
        raise Reject("mobile", said=_short(text))

    @classmethod
    def mask(cls, said: str) -> str:
        return f"{said[:3]}****{said[-4:]}"


class OfficePhone(Kind):
    """A fixed line as "0532-85911337" with 转 and the extension. Eight digits alone are Qingdao's."""

    python = Annotated[str, Field(pattern=r"^0\d{2,3}-\d{7,8}(转\d{1,6})?$")]
    pattern = re.compile(
        r"(?<![\d-])(?:(?:\+?86[- ]?)?[(（]?0\d{2,3}[)）]?[-—– ]?)?[2-9]\d{3}[- ]?\d{3,4}(?!\d)(?:\s*(?:转|分机|ext\.?|-)\s*\d{1,6})?"
    )
    home: ClassVar[str] = "0532"

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said = re.sub(r"[—–－]", "-", _narrow(text))
        parts = re.fullmatch(
            r"([+\d\s()\-]+?)(?:\s*(?:转|分机号?|ext\.?|x|#|,)\s*(\d{1,6}))?", said, re.IGNORECASE
        )
        if not parts:
            raise Reject("office_phone", said=_short(text))
        main, extension = parts[1].strip(), parts[2]
        if not extension and (tail := re.fullmatch(r"(.*\d{7,8})-(\d{1,6})", main)):
            main, extension = tail[1], tail[2]
        digits = re.sub(r"\D", "", main)
        if len(digits) == 8 and digits[0] in "2345678":
            main = f"{cls.home}-{digits}"
        number = _phone(main)
        if not number or number.country_code != 86 or not phonenumbers.is_valid_number(number):
            raise Reject("office_phone", said=_short(text))
        national = str(number.national_number)
        area = phonenumbers.length_of_geographical_area_code(number)
        if phonenumbers.number_type(number) in _MOBILE_TYPES:
            raise Reject("office_is_mobile", said=_short(text))
        if phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.FIXED_LINE or not area:
            raise Reject("office_phone", said=_short(text))
        line = f"0{national[:area]}-{national[area:]}"
        if not re.fullmatch(r"0\d{2,3}-\d{7,8}", line):
            raise Reject("office_phone", said=_short(text))
        return line + (texts.get("forms.words.extension") + extension if extension else "")

    @classmethod
    def mask(cls, said: str) -> str:
        return said[:9] + "****"


class Email(Kind):
    """An e-mail address; the domain in small letters."""

    python = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    pattern = re.compile(r"(?<![\w.+-])[A-Za-z0-9][A-Za-z0-9._%+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
    _whole = re.compile(r"(?=.{3,254}$)(?=[^@]{1,64}@)[A-Za-z0-9_](?:[A-Za-z0-9_%+-]|\.(?=[^.@]))*@"
                        r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}")  # fmt: skip

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said = re.sub(r"^(mailto|e-?mail|邮箱)\s*[:：]\s*", "", _narrow(text), flags=re.IGNORECASE).rstrip(
            "。.,;"
        )
        if not cls._whole.fullmatch(said):
            raise Reject("email", said=_short(text))
        name, _, domain = said.rpartition("@")
        return f"{name}@{domain.lower()}"

    @classmethod
    def mask(cls, said: str) -> str:
        name, _, domain = said.rpartition("@")
        return f"{name[:1]}***@{domain}"


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
        if (
            quantity.unit in ("share", "m2", "days", "years")
            or quantity.unit == "yuan"
            and "元" in quantity.text
        ):
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
        said = _narrow(text)
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
        if not any(_worded(item) for item in items):
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
