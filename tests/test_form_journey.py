"""Where a person stands, pasted text, and the review. Persons, units and figures are made up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.conversation import Figure, Profile
from bot.forms.journey import (
    FieldError,
    active_answers,
    asked,
    field_before,
    find_fields,
    next_field,
    prefills,
    progress,
    skip_answer,
)
from bot.forms.loading import answers_model
from bot.forms.review import review
from bot.forms.takeapart import take_apart
from knowledge.pack import UnitType
from tests.forms_samples import CENTRE, FACTS, ROSTER, TEXTS, filled

NOW = datetime(2026, 3, 28, tzinfo=UTC)


def _review(profile: Profile | None = None, **given: Any) -> Any:
    return review(CENTRE, filled("centre", **given), FACTS.thresholds, TEXTS, profile)


@pytest.mark.parametrize("unit", [u.value for u in UnitType])
def test_a_whole_filling_ends_and_fits_its_model(unit: str) -> None:
    answers = filled("centre", unit_type=unit)
    assert next_field(CENTRE, answers) is None
    done = progress(CENTRE, answers)
    assert done.done == done.total == len(asked(CENTRE, answers))
    answers_model(CENTRE).model_validate(answers)
    result = review(CENTRE, answers, FACTS.thresholds, TEXTS)
    assert result.complete and not result.missing


def test_universities_and_institutes_are_asked_for_transfers_and_companies_are_not() -> None:
    for unit, yes in (("university", True), ("institute", True), ("company", False), ("hospital", False)):
        ids = {f.id for f in asked(CENTRE, {"unit_type": unit})}
        assert ({"transfer_items", "horizontal_funds", "transfer_cases"} <= ids) is yes


def test_an_edit_makes_fields_needless_and_needed_and_loses_nothing() -> None:
    answers = filled("centre", unit_type="university", revenue=None)
    answers["unit_type"] = "company"
    assert "transfer_items" not in active_answers(CENTRE, answers)
    pending = next_field(CENTRE, answers)
    assert pending is not None and pending.id == "revenue"  # skipped before, required of a company
    answers["unit_type"] = "university"
    assert next_field(CENTRE, answers) is None
    assert active_answers(CENTRE, answers)["transfer_items"] == 35


def test_going_back_keeps_the_later_answers() -> None:
    answers = filled("centre")
    back = field_before(CENTRE, answers, "uscc")
    assert back is not None and back.id == "lead_unit"
    assert field_before(CENTRE, answers, "centre_name") is None
    assert field_before(CENTRE, answers, None) is not None


def test_a_required_field_is_not_skipped_and_an_optional_one_is() -> None:
    refused = skip_answer(CENTRE.field("uscc"), {}, TEXTS)
    assert isinstance(refused, FieldError) and "必填" in refused.message
    assert skip_answer(CENTRE.field("head_email"), {}, TEXTS) is None
    assert skip_answer(CENTRE.field("revenue"), {"unit_type": "hospital"}, TEXTS) is None
    assert skip_answer(CENTRE.field("revenue"), {"unit_type": "company"}, TEXTS) is not None


def test_the_words_of_an_edit_find_the_field() -> None:
    answers = filled("centre")
    assert [f.id for f in find_fields(CENTRE, answers, "手机")] == ["head_mobile", "contact_mobile"]
    assert [f.id for f in find_fields(CENTRE, answers, "联系人手机")] == ["contact_mobile"]
    assert [f.id for f in find_fields(CENTRE, answers, "设备")] == ["equipment_value"]
    assert find_fields(CENTRE, answers, "天气") == []


TEXT_TABLE: list[tuple[str, dict[str, Any]]] = [
    ("联系人张三，手机13812345678, 邮箱zhangsan@example.com",
     {"contact_name": "张三", "contact_mobile": "13812345678", "contact_email": "zhangsan@example.com"}),
    ("中心名称：青岛市某某技术创新中心\n牵头建设单位：某某公司\n信用代码 91370200MA00000A1F\n单位类型：企业\n主管部门：崂山区科技局\n获批批次：2022年第1批",
     {"centre_name": "青岛市某某技术创新中心", "lead_unit": "某某公司", "uscc": "91370200MA00000A1F", "unit_type": "company",
      "department": "laoshan", "batch": "2022-1"}),
    ("负责人：王伟 主任 13800138001 85911337，联系人：李娜，手机 13800138000，座机0532-85911338",
     {"head_name": "王伟", "head_mobile": "13800138001", "head_phone": "0532-85911337", "contact_name": "李娜",
      "contact_mobile": "13800138000", "contact_phone": "0532-85911338"}),
    ("研发费用 2023年600万 2024年700万 2025年800万，主营业务收入：1亿 1.2亿 1.3亿，发明专利12件，软著8",
     {"rd_spending": {"2023": 6_000_000, "2024": 7_000_000, "2025": 8_000_000},
      "revenue": {"2023": 100_000_000, "2024": 120_000_000, "2025": 130_000_000}, "patents": 12, "software": 8}),
    ("固定研发人员28人，本科及以上20人，面积860平，设备原值900万",
     {"staff_total": 28, "staff_degree": 20, "floor_area": 860.0, "equipment_value": 9_000_000}),
    ("今天天气不错，什么时候截止？", {}),
    ("技术创新中心的研究方向要写多细？", {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TEXT_TABLE)
def test_a_pasted_text_is_taken_apart(text: str, expected: dict[str, Any]) -> None:
    taken = take_apart(CENTRE, text, TEXTS)
    assert {t.field.id: t.value for t in taken} == expected
    assert all(t.words in text for t in taken)


def test_the_pending_question_takes_the_leading_words_and_a_wrong_value_is_told() -> None:
    taken = take_apart(CENTRE, "张三，13812345678", TEXTS, at=CENTRE.field("contact_name"))
    assert {t.field.id: t.value for t in taken} == {"contact_name": "张三", "contact_mobile": "13812345678"}
    (wrong,) = take_apart(CENTRE, "手机1381234", TEXTS)
    assert wrong.value is None and wrong.error and "手机号" in wrong.error.message
    taken = take_apart(ROSTER, "崂山区科技局 王芳 科长 85911337 13800138000", TEXTS)
    assert {t.field.id for t in taken} >= {"office_phone", "mobile"}


def test_figures_short_of_a_threshold_are_accepted_and_pointed_out_with_clause_and_gap() -> None:
    result = _review(staff_total=28, staff_degree=9, floor_area=860.0, equipment_value=9_000_000)
    assert result.complete
    found = {s.threshold.id: s for s in result.shortfalls}
    assert {"staff_total", "floor_area", "equipment_value", "staff_degree_share"} <= set(found)
    assert "还差140平方米" in found["floor_area"].text and found["floor_area"].threshold.clause == "附件1·五·1"
    assert "还差2人" in found["staff_total"].text
    assert "还差100万元" in found["equipment_value"].text


def test_a_third_is_exact_and_the_yearly_ratio_names_its_year() -> None:
    assert "staff_degree_share" not in {s.threshold.id for s in _review(staff_total=30, staff_degree=10).shortfalls}
    years = {"2023": 30_000_000, "2024": 1_000_000, "2025": 30_000_000}
    revenue = dict.fromkeys(years, 100_000_000)
    short = [s for s in _review(rd_spending=years, revenue=revenue).shortfalls if s.threshold.id == "rd_ratio"]
    assert [s.year for s in short] == [2024] and "还差2%" in short[0].text and short[0].note


CONTRADICTIONS: list[tuple[dict[str, Any], str, bool]] = [
    ({"staff_total": 20, "staff_degree": 30}, "多于固定研发人员（20人）", False),
    ({"batch": "2030"}, "还晚", False),
    ({"batch": "2022-2"}, "2022年第2批", True),
    ({"platforms_same": True}, "原则上不再纳入", True),
    ({"head_phone": "010-62345678"}, "区号不是青岛的0532", True),
    ({"head_name": "张伟", "contact_name": "李娜", "head_mobile": "13800138000", "contact_mobile": "13800138000"}, "姓名不同", True),
]  # fmt: skip


@pytest.mark.parametrize(("given", "words", "complete"), CONTRADICTIONS)
def test_a_contradiction_is_named(given: dict[str, Any], words: str, complete: bool) -> None:
    result = _review(**given)
    assert any(words in finding.text and finding.clauses for finding in result.findings)
    assert result.complete is complete


def test_the_same_person_as_head_and_contact_is_fine() -> None:
    result = _review(head_name="张伟", contact_name="张伟")
    assert not result.findings


def test_what_was_said_before_is_offered_and_held_against_the_form() -> None:
    profile = Profile(
        unit_type=UnitType.COMPANY, conditions={"batch": "2022-1"},
        figures={"staff_total": Figure(indicator="staff_total", value=28, said="28个人"),
                 "rd_total": Figure(indicator="rd_total", value=18_000_000, said="1800万")},
    )  # fmt: skip
    offered = {p.field_id: (p.value, p.said) for p in prefills(CENTRE, {}, profile)}
    assert offered == {
        "unit_type": ("company", "company"),
        "batch": ("2022-1", "2022-1"),
        "staff_total": (28, "28个人"),
    }
    assert "batch" not in {p.field_id for p in prefills(CENTRE, {}, Profile(conditions={"batch": "other"}))}
    texts = [f.text for f in _review(profile, staff_total=36, batch="2021").findings]
    assert any("固定研发人员" in t and "28人" in t for t in texts)
    assert any("获批批次" in t and "2022年第1批" in t for t in texts)
    assert any("近三年研发费用总额" in t and "1800万元" in t for t in texts)


def test_the_review_is_readable_and_names_what_is_missing() -> None:
    result = review(CENTRE, {"unit_type": "company", "uscc": "91370200MA00000A1F"}, FACTS.thresholds, TEXTS)
    assert "centre_name" in {f.id for f in result.missing} and "head_email" not in {f.id for f in result.missing}
    rows = {f.id: said for section in result.sections for f, said in section.rows}
    assert rows["unit_type"] == "企业" and rows["centre_name"] == "（未填）"
