"""Whether a centre is in scope, with a proof line for each condition; asked step by step or in one go."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.conversation import Profile
from bot.engines.base import Answer, Ask, Book, topic_choices
from bot.messages import Choice, Status
from knowledge.eligibility import Condition, Finding, Result, Verdict, decide
from knowledge.loading import Pack

_YEAR_AND_BATCH = re.compile(r"20\d\d(?:-[1-9])?")


def condition_choices(condition: Condition) -> tuple[Choice, ...]:
    """The buttons of a condition."""
    return tuple(Choice(label=c.label, value=f"e:{condition.id}:{c.value}") for c in condition.choices)


def shown(pack: Pack, book: Book, value: str | None) -> str:
    """An approval batch in words, e.g. 2022年第1批."""
    if value is None:
        return ""
    year, _, number = value.partition("-")
    for condition in pack.eligibility.conditions:
        if condition.id == "batch" and not year.isdigit():
            return next((c.label.removesuffix("获批") for c in condition.choices if c.value == value), value)
    return book.texts.render("eligibility.batch", year=year, number=number)


def _line(condition: Condition, finding: Finding, value: str | None, said: str | None, words: str, book: Book) -> str:
    key = value if value in condition.texts else finding.value
    text = book.render(condition.texts.get(key, condition.texts["unknown"]), Profile(), shown=words)
    book.cite(condition.clause, condition.quote)
    return book.texts.render("eligibility.line", finding=finding.value, text=text, said=said)


def _verdict(result: Result, known: Mapping[str, str]) -> str:
    findings = {c.id: f for c, f in result.findings}
    if result.verdict is Verdict.NOT_IN_SCOPE:
        return "out_upgraded" if findings.get("upgraded") is Finding.NOT_MET else "out_batch"
    if result.verdict is Verdict.IN_SCOPE:
        return "in_scope"
    if known.get("upgraded") == "national":
        return "unknown_national"
    if findings.get("batch") is Finding.MET:
        return "in_scope_if"
    return "unknown_2022" if known.get("batch") else "unknown"


def eligibility(ask: Ask, book: Book) -> Answer:
    """Decide from what the person said, now or before; what is not known is said, and the next thing asked for."""
    pack, profile = book.pack, ask.profile
    known = profile.conditions
    result = decide(pack.eligibility, known)
    words = shown(pack, book, known.get("batch"))
    parts = []
    remembered = [k for k in known if k not in ask.fresh and k in profile.said]
    if remembered:
        parts.append(
            book.texts.render(
                "eligibility.remembered",
                said="，".join(words if k == "batch" else f"“{profile.said[k]}”" for k in remembered),
            )
        )
    parts.append(book.render(pack.eligibility.verdicts[_verdict(result, known)], profile, shown=words))
    lines = [
        _line(c, f, known.get(c.id), profile.said.get(c.id), words, book)
        for c, f in result.findings
        if f is not Finding.UNKNOWN or (c.decides and result.verdict is not Verdict.NOT_IN_SCOPE)
    ]
    parts.append("\n".join(lines))
    if result.verdict is Verdict.IN_SCOPE:
        consequence = pack.eligibility.consequence
        parts.append(consequence.text)
        book.cite(consequence.clause, consequence.quote)
    caution = any(f is Finding.CAUTION for _, f in result.findings) or known.get("upgraded") == "national"
    if caution:
        parts.append(book.texts.render("eligibility.who_decides", phone=book.phone("platform_office")))
    if ask.topic.params.get("guided"):
        return _guided(ask, book, result, parts)
    choices = topic_choices(pack, ask.topic.next)
    # What the person has told and the notice leaves open ("升级为国家级") is not asked again.
    told = result.ask is not None and known.get(result.ask.id) not in (None, *result.ask.ask_more)
    if result.ask is not None and result.verdict is Verdict.UNKNOWN and not told:
        parts.append(result.ask.question)
        return Answer(
            "\n\n".join(parts),
            book.citations(),
            choices=condition_choices(result.ask),
            pending={"kind": "eligibility", "condition": result.ask.id},
        )
    return Answer("\n\n".join(parts), book.citations(), choices=choices)


def _guided(ask: Ask, book: Book, result: Result, parts: list[str]) -> Answer:
    """The guided way: one question at a time, answered ones are not asked again; then the result.

    What was answered stays answered, also where the answer leaves the condition open ("2022年，不清楚批次").
    """
    known = ask.profile.conditions
    unasked = [c for c, f in result.findings if f is Finding.UNKNOWN and c.id not in known]
    unasked.sort(key=lambda c: not c.decides)
    if unasked and result.verdict is not Verdict.NOT_IN_SCOPE:
        text = book.texts.render("eligibility.ask", question=unasked[0].question, left=len(unasked))
        book.cite(unasked[0].clause, unasked[0].quote)
        return Answer(
            text,
            book.citations(),
            status=Status.CLARIFY,
            choices=condition_choices(unasked[0]),
            pending={"kind": "eligibility", "condition": unasked[0].id, "guided": True},
        )
    again = Choice(label=book.texts.render("eligibility.again"), value="c:eligibility_again")
    return Answer("\n\n".join(parts), book.citations(), choices=(again, *topic_choices(book.pack, ask.topic.next)))


def accepts(condition: Condition, value: str) -> bool:
    """Whether a value is one of the condition's own, or a year with or without a batch where those are its values."""
    own = {c.value for c in condition.choices} | {
        *condition.met,
        *condition.not_met,
        *condition.caution,
        *condition.said,
    }
    return value in own or (condition.years is not None and _YEAR_AND_BATCH.fullmatch(value) is not None)
