"""Telegram's turns against the same turns through `Assistant.handle` alone: 50 chats, 20 messages each, in one run.

    python -m benchmarks.telegram [CHATS] [MESSAGES]

The Bot API is the tests' emulator in a process of its own, so both share the machine, as they do not in
life; the network is the loopback. Each chat sends its next message when the last one is answered, all
chats at once. A turn's time is from the update's being there to the answer's being there, seen from
Telegram's side. The turns are kept in SQLite both times.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bot.bootstrap import Knowledge, load_knowledge, open_service
from bot.channels.telegram.service import running
from bot.messages import Message
from bot.settings import Settings
from bot.texts import texts
from tests.telegram_emulator import Emulator
from tests.telegram_emulator.server import TOKEN

_NOW = datetime(2026, 3, 30, 2, tzinfo=UTC)


def _questions(knowledge: Knowledge, count: int) -> list[str]:
    return [t.samples[0] for t in knowledge.pack.topics.values() if t.kind == "answer"][:count]


async def alone(knowledge: Knowledge, chats: int, messages: int) -> tuple[float, list[float]]:
    """Seconds in all, and of each turn, without Telegram."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), _env_file=None)  # type: ignore[call-arg]
        asked = _questions(knowledge, messages)
        times: list[float] = []
        async with open_service(settings, texts(), knowledge=knowledge) as service:

            async def chat(number: int) -> None:
                for n, text in enumerate(asked):
                    begun = time.perf_counter()
                    await service.assistant.handle(
                        Message(conversation_id=f"c{number}", channel="bench", text=text, at=_NOW, external_id=f"m{n}")
                    )
                    times.append(time.perf_counter() - begun)

            begun = time.perf_counter()
            await asyncio.gather(*(chat(n) for n in range(chats)))
            return time.perf_counter() - begun, times


async def through_telegram(knowledge: Knowledge, chats: int, messages: int) -> tuple[float, list[float]]:
    """The same through the channel; the emulator measures."""
    asked = json.dumps({"chats": chats, "texts": _questions(knowledge, messages)}, ensure_ascii=False)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.telegram",
        "emulate",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(asked.encode() + b"\n")
    await process.stdin.drain()
    url = (await process.stdout.readline()).decode().strip()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), telegram_bot_token=TOKEN, telegram_api_base_url=url, _env_file=None)  # type: ignore[call-arg]
        async with (
            open_service(settings, texts(), knowledge=knowledge) as service,
            running(service, now=lambda: _NOW) as channel,
        ):
            assert channel is not None
            await channel.connected.wait()
            process.stdin.write(b"go\n")
            await process.stdin.drain()
            found = json.loads(await process.stdout.readline())
    await process.wait()
    return found["seconds"], found["times"]


async def emulate() -> None:
    """The other process: the Bot API, and everybody who talks to the bot."""
    loop = asyncio.get_running_loop()
    asked = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    async with Emulator().serve() as emulator:
        print(emulator.url, flush=True)
        await loop.run_in_executor(None, sys.stdin.readline)
        times: list[float] = []

        async def chat(number: int) -> None:
            person = emulator.person(number + 1)
            for text in asked["texts"]:
                begun = time.perf_counter()
                person.says(text)
                await person.next(120)
                times.append(time.perf_counter() - begun)
                person._read = len(person.from_bot)

        begun = time.perf_counter()
        await asyncio.gather(*(chat(n) for n in range(asked["chats"])))
        seconds = time.perf_counter() - begun
        assert not emulator.refused, emulator.refused[:3]
        print(json.dumps({"seconds": seconds, "times": times}), flush=True)


def _said(name: str, seconds: float, times: list[float]) -> float:
    p95 = statistics.quantiles(times, n=20)[-1]
    print(
        f"{name:24} {len(times) / seconds:7.1f} turns/s   median {statistics.median(times) * 1000:7.1f} ms   p95 {p95 * 1000:7.1f} ms"
    )
    return len(times) / seconds


async def main(chats: int, messages: int) -> None:
    """Measure both and print them with their ratio."""
    settings = Settings.read()
    knowledge = load_knowledge(settings)
    print(f"{chats} chats, {messages} messages each, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    bare = _said("Assistant.handle alone", *await alone(knowledge, chats, messages))
    channel = _said("through Telegram", *await through_telegram(knowledge, chats, messages))
    print(f"{'ratio':24} {bare / channel:7.2f} times the time")


if __name__ == "__main__":
    if sys.argv[1:] == ["emulate"]:
        asyncio.run(emulate())
    else:
        counts = [int(n) for n in sys.argv[1:3]]
        asyncio.run(main(*(counts if len(counts) == 2 else (50, 20))))
