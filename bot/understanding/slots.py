"""What a person says of themselves: role, unit type, batch, conditions. All words come from the pack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from knowledge.eligibility import EligibilityRules, YearWords
from knowledge.lexicon import Lexicon
from knowledge.pack import Role, UnitType

_CN = {c: str(i) for i, c in enumerate("零一二三四五六七八九")} | {"〇": "0", "○": "0"}
_YEAR = re.compile(
    r"(?<![\d.])(?:20)?(1\d|2\d)\s*(?:年|级)(?!内|以内|了|来|以来|历史|经验|老)|(?<!\d)(20[12]\d)(?!\d|万|元|人|号|亿|平|\.)"
)
_MONTH = re.compile(r"\s*(?:1[0-2]|0?[1-9]|[一二三四五六七八九十]{1,2})月份?(?:\d{1,2}[日号])?")
_CN_YEAR = re.compile(r"(?:[二2][零〇○0])?([一二12])([〇零一二三四五六七八九])年")
_BATCH = re.compile(
    r"第([一二三四五1-5])批|(?:(?<=年)|(?<=年的)|(?<=\s)|(?<=,)|(?<=是)|^)([一二三四五1-5])批(?![次量人项台专成])"
    r"|(首|头)(?:一)?批|(前|上)半年批|\b(first|second|third|1st|2nd|3rd) batch"
)
_ORDINALS = {"first": "1", "1st": "1", "second": "2", "2nd": "2", "third": "3", "3rd": "3"}
_BORDER = re.compile(r"[,，。;；?？!！\n]")
_WORDS_END = re.compile(r"[,，。;；?？!！\s]")
_NEAR = 12
_LONGEST_SAID = 24


@dataclass(frozen=True)
class Slots:
    """What one message says of the person; `said` holds their words by slot or condition id."""

    role: Role | None = None
    unit_type: UnitType | None = None
    conditions: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _first(patterns: tuple[str, ...], text: str) -> re.Match[str] | None:
    return next((m for p in patterns if (m := _compiled(p).search(text))), None)


def find_batch(text: str, today_year: int, words: YearWords) -> tuple[str, str] | None:
    """The approval batch said: ("2022-1", words); "2022" where no batch number is said; None without a year.

    A year counts only where the message speaks of an approval near it, or names it as the speaker's own;
    a year of something else (of spending, of this round, of a span) does not.
    """
    plain = _CN_YEAR.sub(lambda m: f"20{_CN.get(m[1], m[1])}{_CN.get(m[2], m[2])}年", text)
    years = [(m, int(m[2] or f"20{m[1]}")) for m in _YEAR.finditer(plain)]
    ranked = [(rank, m, y) for m, y in years if y <= today_year and (rank := _rank(plain, m, y == today_year, words))]
    if not ranked:
        return None
    best = max(rank for rank, _, _ in ranked)
    meant = [(m, y) for rank, m, y in ranked if rank == best]
    # Where several are said, the corrected one comes last ("不是2023, 是2021").
    match, year = meant[-1] if _correcting(plain) else meant[0]
    batch = _BATCH.search(plain, match.end()) or _BATCH.search(plain)
    if batch is None or batch.start() - match.end() > _NEAR or match.start() - batch.end() > _NEAR:
        return str(year), match[0]
    start, end = min(match.start(), batch.start()), max(match.end(), batch.end())
    return f"{year}-{_batch_number(batch)}", plain[start:end]


def _rank(plain: str, match: re.Match[str], this_year: bool, words: YearWords) -> int:
    """How surely a year is the year of the approval: 3 by a word of approval, 2 by an owner, 1 by a founding, 0 not."""
    behind = plain[match.end() :].removeprefix("年")
    if month := _MONTH.match(behind):
        behind = behind[month.end() :]
    ahead = plain[: match.start()]
    if _compiled(words.unrelated_before).search(ahead) or _compiled(f"(?:{words.unrelated})").match(behind):
        return 0
    after = _BORDER.split(behind)[0]
    other = _YEAR.search(after)
    after = after[: min(_NEAR, other.start() if other else _NEAR)]
    before = _BORDER.split(ahead)[-1]
    other = next(reversed(list(_YEAR.finditer(before))), None)
    before = before[max(other.end() if other else 0, len(before) - _NEAR) :]
    if this_year:
        # The notice itself is of this year: only a word of approval right behind it tells.
        return 3 if _compiled(f".{{0,2}}(?:{words.approved})").match(after) else 0
    if _compiled(words.approved).search(after) or (not other and _compiled(words.approved).search(before)):
        return 3
    if _compiled(words.own).match(behind) and _compiled(words.owners).search(before):
        return 2
    return 1 if _compiled(words.founded).search(after) or _compiled(words.founded).search(before) else 0


def _batch_number(match: re.Match[str]) -> str:
    if match[3] or match[4]:
        return "1"
    if match[5]:
        return _ORDINALS[match[5]]
    return _CN.get(match[1] or match[2], match[1] or match[2])


def _correcting(text: str) -> bool:
    return "不是" in text or "说错" in text or "不对" in text or "搞错" in text


def bare_batch(text: str) -> str | None:
    """A batch number without a year ("是第一批", "不对，第二批的"), as a digit."""
    match = _BATCH.search(text)
    return _batch_number(match) if match else None


def find_unit_type(text: str, lexicon: Lexicon) -> tuple[UnitType, str] | None:
    """The unit type named last (people say "企业是谁填，那医院呢"); a hospital said to be a public institution is a hospital."""
    hits = [
        (text.rfind(alias), -order, kind, alias)
        for order, (kind, aliases) in enumerate(lexicon.unit_types.items())
        for alias in aliases
        if alias in text
    ]
    if not hits:
        return None
    if any(kind is UnitType.HOSPITAL for _, _, kind, _ in hits):
        hits = [h for h in hits if h[2] is not UnitType.PUBLIC_INSTITUTION]
    _, _, kind, alias = max(hits, key=lambda h: (h[0] + len(h[3]), h[1]))
    return kind, alias


def _phrase(text: str, match: re.Match[str]) -> str:
    """The person's words around a match, up to the next sign or blank; the match alone where they are many."""
    start = max((m.end() for m in _WORDS_END.finditer(text, 0, match.start())), default=0)
    end = _WORDS_END.search(text, match.end())
    whole = text[start : end.start() if end else len(text)]
    return whole if len(whole) <= _LONGEST_SAID else match[0]


def find_slots(text: str, lexicon: Lexicon, rules: EligibilityRules, year: int, known: Mapping[str, str]) -> Slots:
    """Everything `text` (normalised) says of the person.

    Args:
        year: The round's year; years before it can be approval years.
        known: Conditions known so far: a bare batch number completes a known year.
    """
    said: dict[str, str] = {}
    role: Role | None = None
    for candidate, patterns in lexicon.roles.items():
        if match := _first(patterns, text):
            role, said["role"] = candidate, match[0]
            break
    unit_type: UnitType | None = None
    if unit := find_unit_type(text, lexicon):
        unit_type, said["unit_type"] = unit
    conditions: dict[str, str] = {}
    for condition in rules.conditions:
        if condition.years is None:
            continue
        known_year = known.get(condition.id, "").split("-")[0]
        if batch := find_batch(text, year, condition.years):
            conditions[condition.id], said[condition.id] = batch
        elif known_year.isdigit() and (number := bare_batch(text)):
            conditions[condition.id], said[condition.id] = f"{known_year}-{number}", text[:20]
    for condition in rules.conditions:
        for value, patterns in condition.said.items():
            if match := _first(patterns, text):
                conditions[condition.id], said[condition.id] = value, _phrase(text, match)
                break
    return Slots(role, unit_type, conditions, said)
