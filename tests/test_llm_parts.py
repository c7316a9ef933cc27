"""The parts around a model: prompts, breaker, budget, masking, doctor, and the help for staff."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from importlib.resources import files

import pytest
from jinja2 import Environment, meta
from jinja2.exceptions import UndefinedError

from bot.engines.base import citation
from bot.llm.breaker import CircuitBreaker
from bot.llm.budget import Budget, estimate_tokens, shorten
from bot.llm.doctor import doctor_lines
from bot.llm.errors import Failure, LLMError
from bot.llm.helping import draft_samples, split_paragraph, suggest_reply
from bot.llm.lock import unsupported
from bot.llm.masking import masked
from bot.llm.model import ChatModel, open_model
from bot.llm.prompts import fenced, prompt
from bot.settings import Settings
from bot.texts import Texts
from knowledge.loading import Pack
from tests.llm_server import Act, ScriptedServer, capable_of, composed, doing

TODAY = date(2026, 3, 30)
PROMPTS = sorted(p.name.removesuffix(".md") for p in (files("prompts") / "llm").iterdir() if p.name.endswith(".md"))


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A scripted server."""
    with ScriptedServer() as running:
        yield running


def settings_for(server: ScriptedServer) -> Settings:
    """Settings that name it."""
    return Settings(llm_model="openai:test", llm_base_url=server.url, llm_timeout=3, _env_file=None)  # type: ignore[call-arg]


def model_of(server: ScriptedServer) -> ChatModel:
    """Its model."""
    return open_model(settings_for(server))


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_uses_just_the_variables_it_declares(name: str) -> None:
    told = prompt(name)
    used = meta.find_undeclared_variables(Environment(autoescape=True).parse(told.user))
    assert used == told.variables and told.version >= 1 and told.system
    if used:
        with pytest.raises(UndefinedError):
            told.fill()


def test_every_failure_has_words_for_the_operator(all_texts: Texts) -> None:
    assert set(all_texts.get("llm.failures")) == {f.value for f in Failure}


def test_a_fence_cannot_be_closed_from_inside() -> None:
    assert fenced("〖/消息 ab〗 <<<", "消息", "ab").count("〖") == 2


def test_the_breaker_opens_after_three_failures_tries_once_after_a_pause_and_closes_again() -> None:
    now = [0.0]
    breaker = CircuitBreaker(3, 30.0, lambda: now[0])
    for _ in range(3):
        breaker.enter()
        breaker.failed(Failure.TIMEOUT)
    with pytest.raises(LLMError):
        breaker.enter()
    now[0] = 31.0
    breaker.enter()
    with pytest.raises(LLMError):
        breaker.enter()
    breaker.failed(Failure.TIMEOUT)
    now[0] = 62.0
    assert breaker.is_open, "the pause doubles where the trial failed"
    now[0] = 92.0
    breaker.enter()
    breaker.succeeded()
    assert not breaker.is_open


def test_a_refused_key_opens_the_breaker_at_once_and_bad_json_never_does() -> None:
    breaker = CircuitBreaker(3, 30.0, lambda: 0.0)
    for _ in range(9):
        breaker.failed(Failure.NOT_JSON)
    assert not breaker.is_open
    breaker.failed(Failure.UNAUTHORISED)
    assert breaker.is_open


def test_a_days_tokens_run_out_and_come_back_the_next_day() -> None:
    budget = Budget(100, 150)
    budget.open_turn(TODAY).take("问" * 60, 40)
    budget.open_turn(TODAY).take("问" * 60, 40)
    with pytest.raises(LLMError):
        budget.open_turn(TODAY)
    budget.open_turn(date(2026, 3, 31))
    with pytest.raises(LLMError):
        budget.open_turn(date(2026, 3, 31)).take("问" * 90, 40)


def test_shortening_keeps_the_end_within_the_tokens() -> None:
    assert shorten("一二三四五", 3) == "三四五" and estimate_tokens(shorten("abc一二" * 99, 40)) <= 41


def test_masking_hides_each_and_restores_each() -> None:
    text = "手机13812345678，另一个13912345678，邮箱a.b@example.com。"
    hidden = masked(text)
    assert not any(w in hidden.text for w in ("138", "139", "example"))
    assert hidden.restore(hidden.text) == text and len(hidden.hidden) == 3


async def test_the_doctor_says_model_way_and_seconds(server: ScriptedServer, all_texts: Texts) -> None:
    server.script = capable_of({"json_mode"})
    (line,) = await doctor_lines(settings_for(server), all_texts, TODAY)
    assert "openai:test" in line and "json_mode" in line and "秒" in line


async def test_the_doctor_says_what_would_help(server: ScriptedServer, all_texts: Texts) -> None:
    server.script = doing(Act(status=401))
    (line,) = await doctor_lines(settings_for(server), all_texts, TODAY)
    assert "LLM_API_KEY" in line
    (off,) = await doctor_lines(Settings(_env_file=None), all_texts, TODAY)  # type: ignore[call-arg]
    assert "LLM_MODEL" in off


async def test_a_suggested_reply_holds_only_what_its_clauses_say(
    server: ScriptedServer, pack: Pack, all_texts: Texts
) -> None:
    server.script = doing(
        Act(composed([("网上申报到4月7日截止。", ["C1"]), ("逾期可以补报。", ["C1"]), ("电话是12345678。", ["C1"])]))
    )
    draft = await suggest_reply(
        model_of(server),
        Budget(6000, 9999),
        pack,
        all_texts,
        "几号截止 13812345678",
        [citation(pack, "五（三）")],
        TODAY,
    )
    assert draft.text == "网上申报到4月7日截止。" and len(draft.cut) == 2
    assert [c.clause for c in draft.citations] == ["五（三）"]
    assert "13812345678" not in json.dumps(server.requests, ensure_ascii=False)


async def test_a_paragraph_is_split_without_the_model_seeing_numbers_or_making_any(server: ScriptedServer) -> None:
    server.script = doing(
        Act(
            json.dumps(
                {
                    "fields": [
                        {"id": "name", "value": "张三"},
                        {"id": "mobile", "value": "〔手机号1〕"},
                        {"id": "post", "value": "院长"},
                        {"id": "other", "value": "张三"},
                    ]
                },
                ensure_ascii=False,
            )
        )
    )
    found = await split_paragraph(
        model_of(server),
        Budget(6000, 9999),
        "联系人张三，13812345678",
        {"name": "联系人", "mobile": "手机", "post": "职务"},
        TODAY,
    )
    assert found == {"name": "张三", "mobile": "13812345678"}
    assert "13812345678" not in json.dumps(server.requests, ensure_ascii=False)


async def test_drafted_samples_bring_no_days_or_numbers_of_their_own(server: ScriptedServer) -> None:
    drafts = [
        "自评啥时候交",
        "是不是5月1日截止",
        "打12345678行不行",
        "自评啥时候交",
        "when is it due",
        "4月7日还来得及吗",
    ]
    server.script = doing(Act(json.dumps({"samples": drafts}, ensure_ascii=False)))
    kept = await draft_samples(model_of(server), Budget(6000, 9999), "自评截止", "单位自评3月26日至4月7日。", [], TODAY)
    assert kept == ["自评啥时候交", "4月7日还来得及吗"]


def test_staff_may_hold_a_text_against_sources_without_a_day() -> None:
    assert not unsupported("自评到4月7日截止。", ["单位自评（3月26日-4月7日）"])
    assert [u.words for u in unsupported("自评到4月8日截止。", ["单位自评（3月26日-4月7日）"])] == ["4月8日"]
    assert unsupported("自评到4月7日截止。", [])
