"""Scoring a question set: the rules of the sets in `tests/questions/` (see the README there), and a report."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

GROUPS = ("single", "multiturn", "false_premise", "date_arith", "self_check", "unanswerable", "offtopic", "adversarial")

_DIGITS = dict(zip("〇零一二三四五六七八九十", (0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), strict=True))
_MARKS = re.compile(r"[*_`#>|]+")
_LIST = re.compile(r"(?m)^[ \t]*(?:[-•·]|\d{1,2}[.、)])[ \t]+")
_ISO = re.compile(r"20(\d\d)[-/.](\d{1,2})[-/.](\d{1,2})")
_SHORT = re.compile(r"(?<![\d./])(0?[3-5])[/.](0?[1-9]|[12]\d|3[01])(?![\d./%万亿个项人年m㎡平])")
_CHINESE = re.compile(r"([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})[日号]")


def _number(text: str) -> int:
    if "十" in text:
        tens, ones = text.split("十", 1)
        return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)
    return _DIGITS[text[0]]


def normalised(text: str) -> str:
    """As the sets' README says: NFKC, no blanks or Markdown marks, dates as M月D日."""
    text = _LIST.sub("", unicodedata.normalize("NFKC", text))
    text = _MARKS.sub("", re.sub(r"\s+", "", text).lower())
    text = _ISO.sub(lambda m: f"20{m[1]}年{int(m[2])}月{int(m[3])}日", text)
    text = _SHORT.sub(lambda m: f"{int(m[1])}月{int(m[2])}日", text)
    text = re.sub(r"(?<!\d)0(\d)月", r"\1月", text)
    text = re.sub(r"月0(\d)[日号]", r"月\1日", text)
    text = _CHINESE.sub(lambda m: f"{_number(m[1])}月{_number(m[2])}日", text)
    text = re.sub(r"(\d)月(\d{1,2})号", r"\1月\2日", text)
    return re.sub(r"[~—–]+|--", "-", text)


@dataclass(frozen=True)
class Verdict:
    """What became of one case; `why` is empty where it passed."""

    id: str
    turns: tuple[str, ...]
    expected: tuple[str, ...]
    status: str
    why: str
    cited: bool | None
    tags: tuple[str, ...]
    reply: str
    topics: tuple[str, ...]


@dataclass
class Score:
    """A scored question set."""

    verdicts: list[Verdict] = field(default_factory=list)

    def rates(self) -> dict[str, float | None]:
        """The measures of the sets' scorer."""

        def share(values: Sequence[bool]) -> float | None:
            return round(sum(values) / len(values), 4) if values else None

        answerable = [v for v in self.verdicts if v.expected == ("answered",)]
        declinable = [v for v in self.verdicts if "answered" not in v.expected]
        declined = [v for v in self.verdicts if v.status != "answered"]
        return {
            "passed": share([not v.why for v in self.verdicts]),
            "answerable_correct": share([not v.why for v in answerable]),
            "citation_hit": share([v.cited for v in answerable if v.cited is not None]),
            "decline_recall": share([v.status != "answered" for v in declinable]),
            "decline_precision": share(["answered" not in v.expected for v in declined]),
        }

    def groups(self) -> dict[str, tuple[int, int]]:
        """Passed and all cases of each group."""
        found: dict[str, list[bool]] = defaultdict(list)
        for verdict in self.verdicts:
            for tag in set(verdict.tags) & set(GROUPS):
                found[tag].append(not verdict.why)
        return {g: (sum(found[g]), len(found[g])) for g in GROUPS if g in found}


def judge(case: dict[str, Any], answer: dict[str, Any]) -> Verdict:
    """Whether an answer passes a case, and the first reason why not."""
    expected = tuple(case["expect"]) if isinstance(case["expect"], list) else (case["expect"],)
    reply = normalised(answer["reply"])
    texts = [normalised(c["text"]) for c in answer["citations"]]
    why = ""
    if answer["status"] not in expected:
        why = f"status {answer['status']}, expected {'/'.join(expected)}"
    else:
        missing = [g for g in case.get("must", []) if not any(re.search(p, reply) for p in g)]
        said = [p for p in case.get("must_not", []) if re.search(p, reply)]
        if missing:
            why = f"lacks {missing[0]}"
        elif said:
            why = f"says {said[0]!r}"
    cited = any(normalised(w) in t for w in case["cite"] for t in texts) if case.get("cite") else None
    return Verdict(
        case["id"],
        tuple(case["turns"]),
        expected,
        answer["status"],
        why,
        cited,
        tuple(case.get("tags", ())),
        answer["reply"],
        tuple(answer.get("topics", ())),
    )


def score(pairs: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> Score:
    """Score cases with their answers."""
    return Score([judge(case, answer) for case, answer in pairs])


def report(found: Score, *, failures: bool) -> str:
    """A report for the terminal: rates, groups, confusion between statuses, failures."""
    lines = [f"cases {len(found.verdicts)}"]
    lines += [f"{name:20} {value}" for name, value in found.rates().items()]
    lines += [f"  {group:18} {ok}/{total} = {ok / total:.3f}" for group, (ok, total) in found.groups().items()]
    confusion = Counter(("/".join(v.expected), v.status) for v in found.verdicts if v.status not in v.expected)
    lines += [f"  expected {wanted}, got {got}: {count}" for (wanted, got), count in confusion.most_common()]
    if failures:
        for v in found.verdicts:
            if v.why or v.cited is False:
                why = v.why or "cites none of the wanted clauses"
                lines.append(f"{v.id} {why} | {' / '.join(v.turns)} | {v.reply[:120]!r} | {','.join(v.topics)}")
    return "\n".join(lines)
