"""A made-up assistant for tests whose promise is about the channel: real store and turns, one step that echoes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bot.assistant import Assistant
from bot.bootstrap import Service
from bot.channels.telegram.pace import Pace
from bot.conversation import Conversation
from bot.keeping import StoreKeeper
from bot.live import LiveKnowledge
from bot.messages import Attachment, Choice, Citation, Message, Progress, Reply, Status
from bot.settings import Settings
from bot.store import Store, Vault
from bot.texts import texts
from knowledge.loading import Pack, load_pack
from tests.telegram_emulator.server import TOKEN

NOW = datetime(2026, 3, 30, 2, 0, tzinfo=UTC)
QUICK = Pace(
    poll=1,
    read=2.0,
    typing_after=0.05,
    typing_every=0.1,
    first_pause=0.05,
    longest_pause=0.2,
    direct=1.5,
    webhook=3,
    reorder=0.2,
    outbox=0.05,
    bulk_gap=0,
    reminders=0.1,
    goodbye=1,
)


_BEGUN = time.monotonic()


def clock() -> datetime:
    """A made-up day on which time passes as usual."""
    return NOW + timedelta(seconds=time.monotonic() - _BEGUN)


@dataclass
class Echo:
    """Answers what is typed; some words do something more. Remembers what it was asked."""

    asked: list[Message] = field(default_factory=list)
    together: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(50))

    async def __call__(self, message: Message, conversation: Conversation) -> Reply | None:
        self.asked.append(message)
        said = message.choice or message.text
        if said == "慢":
            await asyncio.sleep(0.4)
        if said == "一起":
            async with asyncio.timeout(30):
                await self.together.wait()
        if said == "坏":
            raise ValueError("broken on purpose")
        if said == "填表":
            return Reply(
                text="请填中心名称：",
                status=Status.FORM,
                progress=Progress(form="centre", section="一", done=0, total=3),
            )
        if said == "文件":
            file = Attachment(filename="日历.ics", media_type="text/calendar", content=b"BEGIN:VCALENDAR")
            return Reply(text="见附件", status=Status.ANSWERED, attachments=(file,))
        if said == "回执":
            file = Attachment(filename="回执.docx", media_type="application/x", content=b"PK")
            return Reply(text="已提交", status=Status.FORM, attachments=(file,))
        if said == "选":
            return Reply(
                text="哪一个？",
                status=Status.CLARIFY,
                choices=(Choice(label="企业", value="e:kind:company"), Choice(label="高校", value="e:kind:university")),
            )
        if said == "长":
            once = (Choice(label="企业", value="e:kind:company"),)
            return Reply(text="条<款。" * 2500, status=Status.ANSWERED, choices=once)
        if said == "依据":
            cited = Citation(
                document="关于开展评价的通知",
                clause="四（一）",
                text="单位自评（3月26日-4月7日）。<甲&乙>",
                quote="3月26日-4月7日",
                clause_id="notice:四（一）",
            )
            return Reply(text="**4月7日**截止，<b>不是</b>标签 & 符号", status=Status.ANSWERED, citations=(cited,))
        return Reply(text=f"第{len(conversation.turns) + 1}条：{said}", status=Status.ANSWERED)


@dataclass
class World:
    """A service with a made-up assistant, and its parts."""

    service: Service
    echo: Echo
    store: Store
    now: Any


@asynccontextmanager
async def world(
    folder: Path,
    api: str,
    pack: Pack | None = None,
    *,
    webhook: str | None = None,
    token: str = TOKEN,
    now: Callable[[], datetime] = clock,
) -> AsyncIterator[World]:
    """Open it over a data folder."""
    settings = Settings(
        data_dir=folder,
        telegram_bot_token=token,
        telegram_api_base_url=api,  # type: ignore[call-arg]
        telegram_webhook_url=webhook,
        _env_file=None,
    )
    store = await Store.open(settings.database, Vault(path=folder / "secret.key"), now)
    echo = Echo()
    assistant = Assistant((echo,), StoreKeeper(store), texts())
    knowledge: Any = SimpleNamespace(pack=pack or load_pack("qingdao-tic-2026"))
    unused: Any = SimpleNamespace()  # what finds and promotes knowledge; the channel asks nothing of it
    service = Service(
        settings=settings,
        live=LiveKnowledge(knowledge),
        texts=texts(),
        store=store,
        assistant=assistant,
        looking=unused,
        promoted=unused,
    )
    try:
        yield World(service, echo, store, now)
    finally:
        await store.close()
