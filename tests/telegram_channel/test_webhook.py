"""The webhook on the web application's port, over real HTTP (made-up assistant, real store)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from bot.channels.telegram.service import running
from knowledge.loading import Pack
from tests.telegram_channel.stub import QUICK, World, clock, world
from tests.telegram_emulator import Emulator, Fault


@dataclass
class Web:
    """A web application with the channel on it."""

    made: World
    app: FastAPI
    address: str


@pytest.fixture
async def web(emulator: Emulator, tmp_path: Path, pack: Pack) -> AsyncIterator[Web]:
    """Served on a port of its own; a route that catches everything stands before."""
    app = FastAPI()

    @app.post("/{anything:path}")
    def catch_all(anything: str) -> str:
        return "not the webhook"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="critical", lifespan="off", ws="none"))
    async with world(tmp_path, emulator.url, pack, webhook=address) as made:
        task = asyncio.create_task(server._serve())
        async with running(made.service, app, now=clock, pace=QUICK) as channel:
            assert channel is not None
            await asyncio.wait_for(channel.connected.wait(), 5)
            yield Web(made, app, address)
        server.should_exit = True
        await task


async def test_deep_link_text_buttons_edit_and_documents_by_webhook(emulator: Emulator, web: Web, pack: Pack) -> None:
    person = emulator.person(7)
    topic = next(t for t in pack.topics if "." in t)
    person.starts(topic.replace(".", "-"))
    assert f"t:{topic}" in (await person.next())["text"]
    person.says("选")
    message = await person.next()
    person.presses(message, "高校")
    assert "e:kind:university" in (await person.next())["text"]
    assert person.labels(message) == ["✓ 高校"]
    person.says("一")
    await person.next()
    person.edits(max(m["message_id"] for m in person.messages if not m["from"]["is_bot"]), "二")
    assert (await person.next())["text"].endswith("：二")
    person.says("文件")
    await person.next()
    assert (await person.next())["document"]["file_name"] == "日历.ics"
    person.sends_document("甲.pdf", b"%PDF")
    assert "文件在这里收不了" in (await person.next())["text"]
    assert emulator.count("getUpdates") == 0 and not emulator.refused


async def test_fifty_chats_at_once_by_webhook(emulator: Emulator, web: Web) -> None:
    people = [emulator.person(n) for n in range(1, 51)]
    for text in ("一起", "二"):
        for person in people:
            person.says(text)
    for person in people:
        assert [(await person.next(40))["text"] for _ in range(2)] == ["第1条：一起", "第2条：二"]


async def test_an_update_that_overtakes_the_one_before_waits_for_it(emulator: Emulator, web: Web) -> None:
    person = emulator.person(7)
    person.says("零")
    await person.next()
    early = emulator.skip_id()
    person.says("后")
    await asyncio.sleep(0.05)
    emulator.update(again=early, message=person.add(person.user(), text="先"))
    assert [(await person.next())["text"] for _ in range(2)] == ["第2条：先", "第3条：后"]


async def test_the_same_update_again_is_taken_and_not_answered_twice(emulator: Emulator, web: Web) -> None:
    person = emulator.person(7)
    update = person.says("慢")
    emulator.update(again=update, message=person.messages[0])  # while the first is under way
    await person.next()
    emulator.update(again=update, message=person.messages[0])  # and after it
    assert await person.quiet()
    assert len(web.made.echo.asked) == 1


async def test_failures_of_telegram_are_outlasted_by_webhook(emulator: Emulator, web: Web) -> None:
    person = emulator.person(7)
    emulator.fail("sendMessage", Fault("error", 500), Fault("drop"), Fault("error", retry_after=1))
    person.says("一")
    assert (await person.next())["text"] == "第1条：一"
    assert await person.quiet()


async def test_without_the_secret_token_nothing_is_taken(emulator: Emulator, web: Web) -> None:
    assert emulator.webhook is not None
    url, secret = emulator.webhook["url"], emulator.webhook["secret"]
    assert url.startswith(f"{web.address}/telegram/") and len(url.rsplit("/", 1)[1]) >= 32
    update = {
        "update_id": 1,
        "message": {
            "message_id": 1,
            "date": 1,
            "text": "一",
            "chat": {"id": 7, "type": "private"},
            "from": {"id": 7, "is_bot": False, "first_name": "甲"},
        },
    }
    header = "X-Telegram-Bot-Api-Secret-Token"
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.post(url, json=update)).status_code == 403
        assert (await client.post(url, json=update, headers={header: "guessed"})).status_code == 403
        assert (await client.post(url, content=b"{", headers={header: secret})).status_code == 400
        assert (await client.post(url, json=[], headers={header: secret})).status_code == 400
    assert not web.made.echo.asked


async def test_an_address_that_telegram_does_not_take_is_one_sentence(
    emulator: Emulator, tmp_path: Path, pack: Pack
) -> None:
    emulator.local = False
    async with (
        world(tmp_path, emulator.url, pack, webhook="http://example.org") as made,
        running(made.service, FastAPI(), now=clock, pace=QUICK) as channel,
    ):
        assert channel is not None
        await asyncio.wait_for(channel.over.wait(), 5)
        assert channel.problem and "TELEGRAM_WEBHOOK_URL" in channel.problem
