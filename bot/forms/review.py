"""Before handing in: what was filled in, what is missing, what contradicts what, what falls short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Template

from bot.conversation import Profile
from bot.forms.definition import Answers, FieldSpec, Form, FormCheck
from bot.forms.fields import Money
from bot.forms.journey import _known, active_answers, asked, say
from bot.texts import Texts, environment
from knowledge.pack import Threshold, UnitType
from knowledge.quantities import say_yuan
from knowledge.thresholds import Outcome, check


@dataclass(frozen=True)
class Finding:
    """Something between fields, or between the form and the conversation. `level`: error or notice."""

    level: str
    text: str
    fields: tuple[str, ...]
    clauses: tuple[str, ...]


@dataclass(frozen=True)
class Shortfall:
    """A figure below a threshold: accepted, and pointed out.

    Args:
        year: Where the threshold holds for each year, the year.
        gap: In the threshold's unit.
        note: What the source leaves open about whom it binds, or None.
    """

    threshold: Threshold
    figure: float
    gap: float
    year: int | None
    text: str
    note: str | None
    fields: tuple[str, ...]


@dataclass(frozen=True)
class ReviewSection:
    """A section as a person reads it: (field, what was said)."""

    title: str
    rows: tuple[tuple[FieldSpec, str], ...]


@dataclass(frozen=True)
class Review:
    """The whole review. `complete`: nothing required is missing and nothing contradicts (notices may stand)."""

    missing: tuple[FieldSpec, ...]
    findings: tuple[Finding, ...]
    shortfalls: tuple[Shortfall, ...]
    sections: tuple[ReviewSection, ...]

    @property
    def complete(self) -> bool:
        return not self.missing and not any(f.level == "error" for f in self.findings)


def review(
    form: Form,
    answers: Answers,
    thresholds: Iterable[Threshold],
    texts: Texts,
    profile: Profile | None = None,
) -> Review:
    """Look through a form as it stands.

    Args:
        thresholds: Of the pack (facts.yaml).
        profile: What the conversation knows, held against the form.
    """
    fields, active = asked(form, answers), active_answers(form, answers)
    ids = {field.id for field in fields}
    findings = [f for c in form.checks if ids >= set(c.fields) for f in _run(form, c, active, texts)]
    if profile:
        findings += _against_profile(form, active, profile, thresholds, texts)
    sections = []
    for section in form.sections:
        rows = tuple((f, say(f, answers.get(f.id), texts)) for f in section.fields if f.id in ids)
        if rows:
            sections.append(ReviewSection(section.title, rows))
    return Review(
        missing=tuple(f for f in fields if f.id not in active and not f.skippable(answers)),
        findings=tuple(findings),
        shortfalls=tuple(shortfalls(form, answers, thresholds, texts)),
        sections=tuple(sections),
    )


def figures(form: Form, answers: Answers) -> dict[str, float]:
    """The form's numbers by indicator; yearly ones as "indicator@2024"."""
    active = active_answers(form, answers)
    out: dict[str, float] = {}
    for name, indicator in form.indicators.items():
        value = active.get(indicator.field)
        if value is None:
            continue
        if indicator.how == "yearly":
            out |= {f"{name}@{year}": float(amount) for year, amount in value.items()}
        else:
            out[name] = float(sum(value.values())) if indicator.how == "sum" else float(value)
    return out


def shortfalls(form: Form, answers: Answers, thresholds: Iterable[Threshold], texts: Texts) -> list[Shortfall]:
    """Figures below their thresholds, with clause (in the threshold) and gap."""
    known = figures(form, answers)
    unit = answers.get("unit_type")
    unit_type = UnitType(unit) if unit else None
    years = sorted({int(name.split("@")[1]) for name in known if "@" in name})
    out = []
    for threshold in thresholds:
        part = form.indicators.get(threshold.part or "")
        yearly = part is not None and part.how == "yearly"
        for year in years if yearly else [None]:
            at = {n.split("@")[0]: v for n, v in known.items() if n.endswith(f"@{year}")} if year else known
            done = check(threshold, at, unit_type)
            if done.outcome is not Outcome.SHORT or done.figure is None:
                continue
            used = (threshold.part, threshold.of) if threshold.part else (threshold.indicator,)
            text = texts.render(
                "forms.review.shortfall_year" if year else "forms.review.shortfall",
                title=threshold.title, said=_amount(done.figure, threshold.unit, texts), required=threshold.said,
                gap=_amount(done.gap, threshold.unit, texts), year=year, missing=done.missing,
            )  # fmt: skip
            names = tuple(form.indicators[n].field for n in used if n and n in form.indicators)
            out.append(Shortfall(threshold, done.figure, done.gap, year, text, threshold.applies_note, names))
    return out


def _amount(value: float, unit: str, texts: Texts) -> str:
    if unit == "yuan":
        return say_yuan(round(value))
    if unit == "share":
        return f"{value * 100:.4f}".rstrip("0").rstrip(".") + "%" if value * 100 < 0.01 else _two(value * 100) + "%"
    return _two(value) + str(texts.get("forms.units").get(unit, ""))


def _two(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


@lru_cache(maxsize=256)
def _template(text: str) -> Template:
    return environment().from_string(text)


def _run(form: Form, spec: FormCheck, active: Mapping[str, Any], texts: Texts) -> list[Finding]:
    """The findings of one check; a check on fields without answers finds nothing."""
    if any(name not in active for name in spec.fields):
        return []
    values = [active[name] for name in spec.fields]
    failed: list[dict[str, Any]] = []
    shown = [say(form.field(name), active[name], texts) for name in spec.fields]
    said = {"a": shown[0], "b": shown[-1], "year": spec.year}
    if spec.kind == "at_most" and isinstance(values[0], Mapping):
        field = form.field(spec.fields[0])
        failed = [
            {
                "year": year,
                "a": Money.say(amount, field, texts),
                "b": Money.say(values[1][year], field, texts),
            }
            for year, amount in values[0].items()
            if amount > values[1].get(year, amount) > 0
        ]
    elif spec.kind == "at_most":
        failed = [said] if values[0] > values[1] else []
    elif spec.kind == "one_of":
        failed = [said] if values[0] not in spec.values and values[0].split("-")[0] not in spec.values else []
    elif spec.kind == "not_after":
        failed = [said] if spec.year and int(values[0][:4]) > spec.year else []
    elif spec.kind == "is_true":
        failed = [said] if values[0] is True else []
    elif spec.kind == "area_code":
        failed = [said] if not values[0].startswith(tuple(f"{code}-" for code in spec.values)) else []
    elif spec.kind == "same_then_same":
        failed = [said] if values[0] == values[1] and values[2] != values[3] else []
    template = _template(spec.text)
    return [Finding(spec.level, template.render(**f), spec.fields, spec.clause) for f in failed]


def _against_profile(
    form: Form, active: Mapping[str, Any], profile: Profile, thresholds: Iterable[Threshold], texts: Texts
) -> list[Finding]:
    """Where the form says one thing and the person said another before."""
    out = []
    prefilled = set()
    for field in asked(form, active):
        known = _known(field, profile) if field.prefill and field.id in active else None
        prefilled.add((field.prefill or "").partition(".")[2])
        if known and known[0] != active[field.id]:
            text = texts.render("forms.review.prefill_differs", title=field.title,
                                said=say(field, active[field.id], texts), before=say(field, known[0], texts))  # fmt: skip  # noqa: E501
            out.append(Finding("notice", text, (field.id,), field.clause))
    now = figures(form, active)
    for threshold in thresholds:
        name = threshold.indicator
        if name in now and name in profile.figures and name not in prefilled:
            before = profile.figures[name].value
            if abs(now[name] - before) > max(abs(before), 1) * 1e-6:
                text = texts.render("forms.review.figure_differs", title=threshold.title,
                                    said=_amount(now[name], threshold.unit, texts),
                                    before=_amount(before, threshold.unit, texts))  # fmt: skip
                out.append(Finding("notice", text, (form.indicators[name].field,), (threshold.clause,)))
    return out
