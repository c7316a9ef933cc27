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
from bot.looking import Looking
from bot.messages import Attachment, Message, Reply
from bot.settings import Settings, SettingsError, zone
from bot.steps.answering import Answering
from bot.steps.commanding import Commanding
from bot.steps.escalating import Escalating
from bot.steps.filling import Filling
from bot.steps.filling.tools import Confident, Tools
from bot.steps.filling.words import Words
from bot.steps.promoted import Promoted
from bot.steps.staff_thread import Says, StaffThread
from bot.texts import Texts
from bot.understanding.understand import Decision, Understander
from knowledge.encoder import Encoder, load_encoder
from knowledge.finding import Finder, clean, cleaner, load_calibration, open_finder, records_of
from knowledge.loading import Pack, load_pack
from knowledge.pack import Role

if TYPE_CHECKING:
    from bot.llm.budget import Budget
    from bot.llm.model import ChatModel
    from bot.store import Store


@dataclass(frozen=True)
class Knowledge:
    """A pack with everything that finds in it."""

    pack: Pack
    encoder: Encoder
    finder: Finder
    understander: Understander
    forms: FormLibrary


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
    return Knowledge(pack, encoder, finder, understander, load_forms(pack.folder, pack.clauses))


def _calendar(pack: Pack, role: Role | None, now: datetime) -> bytes:
    from bot.exports.calendar import calendar
    from bot.texts import texts

    return calendar(pack.facts.milestones, role, now, texts(), pack.info.id)


def make_looking(knowledge: Knowledge) -> Looking:
    """Looks questions up for the queue and the console."""
    return Looking(knowledge.pack, knowledge.finder, knowledge.encoder, load_calibration(knowledge.pack))


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
        raise SettingsError(f"LLM_MODEL={settings.llm_model}: {error.detail}; expected for example openai:qwen-plus") from error
    return LLM(model, Budget(settings.llm_turn_budget, settings.llm_daily_budget), settings.llm_timeout)


def _with_llm(answering: Answering, llm: LLM, knowledge: Knowledge, texts: Texts, day: Callable[[Message], date]) -> Step:
    from bot.llm.answering import LLMAnswering

    return LLMAnswering(answering, llm.model, llm.budget, lambda: knowledge.understander, knowledge.pack, texts, day, llm.limit)


def make_filling(
    pack: Pack, forms: FormLibrary, desk: Desk, texts: Texts, day: Callable[[Message], date], confident: Confident,
) -> Filling:
    """The step for forms; without an encoder where `confident` needs none."""

    def copy(submission: Submission, at: datetime) -> Attachment:
        from bot.exports import EXPORTERS
        from bot.exports.packing import pack_up

        (file,) = EXPORTERS["receipt"](pack_up(pack, forms, [submission], texts, at))
        return Attachment(filename=file.name, media_type=file.media_type, content=file.content)

    async def copied(submission: Submission, at: datetime) -> Attachment:
        return await asyncio.to_thread(copy, submission, at)

    return Filling(Tools(pack, forms, desk, texts, Words(texts), day, confident, copied))


def make_assistant(
    knowledge: Knowledge, keeper: Keeper, texts: Texts, desk: Desk | None = None, llm: LLM | None = None,
    promoted: Promoted | None = None, says: Says | None = None,
) -> Assistant:
    """The assistant with its steps, in order.

    Without a `desk`, forms are kept in memory; with `llm`, answers are understood and worded with a model; with `promoted`, what staff
    answered comes first; with `says`, what a person says to staff reaches them.
    """
    from bot.desk import MemoryDesk

    pack = knowledge.pack
    time_zone = zone(pack.info.time_zone)

    def day(message: Message) -> date:
        return message.at.astimezone(time_zone).date()

    answering = Answering(pack, texts, lambda: knowledge.understander, day, promoted)

    async def confident(message: Message, conversation: Conversation) -> bool:
        understand = knowledge.understander.understand
        found = await asyncio.to_thread(understand, message.text, conversation, day(message))
        return found.decision is Decision.ANSWER

    filling = make_filling(pack, knowledge.forms, desk or MemoryDesk(), texts, day, confident)
    async def before_the_model(message: Message, conversation: Conversation) -> Reply | None:
        """With a model, too, what staff answered comes first."""
        if promoted is None or message.choice or not (await promoted.shelf(day(message))).answers:
            return None
        understand = knowledge.understander.understand
        found = await asyncio.to_thread(understand, message.text, conversation, day(message))
        return await promoted.reply(found, conversation, day(message))

    steps: tuple[Step, ...] = (
        *((StaffThread(texts, says),) if says else ()),
        Commanding(pack, texts, answering, day, _calendar),
        filling,
        *((before_the_model,) if llm else ()),
        answering if llm is None else _with_llm(answering, llm, knowledge, texts, day),
        Escalating(pack, texts, day),
    )
    return Assistant(steps, keeper, texts, filling.after)


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
    from bot.desk import StoreDesk
    from bot.keeping import StoreKeeper
    from bot.store import Refused, Source, Store, Vault

    loaded = knowledge if knowledge is not None else await asyncio.to_thread(load_knowledge, settings)
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
        assistant = make_assistant(loaded, keeper, texts, StoreDesk(store), open_llm(settings), promoted, says)
        yield Service(settings, loaded, texts, store, assistant, looking, promoted)
    finally:
        await store.close()


Now = Callable[[], datetime]
