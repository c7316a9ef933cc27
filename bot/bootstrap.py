"""Wiring: the only place that picks concrete classes. Tests call it too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from bot.assistant import Assistant, Keeper, Step
from bot.looking import Looking
from bot.messages import Message
from bot.settings import Settings, zone
from bot.steps.answering import Answering
from bot.steps.commanding import Commanding
from bot.steps.escalating import Escalating
from bot.steps.promoted import Promoted
from bot.steps.staff_thread import Says, StaffThread
from bot.texts import Texts
from bot.understanding.understand import Understander
from knowledge.encoder import Encoder, load_encoder
from knowledge.finding import Finder, clean, cleaner, load_calibration, open_finder, records_of
from knowledge.loading import Pack, load_pack
from knowledge.pack import Role

if TYPE_CHECKING:
    from bot.store import Store


@dataclass(frozen=True)
class Knowledge:
    """A pack with everything that finds in it."""

    pack: Pack
    encoder: Encoder
    finder: Finder
    understander: Understander


def load_knowledge(settings: Settings, pack: Pack | None = None) -> Knowledge:
    """Load the pack, the encoder and the index (brought in step first). Raises PackError or EncoderError."""
    pack = pack or load_pack(settings.pack)
    encoder = load_encoder(settings.embedding_model)
    corrector = cleaner(pack)
    finder = open_finder(records_of(pack, corrector), encoder, settings.data_dir, settings.chroma_url)
    understander = Understander(
        pack, finder.model, load_calibration(pack), encoder.encode_queries, finder.lexical,
        lambda text: clean(text, corrector),
    )
    return Knowledge(pack, encoder, finder, understander)


def _calendar(pack: Pack, role: Role | None, now: datetime) -> bytes:
    from bot.exports.calendar import calendar
    from bot.texts import texts

    return calendar(pack.facts.milestones, role, now, texts(), pack.info.id)


def make_looking(knowledge: Knowledge) -> Looking:
    """Looks questions up for the queue and the console."""
    return Looking(knowledge.pack, knowledge.finder, knowledge.encoder, load_calibration(knowledge.pack))


def make_assistant(
    knowledge: Knowledge, keeper: Keeper, texts: Texts, promoted: Promoted | None = None, says: Says | None = None
) -> Assistant:
    """The assistant with its steps, in order.

    Args:
        promoted: What staff answered and put into use; None: nothing is.
        says: Takes what a person says to staff; None: there is no staff.
    """
    pack = knowledge.pack
    time_zone = zone(pack.info.time_zone)

    def day(message: Message) -> date:
        return message.at.astimezone(time_zone).date()

    answering = Answering(pack, texts, lambda: knowledge.understander, day, promoted)
    steps: tuple[Step, ...] = (
        *((StaffThread(texts, says),) if says else ()),
        Commanding(pack, texts, answering, day, _calendar),
        answering,
        Escalating(pack, texts, day),
    )
    return Assistant(steps, keeper, texts)


@dataclass(frozen=True)
class Service:
    """Everything that a process of the assistant holds open; channels and the console are given one."""

    settings: Settings
    knowledge: Knowledge
    texts: Texts
    store: Store
    assistant: Assistant
    looking: Looking
    promoted: Promoted

    @property
    def pack(self) -> Pack:
        """The pack that is served."""
        return self.knowledge.pack


@asynccontextmanager
async def open_service(settings: Settings, texts: Texts, *, knowledge: Knowledge | None = None, now: Now | None = None) -> AsyncIterator[Service]:
    """Open the knowledge and the store, and close them at the end.

    Raises:
        PackError, EncoderError, StoreError: Something cannot be opened; the message says what would help.
    """
    from bot.keeping import StoreKeeper
    from bot.store import Refused, Source, Store, Vault

    loaded: Knowledge = knowledge or await asyncio.to_thread(load_knowledge, settings)
    key = settings.encryption_key.get_secret_value() if settings.encryption_key else None
    store = await Store.open(settings.database, Vault(key, settings.data_dir / "secret.key"), now)
    try:
        looking = make_looking(loaded)
        time_zone = zone(loaded.pack.info.time_zone)
        promoted = Promoted(
            texts, loaded.pack.topics, lambda: store.conversations.knowledge_revision, store.knowledge.answering,
            looking.encode, lambda: looking.answer_bar, looking.nearest_topics,
        )

        async def says(number: str, conversation_id: str, text: str, at: datetime) -> bool:
            try:
                await store.tickets.asker_says(number, conversation_id, text, at)
            except Refused:
                return False
            return True

        keeper = StoreKeeper(
            store, looking, lambda message: message.at.astimezone(time_zone).date(),
            lambda reply: [Source("promoted", topic, version) for topic, version in promoted.versions(reply)],
        )
        assistant = make_assistant(loaded, keeper, texts, promoted, says)
        yield Service(settings, loaded, texts, store, assistant, looking, promoted)
    finally:
        await store.close()


Now = Callable[[], datetime]
