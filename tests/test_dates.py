"""Days as people name them are the right days at the day they are said; no text makes the reader fail."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.dates import find_dates, holiday

WEDNESDAY = date(2026, 4, 1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("今天还能报吗", (4, 1)),
        ("今日截止吗", (4, 1)),
        ("明天交行不行", (4, 2)),
        ("后天报", (4, 3)),
        ("大后天", (4, 4)),
        ("昨天交的", (3, 31)),
        ("前天", (3, 30)),
        ("大前天报的", (3, 29)),
        ("明早能交吗", (4, 2)),
        ("今晚提交", (4, 1)),
        ("下周一", (4, 6)),
        ("下周二交行不行", (4, 7)),
        ("下星期五", (4, 10)),
        ("下个礼拜天", (4, 12)),
        ("下下周三", (4, 15)),
        ("本周五", (4, 3)),
        ("这周四", (4, 2)),
        ("上周一", (3, 23)),
        ("周五之前", (4, 3)),
        ("周一", (4, 6)),
        ("周三", (4, 1)),
        ("月底", (4, 30)),
        ("这个月底", (4, 30)),
        ("本月底前", (4, 30)),
        ("下月底", (5, 31)),
        ("3月底", (3, 31)),
        ("四月末", (4, 30)),
        ("2月底", (2, 28)),
        ("4月7日", (4, 7)),
        ("4月7号", (4, 7)),
        ("四月七号", (4, 7)),
        ("四月十五日", (4, 15)),
        ("四月二十", (4, 20)),
        ("04月07日", (4, 7)),
        ("4/7", (4, 7)),
        ("4.15前", (4, 15)),
        ("2026-04-07", (4, 7)),
        ("2026/4/7", (4, 7)),
        ("2026年4月7日", (4, 7)),
        ("26年4月7日", (4, 7)),
        ("15号之前", (4, 15)),
        ("七号截止吗", (4, 7)),
        ("二十号", (4, 20)),
        ("27号交的名单", (3, 27)),
        ("清明后报晚不晚", (4, 4)),
        ("五一之前", (5, 1)),
        ("端午节", (6, 19)),
        ("国庆", (10, 1)),
    ],
)
def test_a_day_is_read_as_it_is_meant_on_wednesday_1_april(text: str, day: tuple[int, int]) -> None:
    assert [m.day for m in find_dates(text, WEDNESDAY)] == [date(2026, *day)]


@pytest.mark.parametrize(
    ("today", "text", "day"),
    [
        ("2026-12-31", "明天", "2027-01-01"),
        ("2026-12-30", "下月底", "2027-01-31"),
        ("2026-03-29", "周一", "2026-03-30"),
        ("2026-03-29", "周日", "2026-03-29"),
        ("2026-03-29", "下周一", "2026-03-30"),
        ("2026-03-30", "15号", "2026-04-15"),
        ("2028-02-28", "明天", "2028-02-29"),
        ("2028-02-10", "月底", "2028-02-29"),
        ("2026-03-31", "4月7号", "2026-04-07"),
        ("9999-12-30", "明天", "9999-12-31"),
    ],
)
def test_a_day_is_read_across_the_ends_of_weeks_months_and_years(today: str, text: str, day: str) -> None:
    assert [m.day for m in find_dates(text, date.fromisoformat(today))] == [date.fromisoformat(day)]


def test_several_days_are_found_in_their_order_with_their_words() -> None:
    text = "3月26日到4月7号能报，15号前审核，明天行吗"
    found = find_dates(text, WEDNESDAY)
    assert [m.day for m in found] == [date(2026, 3, 26), date(2026, 4, 7), date(2026, 4, 15), date(2026, 4, 2)]
    assert [text[m.start : m.end] for m in found] == [m.words for m in found]


@pytest.mark.parametrize(
    "text",
    [
        "十月十十日",
        "三五号",
        "4.7亿",
        "面积1000.5平方米",
        "占比3.2%",
        "附件3",
        "85911337",
        "2月30日",
        "13月5日",
        "第15号楼",
        "24号文",
        "10+1",
        "1/3以上",
        "3月",
        "一号线",
        "三号楼",
        "近三年",
        "周期",
        "周围",
        "4月31号",
        "星期八",
        "2026年度",
        "",
    ],
)
def test_what_is_no_day_is_not_taken_for_one(text: str) -> None:
    assert find_dates(text, WEDNESDAY) == []


@pytest.mark.parametrize(
    ("name", "year", "first"), [("Tomb-sweeping Day", 2026, date(2026, 4, 4)), ("Labour Day", 2026, date(2026, 5, 1))]
)
def test_public_holidays_come_from_the_calendar(name: str, year: int, first: date) -> None:
    assert holiday(name, year)[0] == first


def test_a_year_that_the_calendar_does_not_know_names_no_day_and_does_not_fail() -> None:
    assert holiday("Labour Day", 2090) == ()
    assert find_dates("五一前", date(2090, 4, 1)) == []


PIECES = st.sampled_from(
    [
        *"年月日号周下上个底末第星期礼拜一二三四五六七八九十〇零两天0123456789/.-，：",
        "今天",
        "大后天",
        "清明",
        "下下周",
        "月底",
        "2026",
    ]
)


@settings(max_examples=400, deadline=None)
@given(text=st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join)), today=st.dates())
def test_no_text_makes_the_reader_fail_and_each_find_lies_in_the_text(text: str, today: date) -> None:
    found = find_dates(text, today)
    assert [m.start for m in found] == sorted(m.start for m in found)
    for mention in found:
        assert text[mention.start : mention.end] == mention.words
    for one, after in zip(found, found[1:], strict=False):
        assert one.end <= after.start


@pytest.mark.parametrize("text", ["明天", "下周一", "下月底", "下下周日", "大后天"])
def test_at_the_end_of_the_calendar_a_later_day_is_no_day(text: str) -> None:
    assert find_dates(text, date.max) == []
