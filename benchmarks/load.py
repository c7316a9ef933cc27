"""People at once against a running service: p50, p95, errors, memory, and ratios to a single user in the same run.

    python benchmarks/load.py --url http://127.0.0.1:8000 --people 100 --seconds 60 --pid PID

Start the service with RATE_PERSON and RATE_ADDRESS set high: all these people share one address. Each thinks
for a second or so between questions, as people do at their fastest; `--think 0` is a machine's pace.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

MESSAGES: tuple[dict[str, str], ...] = (
    {"text": "自评截止到哪天？"},
    {"text": "我们要不要参加？"},
    {"text": "要交哪些材料？"},
    {"text": "固定研发人员32人，其中本科24人，够不够？"},
    {"text": "没有账号怎么办？"},
    {"choice": "c:dates"},
    {"choice": "c:register"},
)


@dataclass
class Tally:
    """Seconds of the answers, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Milliseconds at the median, at p95 and at worst."""
        ordered = sorted(self.seconds)
        at = {"p50": 0.5, "p95": 0.95, "max": 1.0}
        return {name: round(ordered[min(len(ordered) - 1, int(len(ordered) * q))] * 1000, 1) for name, q in at.items()}


async def person(client: httpx.AsyncClient, until: float, think: float, tally: Tally, seed: int) -> None:
    """Ask until the time is over, in a conversation of one's own."""
    dice = random.Random(seed)
    await asyncio.sleep(dice.random() * think)
    started = (await client.post("/api/v1/conversations")).json()
    headers = {"Authorization": f"Bearer {started['token']}"}
    while time.monotonic() < until:
        message = dice.choice(MESSAGES)
        begun = time.monotonic()
        try:
            path = f"/api/v1/conversations/{started['id']}/messages"
            response = await client.post(path, json=message, headers=headers)
            if response.status_code == 200 and response.json()["text"]:
                tally.seconds.append(time.monotonic() - begun)
            else:
                tally.errors.append(str(response.status_code))
        except (httpx.HTTPError, ValueError, KeyError) as error:
            tally.errors.append(type(error).__name__)
        await asyncio.sleep(think * (0.5 + dice.random()))


async def crowd(url: str, people: int, seconds: float, think: float) -> Tally:
    """Let people ask at once."""
    tally = Tally()
    limits = httpx.Limits(max_connections=people, max_keepalive_connections=people)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        until = time.monotonic() + seconds
        await asyncio.gather(*(person(client, until, think, tally, n) for n in range(people)))
    return tally


def resident(pid: int | None) -> float | None:
    """MiB of a process's resident memory; None where it cannot be told."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmRSS:"):
                return round(int(line.split()[1]) / 1024, 1)
    except OSError:
        pass
    return None


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--think", type=float, default=2.0, help="seconds between an answer and the next question")
    parser.add_argument("--pid", type=int, help="of the service, to read its memory")
    given = parser.parse_args()
    asyncio.run(crowd(given.url, 1, 2, 0.05))  # warm
    single = asyncio.run(crowd(given.url, 1, min(5.0, given.seconds), 0.05))
    before = resident(given.pid)
    many = asyncio.run(crowd(given.url, given.people, given.seconds, given.think))
    one, all_ = single.figures(), many.figures()
    print(
        json.dumps(
            {
                "people": given.people,
                "seconds": given.seconds,
                "think": given.think,
                "single_ms": one,
                "many_ms": all_,
                "answers": len(many.seconds),
                "errors": len(many.errors),
                "error_kinds": sorted(set(many.errors)),
                "answers_per_second": round(len(many.seconds) / given.seconds, 1),
                "p95_to_single_median": round(all_["p95"] / one["p50"], 1),
                "mean_ms": round(statistics.fmean(many.seconds) * 1000, 1),
                "memory_mib": {"before": before, "after": resident(given.pid)},
            },
            ensure_ascii=False,
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
