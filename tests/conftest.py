"""What the tests share: the real pack, encoder and index, opened once; an assistant on memory; a fixed day."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from bot.assistant import Assistant
from bot.bootstrap import Knowledge, load_knowledge, make_assistant
from bot.keeping import MemoryKeeper
from bot.messages import Message, Reply
from bot.settings import Settings
from bot.texts import Texts, texts
from knowledge.loading import Pack, load_pack

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def pack() -> Pack:
    """The product's pack."""
    return load_pack("qingdao-tic-2026")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """A data folder kept between runs (the index takes a minute to build); never the operator's."""
    folder = Path(os.environ.get("QTIC_TEST_DATA", ROOT / ".pytest_cache" / "data"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def knowledge(pack: Pack, data_dir: Path) -> Knowledge:
    """The pack with its encoder and index."""
    return load_knowledge(Settings(data_dir=data_dir, _env_file=None), pack)  # type: ignore[call-arg]


@pytest.fixture(scope="session")
def all_texts() -> Texts:
    """Every text."""
    return texts()


@pytest.fixture
def assistant(knowledge: Knowledge, all_texts: Texts) -> Assistant:
    """A fresh assistant that keeps its conversations in memory."""
    return make_assistant(knowledge, MemoryKeeper(), all_texts)


Say = Callable[..., "object"]


@pytest.fixture
def at() -> Callable[[str], datetime]:
    """A day of 2026 at ten in the morning in Qingdao: at("03-30")."""
    return lambda day: datetime.fromisoformat(f"2026-{day}T10:00:00+08:00")


async def say(
    assistant: Assistant, text: str, when: datetime, *, conversation: str = "c1", choice: str | None = None
) -> Reply:
    """One message of a person, and the reply."""
    return await assistant.handle(
        Message(conversation_id=conversation, channel="test", text=text, at=when, choice=choice)
    )
