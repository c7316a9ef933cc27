"""The lock: what a text says that its sources do not. Deterministic: no model, no network, a few milliseconds.

    unsupported(text, sources) -> list[Unsupported]      an empty list: every checkable thing stands in them

Checked, in this order: language and length; telephones, links, 《titles》, offices, persons, addresses; days,
years, times of day, weekdays; amounts with unit, direction (at least / at most) and whom they belong to;
clause numbers; words that must never come from nowhere (`watched` of prompts/llm/lock.yaml); claims that the
sources are silent; verdicts; a no where the source says yes; and whether the sentence is about its sources at
all. Chinese numerals and changes of unit (2000万元, 两千万, 0.2亿元) are the same amount.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from bot.llm.likeness import (
    SEPARATOR,
    belongs_elsewhere,
    covered,
    negated_differently,
    pieces_of,
    without_hedge,
    wrong_agent,
)
from bot.llm.marks import Day, Mark, Marks, marks_of, plain, same_amount
from knowledge.quantities import Quantity

_NUMERALS = "十一二三四五六七八九"
_WEEKDAYS = "一二三四五六日"
_OPEN = re.compile(r"(?:要不要|需不需要|能不能|是不是|是否|应不应该?|可不可以|够不够)[\u4e00-\u9fff]{0,6}")
_LONGEST = 400
_SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?]*")


class Kind(StrEnum):
    """What kind of thing is not supported. A closed set; it is what the record of a cut says."""

    NO_SOURCE = "no_source"
    LANGUAGE = "language"
    LENGTH = "length"
    PHONE = "phone"
    LINK = "link"
    TITLE = "title"
    OFFICE = "office"
    AGENT = "agent"
    PERSON = "person"
    ADDRESS = "address"
    DATE = "date"
    TIME = "time"
    NUMBER = "number"
    DIRECTION = "direction"
    MISPLACED = "misplaced"
    CLAUSE = "clause"
    WORD = "word"
    SILENCE = "silence"
    VERDICT = "verdict"
    NEGATION = "negation"
    STRANGE = "strange"


@dataclass(frozen=True)
class Unsupported:
    """Words of the text that its sources do not support, and what kind of thing they are."""

    words: str
    kind: Kind


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Any]:
    """prompts/llm/lock.yaml."""
    data: Mapping[str, Any] = yaml.safe_load((files("prompts") / "llm" / "lock.yaml").read_text("utf-8"))
    return data


@dataclass
class _Case:
    """One text held against its sources."""

    said: Marks
    source: str
    found: Marks
    today: date | None
    titles: frozenset[str]
    out: list[Unsupported] = field(default_factory=list)

    def cut(self, words: str, kind: Kind) -> None:
        """Record something unsupported, once."""
        item = Unsupported(words.strip(), kind)
        if item not in self.out:
            self.out.append(item)


def unsupported(
    text: str,
    sources: Sequence[str],
    *,
    today: date | None = None,
    titles: Iterable[str] = (),
    verdict: str | None = None,
) -> list[Unsupported]:
    """What a text says that its sources do not.

    Args:
        text: One sentence or several, as a person would read it.
        sources: Texts of the clauses, facts and engine results that it cites. None: everything is unsupported.
        today: The day of the answer; relative days ("明天", "下周二"), weekdays and a year left out in the sources
            are held against it. None: relative days must stand in the sources as they are.
        titles: Names of documents that may always be named, without 《》.
        verdict: An engine's verdict in its own words; a sentence addressed to the person must not contradict it.

    Returns:
        What is unsupported, in order of the checks; empty where all is well.
    """
    body = plain(text).strip()
    if not body:
        return [Unsupported("", Kind.LENGTH)]
    if not any(s.strip() for s in sources):
        return [Unsupported(body[:40], Kind.NO_SOURCE)]
    source = SEPARATOR.join(plain(s) for s in sources)
    case = _Case(
        marks_of(body, today),
        source,
        marks_of(source, today),
        today,
        frozenset(re.sub(r"[\s《》]", "", t) for t in titles),
    )
    _shape(case, text)
    _names(case)
    _days(case)
    _amounts(case)
    _clauses(case)
    _words(case)
    _verdicts(case, plain(verdict) if verdict else None)
    pieces = pieces_of(source)
    for match in _SENTENCE.finditer(body):
        sentence = match[0]
        if words := negated_differently(sentence, pieces):
            case.cut(words, Kind.NEGATION)
        if words := wrong_agent(sentence, source):
            case.cut(words, Kind.AGENT)
        if words := without_hedge(sentence, pieces, rules()["hedges"]):
            case.cut(words, Kind.WORD)
        if not covered(case.said.rest[match.start() : match.end()], source):
            case.cut(sentence[:40], Kind.STRANGE)
    return case.out


def _shape(case: _Case, raw: str) -> None:
    body = case.said.text
    if len(body) > _LONGEST:
        case.cut(body[:20], Kind.LENGTH)
    without = "".join(c for c in case.said.rest if c not in case.source)
    foreign = re.findall(
        r"[A-Za-z]{2,}", re.sub(r"PDF|pdf|Word|Excel|OK|ok", "", without if len(without) < len(body) else body)
    )
    han = len(re.findall(r"[\u4e00-\u9fff]", body))
    letters = sum(len(w) for w in re.findall(r"[A-Za-z]{2,}", case.said.rest))
    if han < 2 or (foreign and letters > han) or re.search(r"[\u3040-\u30ff\uac00-\ud7af\u0400-\u04ff]", body):
        case.cut(body[:40], Kind.LANGUAGE)
    if re.search(r"<\s*/?\s*[a-zA-Z]|\]\(|!\[|javascript:|\{\{|\}\}", raw):
        case.cut(raw[:40], Kind.LANGUAGE)


def _names(case: _Case) -> None:
    said, found, source = case.said, case.found, case.source
    phones = {m.value for m in found.phones}
    for mark in said.phones:
        if mark.value not in phones:
            case.cut(mark.words, Kind.PHONE)
        elif belongs_elsewhere(said.text, mark, said.phones, source, found.phones, lambda a, b: a.value == b.value, 1):
            case.cut(mark.words, Kind.MISPLACED)
    numbers = {m.value for m in found.numbers}
    for mark in said.numbers:
        if mark.value not in numbers:
            case.cut(mark.words, Kind.TITLE)
    links = {m.value for m in found.links}
    for mark in said.links:
        if mark.value not in links:
            case.cut(mark.words, Kind.LINK)
    known = {m.value for m in found.titles} | case.titles
    for mark in said.titles:
        if not any(mark.value == k or (mark.value and k.endswith(mark.value)) for k in known):
            case.cut(mark.words, Kind.TITLE)
    offices = rules()["offices"]
    flat = re.sub(r"\s", "", source)
    for match in re.finditer(offices["pattern"], said.text):
        core = said.text[max(0, match.start() - 2) : match.end()]
        core = re.sub(r"^[^\u4e00-\u9fff]*", "", re.split(r"[由向在到请和与及、，。的是给找打]", core)[-1]) or match[0]
        if core in offices["never"] or any(core.endswith(n) for n in offices["never"]):
            continue
        if core not in flat and not any(
            a in said.text and b in flat and a.endswith(core) for a, b in offices["aliases"].items()
        ):
            case.cut(core, Kind.OFFICE)
    for word in rules()["persons"]:
        if word in said.text and word not in flat:
            case.cut(word, Kind.PERSON)
    for pattern in rules()["addresses"]:
        if (hit := re.search(pattern, said.text)) and hit[0] not in flat:
            case.cut(hit[0], Kind.ADDRESS)


def _days(case: _Case) -> None:
    said, found, today = case.said, case.found, case.today
    keys = {d.key for d in found.days}
    years = {m.value for m in found.years} | {str(d.year) for d in found.days if d.year}
    years |= {str(today.year)} if today else set()
    for day in said.days:
        if day.relative and (day.words in case.source or (today is not None and day.key in keys)):
            continue
        if day.relative and today is None or day.key not in keys or day.year and str(day.year) not in years:
            case.cut(day.words, Kind.DATE)
        else:
            _day_place(case, day)
    for mark in said.years:
        if mark.value not in years:
            case.cut(mark.words, Kind.DATE)
    clocks = {m.value for m in found.clocks}
    for mark in said.clocks:
        if mark.value not in clocks and mark.words not in case.source:
            case.cut(mark.words, Kind.TIME)
    months = {m.value for m in found.months} | {str(d.month) for d in found.days}
    for mark in said.months:
        if mark.value not in months:
            case.cut(mark.words, Kind.DATE)
    for mark in said.weekdays:
        if mark.words not in case.source and not _right_weekday(mark, said, keys, today):
            case.cut(mark.words, Kind.DATE)


def _right_weekday(mark: Mark, said: Marks, keys: set[tuple[int, int]], today: date | None) -> bool:
    """Whether a weekday goes with the day named right before it."""
    before = [d for d in said.days if 0 <= mark.start - d.end <= 3]
    if not before or today is None or before[-1].key not in keys:
        return False
    day = before[-1]
    return _WEEKDAYS[date(day.year or today.year, day.month, day.day).weekday()] == mark.value


def _claims(text: str, start: int, end: int, words: Mapping[str, Sequence[str]]) -> bool:
    before, after = text[max(0, start - 8) : start].rstrip("(（ :："), text[end : end + 8].lstrip(")） ")
    return any(before.endswith(w) for w in words["before"] if w != "在") or any(
        after.startswith(w) for w in words["after"]
    )


def _day_place(case: _Case, day: Day) -> None:
    """A day that stands in the sources, but as the other end of a time, or for another duty."""
    text, source = case.said.text, case.found
    if day.role is None:
        roles = {_role(d, source.text) for d in source.days if d.key == day.key}
        if _claims(text, day.start, day.end, rules()["ends"]) and roles == {"start"}:
            case.cut(day.words, Kind.MISPLACED)
            return
        if (
            _claims(text, day.start, day.end, rules()["starts"])
            and roles == {"end"}
            and "截止" not in text[max(0, day.start - 4) : day.start]
        ):
            case.cut(day.words, Kind.MISPLACED)
            return
    if day.role is not None:
        pairs = {
            (a.key, b.key)
            for a, b in zip(source.days, source.days[1:], strict=False)
            if a.role == "start" and b.role == "end"
        }
        at = case.said.days.index(day)
        follows = case.said.days[at + 1].key if day.role == "start" and at + 1 < len(case.said.days) else None
        if follows and pairs and (day.key, follows) not in pairs:
            case.cut(day.words, Kind.MISPLACED)
            return
    if belongs_elsewhere(text, day, case.said.days, source.text, source.days, lambda a, b: a.key == b.key):
        case.cut(day.words, Kind.MISPLACED)


def _role(day: Day, text: str) -> str:
    if day.role:
        return day.role
    if _claims(text, day.start, day.end, rules()["ends"]):
        return "end"
    return "start" if _claims(text, day.start, day.end, rules()["starts"]) else "any"


def _direction(text: str, start: int, end: int) -> str | None:
    before, after = text[max(0, start - 6) : start].rstrip(" 了约在有为是达"), text[end : end + 5].lstrip()
    best: tuple[int, str] | None = None
    for name, words in rules()["directions"].items():
        for word in words["before"]:
            if before.endswith(word):
                best = max(best, (len(word), name)) if best else (len(word), name)
        for word in words["after"]:
            if after.startswith(word):
                best = max(best, (len(word), name)) if best else (len(word), name)
    return best[1] if best else None


def _amounts(case: _Case) -> None:
    said, found = case.said, case.found
    for quantity in said.quantities:
        around = said.text[max(0, quantity.start - 1) : quantity.end + 4]
        if _mere_count(quantity, around):
            continue
        same = [q for q in found.quantities if same_amount(quantity, q)]
        if not same and _as_token(quantity, case):
            continue
        if not same:
            case.cut(quantity.text, Kind.NUMBER)
            continue
        if _vague(said.text, quantity) and not any(_vague(found.text, q) for q in same):
            case.cut(quantity.text, Kind.NUMBER)
            continue
        _bound(case, quantity, same)
    tokens = {m.value for m in found.tokens} | set(re.findall(r"\d+(?:\.\d+)?", case.source))
    for mark in said.tokens:
        if mark.value not in tokens and mark.value not in case.source:
            case.cut(mark.words, Kind.NUMBER)
    ordinals = {m.value for m in found.ordinals} | {m.value for m in found.clauses}
    for mark in said.ordinals:
        if mark.value not in ordinals and not re.match(r"第[一二三四五]?\d?步|第[12]个|第[123]点", mark.value):
            case.cut(mark.words, Kind.NUMBER)


def _mere_count(quantity: Quantity, around: str) -> bool:
    """一个, 一次, 两者: counting words of the language rather than amounts."""
    if quantity.text[0] == "一" and quantity.unit in (None, "items", "cases") and quantity.exact == 1:
        return True
    return any(word in around for word in rules()["counts"])


def _as_token(quantity: Quantity, case: _Case) -> bool:
    """A bare number that stands in the sources as it is (360 of 360浏览器)."""
    return (
        quantity.unit is None
        and re.search(rf"(?<![\d.]){re.escape(quantity.text)}(?![\d.万亿千百%])", case.source) is not None
    )


def _vague(text: str, quantity: Quantity) -> bool:
    words = rules()["vague"]
    before, inside, after = (
        text[max(0, quantity.start - 3) : quantity.start],
        quantity.text,
        text[quantity.end : quantity.end + 2],
    )
    more = re.search(r"[多余来几](?=[\u4e00-\u9fff]{0,3}$)", inside[1:]) is not None
    return (
        more
        or any(before.endswith(w) for w in words["before"])
        or any(after.startswith(w) for w in words["after"] if len(w) > 1)
    )


def _bound(case: _Case, quantity: Quantity, same: list[Quantity]) -> None:
    said, found = case.said, case.found
    mine = _direction(said.text, quantity.start, quantity.end)
    theirs = {_direction(found.text, q.start, q.end) for q in same}
    if mine and theirs - {None} and mine not in theirs and not _consequence(said, quantity, mine, theirs):
        case.cut(quantity.text, Kind.DIRECTION)
        return
    rivals = [q for q in found.quantities if q.unit == quantity.unit or same_amount(quantity, q)]
    if belongs_elsewhere(said.text, quantity, said.quantities, found.text, rivals, same_amount):
        case.cut(quantity.text, Kind.MISPLACED)


def _consequence(said: Marks, quantity: Quantity, mine: str, theirs: set[str | None]) -> bool:
    """What follows from a requirement: fewer than it is not enough; a larger figure of one's own is more than it."""
    sentence = next((s for s in _SENTENCE.findall(said.text) if quantity.text in s), said.text)
    if mine == "less" and theirs & {"at_least", "more"}:
        return bool(re.search(r"不够|不符|不达|未达|达不到|不行|不满足|不合|还差|没达", sentence))
    if mine == "more" and "at_least" in theirs:
        return any(q.unit == quantity.unit and q.exact > quantity.exact for q in said.quantities)
    return False


def _clauses(case: _Case) -> None:
    known = {m.value for m in case.found.clauses}
    flat = re.sub(r"[\s·]", "", case.source)
    for mark in case.said.clauses:
        part = re.fullmatch(r"第(\d+)部", mark.value)
        if part and f"{_NUMERALS[int(part[1]) % 10]}、" in flat:
            continue
        if mark.value not in known and mark.value not in flat:
            case.cut(mark.words, Kind.CLAUSE)


def _words(case: _Case) -> None:
    text, source = case.said.text, case.source
    for group in rules()["watched"]:
        hits = [w for w in group if w in text]
        if hits and not any(w in source for w in group):
            case.cut(hits[0], Kind.WORD)
    silence = rules()["silence"]["said"]
    hits = [w for w in silence if w in text]
    if hits and not any(w in source for w in silence):
        case.cut(hits[0], Kind.SILENCE)


def said_verdicts(text: str, family: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The values of a verdict family said in a text; a no hides the yes inside it."""
    found: dict[str, str] = {}
    text = _OPEN.sub("　", text)
    words = sorted(((w.replace("*", ""), v) for v, ws in family.items() for w in ws), key=lambda pair: -len(pair[0]))
    for word, value in words:
        if word in text:
            found.setdefault(value, word)
            text = text.replace(word, "　" * len(word))
    return found


def _verdicts(case: _Case, verdict: str | None) -> None:
    conditional = any(w in case.said.text for w in rules()["conditions"])
    short = any(_direction(case.said.text, q.start, q.end) == "less" for q in case.said.quantities)
    for name, family in rules()["verdicts"].items():
        mine, theirs = said_verdicts(case.said.text, family), said_verdicts(case.source, family)
        for value, words in mine.items():
            if value not in theirs and not (short and (name, value) == ("met", "no")):
                case.cut(words, Kind.VERDICT)
        engine = said_verdicts(verdict, family) if verdict else {}
        if engine and not conditional:
            for value, words in mine.items():
                if value not in engine:
                    case.cut(words, Kind.VERDICT)
