"""The real assistant in Telegram: the pack, the encoder, the steps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.bootstrap import Knowledge, Service, open_service
from bot.channels.telegram.service import running
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


async def test_a_question_in_words_is_answered_and_a_declined_one_gets_its_staff_answer(
    emulator: Emulator, service: Service
) -> None:
    person = emulator.person(7)
    topic = (
        service.pack.topics["filing.when"]
        if "filing.when" in service.pack.topics
        else next(iter(service.pack.topics.values()))
    )
    person.says(topic.samples[0])
    assert (await person.next(20))["text"]
    person.says("/human")
    await person.next(20)
    assert not emulator.refused
