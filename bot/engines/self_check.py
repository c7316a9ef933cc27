"""The person's own figures against the outline's requirements: requirement, figure, verdict, gap, clause."""

from __future__ import annotations

from bot.engines.base import Answer, Ask, Book, topic_choices
from bot.messages import Choice
from knowledge.pack import Threshold, UnitType
from knowledge.quantities import say_yuan
from knowledge.thresholds import Check, Outcome, check


def say(value: float, unit: str, book: Book) -> str:
    """A figure in words a person reads: 1950万元, 36人, 28%, 860平方米."""
    if unit == "yuan":
        return say_yuan(round(value))
    if unit == "share":
        return f"{value * 100:.2f}".rstrip("0").rstrip(".") + "%"
    number = f"{value:.2f}".rstrip("0").rstrip(".")
    return number + str(book.texts.get(f"self_check.units.{unit}"))


def _line(found: Check, ask: Ask, book: Book) -> str:
    threshold = found.threshold
    book.use(threshold)
    values = {
        "title": threshold.title,
        "requirement": threshold.said,
        "outcome": found.outcome.value,
        "figure": say(found.figure or 0.0, threshold.unit, book),
        "gap": say(found.gap, threshold.unit, book) if found.gap else None,
        "missing": found.missing,
        "part": say(found.part, _unit(book, threshold.part), book) if found.part is not None else None,
        "whole": say(found.whole, _unit(book, threshold.of), book) if found.whole is not None else None,
        "strict": threshold.comparison == ">",
        "needed": say(threshold.value * found.whole, _unit(book, threshold.of), book)
        if found.whole and threshold.unit == "share"
        else None,
        "names": "、".join(book.pack.lexicon.unit_labels[u] for u in threshold.applies_to),
        "unit_known": ask.profile.unit_type is not None,
        "note": threshold.applies_note if _concerned(threshold, ask.profile.unit_type) else None,
    }
    return book.texts.render("self_check.line", **values)


def _others(found: Check, ask: Ask, book: Book) -> str:
    """A figure for a requirement that names other kinds of units."""
    threshold, labels = found.threshold, book.pack.lexicon.unit_labels
    book.use(threshold)
    return book.texts.render(
        "self_check.others",
        title=threshold.title,
        requirement=threshold.said,
        names="、".join(labels[u] for u in threshold.applies_to),
        unit=labels[ask.profile.unit_type] if ask.profile.unit_type else "",
    )


def _concerned(threshold: Threshold, unit_type: UnitType | None) -> bool:
    """Whether the note on whom a requirement names matters to this person: not to a company, when the note is on others."""
    return unit_type is not None and (unit_type is not UnitType.COMPANY or not threshold.unit)


def _unit(book: Book, indicator: str | None) -> str:
    return book.pack.lexicon.indicators[indicator].unit if indicator else "items"


def _claims(ask: Ask, book: Book) -> list[str]:
    """Corrections of requirements that the message asserts wrongly."""
    lines = []
    for threshold in book.pack.facts.thresholds:
        claim = ask.figures.claimed.get(threshold.indicator)
        if claim and abs(claim.value - threshold.value) > 1e-3 * max(1.0, threshold.value):
            book.use(threshold)
            lines.append(
                book.texts.render(
                    "self_check.claim", title=threshold.title, said=claim.said, requirement=threshold.said
                )
            )
    return lines


def corrected_threshold(ask: Ask, book: Book) -> str | None:
    """The correction of wrongly asserted requirements, or None."""
    return "\n".join(_claims(ask, book)) or None


def self_check(ask: Ask, book: Book) -> Answer:
    """Hold what the person gave against each requirement; what was not given is listed as still open."""
    figures = {k: f.value for k, f in (ask.profile.figures | ask.figures.own).items()}
    fresh = set(ask.figures.own)
    checks = [check(t, figures, ask.profile.unit_type) for t in book.pack.facts.thresholds]
    done = [c for c in checks if c.outcome in (Outcome.MET, Outcome.SHORT)]
    touched = [c for c in done if {c.threshold.indicator, c.threshold.part, c.threshold.of} & fresh] if fresh else done
    others = [c for c in checks if c.outcome is Outcome.OTHERS_ONLY and c.threshold.indicator in fresh]
    touched = touched or ([] if others else done)
    corrections = _claims(ask, book)
    if others and not touched:
        return Answer(
            "\n\n".join([*corrections, *(_others(c, ask, book) for c in others)]),
            book.citations(),
            choices=_choices(ask, book),
        )
    if not touched:
        return _requirements(ask, book, corrections)
    short = [c for c in touched if c.outcome is Outcome.SHORT]
    parts = [*corrections]
    parts.append(
        book.texts.render(
            "self_check.verdict", short=[c.threshold.title for c in short], total=len(touched), single=len(touched) == 1
        )
    )
    parts.append("\n".join(_line(c, ask, book) for c in sorted(touched, key=lambda c: c.outcome is Outcome.MET)))
    parts += [_others(c, ask, book) for c in others]
    earlier = [c for c in done if c not in touched]
    if earlier:
        parts.append(
            book.texts.render(
                "self_check.earlier",
                items="；".join(
                    f"{c.threshold.title}（{book.texts.render('self_check.outcome.' + c.outcome.value)}）"
                    for c in earlier
                ),
            )
        )
    still = [c.threshold.title for c in checks if c.outcome is Outcome.OPEN]
    if still and len(touched) > 1:
        parts.append(book.texts.render("self_check.open", items="、".join(still)))
    if ask.profile.unit_type is None and any(c.threshold.applies_to or c.threshold.applies_note for c in touched):
        parts.append(book.texts.render("self_check.ask_unit_type"))
    parts.append(book.texts.render("self_check.caveat"))
    return Answer("\n\n".join(parts), book.citations(), choices=_choices(ask, book))


def _requirements(ask: Ask, book: Book, corrections: list[str]) -> Answer:
    lines = []
    for threshold in book.pack.facts.thresholds:
        book.use(threshold)
        lines.append(
            book.texts.render(
                "self_check.requirement",
                title=threshold.title,
                requirement=threshold.said,
                names="、".join(book.pack.lexicon.unit_labels[u] for u in threshold.applies_to),
            )
        )
    parts = [
        *corrections,
        book.texts.render("self_check.give"),
        "\n".join(lines),
        book.texts.render("self_check.caveat"),
    ]
    return Answer("\n\n".join(parts), book.citations(), choices=_choices(ask, book))


def _choices(ask: Ask, book: Book) -> tuple[Choice, ...]:
    choices = topic_choices(book.pack, ask.topic.next)
    if ask.profile.unit_type is None:
        units = tuple(
            Choice(label=label, value=f"u:{kind.value}") for kind, label in book.pack.lexicon.unit_labels.items()
        )
        return units[:3] + choices[:1]
    return choices
