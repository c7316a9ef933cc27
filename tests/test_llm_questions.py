"""The development questions through an honest model: in no group worse than without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.bootstrap import Knowledge, open_llm
from bot.commands.asking import answer_cases, read_cases, reply_data
from bot.evaluation import score
from bot.settings import Settings
from tests.llm_server import ScriptedServer

CASES = Path(__file__).parent / "questions" / "dev.jsonl"


@pytest.mark.timeout(600)
async def test_an_honest_model_makes_no_group_worse(knowledge: Knowledge) -> None:
    cases = list(read_cases(CASES, "Asia/Shanghai"))
    plain = list(await answer_cases(cases, knowledge))
    with ScriptedServer() as server:
        settings = Settings(llm_model="openai:test", llm_base_url=server.url, llm_timeout=20, _env_file=None)  # type: ignore[call-arg]
        worded = list(await answer_cases(cases, knowledge, open_llm(settings)))
    without = score([(case.raw, reply_data(reply)) for case, reply in plain])
    using = score([(case.raw, reply_data(reply)) for case, reply in worded])

    before = {group: right for group, (right, _) in without.groups().items()}
    after = {group: right for group, (right, _) in using.groups().items()}
    print(before, after, sum(r.used_llm for _, r in worded), sum(r.degraded for _, r in worded))
    assert all(after[group] >= number for group, number in before.items()), (before, after)
    assert sum(r.used_llm for _, r in worded) >= len(cases) // 3
