"""The real assistant in Telegram: the pack, the encoder, the steps."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.bootstrap import Knowledge, Service, open_service
from bot.channels.telegram.service import running
from bot.messages import Reply, Status
from bot.settings import Settings
from bot.texts import texts
from tests.telegram_channel.stub import QUICK, TOKEN, clock
from tests.telegram_emulator import Emulator


@pytest.fixture
async def service(emulator: Emulator, tmp_path: Path, knowledge: Knowledge) -> AsyncIterator[Service]:
    """The whole service with the channel running."""
    settings = Settings(data_dir=tmp_path, telegram_bot_token=TOKEN, telegram_api_base_url=emulator.url, _env_file=None)  # type: ignore[call-arg]
    async with (
        open_service(settings, texts(), knowledge=knowledge, now=clock) as opened,
        running(opened, now=clock, pace=QUICK) as channel,
    ):
        assert channel is not None
        await channel.connected.wait()
        yield opened


async def test_the_commands_and_the_buttons_answer_from_the_notice(emulator: Emulator, service: Service) -> None:
    person = emulator.person(7)
    for command, words in (
        ("/start", "您好"),
        ("/help", "可以这样问"),
        ("/dates", "4月7日"),
        ("/register", "注册"),
        ("/eligibility", "批"),
        ("/human", "转给工作人员"),
    ):
        person.says(command)
        assert words in (await person.next(20))["text"], command
    person.says("/dates")
    message = await person.next()
    sources = next(label for label in person.labels(message) if label.startswith("依据"))
    person.presses(message, sources)
    assert "《" in (await person.next())["text"]
    assert not emulator.refused


async def test_every_topic_of_the_pack_is_taken_by_telegram(emulator: Emulator, service: Service) -> None:
    """Each topic's answer, reached by its deep link, is well-formed, short enough, and its buttons fit."""
    person = emulator.person(7)
    for topic in service.pack.topics:
        person.starts(topic.replace(".", "-"))
        assert (await person.next(20))["text"]
        while not await person.quiet(0):
            await person.next()
    assert not emulator.refused


async def test_what_staff_answer_arrives_once_in_the_chat(emulator: Emulator, service: Service) -> None:
    person = emulator.person(7)
    person.says("/human")
    number = re.search(r"Q-\w+", (await person.next(20))["text"])
    assert number is not None
    reply = Reply(text="**人工答复**：可以。", status=Status.ANSWERED, by_staff=True)
    await service.store.tickets.answer(number[0], reply, resolution="可以。", by="wang", version=1)
    assert (await person.next())["text"] == "人工答复：可以。"
    assert await person.quiet()
    deliveries = await service.store.outbox.of_ticket(number[0])
    assert [d.state for d in deliveries] == ["sent"]


async def test_a_form_is_begun_in_telegram_and_a_deep_link_with_its_code_goes_on_in_another_chat(
    emulator: Emulator, service: Service
) -> None:
    person, other = emulator.person(7), emulator.person(8)
    person.says("/form")
    asked = await person.next(20)
    assert "同意" in asked["text"]
    person.presses(asked, person.labels(asked)[0])
    await person.next()
    person.says("青岛市海洋防腐材料技术创新中心")
    await person.next()
    person.says("续填码")
    code = re.search(r"C-\w{5}-\w{5}", (await person.next())["text"])
    assert code is not None
    other.starts(code[0])
    await other.next()
    first, second = [c async for c in _conversations(service)]
    assert await service.store.threads.conversations(first) == await service.store.threads.conversations(second)
    emulator.person(9).starts(code[0])
    assert "用过" in (await emulator.person(9).next())["text"]


async def _conversations(service: Service) -> AsyncIterator[str]:
    for chat in ("7", "8"):
        yield f"telegram-{await service.store.persons.remember('telegram', chat)}"


async def test_forget_deletes_the_person_and_the_chat_begins_anew(emulator: Emulator, service: Service) -> None:
    person = emulator.person(7)
    person.says("/dates")
    await person.next(20)
    before = await service.store.persons.remember("telegram", "7")
    person.says("/forget")
    asked = await person.next()
    if person.labels(asked):
        person.presses(asked, person.labels(asked)[0])
        await person.next()
    person.says("/dates")
    assert "4月7日" in (await person.next())["text"]
    assert await service.store.persons.remember("telegram", "7") != before
    assert not emulator.refused
