"""When something opens and closes, as of today; whether a planned day is in time; a wrong day corrected first."""

from __future__ import annotations

from datetime import date

from bot.engines.base import Answer, Ask, Book, topic_choices
from bot.messages import Choice
from bot.texts import short_date, weekday
from knowledge.dates import DateMention
from knowledge.milestones import State, for_role, standing
from knowledge.pack import Milestone, Role


def _names(ask: Ask) -> list[str]:
    value = ask.topic.params.get("milestones", ())
    return [value] if isinstance(value, str) else list(value)


def _asserted(ask: Ask, book: Book) -> list[DateMention]:
    """The days that the question asserts as the deadline ("4月15号截止对吧"), not plans or tells."""
    marks = book.pack.lexicon.deadline_claims
    found = []
    for mention in ask.dates:
        if mention.day == ask.day or (mention.relative and mention.day < ask.day):
            continue
        around = ask.text[max(0, mention.start - 6) : mention.end + 10]
        if any(mark in around for mark in marks):
            found.append(mention)
    return found


def claimed(ask: Ask, book: Book) -> list[Milestone]:
    """The duties that the topic holds an asserted day against (`claims`); neighbours that an answer mentions are none."""
    names = dict.fromkeys(c.partition(".")[0] for c in ask.topic.claims if "." in c)
    return [book.pack.milestones[n] for n in names]


def corrected_date(ask: Ask, book: Book, milestones: list[Milestone]) -> str | None:
    """The correction of a wrongly asserted day, or None where nothing is asserted or it is right."""
    last_days = {m.closes for m in milestones}
    all_days = last_days | {m.opens for m in milestones if m.opens}
    words = book.pack.lexicon.deadline_words
    for mention in _asserted(ask, book):
        around = ask.text[max(0, mention.start - 10) : mention.end + 6]
        # The opening day asserted as the last one ("3月26日截止对吧") is as wrong as any other.
        if mention.day not in (last_days if any(w in around for w in words) else all_days) and milestones:
            return book.texts.render(
                "milestones.premise.date", said=short_date(mention.day), right=short_date(milestones[0].closes)
            )
    return None


def _planned(ask: Ask, book: Book, milestone: Milestone) -> str | None:
    asserted = _asserted(ask, book)
    plans = [m for m in ask.dates if m not in asserted and m.day > ask.day]
    if not plans:
        return None
    mention = plans[-1]
    values = {
        "words": mention.words,
        "day": short_date(mention.day),
        "weekday": weekday(mention.day),
        **{k: v for k, v in book.milestone_values(milestone).items() if k in ("opens", "closes")},
    }
    return book.texts.render(f"milestones.planned.{_place(milestone, mention.day)}", **values)


def _place(milestone: Milestone, day: date) -> str:
    found = standing(milestone, day)
    return {State.UPCOMING: "before", State.OPEN: "inside", State.LAST_DAY: "last", State.CLOSED: "after"}[found.state]


def milestone(ask: Ask, book: Book) -> Answer:
    """One dated duty (and those that share its answer) as of today.

    Params of the topic: `milestones`, the first of which is answered, the others mentioned;
    `event` "yes" where it is something to be waited for (the evaluation meetings).
    """
    items = [book.milestone(name) for name in _names(ask)]
    first = items[0]
    found = standing(first, ask.day)
    event = bool(ask.topic.params.get("event"))
    parts = []
    if wrong := corrected_date(ask, book, claimed(ask, book) or items[:1]):
        parts.append(wrong)
    values = book.milestone_values(first)
    plan = _planned(ask, book, first) if not event else None
    if plan and found.state in (State.OPEN, State.UPCOMING):
        parts.append(plan)
    parts.append(
        book.texts.render(
            f"milestones.{'event' if event else 'verdict'}.{found.state}", **values, planned=plan is not None
        )
    )
    if event and found.state is not State.CLOSED:
        parts.append(book.texts.render("milestones.event.no_day"))
    for other in items[1:]:
        if (other.opens, other.closes) != (first.opens, first.closes):
            parts.append(f"{other.title}：{book.span(other.id)}。")
    if first.where and not event:
        parts.append(book.texts.render("milestones.duty", duty=first.duty))
    parts += [book.render(m.note, ask.profile) for m in items if m.note]
    if found.state is State.CLOSED and Role.APPLICANT in first.who and not event:
        parts.append(book.texts.render("milestones.late", rule=book.value("late")))
    if ask.topic.answer:
        parts.append(book.render(ask.topic.answer, ask.profile))
    for ref in ask.topic.clauses:
        book.cite(ref)
    return Answer("\n\n".join(parts), book.citations(), choices=topic_choices(book.pack, ask.topic.next))


def timeline(ask: Ask, book: Book) -> Answer:
    """All dated duties of a role with today's place among them. Param `role`: applicant, officer or all."""
    named = str(ask.topic.params.get("role", "all"))
    role = Role(named) if named in (Role.APPLICANT, Role.OFFICER) else ask.profile.role if named != "all" else None
    items = for_role(book.pack.facts.milestones, role)
    render = book.texts.render
    parts = [render("milestones.timeline.now", today=short_date(ask.day), weekday=weekday(ask.day))]
    running = [m for m in items if standing(m, ask.day).state in (State.OPEN, State.LAST_DAY) and m.opens]
    upcoming = [m for m in items if standing(m, ask.day).state is State.UPCOMING]
    if running:
        parts[0] += render(
            "milestones.timeline.running", items="、".join(f"{m.title}（{book.span(m.id)}）" for m in running)
        )
    elif upcoming:
        nearest = min(upcoming, key=lambda m: m.opens or m.closes)
        parts[0] += render("milestones.timeline.next", title=nearest.title, span=book.span(nearest.id))
    else:
        last = max(items, key=lambda m: m.closes)
        parts[0] += render("milestones.timeline.all_over", closes=short_date(last.closes))
    lines = [render("milestones.timeline.item", **book.milestone_values(m)) for m in items]
    parts.append(render("milestones.timeline.heading", role=role.value if role else None) + "\n" + "\n".join(lines))
    parts += [book.render(m.note, ask.profile) for m in items if m.note]
    choices = topic_choices(book.pack, ask.topic.next) or (Choice(label="日历文件（.ics）", value="c:calendar"),)
    return Answer("\n\n".join(parts), book.citations(), choices=choices)
