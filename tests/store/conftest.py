"""Stores for the tests: SQLite always, PostgreSQL where QTIC_TEST_POSTGRES holds an address."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.conversation import Turn
from bot.messages import Reply, Status
from bot.store import Store, Vault
from bot.store.database import address

NOW = datetime(2026, 3, 30, 1, 0, tzinfo=UTC)
POSTGRES = os.environ.get("QTIC_TEST_POSTGRES", "")

BACKENDS = [
    "sqlite",
    "memory",
    pytest.param("postgres", marks=pytest.mark.skipif(not POSTGRES, reason="QTIC_TEST_POSTGRES not set")),
]

Open = Callable[[], Awaitable[Store]]


@pytest.fixture(params=BACKENDS)
async def opener(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a store on one fresh database and key, as often as wanted, as several processes would."""
    url = {"sqlite": f"sqlite:///{tmp_path}/data/qtic.db", "memory": "sqlite://", "postgres": POSTGRES}[request.param]
    if request.param == "postgres":
        await empty_postgres()
    opened: list[Store] = []

    async def open_one() -> Store:
        store = await Store.open(url, Vault(path=tmp_path / "data" / "secret.key"), lambda: NOW)
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(opener: Open) -> Store:
    """A fresh store."""
    return await opener()


async def empty_postgres() -> None:
    """Drop everything in the test database."""
    engine = create_async_engine(address(POSTGRES))
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()


def turn(said: str = "自评截止到哪天？", replied: str = "3月25日。", **more: object) -> Turn:
    """A made-up turn."""
    reply = Reply(text=replied, status=Status.ANSWERED, **more)  # type: ignore[arg-type]
    return Turn(at=NOW, text=said, reply=reply)
