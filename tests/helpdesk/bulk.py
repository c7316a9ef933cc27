"""Made-up tickets and forms in bulk, written straight into the tables."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
from sqlalchemy import insert

from bot.looking import pack_vector
from bot.store import Store
from bot.store.tables import ConversationRow, SubmissionRow, TicketAsker, TicketRow
from tests.helpdesk.conftest import NOW


async def fill(store: Store, tickets: int = 5000, forms: int = 2000) -> None:
    """Write them."""
    rng = np.random.default_rng(7)
    seal = store.tickets._db.vault.encrypt
    data = seal(json.dumps({"id": "bulk", "channel": "web", "created_at": NOW.isoformat()}))
    async with store.tickets._db.write() as connection:
        await connection.execute(
            insert(ConversationRow),
            [
                {
                    "id": f"b{n}",
                    "channel": "web",
                    "thread_id": f"b{n}",
                    "data": data,
                    "version": 1,
                    "turn_count": 0,
                    "created_at": NOW,
                    "updated_at": NOW,
                }
                for n in range(500)
            ],
        )
        await connection.execute(
            insert(TicketRow),
            [
                {
                    "number": f"Q-{n:06d}",
                    "status": "open",
                    "question": f"第{n}个问题：材料里的第{n % 97}项怎么填写",
                    "question_key": str(n),
                    "reason": "not_understood",
                    "deadline": date(2026, 4, 1) + timedelta(days=n % 40),
                    "vector": pack_vector(rng.standard_normal(384)),
                    "created_at": NOW - timedelta(hours=n),
                    "updated_at": NOW,
                    "answer_version": 0,
                    "version": 1,
                }
                for n in range(tickets)
            ],
        )
        await connection.execute(
            insert(TicketAsker),
            [
                {"ticket": f"Q-{n:06d}", "conversation_id": f"b{m}", "turn": 1, "wording": seal("x"), "at": NOW}
                for n in range(tickets)
                for m in range(1 + n % 3)
            ],
        )
        answers = seal("{}")
        await connection.execute(
            insert(SubmissionRow),
            [
                {
                    "id": f"s{n}",
                    "receipt": f"R-{n:08d}",
                    "revision": 1,
                    "draft_id": f"d{n}",
                    "draft_version": 1,
                    "thread_id": f"b{n % 500}",
                    "conversation_id": f"b{n % 500}",
                    "form": "centre",
                    "form_version": "2026.1",
                    "answers": answers,
                    "centre": f"第{n}中心",
                    "department": "崂山区",
                    "state": "submitted",
                    "latest": True,
                    "submitted_at": NOW,
                }
                for n in range(forms)
            ],
        )
