"""A topic's own words, filled in; a requirement or a date that the question asserts wrongly is corrected first."""

from __future__ import annotations

from bot.engines.base import Answer, Ask, Book, topic_choices
from bot.engines.milestone import claimed, corrected_date
from bot.engines.self_check import corrected_threshold
from bot.messages import Status
from knowledge.pack import TopicKind

_STATUS = {
    TopicKind.ANSWER: Status.ANSWERED,
    TopicKind.DECLINE: Status.UNANSWERED,
    TopicKind.REFUSE: Status.REFUSED,
    TopicKind.CHITCHAT: Status.CHITCHAT,
}


def template(ask: Ask, book: Book) -> Answer:
    """Fill in the topic's template; its clauses are cited first, then the facts used."""
    topic = ask.topic
    parts = []
    for ref in topic.clauses:
        book.cite(ref)
    if topic.kind is TopicKind.ANSWER:
        if (milestones := claimed(ask, book)) and (wrong := corrected_date(ask, book, milestones)):
            parts.append(wrong)
        if any("." not in c for c in topic.claims) and (wrong := corrected_threshold(ask, book)):
            parts.append(wrong)
    parts.append(book.render(topic.answer or "", ask.profile))
    return Answer(
        "\n\n".join(parts),
        book.citations(),
        status=Status.ANSWERED if topic.partial else _STATUS[topic.kind],
        choices=topic_choices(book.pack, topic.next),
    )
