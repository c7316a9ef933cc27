"""A person asks in their own words whether they take part, in one go or step by step, corrects themselves, and is remembered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from bot.assistant import Assistant
from bot.messages import Reply, Status
from knowledge.loading import load_pack
from tests.conftest import say

At = Callable[[str], datetime]
OUT, IN = "不在本次评价范围内", "属于本次评价对象"
QUESTIONS = {c.question: c for c in load_pack("qingdao-tic-2026").eligibility.conditions}


async def talk(assistant: Assistant, when: datetime, *turns: str) -> list[Reply]:
    """Turns in order; one that begins with "=" presses the button of that value."""
    return [
        await say(assistant, "" if t.startswith("=") else t, when, choice=t[1:] if t.startswith("=") else None)
        for t in turns
    ]


def clauses(reply: Reply) -> set[str]:
    return {c.clause for c in reply.citations}


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("我们是2021年获批的要参加吗", IN),
        ("2022年第一批的要参加绩效评价吗", IN),
        ("2022年第1批 用不用报", IN),
        ("俺们是21年的 用得着参加不", IN),
        ("我们没升级 2021年的 该参加吧", "属于本次评价对象，需要参加绩效评价"),
        ("我们是研究所，21年拿的牌子，用不用填这个", IN),
        ("领导说我们不用参加 我们是2021年的 对吗", IN),
        ("我们正在申请省级还没批下来 2021年的 要参加吗", IN),
        ("2022年第二批要参加吗", OUT),
        ("22年二批的用填吗", OUT),
        ("2020年的要评吗", OUT),
        ("2023年新批的要参加吗", OUT),
        ("2024年获批的用不用参加", OUT),
        ("我们被通知要评价 可我们是2023年的 是不是搞错了", OUT),
        ("二零二二年第二批的在评价范围内吗", OUT),
        ("我们2021年获批 去年已经升级成省技术创新中心了 还要参加吗", "不参加本次绩效评价"),
        ("2022年第一批的，现在升省级了，用评吗", "不参加本次绩效评价"),
        ("我们2022年获批的 但不知道是第几批 要参加不", "要看是2022年第几批"),
        ("我们要不要参加", "要看获批批次"),
    ],
)
async def test_one_sentence_is_enough_for_a_verdict_with_its_clause(
    said: str, verdict: str, assistant: Assistant, at: At
) -> None:
    (reply,) = await talk(assistant, at("04-01"), said)
    assert reply.status is Status.ANSWERED
    assert verdict in reply.text.split("\n")[0], reply.text
    assert "一" in clauses(reply)


async def test_the_persons_own_words_stand_beside_each_finding(assistant: Assistant, at: At) -> None:
    (reply,) = await talk(assistant, at("04-01"), "我们2021年获批 去年已经升级成省技术创新中心了 还要参加吗")
    assert "✓ 批次符合" in reply.text and "您说：“2021年”" in reply.text
    assert "✗ 已升级为省技术创新中心" in reply.text and "升级成省技术创新中心了”" in reply.text


async def test_another_platform_in_the_same_field_warns_in_principle_and_names_who_decides(
    assistant: Assistant, at: At
) -> None:
    (reply,) = await talk(assistant, at("04-01"), "有全国重点实验室 领域一致 2021年获批 用不用评")
    assert IN in reply.text and "**原则上**不再纳入" in reply.text and "85911337" in reply.text
    assert "六（二）·第2段" in clauses(reply)
    (other,) = await talk(assistant, at("04-01"), "2021年获批，单位还有市重点实验室，研究方向不同，需要参加评价吗")
    assert "原则上" not in other.text.split("？")[0]


async def test_an_upgrade_to_national_level_is_not_decided_and_not_asked_again(assistant: Assistant, at: At) -> None:
    (reply,) = await talk(assistant, at("04-01"), "我们2021年获批 后来升级为国家级了 还要参加吗")
    assert reply.text.startswith("**通知没有写明**") and "85911337" in reply.text
    assert not any(c.value.startswith("e:upgraded") for c in reply.choices)


async def test_who_does_not_take_part_though_in_scope_is_told_what_follows(assistant: Assistant, at: At) -> None:
    (reply,) = await talk(assistant, at("04-01"), "我们没升级 2021年的 该参加吧")
    assert "不参加或自愿退出的，不再纳入市技术创新中心序列" in reply.text and "三" in clauses(reply)


@pytest.mark.parametrize("start", ["/eligibility", "帮我看看我们要不要参加", "=c:eligibility"])
@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        (["=e:batch:2021", "=e:upgraded:no", "=e:platform:none"], IN),
        (["=e:batch:2022-1", "=e:upgraded:pending", "=e:platform:same_field"], IN),
        (["=e:batch:2022-2"], OUT),
        (["=e:batch:other"], OUT),
        (["=e:batch:2021", "=e:upgraded:provincial"], "不参加本次绩效评价"),
        (["=e:batch:2022", "=e:upgraded:no", "=e:platform:none"], "要看是2022年第几批"),
        (["=e:batch:2022", "=e:upgraded:provincial"], "不参加本次绩效评价"),
        (["1", "1", "1"], IN),
        (["2021年获批", "没有升级", "都没有"], IN),
        (["21年批的", "没升", "有，领域方向一致"], IN),
    ],
)
async def test_the_guided_way_asks_at_most_four_questions_and_none_twice(
    start: str, answers: list[str], verdict: str, assistant: Assistant, at: At
) -> None:
    *asked, last = await talk(assistant, at("04-01"), start, *answers)
    assert 1 <= len(asked) <= 4
    assert all(r.status is Status.CLARIFY and r.choices for r in asked)
    questions = [next(q for q in QUESTIONS if r.text.startswith(q)) for r in asked]
    assert len(questions) == len(set(questions)), "a question was asked twice"
    assert last.status is Status.ANSWERED
    assert verdict in last.text.split("\n")[0], last.text


async def test_what_was_said_before_is_not_asked_again(assistant: Assistant, at: At) -> None:
    *_, asked = await talk(assistant, at("04-01"), "我们是2021年获批的要参加吗", "/eligibility")
    assert asked.text.startswith("贵中心升级为省技术创新中心了吗")
    *_, result = await talk(assistant, at("04-01"), "=e:upgraded:no", "=e:platform:none")
    assert result.text.startswith("**属于") and "重新判断" in {c.label for c in result.choices}


async def test_the_result_is_shown_again_and_can_be_done_anew(assistant: Assistant, at: At) -> None:
    replies = await talk(
        assistant, at("04-01"), "/eligibility", "=e:batch:2022-2", "/eligibility", "=c:eligibility_again"
    )
    assert OUT in replies[1].text and OUT in replies[2].text
    assert replies[3].text.startswith("贵中心是哪一年")


async def test_a_correction_changes_the_verdict(assistant: Assistant, at: At) -> None:
    replies = await talk(
        assistant, at("04-01"), "2022年第一批的要参加绩效评价吗", "不对，我是第二批的", "说错了 是2021年批的"
    )
    assert IN in replies[0].text
    assert replies[1].text.startswith(f"**{OUT}**（2022年第2批")
    assert IN in replies[2].text and "2021年" in replies[2].text


async def test_a_remembered_fact_is_said_where_it_is_used(assistant: Assistant, at: At) -> None:
    *_, reply = await talk(assistant, at("04-01"), "2022年第一批的要参加绩效评价吗", "去年升省级了 还要参加吗")
    assert reply.text.startswith("按您前面说的2022年第1批") and "不参加本次绩效评价" in reply.text


async def test_what_is_remembered_is_shown_and_forgotten(assistant: Assistant, at: At) -> None:
    when = at("04-01")
    nothing, _, shown, forgotten, again = await talk(
        assistant,
        when,
        "我说过什么",
        "我们是2022年第二批获批的，需要参加今年的评价吗",
        "我说过什么",
        "/restart",
        "我说过什么",
    )
    assert "还没有记下" in nothing.text
    assert "2022年第2批" in shown.text
    assert "忘掉" in forgotten.text
    assert "还没有记下" in again.text and "2022" not in again.text


async def test_figures_and_the_unit_type_are_remembered_too(assistant: Assistant, at: At) -> None:
    *_, shown = await talk(assistant, at("04-01"), "我们是高校 转化了25项成果 够吗", "我说过什么")
    assert "高校" in shown.text and "25项" in shown.text
    *_, later = await talk(assistant, at("04-01"), "固定研发人员35人达标吗")
    assert "您前面给的" in later.text and "未达到" in later.text


async def test_one_persons_words_are_not_anothers(assistant: Assistant, at: At) -> None:
    when = at("04-01")
    await say(assistant, "我们是2022年第二批获批的，需要参加今年的评价吗", when, conversation="one")
    other = await say(assistant, "我说过什么", when, conversation="two")
    assert "还没有记下" in other.text


@pytest.mark.parametrize(
    "value",
    [
        "e:batch:1066-x",
        "e:nothing:1",
        "e:batch",
        "t:gone.topic",
        "g:company:x",
        "g:nowhere:0",
        "u:bank",
        "x",
        "c:",
        ":",
        "e:batch:",
        "c:nothing",
        "t:",
    ],
)
async def test_a_button_that_is_no_longer_valid_is_said_to_be_so(value: str, assistant: Assistant, at: At) -> None:
    (reply,) = await talk(assistant, at("04-01"), f"={value}")
    assert reply.status is Status.CLARIFY and "失效" in reply.text and reply.choices
    assert "还没有记下" in (await talk(assistant, at("04-01"), "我说过什么"))[0].text
