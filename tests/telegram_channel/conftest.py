"""The emulator, and a channel running against it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.channels.telegram.service import running
from knowledge.loading import Pack
from tests.telegram_channel.stub import QUICK, World, clock, world
from tests.telegram_emulator import Emulator


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy between the bot and the emulator."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A Bot API server."""
    async with Emulator().serve() as served:
        yield served


@pytest.fixture
async def made(emulator: Emulator, tmp_path: Path, pack: Pack) -> AsyncIterator[World]:
    """A service with the made-up assistant; the channel does not run yet."""
    async with world(tmp_path, emulator.url, pack) as opened:
        yield opened


@pytest.fixture
async def polled(made: World) -> AsyncIterator[World]:
    """The channel polls."""
    async with running(made.service, now=clock, pace=QUICK) as channel:
        assert channel is not None
        await channel.connected.wait()
        yield made
