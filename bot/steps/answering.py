"""Answering: understand, let the topic's engine or template write, turn it into a reply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date

from bot.conversation import Conversation, Profile
from bot.engines.base import Answer, Ask, Book, topic_choices
from bot.engines.table import engine_for
from bot.messages import Choice, Message, Reason, Reply, Status
from bot.steps.promoted import Promoted
from bot.steps.quoting import Quoting
from bot.texts import Texts
from bot.understanding.slots import Slots
from bot.understanding.understand import Decision, Understander, Understood
from knowledge.loading import Pack
from knowledge.pack import Topic, TopicKind
from knowledge.quoting import Seen

_SCOPE = frozenset({"scope", "batch", "upgrade"})


def remember(profile: Profile, slots: Slots) -> frozenset[str]:
    """Keep what a message said of the person; returns the names of what it said."""
    fresh = set()
    if slots.role is not None:
        profile.role = slots.role
        fresh.add("role")
    if slots.unit_type is not None:
        profile.unit_type = slots.unit_type
        fresh.add("unit_type")
    for name, value in slots.conditions.items():
        profile.conditions[name] = value
        fresh.add(name)
    profile.said.update(slots.said)
    return frozenset(fresh)


class Answering:
    """The step that answers from the pack; what staff answered since comes first."""

    def __init__(
        self,
        pack: Callable[[], Pack],
        texts: Texts,
        understander: Callable[[], Understander],
        day: Callable[[Message], date],
        quoting: Quoting,
        promoted: Promoted | None = None,
    ) -> None:
        self._packs = pack
        self._texts = texts
        self._understander = understander
        self._day = day
        self._quoting = quoting
        self._promoted = promoted
        self._by_engine = {t.engine: t for t in reversed(tuple(pack().topics.values())) if t.engine}

    @property
    def _pack(self) -> Pack:
        """The pack in use now: documents may have come in since the last turn."""
        return self._packs()

    async def __call__(self, message: Message, conversation: Conversation) -> Reply | None:
        """Answer, ask back or decline with a topic, or quote; None where nothing fits."""
        if message.choice:
            return None
        day = self._day(message)
        found, seen = await asyncio.to_thread(self.understand, message.text, conversation, day)
        if staff := await self.by_staff(found, conversation, day):
            return staff
        return await self.extended(self.answer(found, conversation, day, seen), day)

    async def by_staff(self, found: Understood, conversation: Conversation, day: date) -> Reply | None:
        """What staff answered to this before, if anything; remembers what the message said."""
        if self._promoted is None or not (staff := await self._promoted.reply(found, conversation, day)):
            return None
        remember(conversation.profile, found.slots)
        return staff

    async def extended(self, reply: Reply | None, day: date) -> Reply | None:
        """A reply with what staff added to its topic."""
        return await self._promoted.extended(reply, day) if self._promoted is not None and reply else reply

    def understand(self, text: str, conversation: Conversation, day: date) -> tuple[Understood, Seen]:
        """A message understood, and the clauses it may be after. A few milliseconds of computing."""
        found = self._understander().understand(text, conversation, day)
        undecided = found.decision is Decision.NONE
        return found, self._quoting.look(found.text, None if found.leaned else found.vector, day, undecided=undecided)

    def answer(
        self, found: Understood, conversation: Conversation, day: date, seen: Seen | None = None
    ) -> Reply | None:
        """The reply to an understood message; remembers what it said."""
        if seen is None:  # understood elsewhere, with a model
            seen = self._quoting.look(found.text, found.vector, day, undecided=found.decision is Decision.NONE)
        fresh = remember(conversation.profile, found.slots)
        topics = self._overridden(found, conversation, fresh)
        if quoted := self._quoted(found, topics, seen):
            conversation.pending, conversation.last_question = None, found.text
            return quoted
        if topics is None:
            if found.decision is Decision.CLARIFY:
                return self._ask_back(found, conversation)
            if fresh and found.decision is Decision.NONE:
                return self._noted(conversation, fresh)
            if found.decision is Decision.NONE:
                return None
            topics = found.topics
        answers = [self._run(topic, found, conversation, fresh, day) for topic in topics]
        conversation.profile.figures.update(found.figures.own)
        if topics[0].kind is not TopicKind.CHITCHAT:
            conversation.last_topics = tuple(t.id for t in topics)
            conversation.last_question = (
                found.text if not found.leaned else f"{conversation.last_question} {found.text}"[-120:]
            )
        reply = self._reply(topics, answers, conversation)
        return self._quoting.beside(reply, seen, day) if reply.status is Status.ANSWERED else reply

    def _quoted(self, found: Understood, computed: tuple[Topic, ...] | None, seen: Seen) -> Reply | None:
        """The clauses themselves, where they answer better than the topics found; None: the topics answer."""
        topics = computed or (found.topics if found.decision is Decision.ANSWER else ())
        best = topics[0] if topics else None
        if computed or (best is not None and best.kind in (TopicKind.REFUSE, TopicKind.CHITCHAT)):
            return None
        if best is not None and best.kind is TopicKind.ANSWER:
            # A topic that is sure answers, unless a clause is asked for by its number.
            return self._quoting.place(seen) if seen.places else None
        if reply := self._quoting.place(seen):
            return reply
        if best is not None:
            open_reasons = (Reason.ONLY_MEASURES, Reason.NOT_IN_SOURCES)
            reply = self._quoting.imported(seen) if best.reason in open_reasons else None
            return reply.model_copy(update={"topics": tuple(t.id for t in topics)}) if reply else None
        if found.decision is Decision.CLARIFY and not seen.named:
            return None
        return self._quoting.subject(seen) or self._quoting.nearest(seen)

    def say_topic(self, topic_id: str, conversation: Conversation, day: date) -> Reply | None:
        """The answer of a topic chosen by a button; None where there is no such topic any more."""
        topic = self._pack.topics.get(topic_id)
        if topic is None:
            return None
        answer = engine_for(topic.engine)(Ask("", day, conversation.profile, topic), Book(self._pack, self._texts, day))
        conversation.last_topics, conversation.last_question = (topic.id,), topic.samples[0]
        if topic.reason == Reason.ONLY_MEASURES:
            seen = self._quoting.look(topic.samples[0], None, day, undecided=False)
            if reply := self._quoting.imported(seen):
                conversation.pending = None
                return reply.model_copy(update={"topics": (topic.id,)})
        reply = self._reply((topic,), [answer], conversation)
        return self._quoting.beside(reply, Seen(), day)

    def _overridden(
        self, found: Understood, conversation: Conversation, fresh: frozenset[str]
    ) -> tuple[Topic, ...] | None:
        """Own figures and own batch are computed with, even where the words alone would find a general topic."""
        best = found.topics[0] if found.topics else None
        deciding = {c.id for c in self._pack.eligibility.conditions if c.decides} & fresh
        # "说错了，是2021年批的" is no mere apology: what it says counts.
        if best is not None and (best.kind is TopicKind.REFUSE or (best.kind is TopicKind.CHITCHAT and not deciding)):
            return None
        figures = set(found.figures.own)
        if figures and (checking := self._by_engine.get("self_check")):
            judging = any(w in found.text for w in self._pack.lexicon.judging_words)
            about = best is not None and (
                best.engine == "self_check" or any(c in self._pack.thresholds for c in best.claims)
            )
            lost = best is None and judging
            if about or lost or (judging and best is not None and best.kind is TopicKind.DECLINE and len(figures) > 1):
                return (checking,)
        if deciding and (scope := self._by_engine.get("eligibility")):
            last = self._pack.topics.get(conversation.last_topics[0]) if conversation.last_topics else None
            in_talk = last is not None and last.subject in _SCOPE
            if (best is not None and best.subject in _SCOPE) or (best is None and (in_talk or not found.dates)):
                return (scope,)
            if in_talk and (found.corrects or len(found.text) < 16):
                return (scope,)
        known = {c.id for c in self._pack.eligibility.conditions if c.decides} & set(conversation.profile.conditions)
        asks_whether = best is not None and best.subject in _SCOPE and best.aspect == "whether"
        if known and asks_whether and not found.slots.unit_type and (scope := self._by_engine.get("eligibility")):
            # "要参加吗" after "我们是2022年第一批的": the general rule would not use what was said.
            return (scope,)
        return self._again(found, conversation, best)

    def _again(self, found: Understood, conversation: Conversation, best: Topic | None) -> tuple[Topic, ...] | None:
        """A follow-up that fits no topic by itself ("那我们还用弄吗") asks the computed answer of before once more."""
        last = self._pack.topics.get(conversation.last_topics[0]) if conversation.last_topics else None
        if best is None and found.leans and last is not None and last.engine == "eligibility":
            return (last,)
        return None

    def _run(
        self, topic: Topic, found: Understood, conversation: Conversation, fresh: frozenset[str], day: date
    ) -> Answer:
        ask = Ask(found.text, day, conversation.profile, topic, fresh, found.dates, found.figures)
        return engine_for(topic.engine)(ask, Book(self._pack, self._texts, day))

    def _reply(self, topics: tuple[Topic, ...], answers: list[Answer], conversation: Conversation) -> Reply:
        pending = next((a.pending for a in answers if a.pending), None)
        conversation.pending = dict(pending) if pending else None
        citations = {c.clause_id: c for a in reversed(answers) for c in reversed(a.citations)}
        choices = {c.value: c for a in answers for c in a.choices}
        declined = [t for t, a in zip(topics, answers, strict=True) if a.status is Status.UNANSWERED]
        # One of two questions answered and one not: the answer counts, and the open one is said in the text.
        status = answers[0].status if len(declined) in (0, len(topics)) else Status.ANSWERED
        return Reply(
            text="\n\n".join(a.text for a in answers),
            status=status,
            citations=tuple(reversed(list(citations.values()))),
            choices=tuple(choices.values())[:6],
            reason=Reason(topics[0].reason)
            if topics[0].reason and (status in (Status.UNANSWERED, Status.REFUSED) or topics[0].partial)
            else None,
            topics=tuple(t.id for t in topics),
        )

    def _ask_back(self, found: Understood, conversation: Conversation) -> Reply:
        ids = tuple(t.id for t in found.topics)
        conversation.pending = {"kind": "clarify", "topics": list(ids)}
        return Reply(
            text=self._texts.render("replies.clarify"),
            status=Status.CLARIFY,
            choices=topic_choices(self._pack, ids),
            topics=ids,
        )

    def _noted(self, conversation: Conversation, fresh: frozenset[str]) -> Reply:
        profile, lexicon = conversation.profile, self._pack.lexicon
        text = self._texts.render(
            "replies.noted",
            role=lexicon.role_labels[profile.role] if profile.role and "role" in fresh else None,
            unit_type=lexicon.unit_labels[profile.unit_type] if profile.unit_type and "unit_type" in fresh else None,
            said=[profile.said[n] for n in fresh if n in profile.conditions and n in profile.said],
        )
        asked: list[dict[str, str]] = self._texts.get("replies.most_asked")
        return Reply(text=text, status=Status.CLARIFY, choices=tuple(Choice(**c) for c in asked))
