"""Made-up turns, written until killed: prints each number once it is acknowledged. Run by `test_faults.py`."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from bot.conversation import Turn
from bot.messages import Reply, Status
from bot.store import NewDelivery, Store, Vault

_NOW = datetime(2026, 3, 30, tzinfo=UTC)


async def main(folder: str, conversation_id: str) -> None:
    """Write turns, each with a delivery and a draft, until somebody ends us."""
    root = Path(folder)
    store = await Store.open(f"sqlite:///{root}/qtic.db", Vault(path=root / "secret.key"))
    draft = await store.forms.draft(conversation_id) or store.forms.new_draft(conversation_id, "f", "1")
    while True:
        conversation = await store.load(conversation_id, "web", _NOW)
        n = len(await store.conversations.history(conversation_id, limit=10**6)) + 1
        reply = Reply(text=f"答{n}", status=Status.FORM)
        delivery = NewDelivery(conversation_id, "web", reply, "answer", f"{conversation_id}:{n}")
        draft.answers[f"f{n}"] = n
        async with store.transaction():
            draft = await store.forms.save_draft(draft)
            turn = Turn(at=_NOW, text=f"问{n}", reply=reply)
            saved = await store.save_turn(conversation, turn, deliveries=[delivery])
        print(saved.number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
