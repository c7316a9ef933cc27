"""How long the store takes: opening, and a whole turn (one read, one write), on SQLite or any address.

python -m benchmarks.store [ADDRESS]
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bot.conversation import Turn
from bot.messages import Citation, Reply, Status
from bot.store import NewTicket, Store, Vault

_CLAUSE = "条款的文字，" * 60
_NOW = datetime(2026, 3, 30, tzinfo=UTC)


async def main(url: str | None) -> None:
    """Print medians and 95th percentiles in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        address = url or f"sqlite:///{folder}/qtic.db"
        key = Path(folder) / "secret.key"
        for name in ("first opening (migrates)", "later opening"):
            begun = time.perf_counter()
            store = await Store.open(address, Vault(path=key))
            print(f"{name:28} {(time.perf_counter() - begun) * 1000:8.1f} ms")
            await store.close()
        store = await Store.open(address, Vault(path=key))
        loads: list[float] = []
        saves: list[float] = []
        tickets: list[float] = []
        citations = tuple(
            Citation(document="通知", clause=f"五（{n}）", text=_CLAUSE, clause_id=f"notice:五（{n}）")
            for n in range(2)
        )
        reply = Reply(text="答复。" * 40, status=Status.ANSWERED, citations=citations, topics=("t",))
        spent = time.process_time()
        for n in range(300):
            begun = time.perf_counter()
            conversation = await store.load(f"c{n % 10}", "web", _NOW)
            loads.append(time.perf_counter() - begun)
            turn = Turn(at=_NOW, text="自评截止到哪天？", reply=reply, external_id=f"m{n}")
            ticket = NewTicket("问", "问", "not_in_sources") if n % 10 == 9 else None
            begun = time.perf_counter()
            await store.save_turn(conversation, turn, ticket=ticket)
            (tickets if ticket else saves).append(time.perf_counter() - begun)
        spent = (time.process_time() - spent) / 300 * 1000
        bare = _bare(Path(folder))
        turns = statistics.median(a + b for a, b in zip(loads[-150:], saves[-150:], strict=True)) * 1000
        print(f"{'processor time of a turn':28} {spent:8.2f} ms")
        print(f"{'bare SQLite transaction':28} {bare:8.2f} ms; a turn is {turns / bare:.1f} times that")
        _print("load (8 turns)", loads[100:])
        _print("save a turn", saves[100:])
        _print("save a turn with a ticket", tickets)
        _print("load and save", [a + b for a, b in zip(loads[-150:], saves[-150:], strict=True)])
        begun = time.perf_counter()
        await asyncio.gather(*(_one(store, n, reply) for n in range(100)))
        print(f"{'100 turns at once, all':28} {(time.perf_counter() - begun) * 1000:8.1f} ms")
        await store.close()


def _bare(folder: Path) -> float:
    """Median of one INSERT of a turn's size in a transaction of its own, in milliseconds."""
    raw = sqlite3.connect(folder / "bare.db", isolation_level=None)
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("CREATE TABLE t (a)")
    taken = []
    for _ in range(100):
        begun = time.perf_counter()
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("INSERT INTO t VALUES (?)", ("x" * 5000,))
        raw.execute("COMMIT")
        taken.append(time.perf_counter() - begun)
    raw.close()
    return statistics.median(taken) * 1000


async def _one(store: Store, n: int, reply: Reply) -> None:
    conversation = await store.load(f"d{n}", "web", _NOW)
    await store.save_turn(conversation, Turn(at=_NOW, text="问", reply=reply))


def _print(name: str, seconds: list[float]) -> None:
    at = sorted(s * 1000 for s in seconds)
    print(f"{name:28} {statistics.median(at):8.2f} ms  p95 {at[int(len(at) * 0.95)]:8.2f} ms")


def _import_time() -> None:
    code = "import time; t = time.process_time(); import bot.store; print((time.process_time() - t) * 1000)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True) for _ in range(5)]
    print(f"{'import, processor time':28} {statistics.median(float(r.stdout) for r in runs):8.1f} ms")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
    _import_time()
