"""Made-up answers: answers every ticket and delivers, until killed. Run by `test_faults.py`; it loads no encoder."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.messages import Reply, Status
from bot.store import StaleTicket, Store, Vault


async def main(folder: str) -> None:
    """Print each delivery as it goes out: its id and whom it went to."""
    root = Path(folder)
    store = await Store.open(f"sqlite:///{root}/qtic.db", Vault(path=root / "secret.key"))
    print("ready", flush=True)
    while True:
        for ticket in await store.tickets.queue(limit=3):
            reply = Reply(text=f"人工答复 {ticket.number}", status=Status.ANSWERED, by_staff=True, ticket=ticket.number)
            for _ in range(2):  # a double click, each time
                try:
                    async with store.transaction():
                        await store.tickets.answer(
                            ticket.number, reply, resolution="答", by="anna", version=ticket.version
                        )
                        await store.staff.record("anna", "answer", "ticket", ticket.number)
                except StaleTicket:
                    pass
            for delivery in await store.outbox.claim("web", "worker"):
                print("sending", delivery.id, flush=True)
                await store.outbox.sent(delivery, "worker")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
