"""The web application on the real pack, index and database, at a fixed day, without and with a real server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from bot.bootstrap import Knowledge, Service, open_service
from bot.channels.web.app import create_app
from bot.channels.web.limits import Rates
from bot.settings import Settings
from bot.texts import texts

DAY = datetime.fromisoformat("2026-04-04T10:00:00+08:00")
WIDE = Rates(person_per_minute=100_000, address_per_minute=100_000, starts_per_minute=100_000)


class Clock:
    """Runs on from a fixed moment; `ahead` moves it."""

    def __init__(self, start: datetime = DAY) -> None:
        self.ahead = start - datetime.now(UTC)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, by: timedelta) -> None:
        self.ahead += by


def settings_in(folder: Path) -> Settings:
    """Settings that touch nothing but `folder`."""
    return Settings(data_dir=folder, _env_file=None)  # type: ignore[call-arg]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def service(knowledge: Knowledge, tmp_path: Path, clock: Clock) -> AsyncIterator[Service]:
    async with open_service(settings_in(tmp_path), texts(), knowledge=knowledge, now=clock) as opened:
        yield opened


@pytest.fixture
def app(service: Service, clock: Clock) -> FastAPI:
    return create_app(service, clock, rates=WIDE)


NewClient = Callable[[], httpx.AsyncClient]


@pytest.fixture
async def browser_like(app: FastAPI) -> AsyncIterator[NewClient]:
    """Makes clients that keep cookies, each another person."""
    async with contextlib.AsyncExitStack() as stack:
        opened: list[httpx.AsyncClient] = []

        def make() -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url="http://test", headers={"accept": "text/html"})
            opened.append(client)
            return client

        yield make
        for client in opened:
            await client.aclose()
        await stack.aclose()


@dataclass
class Person:
    """Somebody who uses the API with a token of their own."""

    id: str
    client: httpx.AsyncClient

    def at(self, path: str = "") -> str:
        return f"/api/v1/conversations/{self.id}{path}"

    async def say(self, text: str = "", choice: str | None = None, key: str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        body = {"choice": choice} if choice else {"text": text}
        return await self.client.post(self.at("/messages"), json=body, headers=headers)


async def new_person(app: FastAPI, *, accept: str = "application/json") -> Person:
    """Start a conversation through the API."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://test", headers={"accept": accept})
    started = (await client.post("/api/v1/conversations")).json()
    client.headers["authorization"] = f"Bearer {started['token']}"
    return Person(started["id"], client)


@pytest.fixture
async def person(app: FastAPI) -> AsyncIterator[Person]:
    made = await new_person(app)
    yield made
    await made.client.aclose()


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[Person]:
    made = await new_person(app)
    yield made
    await made.client.aclose()


@dataclass
class Running:
    """A real server in a thread, and a way to run something in its event loop."""

    url: str
    service: Service
    app: FastAPI
    loop: asyncio.AbstractEventLoop
    server: uvicorn.Server

    def run(self, coroutine: object, timeout: float = 20) -> object:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)  # type: ignore[arg-type]


@contextlib.contextmanager
def running_server(knowledge: Knowledge, folder: Path, rates: Rates = WIDE) -> Iterator[Running]:
    """Serve on a free port until the block ends."""
    ready = threading.Event()
    found: list[Running] = []
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(512)
    clock = Clock()

    async def main() -> None:
        async with open_service(settings_in(folder), texts(), knowledge=knowledge, now=clock) as service:
            app = create_app(service, clock, rates=rates, watch_every=0.1)
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=3))
            server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
            port = listening.getsockname()[1]
            found.append(Running(f"http://127.0.0.1:{port}", service, app, asyncio.get_running_loop(), server))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started and not serving.done():  # noqa: ASYNC110 (uvicorn offers no event)
                await asyncio.sleep(0.02)
            ready.set()
            await serving

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(30), "the server did not start"
    try:
        yield found[0]
    finally:
        found[0].loop.call_soon_threadsafe(found[0].app.state.hub.close)
        found[0].server.should_exit = True
        thread.join(15)
        listening.close()


@pytest.fixture(scope="module")
def running(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_server(knowledge, tmp_path_factory.mktemp("web")) as server:
        yield server
