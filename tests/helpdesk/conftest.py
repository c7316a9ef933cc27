"""Made-up people and questions. A console on a fresh database, with the real knowledge."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bot.bootstrap import Knowledge, Service, open_service
from bot.helpdesk.access import hashed
from bot.helpdesk.app import mount
from bot.messages import Message, Reply
from bot.settings import Settings
from bot.texts import texts

NOW = datetime.fromisoformat("2026-03-30T10:00:00+08:00")
PASSWORD = "correct horse battery"


@dataclass
class Clock:
    """A clock that tests move."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        """The time."""
        return self.at

    def pass_by(self, **span: float) -> None:
        """Let time go by."""
        self.at += timedelta(**span)


@dataclass
class Desk:
    """A console with its service; `client` is a browser without scripts."""

    service: Service
    app: FastAPI
    clock: Clock
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self) -> httpx.AsyncClient:
        """A browser of its own."""
        transport = httpx.ASGITransport(app=self.app)
        made = httpx.AsyncClient(transport=transport, base_url="http://desk", follow_redirects=False)
        self.clients.append(made)
        return made

    async def staff(self, login: str, role: str = "agent", must_change: bool = False) -> None:
        """An account with the password of the tests."""
        await self.service.store.staff.add(login, login.title(), role, hashed(PASSWORD), must_change=must_change)

    async def logged_in(self, login: str, role: str = "agent") -> httpx.AsyncClient:
        """A browser in which somebody with this role is logged in."""
        if await self.service.store.staff.get(login) is None:
            await self.staff(login, role)
        client = self.client()
        response = await log_in(client, login)
        assert response.status_code == 303, response.text
        return client

    async def says(self, text: str, conversation: str = "p1", channel: str = "web", choice: str | None = None) -> Reply:
        """Somebody's message to the assistant, and its reply."""
        message = Message(conversation_id=conversation, channel=channel, text=text, at=self.clock.at, choice=choice)
        return await self.service.assistant.handle(message)

    async def delivers(self, channel: str = "web") -> list[tuple[str, Reply]]:
        """What a channel's loop sends now: to whom, and what."""
        outbox, sent = self.service.store.outbox, []
        for delivery in await outbox.claim(channel, "worker", now=self.clock.at):
            assert await outbox.sent(delivery, "worker", now=self.clock.at)
            sent.append((delivery.conversation_id, delivery.reply))
        return sent


async def log_in(client: httpx.AsyncClient, login: str, password: str = PASSWORD, code: str = "") -> httpx.Response:
    """Fill in the login page."""
    token = csrf_of((await client.get("/helpdesk/login")).text)
    data = {"username": login, "password": password, "code": code, "csrftoken": token}
    return await client.post("/helpdesk/login", data=data)


def csrf_of(page: str) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="csrftoken" value="([^"]+)"', page)
    assert found is not None, page[:500]
    return found[1]


def version_of(page: str) -> str:
    """The version of the ticket that a page shows."""
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found is not None, page[-3000:]
    return found[1]


async def press(client: httpx.AsyncClient, path: str, step: str, **data: object) -> httpx.Response:
    """Open a ticket's page and use one of its forms."""
    page = (await client.get(path)).text
    form = {"csrftoken": csrf_of(page), "version": version_of(page), **data}
    return await client.post(f"{path}/{step}", data=form)


@pytest.fixture
async def desk(knowledge: Knowledge, tmp_path: Path) -> AsyncIterator[Desk]:
    """A console on a fresh database; it is Monday, March 30th, ten in the morning in Qingdao."""
    clock = Clock()
    settings = Settings(data_dir=tmp_path, _env_file=None)  # type: ignore[call-arg]
    async with open_service(settings, texts(), knowledge=knowledge, now=clock) as service:
        app = FastAPI()
        mount(app, service)
        desk = Desk(service, app, clock)
        yield desk
        for client in desk.clients:
            await client.aclose()
