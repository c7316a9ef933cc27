"""Wiring: the only place that picks concrete classes. Tests call it too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from bot.assistant import Assistant, Keeper
from bot.live import LiveKnowledge
from bot.messages import Message
from bot.settings import Settings, zone
from bot.steps.answering import Answering
from bot.steps.commanding import Commanding
from bot.steps.escalating import Escalating
from bot.steps.following import Following
from bot.steps.quoting import Quoting
from bot.texts import Texts, texts as all_texts
from bot.understanding.understand import Understander
from knowledge.documents import Library, with_documents
from knowledge.encoder import Encoder, load_encoder
from knowledge.finding import Finder, clean, cleaner, clause_records, load_calibration, open_finder, sample_records
from knowledge.index import Record
from knowledge.loading import Pack, load_pack
from knowledge.pack import Role
from knowledge.quoting import ClauseFinder, Words

if TYPE_CHECKING:
    from bot.store import Store


@dataclass(frozen=True)
class Knowledge:
    """A pack with everything that finds in it.

    Attributes:
        pack: With the documents that the operator brought in; `base`: without.
        samples: The records of the topics' sample questions, for loading again after a change of documents.
        quotes: Finds clauses where topics do not answer.
        revision: Of the library that `pack` holds.
    """

    pack: Pack
    encoder: Encoder
    finder: Finder
    understander: Understander
    base: Pack
    samples: tuple[Record, ...]
    quotes: ClauseFinder
    revision: object = None


def load_knowledge(settings: Settings, pack: Pack | None = None) -> Knowledge:
    """Load the pack, the documents brought in, the encoder and the index (brought in step first).

    Raises:
        PackError, LibraryError, EncoderError: The message says what would help.
    """
    base = pack or load_pack(settings.pack)
    encoder = load_encoder(settings.embedding_model)
    return _assembled(settings, base, encoder, tuple(sample_records(base, cleaner(base))))


def reload_knowledge(settings: Settings, old: Knowledge) -> Knowledge:
    """The same pack with the documents as they are now; the topics' records and the encoder are used again."""
    return _assembled(settings, old.base, old.encoder, old.samples)


def _assembled(settings: Settings, base: Pack, encoder: Encoder, samples: tuple[Record, ...]) -> Knowledge:
    library = Library(settings.data_dir, base.info.id)
    # Taken first: a change during the loading is seen as one more change.
    revision = library.revision()
    pack = with_documents(base, library.load())
    corrector = cleaner(pack)
    calibration = load_calibration(pack)
    finder = open_finder([*clause_records(pack), *samples], encoder, settings.data_dir, settings.chroma_url)
    understander = Understander(
        pack, finder.model, calibration, encoder.encode_queries, finder.lexical, lambda text: clean(text, corrector),
    )
    quotes = ClauseFinder(pack, finder.index, calibration.clauses, encoder.encode_queries, quoting_words())
    return Knowledge(pack, encoder, finder, understander, base, samples, quotes, revision)


def quoting_words() -> Words:
    """How people name a document and ask for its content."""
    said = all_texts().get("documents.words")
    return Words(tuple(said["bare"]), tuple(said["asking"]))


def live_knowledge(settings: Settings, loaded: Knowledge) -> LiveKnowledge[Knowledge]:
    """Knowledge that follows the library: a document added by any process answers from the next turn on."""
    return LiveKnowledge(loaded, Library(settings.data_dir, loaded.base.info.id).revision,
                         lambda old: reload_knowledge(settings, old), lambda k: k.revision)


def _calendar(pack: Pack, role: Role | None, now: datetime) -> bytes:
    from bot.exports.calendar import calendar
    from bot.texts import texts

    return calendar(pack.facts.milestones, role, now, texts(), pack.info.id)


def make_assistant(knowledge: Knowledge | LiveKnowledge[Knowledge], keeper: Keeper, texts: Texts) -> Assistant:
    """The assistant with its steps, in order. Given live knowledge, it follows the changes of documents."""
    live = knowledge if isinstance(knowledge, LiveKnowledge) else LiveKnowledge(knowledge)
    pack = live.current.pack
    time_zone = zone(pack.info.time_zone)

    def day(message: Message) -> date:
        return message.at.astimezone(time_zone).date()

    quoting = Quoting(lambda: live.current.quotes, texts)
    answering = Answering(lambda: live.current.pack, texts, lambda: live.current.understander, day, quoting)
    steps = (
        Following(live.follow),
        Commanding(pack, texts, answering, day, _calendar),
        answering,
        Escalating(pack, texts, day),
    )
    return Assistant(steps, keeper, texts)


@dataclass(frozen=True)
class Service:
    """Everything that a process of the assistant holds open; channels and the console are given one."""

    settings: Settings
    live: LiveKnowledge[Knowledge]
    texts: Texts
    store: Store
    assistant: Assistant

    @property
    def knowledge(self) -> Knowledge:
        """What is answered from now; ask again for each use, it is replaced when documents change."""
        return self.live.current

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
    from bot.store import Store, Vault

    loaded = knowledge if knowledge is not None else await asyncio.to_thread(load_knowledge, settings)
    live = live_knowledge(settings, loaded)
    key = settings.encryption_key.get_secret_value() if settings.encryption_key else None
    store = await Store.open(settings.database, Vault(key, settings.data_dir / "secret.key"), now)
    try:
        yield Service(settings, live, texts, store, make_assistant(live, StoreKeeper(store), texts))
    finally:
        await live.close()
        await store.close()


Now = Callable[[], datetime]
