"""Made-up questions. A service killed between a staff answer and its delivery, a hundred times."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from bot.conversation import Turn
from bot.messages import Reply, Status
from bot.store import NewTicket, Store, Vault
from tests.helpdesk.conftest import NOW

ROOT = Path(__file__).parents[2]
KILLS, TICKETS = 100, 120


@pytest.mark.timeout(400)
async def test_each_asker_gets_exactly_one_answer_through_a_hundred_kills(tmp_path: Path) -> None:
    rng, vault = random.Random(11), Vault(path=tmp_path / "secret.key")
    async with await Store.open(f"sqlite:///{tmp_path}/qtic.db", vault) as store:
        for n in range(TICKETS):
            for asker in (f"a{n}", f"b{n}"):
                reply = Reply(text="？", status=Status.UNANSWERED, ticket=f"Q-{n:06d}")
                ticket = NewTicket(f"问{n}", f"问{n}", "not_understood", number=f"Q-{n:06d}", joins=asker[0] == "b")
                conversation = await store.load(asker, "web", NOW)
                await store.save_turn(conversation, Turn(at=NOW, text=f"问{n}", reply=reply), ticket=ticket)

    def run_and_kill() -> None:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.helpdesk.answerer", str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        )
        assert child.stdout is not None
        child.stdout.readline()
        for _ in range(rng.randint(0, 3)):
            child.stdout.readline()
        try:
            child.wait(rng.random() * 0.02)
        except subprocess.TimeoutExpired:
            child.kill()
        child.stdout.close()
        child.wait()

    for _ in range(KILLS):
        await asyncio.to_thread(run_and_kill)
        async with await Store.open(f"sqlite:///{tmp_path}/qtic.db", vault) as store:
            if not await store.tickets.queue():
                for n in await store.tickets.queue(
                    status="answered", limit=20
                ):  # asked again: more work to be killed in
                    await store.tickets.asker_says(n.number, f"a{n.number[2:].lstrip('0') or '0'}", "还是不清楚")

    async with await Store.open(f"sqlite:///{tmp_path}/qtic.db", vault) as store:
        for ticket in await store.tickets.queue(limit=TICKETS):
            reply = Reply(text="人工答复", status=Status.ANSWERED, by_staff=True, ticket=ticket.number)
            await store.tickets.answer(ticket.number, reply, resolution="答", by="anna", version=ticket.version)
        later = store.now() + timedelta(hours=1)  # the dead worker's claims have run out
        while found := await store.outbox.claim("web", "other", now=later):
            for delivery in found:
                assert await store.outbox.sent(delivery, "other", now=later)
        for n in range(TICKETS):
            ticket = await store.tickets.get(f"Q-{n:06d}")
            for asker in (f"a{n}", f"b{n}"):
                got = [k.turn.reply for k in await store.conversations.history(asker) if k.turn.reply.by_staff]
                assert len(got) == ticket.answer_version, (asker, len(got), ticket.answer_version)
            entries = await store.staff.audit(action="answer", record=("ticket", ticket.number))
            assert len(entries) <= ticket.answer_version
        assert Counter((await store.outbox.counts()).keys()) == Counter(["sent"])
