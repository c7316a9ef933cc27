"""Made up for tests: people who fill in forms, and an assistant of commands and forms alone (no encoder)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.assistant import Assistant
from bot.bootstrap import make_filling
from bot.conversation import Conversation
from bot.desk import StoreDesk
from bot.keeping import StoreKeeper
from bot.messages import Message, Reply, Status
from bot.store import Store, Vault
from bot.texts import Texts
from knowledge.loading import Pack, load_pack
from tests.forms_samples import FORMS, TEXTS

NOW = datetime(2026, 3, 30, 2, 0, tzinfo=UTC)
_ZONE = ZoneInfo("Asia/Shanghai")
_QUESTION = "什么时候截止"


def day(message: Message) -> date:
    """The day of a message in Qingdao."""
    return message.at.astimezone(_ZONE).date()


async def confident(message: Message, conversation: Conversation) -> bool:
    """Stands in for the encoder: one question is known."""
    return _QUESTION in message.text


async def answering(message: Message, conversation: Conversation) -> Reply | None:
    """Stands in for the answering step."""
    return Reply(text=f"答：{message.text or message.choice}", status=Status.ANSWERED)


def form_assistant(store: Store, pack: Pack, texts: Texts = TEXTS) -> Assistant:
    """An assistant whose steps are filling and an answer to everything else."""
    filling = make_filling(pack, FORMS, StoreDesk(store), texts, day, confident)
    return Assistant((filling, answering), StoreKeeper(store), texts, filling.after)


@asynccontextmanager
async def form_service(folder: Path, pack: Pack | None = None) -> AsyncIterator[tuple[Store, Assistant]]:
    """Store and assistant on a folder, as a process would open them."""
    store = await Store.open(f"sqlite:///{folder}/qtic.db", Vault(path=folder / "secret.key"), lambda: NOW)
    try:
        yield store, form_assistant(store, pack or load_pack("qingdao-tic-2026"))
    finally:
        await store.close()


@dataclass
class Person:
    """Somebody in a chat."""

    assistant: Assistant
    conversation: str = "c1"
    at: datetime = NOW
    replies: list[Reply] = field(default_factory=list)

    async def says(self, text: str, external_id: str | None = None) -> Reply:
        """Type a message."""
        return await self._send(text, None, external_id)

    async def presses(self, value: str) -> Reply:
        """Press a button, which must be on the last reply, by its value or the beginning of its value."""
        values = [c.value for c in self.replies[-1].choices]
        fits = [v for v in values if v == value] or [v for v in values if v.startswith(value)]
        assert fits, f"{value} is not among {values}"
        return await self._send("", fits[0], None)

    async def _send(self, text: str, choice: str | None, external_id: str | None) -> Reply:
        reply = await self.assistant.handle(Message(
            conversation_id=self.conversation, channel="test", text=text, at=self.at, choice=choice,
            external_id=external_id))  # fmt: skip
        assert all(len(c.value.encode()) <= 64 for c in reply.choices)
        self.replies.append(reply)
        return reply

    @property
    def last(self) -> str:
        """The last reply's text."""
        return self.replies[-1].text


def asked_title(reply: Reply) -> str:
    """The title of the field that a reply asks."""
    titles = re.findall(r"^\d+/\d+ · .*\n\*\*([^*]+)\*\*(?:（可以跳过）)?$", reply.text, re.MULTILINE)
    return titles[-1] if titles else ""
