"""The process is killed (SIGKILL) at the worst moments, and another goes on where it stood."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from bot.channels.telegram.service import running
from knowledge.loading import Pack
from tests.conftest import ROOT
from tests.telegram_channel.stub import QUICK, clock, world
from tests.telegram_emulator import Emulator, Fault


async def child(folder: Path, emulator: Emulator) -> asyncio.subprocess.Process:
    """The channel in another process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.telegram_channel.child", str(folder), emulator.url, env=environment, cwd=ROOT
    )


async def kill(process: asyncio.subprocess.Process) -> None:
    """SIGKILL, and wait until it is gone."""
    process.send_signal(signal.SIGKILL)
    await process.wait()


async def test_killed_between_reply_and_acknowledgement_the_person_gets_one_reply(
    emulator: Emulator, tmp_path: Path, pack: Pack
) -> None:
    person = emulator.person(7)
    first = await child(tmp_path, emulator)
    update = person.says("一")
    assert (await person.next(30))["text"] == "第1条：一"
    async with asyncio.timeout(5):  # the reply is marked as out, its update not yet acknowledged
        while not await _marked(tmp_path, emulator, pack, update):
            await asyncio.sleep(0.01)
    emulator.fail("getUpdates", *[Fault("hang", seconds=1)])
    await kill(first)
    assert update in emulator._pending or emulator.acknowledged > update
    emulator._pending.setdefault(update, {"update_id": update, "message": person.messages[0]})
    async with world(tmp_path, emulator.url, pack) as made, running(made.service, now=clock, pace=QUICK) as channel:
        assert channel is not None
        await channel.connected.wait()
        assert await person.quiet(1)
        assert not made.echo.asked
        person.says("二")
        assert (await person.next())["text"] == "第2条：二"


async def _marked(folder: Path, emulator: Emulator, pack: Pack, update: int) -> bool:
    async with world(folder, emulator.url, pack) as made:
        return await made.store.conversations.processed("telegram", str(update))


async def test_killed_after_the_turn_was_kept_and_before_the_reply_was_out_it_is_sent_and_not_made_again(
    emulator: Emulator, tmp_path: Path, pack: Pack
) -> None:
    person = emulator.person(7)
    emulator.fail("sendMessage", Fault("hang", seconds=20))
    first = await child(tmp_path, emulator)
    person.says("一")
    async with asyncio.timeout(30):
        while not emulator.count("sendMessage"):
            await emulator.changed()
    await kill(first)
    assert not person.from_bot
    async with world(tmp_path, emulator.url, pack) as made, running(made.service, now=clock, pace=QUICK):
        assert (await person.next())["text"] == "第1条：一"
        assert await person.quiet()
        assert not made.echo.asked, "the kept reply is sent; the turn is not made a second time"


async def test_killed_in_the_midst_of_a_turn_it_is_made_again(emulator: Emulator, tmp_path: Path, pack: Pack) -> None:
    person = emulator.person(7)
    first = await child(tmp_path, emulator)
    person.says("慢")
    async with asyncio.timeout(30):
        while not person.actions:  # typing: the turn is under way
            await emulator.changed()
    await kill(first)
    async with world(tmp_path, emulator.url, pack) as made, running(made.service, now=clock, pace=QUICK):
        assert (await person.next())["text"] == "第1条：慢"
        assert await person.quiet()


async def test_killed_between_two_parts_of_a_reply_the_first_is_not_sent_again(
    emulator: Emulator, tmp_path: Path, pack: Pack
) -> None:
    person = emulator.person(7)
    emulator.fail("sendDocument", Fault("hang", seconds=20))
    first = await child(tmp_path, emulator)
    person.says("文件")
    assert (await person.next(30))["text"] == "见附件"
    async with asyncio.timeout(10):
        while not emulator.count("sendDocument"):
            await emulator.changed()
    await kill(first)
    async with world(tmp_path, emulator.url, pack) as made, running(made.service, now=clock, pace=QUICK):
        assert (await person.next())["document"]["file_name"] == "日历.ics"
        assert await person.quiet()
