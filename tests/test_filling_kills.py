"""Killed between any two messages, or in the middle of one: every answer that was confirmed is there."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bot.store import Store, Vault
from tests.filling_people import NOW

KILLS = 200
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.timeout(280)
async def test_every_confirmed_answer_survives_200_kills(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/qtic.db", Vault(path=tmp_path / "secret.key"), lambda: NOW)
    await store.close()
    confirmed: dict[str, dict[str, Any]] = {}
    receipts: dict[str, str] = {}
    dice = random.Random(4)
    with subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-m", "tests.filling_child", str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout
        for _ in range(KILLS):
            process.stdin.write(f"{len(receipts)}\n")
            process.stdin.flush()
            child, answers, wanted = 0, 0, dice.randint(0, 4)
            for line in process.stdout:
                said = json.loads(line)
                if "pid" in said:
                    child = said["pid"]
                elif "ended" in said:
                    assert os.WIFSIGNALED(said["ended"]), "the child failed by itself"
                    break
                elif "receipt" in said:
                    receipts[said["conversation"]] = said["receipt"]
                else:
                    confirmed.setdefault(said["conversation"], {})[said["field"]] = said["value"]
                    answers += 1
                if child and answers >= wanted:
                    # Anywhere in the next turn (or, before the first answer, in opening the database).
                    time.sleep(dice.uniform(0, 0.04 if wanted else 0.12))  # noqa: ASYNC251
                    os.kill(child, signal.SIGKILL)
                    child = -1
                if child == -1:
                    child = 0
                    wanted = 10**9
        process.stdin.close()
    assert len(receipts) > 3 and sum(map(len, confirmed.values())) > KILLS
    store = await Store.open(f"sqlite:///{tmp_path}/qtic.db", Vault(path=tmp_path / "secret.key"), lambda: NOW)
    try:
        for conversation, answers_of in confirmed.items():
            handed = await store.forms.submissions(conversation_id=conversation, open_answers=True)
            draft = await store.forms.draft(conversation)
            kept = handed[-1].answers if handed else draft.answers if draft else {}
            assert kept is not None
            assert {k: kept.get(k) for k in answers_of} == answers_of
            assert len(handed) <= 1
            if conversation in receipts:
                assert [h.receipt for h in handed] == [receipts[conversation]]
    finally:
        await store.close()
