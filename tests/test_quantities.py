"""Amounts typed by people are understood; what is no amount is left alone."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.quantities import find_quantities, parse_number, say_yuan

TABLE: list[tuple[str, list[tuple[float, str | None]]]] = [
    ("1.2亿", [(1.2e8, "yuan")]),
    ("1800万元", [(1.8e7, "yuan")]),
    ("三千二百万", [(3.2e7, "yuan")]),
    ("三千二百万元", [(3.2e7, "yuan")]),
    ("两千万", [(2e7, "yuan")]),
    ("2千万", [(2e7, "yuan")]),
    ("2.3千万", [(2.3e7, "yuan")]),
    ("2300w", [(2.3e7, "yuan")]),
    ("一点二亿", [(1.2e8, "yuan")]),
    ("十二点五亿元", [(1.25e9, "yuan")]),
    ("1亿2000万", [(1.2e8, "yuan")]),
    ("一亿五", [(1.5e8, "yuan")]),
    ("3万5", [(35000, "yuan")]),
    ("3万5000元", [(35000, "yuan")]),
    ("一百零五万", [(1.05e6, "yuan")]),
    ("壹仟伍佰万元整", [(1.5e7, "yuan")]),
    ("23,000,000", [(2.3e7, None)]),
    ("23，000，000元", [(2.3e7, "yuan")]),
    ("１８００万", [(1.8e7, "yuan")]),
    ("0.8公顷", [(8000, "m2")]),
    ("860平", [(860, "m2")]),
    ("860平米", [(860, "m2")]),
    ("1000㎡", [(1000, "m2")]),
    ("1.5亩", [(1000, "m2")]),
    ("两万平方米", [(20000, "m2")]),
    ("3%", [(0.03, "share")]),
    ("３％", [(0.03, "share")]),
    ("百分之三", [(0.03, "share")]),
    ("百分之十二点五", [(0.125, "share")]),
    ("百分之百", [(1, "share")]),
    ("3个点", [(0.03, "share")]),
    ("2.5个百分点", [(0.025, "share")]),
    ("三分之一", [(1 / 3, "share")]),
    ("1/3", [(1 / 3, "share")]),
    ("四成", [(0.4, "share")]),
    ("三成五", [(0.35, "share")]),
    ("一半以上是本科", [(0.5, "share")]),
    ("28个人", [(28, "persons")]),
    ("12名", [(12, "persons")]),
    ("固定人员28个", [(28, "items")]),
    ("28个研发人员", [(28, "persons")]),
    ("三十人", [(30, "persons")]),
    ("30多人", [(30, "persons")]),
    ("30项", [(30, "items")]),
    ("5例", [(5, "cases")]),
    ("5个案例", [(5, "cases")]),
    ("183天", [(183, "days")]),
    ("半年", [(0.5, "years")]),
    ("一年半", [(1.5, "years")]),
    ("6个月", [(0.5, "years")]),
    ("28", [(28, None)]),
    ("三", [(3, None)]),
    ("600万 650万 700万", [(6e6, "yuan"), (6.5e6, "yuan"), (7e6, "yuan")]),
    ("600万650万700万", [(6e6, "yuan"), (6.5e6, "yuan"), (7e6, "yuan")]),
    ("六百万、六百五十万、七百万", [(6e6, "yuan"), (6.5e6, "yuan"), (7e6, "yuan")]),
    ("600、650、700万元", [(6e6, "yuan"), (6.5e6, "yuan"), (7e6, "yuan")]),
    ("700 650 600万", [(7e6, "yuan"), (6.5e6, "yuan"), (6e6, "yuan")]),
    ("1800-2000万", [(1.8e7, "yuan"), (2e7, "yuan")]),
    ("20到30人", [(20, "persons"), (30, "persons")]),
    ("3%～5%", [(0.03, "share"), (0.05, "share")]),
    ("8000到1万元", [(8000, "yuan"), (10000, "yuan")]),
    ("近三年研发费用1800万，收入6亿", [(3, "years"), (1.8e7, "yuan"), (6e8, "yuan")]),
    ("30个人里12个本科", [(30, "persons"), (12, "items")]),
    ("100万美元", [(1e6, None)]),
    ("一万台", [(1e4, None)]),
]

NOTHING = [
    "一般来说要多少", "万一没过呢", "统一填写", "这一项怎么填", "第1批", "2022年(第1批)", "附件3", "4月7日前",
    "3月26日-4月7日", "2021年、2022年", "2021-2023年", "13812345678", "“10+1”创新型产业体系", "千万不要",
    "第三方机构", "科研成果怎么算", "二〇二三年", "A4纸",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_an_amount_is_understood(text: str, expected: list[tuple[float, str | None]]) -> None:
    found = find_quantities(text)
    assert [q.unit for q in found] == [unit for _, unit in expected]
    assert [q.value for q in found] == pytest.approx([value for value, _ in expected])
    for quantity in found:
        assert text[quantity.start : quantity.end] == quantity.text


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_amount_is_left_alone(text: str) -> None:
    assert find_quantities(text) == []


def _chinese(number: int) -> str:
    digits = "零一二三四五六七八九"

    def four(n: int) -> str:
        out, gap = "", False
        for size, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
            digit = n // size % 10
            if digit:
                out += ("零" if gap and out else "") + digits[digit] + name
                gap = False
            else:
                gap = True
        return out

    out = ""
    for size, name in ((10**8, "亿"), (10**4, "万"), (1, "")):
        part = number // size % 10**4
        if part:
            out += ("零" if out and part < 1000 else "") + four(part) + name
    return out or "零"


@given(st.integers(0, 10**12 - 1))
def test_a_number_written_in_chinese_is_read_back(number: int) -> None:
    assert parse_number(_chinese(number)) == number


@given(st.integers(0, 10**12))
def test_a_number_with_thousand_separators_is_read_back(number: int) -> None:
    assert parse_number(f"{number:,}") == number


@given(st.integers(1, 10**11))
def test_an_amount_said_back_is_the_amount(yuan: int) -> None:
    (found,) = find_quantities(say_yuan(yuan))
    assert (found.exact, found.unit) == (Fraction(yuan), "yuan")


@given(
    st.text(
        alphabet="0123456789０.,，、 万亿千百十一二三四五六七八九零两半年人项例天元平%成分之点第-~wk",
        max_size=20,
    )
)
@settings(max_examples=500)
def test_no_text_breaks_it_and_places_are_right(text: str) -> None:
    end = 0
    for quantity in find_quantities(text):
        assert quantity.start >= end
        assert text[quantity.start : quantity.end] == quantity.text
        end = quantity.end


@pytest.mark.parametrize(
    "text", ["9" * 4000, "9" * 400 + "亿元", "1/" + "9" * 3, "三千" * 1900, "9" * 350 + "分之1", "1分之" + "9" * 400]
)
def test_rows_of_digits_longer_than_any_amount_are_left_alone(text: str) -> None:
    assert all(q.value <= 1e15 for q in find_quantities(text))
