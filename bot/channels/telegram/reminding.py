"""Reminders of the milestones of a person's role: asked for, stopped by one word, sent once, never too late."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.conversation import Conversation
from bot.engines.base import Book
from bot.messages import Choice, Reply, Status
from bot.settings import zone
from bot.store import NewReminder, Reminder, StoreError
from bot.texts import short_date, weekday
from knowledge.milestones import for_role
from knowledge.pack import Milestone, Role

if TYPE_CHECKING:
    from bot.bootstrap import Service
    from knowledge.loading import Pack

log = logging.getLogger(__name__)
_MARKS = (("3d", 3, time(9)), ("1d", 1, time(9)), ("morning", 0, time(8)))
"""Name, days before the day, and the local time of each reminder of a milestone."""


def events(pack: Pack) -> frozenset[str]:
    """Milestones that are waited for rather than done (the topics say so): what counts is the first day."""
    found: set[str] = set()
    for topic in pack.topics.values():
        if topic.params.get("event"):
            named = topic.params.get("milestones", ())
            found.update([named] if isinstance(named, str) else named)
    return frozenset(found)


def target(milestone: Milestone, waited_for: frozenset[str]) -> date:
    """The day that a reminder leads up to."""
    return milestone.opens if milestone.id in waited_for and milestone.opens else milestone.closes


def schedule(
    milestones: Sequence[Milestone], role: Role, now: datetime, tz: ZoneInfo, waited_for: frozenset[str] = frozenset()
) -> list[NewReminder]:
    """The reminders still to come for a role: three days and one day before each milestone, and on its morning.

    Each expires when the next one is due, the last one with the day itself: nobody is told the same
    twice after a standstill, and nobody after the deadline.
    """
    found = []
    for milestone in for_role(milestones, role):
        day = target(milestone, waited_for)
        due = [datetime.combine(day - timedelta(days=before), at, tz) for _, before, at in _MARKS]
        ends = [*due[1:], datetime.combine(day + timedelta(days=1), time(), tz)]
        for (mark, _, _), at, end in zip(_MARKS, due, ends, strict=True):
            if at > now:
                found.append(NewReminder(milestone.id, mark, at, end, role.value))
    return found


class Reminding:
    """Turns about reminders, and the words of a reminder."""

    def __init__(self, service: Service, now: Callable[[], datetime]) -> None:
        self._service = service
        self._store = service.store
        self._texts = service.texts
        self._now = now
        self._zone = zone(service.pack.info.time_zone)
        self._on = re.compile(str(self._texts.get("telegram.remind.asks")))
        self._off = frozenset(str(w) for w in self._texts.get("telegram.remind.stops"))

    @property
    def _pack(self) -> Pack:
        return self._service.pack  # the one that is served now; knowledge may be loaded anew

    @property
    def _events(self) -> frozenset[str]:
        return events(self._pack)

    def asked(self, text: str) -> str | None:
        """ "r:on" or "r:stop" where a message, normalised, asks for reminders or for their end."""
        plain = text.strip(" 。.!?,，！？")
        if plain in self._off:
            return "r:stop"
        return "r:on" if self._on.search(plain) else None

    def wants(self, text: str) -> bool:
        """Whether a message is about reminders."""
        return self.asked(text) is not None

    async def stop(self, conversation_id: str) -> int:
        """Stop all; how many were to come."""
        return await self._store.reminders.stop(conversation_id)

    async def reply(self, conversation: Conversation, choice: str) -> Reply:
        """The reply to "r:on", "r:stop", "r:applicant", "r:officer"; remembers the role."""
        word = choice.removeprefix("r:")
        if word == "stop":
            count = await self.stop(conversation.id)
            return self._said(
                "stopped" if count else "none",
                (Choice(label=self._texts.render("telegram.remind.again"), value="r:on"),),
            )
        if word in set(Role):
            conversation.profile.role = Role(word)
            conversation.profile.said["role"] = self._pack.lexicon.role_labels[Role(word)]
            await self.stop(conversation.id)
        role = conversation.profile.role
        if role is None:
            labels = self._pack.lexicon.role_labels
            return self._said("which", tuple(Choice(label=labels[r], value=f"r:{r.value}") for r in Role))
        now = self._now()
        coming = schedule(self._pack.facts.milestones, role, now, self._zone, self._events)
        if not coming:
            return self._said("over", ())
        await self._store.reminders.subscribe(conversation.id, coming)
        named = {r.milestone for r in coming}
        items = [
            {"title": m.title, "day": short_date(target(m, self._events)), "weekday": weekday(target(m, self._events))}
            for m in for_role(self._pack.facts.milestones, role)
            if m.id in named
        ]
        other = Role.OFFICER if role is Role.APPLICANT else Role.APPLICANT
        choices = (
            Choice(label=self._texts.render("telegram.remind.stop"), value="r:stop"),
            Choice(
                label=self._texts.render("telegram.remind.other", role=self._pack.lexicon.role_labels[other]),
                value=f"r:{other.value}",
            ),
        )
        return self._said("on", choices, role=self._pack.lexicon.role_labels[role], items=items)

    async def words(self, reminder: Reminder) -> Reply | None:
        """What a due reminder says today; None where its milestone is gone from the pack, or past."""
        milestone = next((m for m in self._pack.facts.milestones if m.id == reminder.milestone), None)
        if milestone is None:
            return None
        today = self._now().astimezone(self._zone).date()
        day = target(milestone, self._events)
        if today > day:
            return None
        draft = await self._store.forms.draft(reminder.conversation_id)
        missing = draft.total - draft.done if draft is not None else None
        text = self._texts.render(
            "telegram.remind.due",
            title=milestone.title,
            duty=milestone.duty,
            day=short_date(day),
            weekday=weekday(day),
            days=(day - today).days,
            event=milestone.id in self._events,
            where=milestone.where,
            missing=missing,
        )
        book = Book(self._pack, self._texts, today)
        book.use(milestone)
        choices = (Choice(label=self._texts.render("telegram.remind.stop"), value="r:stop"),)
        return Reply(text=text, status=Status.ANSWERED, choices=choices, citations=book.citations())

    def _said(self, key: str, choices: tuple[Choice, ...], **values: object) -> Reply:
        return Reply(
            text=self._texts.render(f"telegram.remind.{key}", **values), status=Status.CHITCHAT, choices=choices
        )


async def send_due(reminding: Reminding, service: Service, worker: str, now: Callable[[], datetime]) -> int:
    """Put what is due into the outbox, each once whichever process gets to it; how many."""
    count = 0
    for reminder in await service.store.reminders.claim(worker, now=now()):
        reply = await reminding.words(reminder)
        if reply is not None and await service.store.reminders.send(reminder, reply, worker, now()):
            count += 1
    return count


async def keep_reminding(service: Service, worker: str, now: Callable[[], datetime], every: float) -> None:
    """Send what is due, for ever."""
    reminding = Reminding(service, now)
    while True:
        try:
            await send_due(reminding, service, worker, now)
        except StoreError as error:
            log.warning("Telegram: reminders wait: %s", error.key)
        await asyncio.sleep(every)
