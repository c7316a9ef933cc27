"""Every kind of answer: what is taken, what is refused and with which words. Persons and units are made up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from bot.forms.definition import FieldSpec
from bot.forms.fields import KINDS
from bot.forms.journey import FieldError, mask, parse_answer, say
from tests.forms_samples import CENTRE, FORMS, ROSTER, TEXTS

SHARE = FieldSpec(id="share", title="比例", type="percentage", why="", clause=(), example="35%")


def field(name: str) -> FieldSpec:
    return SHARE if name == "share" else CENTRE.field(name)


REJECTS = [
    ("centre_name", "", "没有看到“中心名称”的内容"),
    ("centre_name", "12345", "需要用文字填写"),
    ("centre_name", "海" * 101, "超过100个字的上限"),
    ("plan", "。。。", "需要用文字填写"),
    ("plan", "规" * 3001, "超过3000个字的上限"),
    ("head_name", "张", "不像姓名"),
    ("head_name", "张三13800138000", "不像姓名"),
    ("head_name", "不知道", "不像姓名"),
    ("head_name", "张经理", "不像姓名"),
    ("uscc", "91370200", "刚才写了8位"),
    ("uscc", "91370200MA00000A1G", "校验位不对"),
    ("uscc", "9137020OMA00000A1F", "不含I、O、Z、S、V"),
    ("unit_type", "火星基地", "不在可选范围内"),
    ("unit_type", "9", "不在可选范围内"),
    ("department", "济南市", "不在可选范围内"),
    ("department", "青岛", "可能是"),
    ("batch", "第1批", "没有看出获批年份"),
    ("batch", "2021年或2022年", "没有看出获批年份"),
    ("batch", "1921年", "不合理"),
    ("head_mobile", "1381234", "不是有效的手机号码"),
    ("head_mobile", "1380013800a", "不是有效的手机号码"),
    ("head_mobile", "138001380001", "不是有效的手机号码"),
    ("head_mobile", "85911337", "像是固定电话"),
    ("head_mobile", "0532-85911337", "像是固定电话"),
    ("head_phone", "13800138000", "是手机号码"),
    ("head_phone", "123", "不是有效的办公电话"),
    ("head_phone", "0532-8591133", "不是有效的办公电话"),
    ("head_phone", "电话", "不是有效的办公电话"),
    ("head_email", "zhang.example.com", "不是有效的邮箱地址"),
    ("head_email", "zhang@", "不是有效的邮箱地址"),
    ("head_email", "a..b@example.com", "不是有效的邮箱地址"),
    ("equipment_value", "很多", "没有看出“实验仪器设备原值总和”的金额"),
    ("equipment_value", "2300", "没有写单位"),
    ("equipment_value", "-5万元", "不能是负数"),
    ("equipment_value", "100万美元", "请用人民币填写"),
    ("equipment_value", "1000万到2000万", "只要一个数"),
    ("equipment_value", "30人", "单位不对"),
    ("equipment_value", "99999999亿", "大得不合常理"),
    ("staff_total", "不少", "没有看出“固定研发人员”的数量"),
    ("staff_total", "28.5人", "应当是整数"),
    ("staff_total", "-3", "不能是负数"),
    ("staff_total", "30%", "单位不对"),
    ("staff_total", "20到30人", "只要一个数"),
    ("staff_total", "99999999999", "大得不合常理"),
    ("floor_area", "挺大的", "没有看出“科研用房面积”"),
    ("floor_area", "3间", "单位不对"),
    ("floor_area", "500万元", "单位不对"),
    ("floor_area", "-20平米", "不能是负数"),
    ("share", "多数", "没有看出“比例”的比例"),
    ("share", "130%", "应当在0%到100%之间"),
    ("share", "5人", "单位不对"),
    ("council", "也许吧", "请回答“是”或“否”"),
    ("council", "理事会是什么？", "请回答“是”或“否”"),
    ("projects", "123", "需要用文字填写"),
    ("projects", "、".join(f"项目{c}" for c in map(chr, range(0x4E00, 0x4E00 + 61))), "写了61条，最多60条"),
    ("rd_spending", "600万", "还缺2024、2025年"),
    ("rd_spending", "2023年600万，2025年800万", "还缺2024年"),
    ("rd_spending", "2022年600万，2023年700万，2024年800万", "2022年不在其中"),
    ("rd_spending", "1万 2万 3万 4万", "看到了4个数"),
    ("rd_spending", "600 700 800", "没有写单位"),
    ("rd_spending", "都还行", "没有看出"),
]


@pytest.mark.parametrize(("name", "text", "words"), REJECTS)
def test_a_refusal_says_what_is_wrong_and_shows_what_is_right(name: str, text: str, words: str) -> None:
    spec = field(name)
    result = parse_answer(spec, text, TEXTS)
    assert isinstance(result, FieldError), result
    assert words in result.message
    assert "例如：" in result.message


def test_every_kind_has_rejects_and_every_error_text_shows_an_example() -> None:
    assert {field(name).type for name, _, _ in REJECTS} == set(KINDS)
    for key, text in TEXTS.get("forms.errors").items():
        assert "{{ example }}" in text or "{{ first }}" in text, key


TAKEN: list[tuple[str, str, Any]] = [
    ("unit_type", "我们是一所大学", "university"),
    ("unit_type", "2", "university"),
    ("department", "黄岛", "westcoast"),
    ("department", "崂山区科技局", "laoshan"),
    ("department", "青岛西海岸新区(黄岛区)", "westcoast"),
    ("batch", "2022年（第1批）", "2022-1"),
    ("batch", "二〇二二年第一批", "2022-1"),
    ("batch", "21年", "2021"),
    ("head_name", "张 三", "张三"),
    ("head_name", "阿卜杜拉•买买提", "阿卜杜拉·买买提"),
    ("uscc", " 91370200ma00000a1f ", "91370200MA00000A1F"),
    ("head_mobile", "+86 138-0013-8000", "13800138000"),
    ("head_mobile", "１３８００１３８０００", "13800138000"),
    ("head_phone", "85911337", "0532-85911337"),
    ("head_phone", "(0532)85911337转801", "0532-85911337转801"),
    ("head_phone", "0532-85911337-801", "0532-85911337转801"),
    ("head_phone", "010-62345678", "010-62345678"),
    ("head_email", "Zhang.San@Example.COM", "Zhang.San@example.com"),
    ("equipment_value", "2300万", 23_000_000),
    ("equipment_value", "1.2亿", 120_000_000),
    ("equipment_value", "三千二百万元", 32_000_000),
    ("equipment_value", "23,000,000", 23_000_000),
    ("equipment_value", "没有", 0),
    ("staff_total", "二十八个人", 28),
    ("floor_area", "1.5亩", 1000.0),
    ("floor_area", "0.8公顷", 8000.0),
    ("floor_area", "2万平", 20000.0),
    ("share", "三分之一", 0.333333),
    ("council", "还没有", False),
    ("council", "已建立", True),
    ("platforms", "无", []),
    ("platforms", "无，", []),
    ("platforms", "1. 甲实验室\n2. 乙中心", ["甲实验室", "乙中心"]),
    ("rd_spending", "600万 650万 700万", {"2023": 6_000_000, "2024": 6_500_000, "2025": 7_000_000}),
    ("rd_spending", "600、650、700万元", {"2023": 6_000_000, "2024": 6_500_000, "2025": 7_000_000}),
    ("rd_spending", "2025年700万，2023年600万，2024年没有", {"2023": 6_000_000, "2024": 0, "2025": 7_000_000}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "value"), TAKEN)
def test_what_people_type_is_understood(name: str, text: str, value: Any) -> None:
    assert parse_answer(field(name), text, TEXTS) == value


def test_the_example_of_every_field_is_taken() -> None:
    for form in FORMS.current.values():
        for spec in form.fields():
            assert not isinstance(parse_answer(spec, spec.example, TEXTS), FieldError), spec.id


def _stable(name: str, text: str) -> None:
    spec = field(name)
    value = parse_answer(spec, text, TEXTS)
    if not isinstance(value, FieldError):
        assert parse_answer(spec, say(spec, value, TEXTS), TEXTS) == value


ONE_OF_EACH = ["centre_name", "plan", "head_name", "uscc", "department", "batch", "head_mobile", "head_phone",
               "head_email", "equipment_value", "staff_total", "floor_area", "share", "council", "projects", "rd_spending"]  # fmt: skip
PIECES = st.sampled_from(["2300万", "1.2亿", "三", "0.5", "8", "2023年", "，", "、", "；", "\n", " ", "平", "人", "%", "无", "是",
                          "张三", "1.", "-", "·", "a@b.cn", "13800138000", "85911337", "转8", "第1批", "2022", "崂山", "（", "）", "①"])  # fmt: skip


@pytest.mark.parametrize("name", ONE_OF_EACH)
@settings(max_examples=150, deadline=None)
@given(text=st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=8).map("".join)))
def test_what_is_accepted_normalises_to_itself(name: str, text: str) -> None:
    _stable(name, text)


@settings(deadline=None)
@given(st.integers(0, 10**12), st.integers(0, 10**6), st.floats(0, 10**7, allow_nan=False), st.integers(0, 10**6))
def test_numbers_said_back_are_the_numbers(yuan: int, count: int, area: float, share: int) -> None:
    for name, value in (
        ("equipment_value", yuan),
        ("staff_total", count),
        ("floor_area", round(area, 2)),
        ("share", share / 10**6),
    ):
        assert parse_answer(field(name), say(field(name), value, TEXTS), TEXTS) == value


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8), st.integers(0, 17))
def test_a_code_with_one_wrong_character_is_refused(body: str, at: int) -> None:
    head = "91370200M" + body
    code = head + uscc.calc_check_digit(head)
    assert parse_answer(field("uscc"), code, TEXTS) == code
    wrong = code[:at] + ("1" if code[at] != "1" else "2") + code[at + 1 :]
    assert isinstance(parse_answer(field("uscc"), wrong, TEXTS), FieldError)


def test_personal_answers_are_masked() -> None:
    shown = {name: mask(CENTRE.field(name), value, TEXTS) for name, value in [
        ("head_name", "张小三"), ("head_mobile", "13800138000"), ("head_phone", "0532-85911337"), ("head_email", "zhang@example.com")]}  # fmt: skip
    assert shown == {
        "head_name": "张**",
        "head_mobile": "138****8000",
        "head_phone": "0532-8591****",
        "head_email": "z***@example.com",
    }
    personal = {
        f.id
        for form in (CENTRE, ROSTER)
        for f in form.fields()
        if f.type in ("person", "mobile", "office_phone", "email")
    }
    assert personal == {f.id for form in (CENTRE, ROSTER) for f in form.fields() if f.personal}
