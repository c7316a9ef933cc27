"""Who takes part is decided from what is known, clause by clause, and what is not known never decides."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.slots import find_slots
from knowledge.eligibility import Finding, Verdict, decide, judge
from knowledge.finding import clean, cleaner
from knowledge.loading import load_pack

PACK = load_pack("qingdao-tic-2026")
RULES = PACK.eligibility
CONDITIONS = {c.id: c for c in RULES.conditions}
CORRECTOR = cleaner(PACK)


@pytest.mark.parametrize(
    ("condition", "value", "finding"),
    [
        ("batch", None, Finding.UNKNOWN),
        ("batch", "2019", Finding.NOT_MET),
        ("batch", "2020", Finding.NOT_MET),
        ("batch", "2020-1", Finding.NOT_MET),
        ("batch", "2021", Finding.MET),
        ("batch", "2021-1", Finding.MET),
        ("batch", "2021-2", Finding.MET),
        ("batch", "2021-3", Finding.MET),
        ("batch", "2022", Finding.UNKNOWN),
        ("batch", "2022-1", Finding.MET),
        ("batch", "2022-2", Finding.NOT_MET),
        ("batch", "2022-3", Finding.NOT_MET),
        ("batch", "2023", Finding.NOT_MET),
        ("batch", "2023-1", Finding.NOT_MET),
        ("batch", "2024", Finding.NOT_MET),
        ("batch", "2025", Finding.NOT_MET),
        ("batch", "other", Finding.NOT_MET),
        ("upgraded", None, Finding.UNKNOWN),
        ("upgraded", "no", Finding.MET),
        ("upgraded", "pending", Finding.MET),
        ("upgraded", "provincial", Finding.NOT_MET),
        ("upgraded", "national", Finding.UNKNOWN),
        ("platform", None, Finding.UNKNOWN),
        ("platform", "none", Finding.MET),
        ("platform", "other_field", Finding.MET),
        ("platform", "same_field", Finding.CAUTION),
        ("platform", "held", Finding.CAUTION),
    ],
)
def test_each_condition_at_each_value(condition: str, value: str | None, finding: Finding) -> None:
    assert judge(CONDITIONS[condition], value) is finding


@pytest.mark.parametrize(
    ("known", "verdict", "asks"),
    [
        ({}, Verdict.UNKNOWN, "batch"),
        ({"batch": "2021"}, Verdict.UNKNOWN, "upgraded"),
        ({"batch": "2022"}, Verdict.UNKNOWN, "batch"),
        ({"batch": "2022", "upgraded": "no"}, Verdict.UNKNOWN, "batch"),
        ({"upgraded": "no"}, Verdict.UNKNOWN, "batch"),
        ({"batch": "2021", "upgraded": "no"}, Verdict.IN_SCOPE, "platform"),
        ({"batch": "2022-1", "upgraded": "pending"}, Verdict.IN_SCOPE, "platform"),
        ({"batch": "2021", "upgraded": "national"}, Verdict.UNKNOWN, "upgraded"),
        ({"batch": "2022-2"}, Verdict.NOT_IN_SCOPE, None),
        ({"upgraded": "provincial"}, Verdict.NOT_IN_SCOPE, None),
        ({"batch": "2022", "upgraded": "provincial"}, Verdict.NOT_IN_SCOPE, None),
        ({"batch": "2021", "upgraded": "provincial", "platform": "none"}, Verdict.NOT_IN_SCOPE, None),
        ({"batch": "2021", "upgraded": "no", "platform": "same_field"}, Verdict.IN_SCOPE, None),
        ({"platform": "same_field"}, Verdict.UNKNOWN, "batch"),
    ],
)
def test_the_verdict_and_the_one_thing_asked_next(known: dict[str, str], verdict: Verdict, asks: str | None) -> None:
    result = decide(RULES, known)
    assert result.verdict is verdict
    assert (result.ask.id if result.ask else None) == asks


def values(condition: str) -> list[str]:
    c = CONDITIONS[condition]
    said = list(c.said)
    years = [f"{y}{n}" for y in range(2018, 2027) for n in ("", "-1", "-2", "-3")] if c.years else []
    return sorted({*(x.value for x in c.choices), *c.met, *c.not_met, *c.caution, *c.ask_more, *said, *years})


KNOWN = st.fixed_dictionaries({}, optional={c: st.sampled_from(values(c)) for c in CONDITIONS})


def findings(known: Mapping[str, str]) -> dict[str, Finding]:
    return {c.id: f for c, f in decide(RULES, known).findings}


@given(KNOWN, st.sampled_from([c.id for c in RULES.conditions if c.decides]), st.data())
def test_adding_a_not_met_never_brings_anyone_into_scope(
    known: dict[str, str], condition: str, data: st.DataObject
) -> None:
    refusing = [v for v in values(condition) if judge(CONDITIONS[condition], v) is Finding.NOT_MET]
    worse = known | {condition: data.draw(st.sampled_from(refusing))}
    assert decide(RULES, worse).verdict is Verdict.NOT_IN_SCOPE


@given(KNOWN, st.sampled_from(list(CONDITIONS)))
def test_what_is_not_known_never_decides(known: dict[str, str], forgotten: str) -> None:
    """A verdict needs its proof: in scope only with every deciding condition met, out only with one not met."""
    for told in (known, {k: v for k, v in known.items() if k != forgotten}):
        deciding = [f for c, f in decide(RULES, told).findings if c.decides]
        verdict = decide(RULES, told).verdict
        assert (verdict is Verdict.NOT_IN_SCOPE) is (Finding.NOT_MET in deciding)
        assert (verdict is Verdict.IN_SCOPE) is all(f is Finding.MET for f in deciding)


@given(KNOWN, st.sampled_from(values("platform")))
def test_another_platform_warns_and_never_decides(known: dict[str, str], platform: str) -> None:
    without = {k: v for k, v in known.items() if k != "platform"}
    assert decide(RULES, without | {"platform": platform}).verdict is decide(RULES, without).verdict


@given(KNOWN)
def test_what_is_asked_next_is_always_something_not_known(known: dict[str, str]) -> None:
    asked = decide(RULES, known).ask
    assert asked is None or findings(known)[asked.id] is Finding.UNKNOWN


@given(KNOWN)
def test_telling_more_about_an_open_condition_never_reverses_a_verdict_already_out(known: dict[str, str]) -> None:
    if decide(RULES, known).verdict is Verdict.NOT_IN_SCOPE:
        for c in RULES.conditions:
            if c.id not in known:
                assert all(decide(RULES, known | {c.id: v}).verdict is Verdict.NOT_IN_SCOPE for v in values(c.id))


def conditions_of(text: str, known: Mapping[str, str] | None = None) -> dict[str, str]:
    return dict(find_slots(clean(text, CORRECTOR), PACK.lexicon, RULES, 2026, known or {}).conditions)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("我们是2021年获批的要参加吗", {"batch": "2021"}),
        ("21年拿的牌子", {"batch": "2021"}),
        ("俺们是21年的 用得着参加不", {"batch": "2021"}),
        ("可我们是2023年的 是不是搞错了", {"batch": "2023"}),
        ("我们是2021年的 对吗", {"batch": "2021"}),
        ("我们没升级 2021年的", {"batch": "2021", "upgraded": "no"}),
        ("2022年第一批的要参加吗", {"batch": "2022-1"}),
        ("22年二批的用填吗", {"batch": "2022-2"}),
        ("2022第2批在不在范围", {"batch": "2022-2"}),
        ("二零二二年第二批", {"batch": "2022-2"}),
        ("二二年头一批", {"batch": "2022-1"}),
        ("2022年批的 不知道第几批", {"batch": "2022"}),
        ("2020年的要评吗", {"batch": "2020"}),
        ("25年的中心今年也要评吗", {"batch": "2025"}),
        ("我们2018年的老中心了", {"batch": "2018"}),
        ("不是2023年批的，是2021年批的", {"batch": "2021"}),
        ("2021年7月获批建设", {"batch": "2021"}),
        ("公司2015年成立，中心2021年获批", {"batch": "2021"}),
        ("2021年获批，2023-2025年研发费用1800万", {"batch": "2021"}),
        ("approved in 2021", {"batch": "2021"}),
        ("the second batch of 2022", {"batch": "2022-2"}),
        ("去年才升的省级", {"upgraded": "provincial"}),
        ("已经升级为省技术创新中心了", {"upgraded": "provincial"}),
        ("现在是省技术创新中心了", {"upgraded": "provincial"}),
        ("没升省级", {"upgraded": "no"}),
        ("还没有升级为省级", {"upgraded": "no"}),
        ("正在申请升省级", {"upgraded": "pending"}),
        ("我们正在申请省级还没批下来", {"upgraded": "pending"}),
        ("准备升省级", {"upgraded": "pending"}),
        ("升级为国家级了", {"upgraded": "national"}),
        ("有个省重点实验室 方向一样", {"platform": "same_field"}),
        ("单位还有市重点实验室，研究方向不同", {"platform": "other_field"}),
        ("有全国重点实验室 领域一致", {"platform": "same_field"}),
        ("我们还有省重点实验室", {"platform": "held"}),
    ],
)
def test_what_people_say_of_their_centre_is_understood(text: str, found: dict[str, str]) -> None:
    assert conditions_of(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "近三年 2023-2025年研发费用怎么算",
        "2026年度评价什么时候开始",
        "2023年研发600万 2024年700万 2025年800万 我们中心够吗",
        "2025年度研发费用占比3%",
        "2024年营收1.2亿",
        "我们中心2023年研发费用600万",
        "23年500万、24年650万、25年720万 三年合计达标不",
        "公司成立20年了",
        "2025年的数据要填吗",
        "2026年绩效评价通知",
        "自评年度选2025年还是2026年",
        "近三年是2023年到2025年吗",
        "有效期3年",
        "2024年24号文",
        "15年以上经验",
        "2023至2025年的成果",
        "要不要参加",
        "省里有补贴吗",
        "我们省级的项目",
    ],
)
def test_a_year_or_a_province_of_something_else_says_nothing_of_the_centre(text: str) -> None:
    assert conditions_of(text) == {}


@pytest.mark.parametrize(
    ("text", "known", "batch"),
    [
        ("不对，我是第二批的", "2022", "2022-2"),
        ("不对，我是第二批的", "2022-1", "2022-2"),
        ("是第一批", "2022", "2022-1"),
        ("头一批", "2022-2", "2022-1"),
        ("其实是2021年批的", "2022-2", "2021"),
    ],
)
def test_a_batch_said_later_completes_or_corrects_the_year_known(text: str, known: str, batch: str) -> None:
    assert conditions_of(text, {"batch": known})["batch"] == batch


def test_a_batch_without_a_known_year_is_not_guessed_at() -> None:
    assert "batch" not in conditions_of("我是第二批的")
    assert "batch" not in conditions_of("第二批的", {"batch": "other"})


@given(st.text(max_size=80))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    slots = find_slots(clean(text, CORRECTOR), PACK.lexicon, RULES, 2026, {})
    assert set(slots.conditions) <= set(CONDITIONS)
