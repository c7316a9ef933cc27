"""Wiring: the only place that picks concrete classes. Tests call it too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from bot.assistant import Assistant, Keeper, Step
from bot.conversation import Conversation
from bot.forms.definition import FormLibrary
from bot.forms.drafts import Desk, Submission
from bot.forms.loading import load_forms
from bot.live import LiveKnowledge
from bot.looking import Looking
from bot.messages import Attachment, Message
from bot.settings import Settings, SettingsError, zone
from bot.steps.answering import Answering
from bot.steps.commanding import Commanding
from bot.steps.escalating import Escalating
from bot.steps.filling import Filling
from bot.steps.filling.tools import Confident, Tools
from bot.steps.filling.words import Words as FillingWords
from bot.steps.following import Following
from bot.steps.promoted import Promoted
from bot.steps.quoting import Quoting
from bot.steps.staff_thread import Says, StaffThread
from bot.texts import Texts
from bot.texts import texts as all_texts
from bot.understanding.understand import Decision, Understander
from knowledge.documents import Library, with_documents
from knowledge.encoder import Encoder, load_encoder
from knowledge.finding import Finder, clause_records, clean, cleaner, load_calibration, open_finder, sample_records
from knowledge.index import Record
from knowledge.loading import Pack, load_pack
from knowledge.pack import Role
from knowledge.quoting import ClauseFinder, Words

if TYPE_CHECKING:
    from bot.llm.budget import Budget
    from bot.llm.model import ChatModel
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
    forms: FormLibrary
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
        pack,
        finder.model,
        calibration,
        encoder.encode_queries,
        finder.lexical,
        lambda text: clean(text, corrector),
    )
    quotes = ClauseFinder(pack, finder.index, calibration.clauses, encoder.encode_queries, quoting_words())
    return Knowledge(
        pack, encoder, finder, understander, load_forms(pack.folder, pack.clauses), base, samples, quotes, revision
    )


def quoting_words() -> Words:
    """How people name a document and ask for its content."""
    said = all_texts().get("documents.words")
    return Words(tuple(said["bare"]), tuple(said["asking"]))


def live_knowledge(settings: Settings, loaded: Knowledge) -> LiveKnowledge[Knowledge]:
    """Knowledge that follows the library: a document added by any process answers from the next turn on."""
    return LiveKnowledge(
        loaded,
        Library(settings.data_dir, loaded.base.info.id).revision,
        lambda old: reload_knowledge(settings, old),
        lambda k: k.revision,
    )


def _calendar(pack: Pack, role: Role | None, now: datetime) -> bytes:
    from bot.exports.calendar import calendar
    from bot.texts import texts

    return calendar(pack.facts.milestones, role, now, texts(), pack.info.id)


@dataclass(frozen=True)
class LLM:
    """A chat model with what it may cost."""

    model: ChatModel
    budget: Budget
    limit: float


def open_llm(settings: Settings) -> LLM | None:
    """The chat model of the settings; None where none is set. Nothing of langchain's models is imported then.

    Raises SettingsError where the model's provider is not known or its package is not installed.
    """
    if not settings.llm_model:
        return None
    from bot.llm.budget import Budget
    from bot.llm.errors import LLMError
    from bot.llm.model import open_model

    try:
        model = open_model(settings)
    except LLMError as error:
        raise SettingsError(
            f"LLM_MODEL={settings.llm_model}: {error.detail}; expected for example openai:qwen-plus"
        ) from error
    return LLM(model, Budget(settings.llm_turn_budget, settings.llm_daily_budget), settings.llm_timeout)


def make_filling(
    pack: Pack,
    forms: FormLibrary,
    desk: Desk,
    texts: Texts,
    day: Callable[[Message], date],
    confident: Confident,
) -> Filling:
    """The step for forms; without an encoder where `confident` needs none."""

    def copy(submission: Submission, at: datetime) -> Attachment:
        from bot.exports import EXPORTERS
        from bot.exports.packing import pack_up

        (file,) = EXPORTERS["receipt"](pack_up(pack, forms, [submission], texts, at))
        return Attachment(filename=file.name, media_type=file.media_type, content=file.content)

    async def copied(submission: Submission, at: datetime) -> Attachment:
        return await asyncio.to_thread(copy, submission, at)

    return Filling(Tools(pack, forms, desk, texts, FillingWords(texts), day, confident, copied))


def make_assistant(
    knowledge: Knowledge | LiveKnowledge[Knowledge],
    keeper: Keeper,
    texts: Texts,
    *,
    desk: Desk | None = None,
    llm: LLM | None = None,
    promoted: Promoted | None = None,
    says: Says | None = None,
) -> Assistant:
    """The assistant with its steps, in order.

    Args:
        knowledge: Given live, changes of the documents are followed.
        desk: Where forms are kept; None: in memory.
        llm: Answers are understood and worded with a model; None: without one.
        promoted: What staff answered and put into use; None: nothing is.
        says: Takes what a person says to staff; None: there is no staff.
    """
    from bot.desk import MemoryDesk

    live = knowledge if isinstance(knowledge, LiveKnowledge) else LiveKnowledge(knowledge)
    pack = live.current.pack
    time_zone = zone(pack.info.time_zone)

    def day(message: Message) -> date:
        return message.at.astimezone(time_zone).date()

    async def confident(message: Message, conversation: Conversation) -> bool:
        understand = live.current.understander.understand
        found = await asyncio.to_thread(understand, message.text, conversation, day(message))
        return found.decision is Decision.ANSWER

    quoting = Quoting(lambda: live.current.quotes, texts)
    answering = Answering(lambda: live.current.pack, texts, lambda: live.current.understander, day, quoting, promoted)

    filling = make_filling(pack, live.current.forms, desk or MemoryDesk(), texts, day, confident)
    steps: tuple[Step, ...] = (
        Following(live.follow),
        *((StaffThread(texts, says),) if says else ()),
        Commanding(pack, texts, answering, day, _calendar),
        filling,
        answering if llm is None else _with_llm(answering, llm, live, texts, day),
        Escalating(pack, texts, day),
    )
    return Assistant(steps, keeper, texts, filling.after)


def _with_llm(
    answering: Answering, llm: LLM, live: LiveKnowledge[Knowledge], texts: Texts, day: Callable[[Message], date]
) -> Step:
    from bot.llm.answering import LLMAnswering

    def understander() -> Understander:
        return live.current.understander

    def pack() -> Pack:
        return live.current.pack

    return LLMAnswering(answering, llm.model, llm.budget, understander, pack, texts, day, llm.limit)


@dataclass(frozen=True)
class Service:
    """Everything that a process of the assistant holds open; channels and the console are given one."""

    settings: Settings
    live: LiveKnowledge[Knowledge]
    texts: Texts
    store: Store
    assistant: Assistant
    looking: Looking
    promoted: Promoted

    @property
    def knowledge(self) -> Knowledge:
        """What is answered from now."""
        return self.live.current

    @property
    def pack(self) -> Pack:
        """The pack that is served."""
        return self.knowledge.pack


def make_looking(knowledge: Knowledge) -> Looking:
    """Looks questions up for the queue and the console."""
    return Looking(knowledge.pack, knowledge.finder, knowledge.encoder, load_calibration(knowledge.pack))


def _make_promoted(store: Store, looking: Looking, pack: Pack, texts: Texts) -> Promoted:
    return Promoted(
        texts,
        pack.topics,
        lambda: store.conversations.knowledge_revision,
        store.knowledge.answering,
        looking.encode,
        lambda: looking.answer_bar,
        looking.nearest_topics,
    )


def _make_says(store: Store) -> Says:
    from bot.store import Refused

    async def says(number: str, conversation_id: str, text: str, at: datetime) -> bool:
        try:
            await store.tickets.asker_says(number, conversation_id, text, at)
        except Refused:
            return False
        return True

    return says


def _make_keeper(store: Store, looking: Looking, promoted: Promoted, pack: Pack) -> Keeper:
    from bot.keeping import StoreKeeper
    from bot.store import Source

    time_zone = zone(pack.info.time_zone)
    return StoreKeeper(
        store,
        looking,
        lambda message: message.at.astimezone(time_zone).date(),
        lambda reply: [Source("promoted", topic, version) for topic, version in promoted.versions(reply)],
    )


@asynccontextmanager
async def open_service(
    settings: Settings, texts: Texts, *, knowledge: Knowledge | None = None, now: Now | None = None
) -> AsyncIterator[Service]:
    """Open the knowledge and the store, and close them at the end.

    Raises:
        PackError, LibraryError, EncoderError, StoreError: Something cannot be opened; the message says what would help.
    """
    from bot.desk import StoreDesk
    from bot.store import Store, Vault

    loaded = knowledge if knowledge is not None else await asyncio.to_thread(load_knowledge, settings)
    live = live_knowledge(settings, loaded)
    key = settings.encryption_key.get_secret_value() if settings.encryption_key else None
    store = await Store.open(settings.database, Vault(key, settings.data_dir / "secret.key"), now)
    llm: LLM | None = None
    try:
        looking = make_looking(loaded)
        promoted = _make_promoted(store, looking, loaded.pack, texts)
        llm = open_llm(settings)
        assistant = make_assistant(
            live,
            _make_keeper(store, looking, promoted, loaded.pack),
            texts,
            desk=StoreDesk(store),
            llm=llm,
            promoted=promoted,
            says=_make_says(store),
        )
        yield Service(settings, live, texts, store, assistant, looking, promoted)
    finally:
        if llm is not None:
            await llm.model.close()
        await live.close()
        await store.close()


Now = Callable[[], datetime]
