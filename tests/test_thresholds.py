"""Own figures are held against attachment 1 at, just under and just over each bound, and bound to the right requirement."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import Profile
from bot.engines.base import Answer, Ask, Book
from bot.engines.self_check import self_check
from bot.texts import Texts
from bot.understanding.figures import Figures, find_figures
from knowledge.finding import clean, cleaner
from knowledge.loading import load_pack
from knowledge.pack import UnitType
from knowledge.thresholds import Outcome, check

PACK = load_pack("qingdao-tic-2026")
CORRECTOR = cleaner(PACK)
DAY = date(2026, 4, 1)
MET, SHORT = Outcome.MET, Outcome.SHORT


def read(text: str) -> Figures:
    return find_figures(clean(text, CORRECTOR), PACK.lexicon)


def own(text: str) -> dict[str, float]:
    return {k: f.value for k, f in read(text).own.items()}


def checked(text: str, texts: Texts, unit: UnitType | None = None) -> Answer:
    topic = next(t for t in PACK.topics.values() if t.engine == "self_check")
    return self_check(
        Ask(clean(text, CORRECTOR), DAY, Profile(unit_type=unit), topic, figures=read(text)), Book(PACK, texts, DAY)
    )


@pytest.mark.parametrize(
    ("threshold", "figures", "outcome", "gap"),
    [
        ("rd_total", {"rd_total": 20_000_000}, MET, 0),
        ("rd_total", {"rd_total": 19_999_999}, SHORT, 1),
        ("rd_total", {"rd_total": 20_000_001}, MET, 0),
        ("rd_ratio", {"rd_year": 3_000_000, "revenue_year": 100_000_000}, MET, 0),
        ("rd_ratio", {"rd_year": 2_999_999, "revenue_year": 100_000_000}, SHORT, 1e-8),
        ("rd_ratio", {"rd_year": 3_000_001, "revenue_year": 100_000_000}, MET, 0),
        ("rd_ratio", {"rd_ratio": 0.03}, MET, 0),
        ("rd_ratio", {"rd_ratio": 0.0299}, SHORT, 0.0001),
        ("rd_ratio", {"rd_ratio": 0.0301}, MET, 0),
        ("transfer_items", {"transfer_items": 30}, MET, 0),
        ("transfer_items", {"transfer_items": 29}, SHORT, 1),
        ("transfer_items", {"transfer_items": 31}, MET, 0),
        ("horizontal_funds", {"horizontal_funds": 5_000_000}, MET, 0),
        ("horizontal_funds", {"horizontal_funds": 4_999_999}, SHORT, 1),
        ("horizontal_funds", {"horizontal_funds": 5_000_001}, MET, 0),
        ("transfer_cases", {"transfer_cases": 5}, MET, 0),
        ("transfer_cases", {"transfer_cases": 4}, SHORT, 1),
        ("transfer_cases", {"transfer_cases": 6}, MET, 0),
        ("staff_total", {"staff_total": 30}, MET, 0),
        ("staff_total", {"staff_total": 29}, SHORT, 1),
        ("staff_total", {"staff_total": 31}, MET, 0),
        ("staff_days", {"staff_days": 183}, SHORT, 0),
        ("staff_days", {"staff_days": 184}, MET, 0),
        ("staff_days", {"staff_days": 182}, SHORT, 1),
        ("staff_degree_share", {"staff_degree": 10, "staff_total": 30}, MET, 0),
        ("staff_degree_share", {"staff_degree": 11, "staff_total": 33}, MET, 0),
        ("staff_degree_share", {"staff_degree": 9, "staff_total": 30}, SHORT, 1 / 30),
        ("staff_degree_share", {"staff_degree": 10, "staff_total": 31}, SHORT, 1 / 93),
        ("staff_degree_share", {"staff_degree": 11, "staff_total": 31}, MET, 0),
        ("staff_degree_share", {"staff_degree_share": 1 / 3}, MET, 0),
        ("floor_area", {"floor_area": 1000}, MET, 0),
        ("floor_area", {"floor_area": 999.9}, SHORT, 0.1),
        ("floor_area", {"floor_area": 1000.1}, MET, 0),
        ("equipment_value", {"equipment_value": 10_000_000}, MET, 0),
        ("equipment_value", {"equipment_value": 9_999_999}, SHORT, 1),
        ("equipment_value", {"equipment_value": 10_000_001}, MET, 0),
    ],
)
def test_each_requirement_at_just_under_and_just_over_its_bound(
    threshold: str, figures: dict[str, float], outcome: Outcome, gap: float
) -> None:
    found = check(PACK.thresholds[threshold], figures, UnitType.UNIVERSITY)
    assert found.outcome is outcome
    assert found.gap == pytest.approx(gap, abs=1e-6)


def test_every_requirement_has_a_row_above() -> None:
    rows = {r[0] for r in test_each_requirement_at_just_under_and_just_over_its_bound.pytestmark[0].args[1]}  # type: ignore[attr-defined]
    assert rows == set(PACK.thresholds)


@given(st.integers(0, 400), st.integers(1, 400))
def test_a_third_is_exact_for_every_whole_number_of_persons(part: int, whole: int) -> None:
    found = check(PACK.thresholds["staff_degree_share"], {"staff_degree": part, "staff_total": whole}, None)
    assert (found.outcome is MET) is (3 * part >= whole)
    if found.outcome is SHORT:
        assert found.missing is not None and 3 * (part + found.missing) >= whole > 3 * (part + found.missing - 1)


@given(st.sampled_from(sorted(PACK.thresholds)), st.lists(st.floats(0, 1e9, allow_nan=False), min_size=2, max_size=6))
def test_more_is_never_worse(name: str, figures: list[float]) -> None:
    threshold = PACK.thresholds[name]
    outcomes = [check(threshold, {threshold.indicator: f}, UnitType.UNIVERSITY).outcome for f in sorted(figures)]
    assert all(after is MET for one, after in pairwise(outcomes) if one is MET)


def test_what_was_not_given_is_open_and_a_whole_of_nothing_is_no_share() -> None:
    for threshold in PACK.thresholds.values():
        assert check(threshold, {}, UnitType.UNIVERSITY).outcome is Outcome.OPEN
    assert check(PACK.thresholds["rd_ratio"], {"rd_year": 1.0, "revenue_year": 0.0}, None).outcome is Outcome.OPEN


@pytest.mark.parametrize("unit", list(UnitType))
def test_what_names_universities_and_institutes_is_applied_to_them_alone(unit: UnitType, all_texts: Texts) -> None:
    named = unit in (UnitType.UNIVERSITY, UnitType.INSTITUTE)
    assert check(PACK.thresholds["transfer_items"], {"transfer_items": 25}, unit).outcome is (
        SHORT if named else Outcome.OTHERS_ONLY
    )
    for other in set(PACK.thresholds) - {"transfer_items"}:
        assert PACK.thresholds[other].applies_to == (), "only 附件1·三·3 ① names anybody (READING.md, 7)"
    text = checked("近三年转化成果25项 够吗", all_texts, unit).text
    assert ("未达到" in text) is named
    assert named or "高校、科研院所" in text


def test_where_the_unit_type_matters_and_is_unknown_it_is_asked_for(all_texts: Texts) -> None:
    answer = checked("近三年转化成果25项 够吗", all_texts)
    assert "企业、高校还是科研院所" in answer.text
    assert {"u:company", "u:university", "u:institute"} <= {c.value for c in answer.choices}
    assert "企业、高校还是" not in checked("固定研发人员28人够吗", all_texts).text


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("三年研发投了1.2亿", {"rd_total": 1.2e8}),
        ("研发费用三千二百万 行不行", {"rd_total": 3.2e7}),
        ("近三年研发费用1800万元", {"rd_total": 1.8e7}),
        ("三年总研发费 2,100 万元 够吗", {"rd_total": 2.1e7}),
        ("研发投入2000w够不够", {"rd_total": 2e7}),
        ("三年1.9千万研发费 差一百万", {"rd_total": 1.9e7}),
        ("科研用房0.8公顷", {"floor_area": 8000}),
        ("面积1300 设备980万", {"floor_area": 1300, "equipment_value": 9.8e6}),
        ("场地1.5亩达到要求没", {"floor_area": 1000}),
        ("28个人里12个本科以上", {"staff_total": 28, "staff_degree": 12}),
        ("36人中硕士8人本科5人 行不行", {"staff_total": 36, "staff_degree": 13}),
        ("有45个人其中高级职称5个中级12个", {"staff_total": 45, "staff_degree": 17}),
        ("二十八人里面有十个中级职称", {"staff_total": 28, "staff_degree": 10}),
        ("专科15人本科15人一共30人", {"staff_total": 30, "staff_degree": 15}),
        ("40人 本科以上15个 其中硕士8个", {"staff_total": 40, "staff_degree": 15}),
        ("2023年研发600万 2024年700万 2025年800万 够吗", {"rd_total": 2.1e7}),
        ("三年研发费用分别是580万 690万 910万", {"rd_total": 2.18e7}),
        ("23年500万、24年650万、25年720万 三年合计达标不", {"rd_total": 1.87e7}),
        ("三年研发投入分别为1200、900、1100万元", {"rd_total": 3.2e7}),
        ("三个年头依次花了五百、六百、七百万搞研发", {"rd_total": 1.8e7}),
        ("去年研发费400万 主营收入1.5亿", {"rd_year": 4e6, "revenue_year": 1.5e8}),
        ("公司营收5亿 年研发2000万 研发人员60人", {"revenue_year": 5e8, "rd_year": 2e7, "staff_total": 60}),
        ("销售一亿三,研发四百一十万", {"revenue_year": 1.3e8, "rd_year": 4.1e6}),
        ("2024年研发占比3.2% 2025年2.6%", {"rd_ratio": 0.026}),
        ("研发费用占主营收入百分之三点五", {"rd_ratio": 0.035}),
        ("设备八百多万差不多行吧", {"equipment_value": 8e6}),
        ("仪器花了一千一百多万", {"equipment_value": 1.1e7}),
        ("设备原值850万 净值400万", {"equipment_value": 8.5e6}),
        ("实验设备总共值0.12亿", {"equipment_value": 1.2e7}),
        ("we have 28 R&D staff, is that enough", {"staff_total": 28}),
        ("our R&D spending over three years is 18 million yuan", {"rd_total": 1.8e7}),
        ("俺们就二十来个人 29个 中不中", {"staff_total": 29}),
        ("我们有6例转化成功案例", {"transfer_cases": 6}),
        ("转化案例五例够了吧", {"transfer_cases": 5}),
        ("大学近三年转化成果32项", {"transfer_items": 32}),
        ("横向课题经费620万达标吗", {"horizontal_funds": 6.2e6}),
        ("横向才三百万", {"horizontal_funds": 3e6}),
        ("有个人全年在岗180天", {"staff_days": 180}),
        ("员工实际工作190天 达标么", {"staff_days": 190}),
        (
            "我们企业32人 研发三年2500万 占比4% 面积1100平 设备1200万",
            {"staff_total": 32, "rd_total": 2.5e7, "rd_ratio": 0.04, "floor_area": 1100, "equipment_value": 1.2e7},
        ),
        (
            "设备1200万 面积1100平 占比4% 研发三年2500万 研发人员32人",
            {"staff_total": 32, "rd_total": 2.5e7, "rd_ratio": 0.04, "floor_area": 1100, "equipment_value": 1.2e7},
        ),
    ],
)
def test_own_figures_are_read_in_any_order_number_form_and_unit(text: str, figures: dict[str, float]) -> None:
    assert own(text) == pytest.approx(figures)


@pytest.mark.parametrize(
    "text",
    ["2021年获批的要参加吗", "附件3什么时候报", "4月7号截止吗", "电话85911337打不通", "第2批", "需要几份材料", ""],
)
def test_what_is_no_figure_of_ones_own_is_not_taken_for_one(text: str) -> None:
    assert own(text) == {}


@pytest.mark.parametrize(
    ("text", "claimed"),
    [
        ("听说横向要求300万就行", "horizontal_funds"),
        ("研发费用不低于1000万就可以吧", "rd_total"),
        ("固定人员要求20人对吧", "staff_total"),
    ],
)
def test_a_requirement_wrongly_asserted_is_corrected_first(text: str, claimed: str, all_texts: Texts) -> None:
    found = read(text)
    assert claimed in found.claimed and claimed not in found.own
    assert checked(text, all_texts).text.startswith("**不是")


def test_two_years_are_no_total_of_three(all_texts: Texts) -> None:
    assert "rd_total" not in own("研发费用2024年900万 2025年1000万")


def test_each_line_says_requirement_own_figure_verdict_gap_and_cites_its_clause(all_texts: Texts) -> None:
    answer = checked("固定研发人员28人 本科以上9人 研发三年1950万", all_texts, UnitType.COMPANY)
    assert "要求不低于30人；您的是28人，**未达到**，差2人" in answer.text
    assert "要求不少于2000万元；您的是1950万元，**未达到**，差50万元" in answer.text
    assert "差1人" in answer.text  # 10 of 28 is the least whole number of persons that makes a third
    assert {"notice:附件1·四·2", "notice:附件1·二·1"} <= {c.clause_id for c in answer.citations}
    assert "还没给出的" in answer.text and "科研用房面积" in answer.text


@pytest.mark.parametrize(
    "text",
    ["固定研发人员35人达标吗", "我们企业32人 研发三年2500万 占比4% 面积1100平 设备1200万", "干183天算吗 工作183天"],
)
def test_no_pass_is_ever_promised(text: str, all_texts: Texts) -> None:
    answer = checked(text, all_texts)
    assert "附件1编写提纲里的要求" in answer.text and "以专家评价为准" in answer.text
    assert "能通过" not in answer.text and "一定" not in answer.text


def test_exactly_183_days_is_said_not_to_be_more_than_183(all_texts: Texts) -> None:
    assert "正好等于不算" in checked("实际工作183天", all_texts).text
    assert "达到要求" in checked("实际工作184天", all_texts).text


@given(
    st.one_of(
        st.text(max_size=80),
        st.lists(
            st.sampled_from(
                [*"0123456789一二三千百万亿人个项例天平,、。 %", "研发", "面积", "本科", "2023年", "里", "差"]
            ),
            max_size=20,
        ).map("".join),
    )
)
def test_no_text_makes_the_reader_fail(text: str) -> None:
    for figure in read(text).own.values():
        assert figure.indicator in PACK.lexicon.indicators and figure.value >= 0


def test_what_comes_on_top_is_added_to_what_was_said_before_and_is_no_figure_without_it() -> None:
    before = find_figures("研发人员25人", PACK.lexicon).own
    after = find_figures("那再招5个人呢", PACK.lexicon, before).own
    assert after["staff_total"].value == 30
    assert find_figures("再招5个人行不行", PACK.lexicon).own == {}
