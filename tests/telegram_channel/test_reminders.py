"""Reminders: asked for by role, sent once, never too late, stopped by one word (made-up assistant, real store and pack)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.channels.telegram.reminding import Reminding, events, schedule, send_due
from bot.channels.telegram.service import running
from bot.store import Store, Vault
from knowledge.loading import Pack
from knowledge.pack import Role
from tests.telegram_channel.stub import QUICK, World, world
from tests.telegram_emulator import Emulator

ZONE = ZoneInfo("Asia/Shanghai")


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 30, 10, tzinfo=ZONE)

    def __call__(self) -> datetime:
        return self.at

    def set(self, month: int, day: int, hour: int, minute: int = 0) -> None:
        """Set it to a moment of 2026 in Qingdao."""
        self.at = datetime(2026, month, day, hour, minute, tzinfo=ZONE)


@pytest.fixture
def clock() -> Clock:
    """Set to 30 March."""
    return Clock()


@pytest.fixture
async def reminded(emulator: Emulator, tmp_path: Path, pack: Pack, clock: Clock) -> AsyncIterator[World]:
    """The channel runs, and an applicant has asked for reminders."""
    async with (
        world(tmp_path, emulator.url, pack, now=clock) as made,
        running(made.service, now=clock, pace=QUICK) as channel,
    ):
        assert channel is not None
        await channel.connected.wait()
        person = emulator.person(7)
        person.says("/remind")
        asked = await person.next()
        assert "哪一方" in asked["text"]
        person.presses(asked, person.labels(asked)[0])
        assert "4月7日（周二）：网上申报" in (await person.next())["text"]
        yield made


def test_each_milestone_of_the_role_has_three_reminders_and_those_that_are_past_are_left_out(pack: Pack) -> None:
    now = datetime(2026, 4, 5, tzinfo=ZONE)
    found = schedule(pack.facts.milestones, Role.APPLICANT, now, ZONE, events(pack))
    due = [(r.milestone, r.mark, r.due_at.astimezone(ZONE).strftime("%m-%d %H")) for r in found]
    assert ("filing", "1d", "04-06 09") in due and ("filing", "morning", "04-07 08") in due
    assert ("filing", "3d") not in [d[:2] for d in due], "4 April is past"
    assert ("evaluation", "morning", "04-20 08") in due, "an event is reminded of before it begins"
    assert not [d for d in due if d[0] == "roster"], "that is the officers'"
    assert schedule(pack.facts.milestones, Role.OFFICER, datetime(2026, 5, 1, tzinfo=ZONE), ZONE, events(pack)) == []


def test_no_reminder_of_the_schedule_outlives_its_day_or_the_next_one(pack: Pack) -> None:
    for reminder in schedule(pack.facts.milestones, Role.OFFICER, datetime(2026, 3, 1, tzinfo=ZONE), ZONE):
        day = next(m.closes for m in pack.facts.milestones if m.id == reminder.milestone)
        assert reminder.due_at < reminder.expires_at
        assert reminder.expires_at <= datetime.combine(day + timedelta(days=1), datetime.min.time(), ZONE)


async def test_three_days_one_day_and_on_the_morning_each_once(
    emulator: Emulator, reminded: World, clock: Clock
) -> None:
    person = emulator.person(7)
    for day, hour, words in ((4, 9, "还剩3天"), (6, 9, "还剩1天"), (7, 8, "是最后一天")):
        clock.set(4, day, hour, 1)
        texts = [(await person.next())["text"] for _ in range(2)]
        assert all(words in t for t in texts)
        assert any("网上申报" in t for t in texts) and any("单位自评" in t for t in texts)
        assert await person.quiet(0.5)


async def test_after_a_standstill_only_the_latest_is_sent_and_after_the_deadline_none(
    emulator: Emulator, reminded: World, clock: Clock
) -> None:
    person = emulator.person(7)
    clock.set(4, 7, 20)
    texts = [(await person.next())["text"] for _ in range(2)]
    assert all("是最后一天" in t for t in texts) and await person.quiet(0.5)
    clock.set(4, 8, 0, 1)
    assert await person.quiet(0.5)


async def test_a_reminder_that_cannot_be_delivered_on_its_day_is_not_delivered_later(
    emulator: Emulator, reminded: World, clock: Clock
) -> None:
    from tests.telegram_emulator import Fault

    person = emulator.person(7)
    emulator.fail("sendMessage", *[Fault("error", 500) for _ in range(1000)])
    clock.set(4, 7, 23, 59)
    async with asyncio.timeout(8):
        while not await reminded.store.outbox.latest():
            await asyncio.sleep(0.05)
    clock.set(4, 8, 0, 1)
    async with asyncio.timeout(20):
        while len(ended := await reminded.store.outbox.latest(state="failed")) < 2:
            await asyncio.sleep(0.05)
    assert {d.last_error for d in ended} == {"too late for a reminder"} and not person.from_bot[2:]


async def test_one_word_stops_them(emulator: Emulator, reminded: World, clock: Clock) -> None:
    person = emulator.person(7)
    person.says("停")
    assert "不再提醒" in (await person.next())["text"]
    clock.set(4, 7, 9)
    assert await person.quiet(0.6)
    person.says("提醒我")
    assert "4月20日" in (await person.next())["text"]


@pytest.mark.parametrize("text", ["提醒我", "请到期提醒我", "截止前提醒我一下", "设个提醒吧"])
async def test_free_text_asks_for_reminders_too(emulator: Emulator, reminded: World, text: str) -> None:
    person = emulator.person(7)
    person.says(text)
    assert "按" in (await person.next())["text"]
    assert not [m for m in reminded.echo.asked if m.text == text]


@pytest.mark.parametrize("text", ["提交后怎么提醒主管部门审核？", "停产的中心要参加吗"])
async def test_a_question_with_such_a_word_is_a_question(emulator: Emulator, reminded: World, text: str) -> None:
    emulator.person(7).says(text)
    await emulator.person(7).next()
    assert reminded.echo.asked[-1].text == text


async def test_a_reminder_knows_what_the_persons_form_lacks(emulator: Emulator, reminded: World, clock: Clock) -> None:
    person = emulator.person(7)
    person.says("一")
    await person.next()
    store, conversation = reminded.store, reminded.echo.asked[-1].conversation_id
    await store.forms.save_draft(replace(store.forms.new_draft(conversation, "centre", "1"), done=10, total=12))
    clock.set(4, 6, 9, 1)
    assert "还缺2项" in (await person.next())["text"]


async def test_several_replicas_send_a_reminder_once(
    emulator: Emulator, reminded: World, clock: Clock, tmp_path: Path
) -> None:
    others = [
        await Store.open(reminded.service.settings.database, Vault(path=tmp_path / "secret.key"), clock)
        for _ in range(3)
    ]
    clock.set(4, 4, 9, 1)

    async def replica(store: Store, name: str) -> int:
        service = replace(reminded.service, store=store)
        return await send_due(Reminding(service, clock), service, name, clock)

    await asyncio.gather(*(replica(s, f"w{n}") for n, s in enumerate(others)))
    person = emulator.person(7)
    assert len({(await person.next())["text"] for _ in range(2)}) == 2
    assert await person.quiet(0.6)
    for store in others:
        await store.close()


async def test_who_blocks_the_bot_is_not_reminded_any_more(emulator: Emulator, reminded: World, clock: Clock) -> None:
    person = emulator.person(7)
    update = person.member("member", "kicked")
    person.blocks()
    async with asyncio.timeout(8):
        while emulator.acknowledged <= update:
            await emulator.changed()
    clock.set(4, 4, 9, 1)
    assert await person.quiet(0.6)
    assert not await reminded.store.outbox.latest()
