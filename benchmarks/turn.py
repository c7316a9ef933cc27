"""One answered turn against one bare encoder pass, cold `qtic ask`, and memory, as medians and ratios."""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from bot.bootstrap import load_knowledge, make_assistant, open_service
from bot.keeping import MemoryKeeper
from bot.messages import Message
from bot.settings import Settings
from bot.texts import texts

QUESTIONS = (
    "自评截止到哪天？",
    "没有账号怎么办",
    "汇总表几号前报",
    "研发费用要求多少",
    "专家会来现场看吗",
    "报告盖谁的章",
    "高校谁来填",
    "我们2021年批的要参加吗",
)
AT = datetime.fromisoformat("2026-03-30T10:00:00+08:00")
ROUNDS = 25


def _line(name: str, times: list[float]) -> float:
    """Print median and p95 in milliseconds; returns the median in seconds."""
    ordered = sorted(times)
    median = statistics.median(ordered)
    print(f"{name:44} median {median * 1e3:7.2f} ms   p95 {ordered[int(len(ordered) * 0.95)] * 1e3:7.2f} ms")
    return median


async def main() -> None:
    """Measure and print."""
    settings = Settings.read()
    knowledge = load_knowledge(settings)
    questions = QUESTIONS * ROUNDS
    bare = []
    for question in questions:
        started = time.perf_counter()
        knowledge.encoder.encode_queries([question])
        bare.append(time.perf_counter() - started)
    encoder = _line("bare encoder pass", bare)

    assistant = make_assistant(knowledge, MemoryKeeper(), texts())
    in_memory = [await _turn(assistant, f"m{n}", q) for n, q in enumerate(questions)]
    plain = _line("answered turn, kept in memory", in_memory)
    with tempfile.TemporaryDirectory() as folder:
        kept = settings.model_copy(update={"data_dir": Path(folder), "database_url": None})
        async with open_service(kept, texts(), knowledge=knowledge) as service:
            stored = [await _turn(service.assistant, f"s{n % 40}", q) for n, q in enumerate(questions)]
    turn = _line("answered turn, kept in SQLite", stored)
    print(
        f"ratio to the encoder pass: {plain / encoder:.2f} in memory, {turn / encoder:.2f} in SQLite (wanted: at most 1.5)"
    )
    print(
        f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB (wanted: at most 400)"
    )
    cold = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "bot.cli", "ask", QUESTIONS[0]],
            check=True,
            capture_output=True,
            env={**os.environ, "DATA_DIR": str(settings.data_dir)},
        )
        cold.append(time.perf_counter() - started)
    print(f"cold `qtic ask`: median {statistics.median(cold):.2f} s (wanted: at most 2.5)")


async def _turn(assistant: object, conversation: str, question: str) -> float:
    message = Message(conversation_id=conversation, channel="bench", text=question, at=AT)
    started = time.perf_counter()
    await assistant.handle(message)  # type: ignore[attr-defined]
    return time.perf_counter() - started


if __name__ == "__main__":
    asyncio.run(main())
