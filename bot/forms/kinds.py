"""The kinds of answers in words: texts, names, codes, choices, batches, telephones, mail; a kind is a few lines.

Every kind reads what a person typed into a plain JSON value (`parse`), and says it so that the same kind
reads it again to the same value (`say`). What it cannot read it refuses with a code of
`prompts/texts/forms.yaml`; the wording is there. The kinds of figures are in `fields`, with the table of all.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any, ClassVar

import phonenumbers
from pydantic import Field
from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, InvalidFormat, InvalidLength, ValidationError

from bot.forms.definition import FieldSpec
from bot.texts import Texts


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


def narrow(text: str) -> str:
    """`plain`, with full-width characters made half width."""
    return unicodedata.normalize("NFKC", plain(text)).strip()


def short(text: str) -> str:
    """An answer as an error quotes it."""
    text = plain(text)
    return text if len(text) <= 20 else text[:20] + "…"


def worded(text: str) -> bool:
    """Whether there is any letter or character in it."""
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
        if not worded(said):
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
        r"[㐀-鿿\U00020000-\U0003ffff]{2,20}|[㐀-鿿]{1,15}(?:·[㐀-鿿]{1,15}){1,4}|[A-Za-z][A-Za-z.'’-]*(?: [A-Za-z.'’-]+){0,4}"  # noqa: E501
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
            raise Reject("name", said=short(text))
        return said


class Uscc(Kind):
    """Unified social credit code (GB 32100), by its check digit."""

    pattern = re.compile(
        r"(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy]{2}\d{6}[0-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy]{10}(?![0-9A-Za-z])"
    )

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        code = re.sub(r"[\s\-.。]", "", narrow(text)).upper()
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
        said = narrow(text).strip("。.,")
        key = cls._key(said)
        if said.isascii() and said.isdigit() and 1 <= int(said) <= len(field.choices):
            return field.choices[int(said) - 1].value
        for option in field.choices:
            if key in {cls._key(word) for word in (option.value, option.label, *option.aliases)}:
                return option.value
        words = {option.value: [cls._key(w) for w in (option.label, *option.aliases)] for option in field.choices}
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
            raise Reject("choice_several", said=short(text), options=options, first=labels[fits[0]])
        raise Reject("choice", said=short(text), options=texts.get("forms.words.list").join(labels.values()))

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
        said = narrow(text)
        han = {"〇": "0", "零": "0", **{c: str(i) for i, c in enumerate("一二三四五六七八九", 1)}}
        said = re.sub(r"[二零〇一三四五六七八九]{4}(?=年)", lambda m: "".join(han[c] for c in m.group()), said)
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
        said = narrow(text)
        number = _phone(said) if re.fullmatch(r"[+\d\s\-()]+", said) else None
        if number and number.country_code == 86 and phonenumbers.is_valid_number(number):
            kind = phonenumbers.number_type(number)
            if kind in _MOBILE_TYPES and len(str(number.national_number)) == 11:
                return str(number.national_number)
            raise Reject("mobile_is_office", said=short(text))
        if re.fullmatch(r"[2-9]\d{7}", said):
            raise Reject("mobile_is_office", said=said)
        raise Reject("mobile", said=short(text))

    @classmethod
    def mask(cls, said: str) -> str:
        return f"{said[:3]}****{said[-4:]}"


class OfficePhone(Kind):
    """A fixed line as "0532-85911337" with 转 and the extension. Eight digits alone are Qingdao's."""

    python = Annotated[str, Field(pattern=r"^0\d{2,3}-\d{7,8}(转\d{1,6})?$")]
    pattern = re.compile(
        r"(?<![\d-])(?:(?:\+?86[- ]?)?[(（]?0\d{2,3}[)）]?[-—– ]?)?[2-9]\d{3}[- ]?\d{3,4}(?!\d)(?:\s*(?:转|分机|ext\.?|-)\s*\d{1,6})?"  # noqa: E501
    )
    home: ClassVar[str] = "0532"

    @classmethod
    def parse(cls, text: str, field: FieldSpec, texts: Texts) -> Any:
        said = re.sub(r"[—–－]", "-", narrow(text))
        parts = re.fullmatch(r"([+\d\s()\-]+?)(?:\s*(?:转|分机号?|ext\.?|x|#|,)\s*(\d{1,6}))?", said, re.IGNORECASE)
        if not parts:
            raise Reject("office_phone", said=short(text))
        main, extension = parts[1].strip(), parts[2]
        if not extension and (tail := re.fullmatch(r"(.*\d{7,8})-(\d{1,6})", main)):
            main, extension = tail[1], tail[2]
        digits = re.sub(r"\D", "", main)
        if len(digits) == 8 and digits[0] in "2345678":
            main = f"{cls.home}-{digits}"
        number = _phone(main)
        if not number or number.country_code != 86 or not phonenumbers.is_valid_number(number):
            raise Reject("office_phone", said=short(text))
        national = str(number.national_number)
        area = phonenumbers.length_of_geographical_area_code(number)
        if phonenumbers.number_type(number) in _MOBILE_TYPES:
            raise Reject("office_is_mobile", said=short(text))
        if phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.FIXED_LINE or not area:
            raise Reject("office_phone", said=short(text))
        line = f"0{national[:area]}-{national[area:]}"
        if not re.fullmatch(r"0\d{2,3}-\d{7,8}", line):
            raise Reject("office_phone", said=short(text))
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
        said = re.sub(r"^(mailto|e-?mail|邮箱)\s*[:：]\s*", "", narrow(text), flags=re.IGNORECASE).rstrip("。.,;")
        if not cls._whole.fullmatch(said):
            raise Reject("email", said=short(text))
        name, _, domain = said.rpartition("@")
        return f"{name}@{domain.lower()}"

    @classmethod
    def mask(cls, said: str) -> str:
        name, _, domain = said.rpartition("@")
        return f"{name[:1]}***@{domain}"
