"""The numbers that Word writes by itself and that stand in no paragraph's text (第一条, 一、, 1.)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from docx.oxml.ns import qn

from knowledge.clauses.numbering import chinese

_TRADITIONAL = str.maketrans("一二三四五六七八九十百", "壹贰叁肆伍陆柒捌玖拾佰")


def _roman(number: int) -> str:
    text = ""
    for value, sign in (
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ):
        text += sign * (number // value)
        number %= value
    return text


def _letter(number: int) -> str:
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)


def _circled(number: int) -> str:
    return chr(ord("①") + number - 1) if 1 <= number <= 20 else str(number)


def _chinese(number: int) -> str:
    return chinese(number) if 0 < number < 1000 else str(number)


_FORMATS: dict[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalZero": lambda number: f"{number:02d}",
    "decimalFullWidth": str,
    "decimalHalfWidth": str,
    "chineseCounting": _chinese,
    "chineseCountingThousand": _chinese,
    "japaneseCounting": _chinese,
    "taiwaneseCounting": _chinese,
    "ideographDigital": _chinese,
    "chineseLegalSimplified": lambda number: _chinese(number).translate(_TRADITIONAL),
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
    "lowerLetter": _letter,
    "upperLetter": lambda number: _letter(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
}


@dataclass
class _Level:
    form: str = "decimal"
    text: str = ""
    start: int = 1
    restart: int | None = None
    suffix: str = " "
    arabic: bool = False


@dataclass
class _List:
    levels: dict[int, _Level] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)


def _value(element: Any, name: str, default: str = "") -> str:
    child = element.find(qn(name)) if element is not None else None
    return default if child is None else str(child.get(qn("w:val"), default))


class Numbering:
    """Counts the automatic numbers of a document; paragraphs must come in their order.

    Args:
        document: A `docx.Document`.
    """

    def __init__(self, document: Any) -> None:
        self.unknown = False
        self.derived = 0
        self._lists: dict[str, _List] = {}
        self._started: set[str] = set()
        self._abstract_of: dict[str, str] = {}
        self._overrides: dict[str, dict[int, int]] = {}
        self._styles = self._read_styles(document)
        try:
            root = document.part.numbering_part.element
        except (KeyError, NotImplementedError, AttributeError):
            return
        for abstract in root.findall(qn("w:abstractNum")):
            key = str(abstract.get(qn("w:abstractNumId")))
            self._lists[key] = _List(
                {int(level.get(qn("w:ilvl"), "0")): self._read_level(level) for level in abstract.findall(qn("w:lvl"))}
            )
        for number in root.findall(qn("w:num")):
            key = str(number.get(qn("w:numId")))
            self._abstract_of[key] = _value(number, "w:abstractNumId")
            self._overrides[key] = {
                int(override.get(qn("w:ilvl"), "0")): int(_value(override, "w:startOverride"))
                for override in number.findall(qn("w:lvlOverride"))
                if _value(override, "w:startOverride").isdigit()
            }

    @staticmethod
    def _read_level(level: Any) -> _Level:
        restart = _value(level, "w:lvlRestart")
        return _Level(
            form=_value(level, "w:numFmt", "decimal"),
            text=_value(level, "w:lvlText"),
            start=int(_value(level, "w:start", "1") or 1),
            restart=int(restart) if restart.isdigit() else None,
            suffix="" if _value(level, "w:suff") == "nothing" else " ",
            arabic=level.find(qn("w:isLgl")) is not None,
        )

    @staticmethod
    def _read_styles(document: Any) -> dict[str, tuple[str, str, str]]:
        """By style id: the style it rests on, its list and its level."""
        styles = {}
        for style in document.styles.element.findall(qn("w:style")):
            properties = style.find(qn("w:pPr"))
            numbered = properties.find(qn("w:numPr")) if properties is not None else None
            styles[str(style.get(qn("w:styleId")))] = (
                _value(style, "w:basedOn"),
                _value(numbered, "w:numId"),
                _value(numbered, "w:ilvl"),
            )
        return styles

    def label(self, paragraph: Any) -> str:
        """The number in front of a `w:p` element, with what parts it from the text; "" if it has none."""
        number, level = self._where(paragraph)
        abstract = self._lists.get(self._abstract_of.get(number, ""))
        if not number or number == "0" or abstract is None or level not in abstract.levels:
            self.unknown = self.unknown or (bool(number) and number != "0")
            return ""
        self._count(number, level, abstract)
        rule = abstract.levels[level]
        if rule.form in ("bullet", "none"):
            return ""
        parts = re.split(r"%(\d)", rule.text)
        label = ""
        for at, part in enumerate(parts):
            if at % 2 == 0:
                label += part
                continue
            other = abstract.levels.get(int(part) - 1, rule)
            form = "decimal" if rule.arabic else other.form
            if form not in _FORMATS:
                self.unknown = True
                return ""
            label += _FORMATS[form](abstract.counts.get(int(part) - 1, other.start))
        self.derived += bool(label)
        return label + rule.suffix if label else ""

    def _count(self, number: str, level: int, abstract: _List) -> None:
        counts = abstract.counts
        if number not in self._started:
            self._started.add(number)
            for at, start in self._overrides.get(number, {}).items():
                counts[at] = start - 1
        counts[level] = counts.get(level, abstract.levels[level].start - 1) + 1
        for deeper in [at for at in counts if at > level]:
            restart = abstract.levels[deeper].restart if deeper in abstract.levels else None
            if restart is None or (restart and level < restart):
                del counts[deeper]

    def _where(self, paragraph: Any) -> tuple[str, int]:
        """List and level of a paragraph: its own, else those of its style and of the styles that rests on."""
        properties = paragraph.find(qn("w:pPr"))
        own = properties.find(qn("w:numPr")) if properties is not None else None
        number, level = _value(own, "w:numId"), _value(own, "w:ilvl")
        style, seen = _value(properties, "w:pStyle"), set[str]()
        while style in self._styles and style not in seen and not number:
            seen.add(style)
            style, number, styled = self._styles[style]
            level = level or styled
        return number, int(level) if level.isdigit() else 0
