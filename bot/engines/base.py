"""What an engine gets and gives, and the book of facts whose use is recorded as citations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from jinja2.exceptions import TemplateError

from bot.conversation import Profile
from bot.messages import Choice, Citation, Status
from bot.texts import Texts, compiled, short_date, weekday
from bot.understanding.figures import Figures
from knowledge.dates import DateMention, workdays
from knowledge.loading import Pack, clause_id
from knowledge.milestones import State, standing
from knowledge.pack import Contact, Fact, Milestone, PackError, Topic

_F = TypeVar("_F", bound=Fact)


@dataclass(frozen=True)
class Ask:
    """One understood question.

    Attributes:
        text: The question, normalised.
        day: Today, in the pack's time zone.
        profile: What is known of the person, this message included.
        fresh: The names of what this very message said ("batch", "unit_type", …).
        dates: The days it names.
        figures: The numbers it names.
        topic: The topic found.
    """

    text: str
    day: date
    profile: Profile
    topic: Topic
    fresh: frozenset[str] = frozenset()
    dates: tuple[DateMention, ...] = ()
    figures: Figures = field(default_factory=lambda: Figures({}, {}))


@dataclass(frozen=True)
class Answer:
    """What an engine found: the text, what it rests on, what may come next."""

    text: str
    citations: tuple[Citation, ...]
    status: Status = Status.ANSWERED
    choices: tuple[Choice, ...] = ()
    pending: Mapping[str, Any] | None = None


class Book:
    """The facts of a pack as of a day, for templates. Each use is recorded; `citations` gives the clauses used."""

    def __init__(self, pack: Pack, texts: Texts, day: date) -> None:
        self.pack = pack
        self.texts = texts
        self.day = day
        self._used: dict[str, str | None] = {}

    def cite(self, ref: str, quote: str | None = None) -> None:
        """Record that a clause is used, with the words that support it."""
        key = clause_id(ref)
        if self._used.get(key) is None:
            self._used[key] = quote

    def use(self, fact: Fact) -> None:
        """Record that a fact is used."""
        self.cite(fact.clause, fact.quote)

    def citations(self) -> tuple[Citation, ...]:
        """The clauses used, in the order of their first use."""
        return tuple(citation(self.pack, ref, quote) for ref, quote in self._used.items())

    def milestone(self, milestone_id: str) -> Milestone:
        """A milestone, recorded as used. Raises PackError where there is none."""
        return self._fact(self.pack.milestones, milestone_id)

    def date(self, name: str) -> str:
        """`filing.closes` as 4月7日."""
        milestone_id, _, end = name.partition(".")
        day = getattr(self.milestone(milestone_id), end or "closes", None)
        if not isinstance(day, date):
            raise PackError(f"no date {name!r}")
        return short_date(day)

    def span(self, milestone_id: str) -> str:
        """`filing` as 3月26日至4月7日."""
        milestone = self.milestone(milestone_id)
        closes = short_date(milestone.closes)
        if milestone.opens is None:
            return self.texts.render("milestones.until", closes=closes)
        return self.texts.render("milestones.span", opens=short_date(milestone.opens), closes=closes)

    def state(self, milestone_id: str) -> str:
        """One sentence on where today stands against a milestone."""
        found = standing(self.milestone(milestone_id), self.day)
        return self.texts.render(f"milestones.state.{found.state}", **self.milestone_values(found.milestone))

    def milestone_values(self, milestone: Milestone) -> dict[str, Any]:
        """What the texts on milestones may use."""
        found = standing(milestone, self.day)
        return {
            "title": milestone.title,
            "duty": milestone.duty,
            "where": milestone.where,
            "seal": milestone.seal,
            "opens": short_date(milestone.opens) if milestone.opens else None,
            "closes": short_date(milestone.closes),
            "opens_weekday": weekday(milestone.opens) if milestone.opens else None,
            "closes_weekday": weekday(milestone.closes),
            "days": found.days,
            "state": found.state.value,
            "today": short_date(self.day),
            "weekday": weekday(self.day),
            "span": self.span(milestone.id),
            "over": found.state is State.CLOSED,
            "workdays": workdays(self.day, milestone.closes) if found.state is State.OPEN else None,
        }

    def phone(self, name: str) -> str:
        """An office with its number; `business` gives both numbers for business questions."""
        if name == "business":
            return "、".join(self._phone(c) for c in self.pack.facts.contacts if c.business)
        return self._phone(self._fact(self.pack.contacts, name))

    def _phone(self, contact: Contact) -> str:
        self.use(contact)
        return f"{contact.office} {contact.phone}"

    def value(self, name: str) -> str:
        """A named value's text."""
        return self._fact(self.pack.values, name).text

    def threshold(self, name: str) -> str:
        """A threshold in the notice's words, e.g. 不低于30人."""
        return self._fact(self.pack.thresholds, name).said

    def missing(self, document_id: str) -> bool:
        """Whether a document is declared and not there. Raises PackError where it is not declared."""
        if document_id not in self.pack.documents:
            raise PackError(f"no document {document_id!r}; known: {', '.join(self.pack.documents)}")
        return self.pack.documents[document_id].file is None

    def _fact(self, facts: Mapping[str, _F], name: str) -> _F:
        try:
            fact = facts[name]
        except KeyError:
            raise PackError(f"no fact {name!r}; known: {', '.join(facts)}") from None
        self.use(fact)
        return fact

    def render(self, source: str, profile: Profile, **more: Any) -> str:
        """Fill in a template of the pack. Raises PackError where it uses something unknown."""
        try:
            return str(
                compiled(source).render(
                    role=profile.role.value if profile.role else None,
                    unit_type=profile.unit_type.value if profile.unit_type else None,
                    date=self.date,
                    span=self.span,
                    state=self.state,
                    phone=self.phone,
                    value=self.value,
                    threshold=self.threshold,
                    missing=self.missing,
                    today=short_date(self.day),
                    **more,
                )
            ).strip()
        except TemplateError as error:
            raise PackError(f"template {source[:40]!r}: {error}") from error


def citation(pack: Pack, ref: str, quote: str | None = None) -> Citation:
    """A clause of the pack as a citation."""
    clause = pack.clause(ref)
    document = pack.documents[clause.document]
    return Citation(document=document.title, clause=clause.path, text=clause.text, quote=quote, clause_id=clause.id)


def topic_choices(pack: Pack, topic_ids: tuple[str, ...]) -> tuple[Choice, ...]:
    """Topics as buttons."""
    return tuple(Choice(label=pack.topics[t].title, value=f"t:{t}") for t in topic_ids if t in pack.topics)
