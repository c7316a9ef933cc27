"""Commands, buttons, and the answers to what the assistant itself asked: guide, eligibility, a choice by number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from bot.conversation import Conversation, Profile
from bot.engines.base import Answer, Ask, Book
from bot.engines.eligibility import accepts, eligibility, shown
from bot.engines.guide import guide_step, track_for
from bot.engines.self_check import say
from bot.messages import Attachment, Choice, Message, Reply, Status
from bot.steps.answering import Answering
from bot.texts import Texts
from knowledge.loading import Pack
from knowledge.pack import Role, Topic, TopicKind, UnitType
from knowledge.text import normalise

Calendar = Callable[[Pack, Role | None, datetime], bytes]


class Commanding:
    """The step for what steers the assistant rather than asks the notice."""

    def __init__(
        self, pack: Pack, texts: Texts, answering: Answering, day: Callable[[Message], date], calendar: Calendar
    ) -> None:
        self._pack = pack
        self._texts = texts
        self._answering = answering
        self._day = day
        self._calendar = calendar
        words: dict[str, list[str]] = texts.get("commands.words")
        self._words = {w: command for command, ws in words.items() for w in ws}

    async def __call__(self, message: Message, conversation: Conversation) -> Reply | None:
        """The reply to a command, a button, or the pending question; None where the message is none of these."""
        day = self._day(message)
        if message.choice:
            return self._chosen(message.choice, message, conversation, day)
        text = normalise(message.text).strip(" 。.!?,，")
        if command := self._words.get(text):
            return self._command(command, message, conversation, day)
        pending = conversation.pending or {}
        if pending.get("kind") == "guide" and (reply := self._guide_word(text, conversation, day)):
            return reply
        if pending.get("kind") == "clarify" and text.isdigit() and 1 <= int(text) <= len(pending["topics"]):
            conversation.pending = None
            return self._answering.say_topic(pending["topics"][int(text) - 1], conversation, day)
        if pending.get("kind") == "eligibility":
            return self._eligibility_words(text, conversation, day)
        return None

    def _chosen(self, value: str, message: Message, conversation: Conversation, day: date) -> Reply | None:
        kind, _, rest = value.partition(":")
        parts = rest.split(":")
        if kind == "t" and (reply := self._answering.say_topic(rest, conversation, day)):
            return reply
        if kind == "c" and rest:
            return self._command(rest, message, conversation, day)
        if (
            kind == "g"
            and len(parts) >= 2
            and parts[1].isdigit()
            and parts[0] in {t.id for t in self._pack.guide.tracks}
        ):
            return self._guide(parts[0], int(parts[1]), conversation, day, stuck=parts[-1] == "stuck")
        if kind == "e" and len(parts) == 2:
            return self._eligibility_value(parts[0], parts[1], conversation, day)
        if kind == "u" and rest in set(UnitType):
            conversation.profile.unit_type = UnitType(rest)
            conversation.profile.said["unit_type"] = self._pack.lexicon.unit_labels[UnitType(rest)]
            if conversation.last_topics and (
                reply := self._answering.say_topic(conversation.last_topics[0], conversation, day)
            ):
                return reply
        if kind == "f":
            return None
        return Reply(text=self._texts.render("replies.stale_choice"), status=Status.CLARIFY, choices=self._most_asked())

    def _command(self, command: str, message: Message, conversation: Conversation, day: date) -> Reply | None:
        if command in ("start", "help"):
            key = "replies.welcome" if command == "start" else "replies.help"
            return Reply(text=self._texts.render(key), status=Status.CHITCHAT, choices=self._most_asked())
        if command == "memory":
            return self._memory(conversation, day)
        if command == "forget":
            conversation.profile = Profile()
            conversation.pending, conversation.last_topics, conversation.last_question = None, (), ""
            conversation.form = None  # put aside; the draft is kept
            return Reply(
                text=self._texts.render("replies.memory.forgotten"), status=Status.CHITCHAT, choices=self._most_asked()
            )
        if command in ("eligibility", "eligibility_again"):
            if command == "eligibility_again":
                for name in list(conversation.profile.conditions):
                    conversation.profile.conditions.pop(name)
                    conversation.profile.said.pop(name, None)
            return self._guided(conversation, day, frozenset())
        if command == "calendar":
            return self._calendar_reply(message, conversation)
        if command == "register":
            return self._guide(track_for(conversation.profile, None), 0, conversation, day, overview=True)
        if command == "dates":
            engine = next((t for t in self._pack.topics.values() if t.engine == "timeline"), None)
            return self._answering.say_topic(engine.id, conversation, day) if engine else None
        topics: dict[str, str] = self._texts.get("commands.topics")
        return self._answering.say_topic(topics.get(command, ""), conversation, day)

    def _guide_word(self, text: str, conversation: Conversation, day: date) -> Reply | None:
        words: dict[str, list[str]] = self._texts.get("guide.words")
        pending = conversation.pending or {}
        track, step = str(pending.get("track")), int(pending.get("step", 0))
        if text in words["next"]:
            return self._guide(track, step + 1, conversation, day)
        if text in words["back"]:
            return self._guide(track, step - 1, conversation, day)
        if text in words["stuck"]:
            return self._guide(track, step, conversation, day, stuck=True)
        return None

    def _guide(
        self,
        track: str,
        step: int,
        conversation: Conversation,
        day: date,
        *,
        stuck: bool = False,
        overview: bool = False,
    ) -> Reply:
        answer = guide_step(self._book(day), conversation.profile, track, step, stuck=stuck, overview=overview)
        return self._reply(answer, conversation)

    def _eligibility_words(self, text: str, conversation: Conversation, day: date) -> Reply | None:
        """The pending condition's label typed instead of pressed, or its number."""
        condition = {c.id: c for c in self._pack.eligibility.conditions}.get(
            (conversation.pending or {}).get("condition", "")
        )
        if condition is None:
            return None
        if text.isdigit() and 1 <= int(text) <= len(condition.choices):
            return self._eligibility_value(condition.id, condition.choices[int(text) - 1].value, conversation, day)
        for choice in condition.choices:
            if text == normalise(choice.label):
                return self._eligibility_value(condition.id, choice.value, conversation, day)
        if not (conversation.pending or {}).get("guided"):
            return None
        return self._said_condition(text, conversation, day)

    def _said_condition(self, text: str, conversation: Conversation, day: date) -> Reply | None:
        """In the guided way, an answer in the person's own words ("没升级", "21年的")."""
        from bot.steps.answering import remember
        from bot.understanding.slots import find_slots

        slots = find_slots(
            text if "批" in text else f"{text}批",
            self._pack.lexicon,
            self._pack.eligibility,
            self._pack.info.year,
            conversation.profile.conditions,
        )
        plain = find_slots(
            text, self._pack.lexicon, self._pack.eligibility, self._pack.info.year, conversation.profile.conditions
        )
        wanted = (conversation.pending or {}).get("condition")
        chosen = plain if plain.conditions else slots
        if wanted not in chosen.conditions:
            return None
        return self._guided(conversation, day, remember(conversation.profile, chosen))

    def _eligibility_value(self, condition_id: str, value: str, conversation: Conversation, day: date) -> Reply | None:
        condition = {c.id: c for c in self._pack.eligibility.conditions}.get(condition_id)
        if condition is None or not accepts(condition, value):
            return Reply(
                text=self._texts.render("replies.stale_choice"), status=Status.CLARIFY, choices=self._most_asked()
            )
        conversation.profile.conditions[condition_id] = value
        conversation.profile.said[condition_id] = next((c.label for c in condition.choices if c.value == value), value)
        return self._guided(conversation, day, frozenset({condition_id}))

    def _guided(self, conversation: Conversation, day: date, fresh: frozenset[str]) -> Reply:
        base = next(t for t in self._pack.topics.values() if t.engine == "eligibility")
        topic = Topic(
            id=base.id,
            title=base.title,
            kind=TopicKind.ANSWER,
            subject=base.subject,
            aspect=base.aspect,
            engine="eligibility",
            params={"guided": "yes"},
            next=base.next,
            samples=base.samples,
        )
        said = fresh | frozenset(conversation.profile.conditions)
        answer = eligibility(Ask("", day, conversation.profile, topic, said), self._book(day))
        conversation.last_topics, conversation.last_question = (base.id,), base.samples[0]
        return self._reply(answer, conversation, (base.id,))

    def _memory(self, conversation: Conversation, day: date) -> Reply:
        profile, lexicon, render = conversation.profile, self._pack.lexicon, self._texts.render
        lines = []
        if profile.role:
            lines.append(render("replies.memory.role", value=lexicon.role_labels[profile.role]))
        if profile.unit_type:
            lines.append(render("replies.memory.unit_type", value=lexicon.unit_labels[profile.unit_type]))
        for condition in self._pack.eligibility.conditions:
            if value := profile.conditions.get(condition.id):
                label = (
                    shown(self._pack, self._book(day), value)
                    if condition.id == "batch"
                    else profile.said.get(condition.id, value)
                )
                lines.append(render("replies.memory.condition", title=condition.title, value=label))
        for name, figure in profile.figures.items():
            indicator = lexicon.indicators[name]
            lines.append(
                render(
                    "replies.memory.figure",
                    title=indicator.title,
                    value=say(figure.value, indicator.unit, self._book(day)),
                )
            )
        text = render("replies.memory.shown", lines=lines) if lines else render("replies.memory.nothing")
        return Reply(text=text, status=Status.CHITCHAT, choices=self._most_asked())

    def _calendar_reply(self, message: Message, conversation: Conversation) -> Reply:
        content = self._calendar(self._pack, conversation.profile.role, message.at)
        file = Attachment(filename=f"{self._pack.info.id}.ics", media_type="text/calendar", content=content)
        return Reply(text=self._texts.render("replies.calendar"), status=Status.ANSWERED, attachments=(file,))

    def _most_asked(self) -> tuple[Choice, ...]:
        return tuple(Choice(**c) for c in self._texts.get("replies.most_asked"))

    def _book(self, day: date) -> Book:
        return Book(self._pack, self._texts, day)

    def _reply(self, answer: Answer, conversation: Conversation, topics: tuple[str, ...] = ()) -> Reply:
        conversation.pending = dict(answer.pending) if answer.pending else None
        return Reply(
            text=answer.text, status=answer.status, citations=answer.citations, choices=answer.choices, topics=topics
        )
