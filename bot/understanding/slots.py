"""What a person says of themselves: role, unit type, batch, conditions. All words come from the pack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from knowledge.eligibility import EligibilityRules
from knowledge.lexicon import Lexicon
from knowledge.pack import Role, UnitType

_CN = {c: str(i) for i, c in enumerate("零一二三四五六七八九")} | {"〇": "0", "○": "0"}
_YEAR = re.compile(r"(?<!\d)(?:20)?(1\d|2\d)\s*(?:年|级)(?!度?(?:\d|[一二三四五六七八九十])月|内|以内)|(?<!\d)(20[12]\d)(?!\d|万|元|人|号|亿|平|\.|-\d)")
_CN_YEAR = re.compile(r"(?:[二2][零〇○0])?([一二12])([〇零一二三四五六七八九])年")
_BATCH = re.compile(r"第?([一二三四五1-5])批|(首|头)(?:一)?批|(前|上)半年批")
_APPROVED = re.compile(r"批|获|认定|建设|建的|成立|列入|立项|中心")


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


def find_batch(text: str, today_year: int) -> tuple[str, str] | None:
    """The approval batch said: ("2022-1", words); "2022" where no batch number is said; None without a year.

    A year counts only where the message speaks of an approval; a bare year of this round does not.
    """
    plain = _CN_YEAR.sub(lambda m: f"20{_CN.get(m[1], m[1])}{_CN.get(m[2], m[2])}年", text)
    years = [(m, int(m[2] or f"20{m[1]}")) for m in _YEAR.finditer(plain)]
    years = [(m, y) for m, y in years if y < today_year]
    if not years or not _APPROVED.search(plain):
        return None
    # The year nearest before a word of approval is the one meant; the last one where several are said ("不是2023, 是2021").
    match, year = years[-1] if _correcting(plain) else years[0]
    batch = _BATCH.search(plain, match.end()) or _BATCH.search(plain)
    if batch is None or (batch.start() - match.end() > 12):
        return str(year), match[0]
    number = "1" if batch[2] or batch[3] else _CN.get(batch[1], batch[1])
    return f"{year}-{number}", plain[match.start() : batch.end()]


def _correcting(text: str) -> bool:
    return "不是" in text or "说错" in text or "不对" in text or "搞错" in text


def bare_batch(text: str) -> str | None:
    """A batch number without a year ("是第一批", "不对，第二批的"), as a digit."""
    match = _BATCH.search(text)
    if match is None:
        return None
    return "1" if match[2] or match[3] else _CN.get(match[1], match[1])


def find_unit_type(text: str, lexicon: Lexicon) -> tuple[UnitType, str] | None:
    """The unit type named last (people say "企业是谁填，那医院呢"); a hospital said to be a public institution is a hospital."""
    hits = [(text.rfind(alias), -order, kind, alias) for order, (kind, aliases) in enumerate(lexicon.unit_types.items())
            for alias in aliases if alias in text]
    if not hits:
        return None
    if any(kind is UnitType.HOSPITAL for _, _, kind, _ in hits):
        hits = [h for h in hits if h[2] is not UnitType.PUBLIC_INSTITUTION]
    _, _, kind, alias = max(hits, key=lambda h: (h[0] + len(h[3]), h[1]))
    return kind, alias


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
    if batch := find_batch(text, year):
        conditions["batch"], said["batch"] = batch
    elif (number := bare_batch(text)) and known.get("batch"):
        conditions["batch"] = f"{known['batch'].split('-')[0]}-{number}"
        said["batch"] = text[:20]
    for condition in rules.conditions:
        for value, patterns in condition.said.items():
            if match := _first(patterns, text):
                conditions[condition.id], said[condition.id] = value, match[0]
                break
    return Slots(role, unit_type, conditions, said)
