"""Each dated duty is told right on the days around its bounds, and two dates of one thing are never merged."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot.conversation import Profile
from bot.engines.base import Answer, Ask, Book
from bot.engines.milestone import milestone, timeline
from bot.texts import Texts
from knowledge.dates import find_dates, workdays
from knowledge.loading import Pack, load_pack
from knowledge.milestones import State, for_role, standing
from knowledge.pack import Role, Topic

PACK = load_pack("qingdao-tic-2026")
NOTICE = {
    "roster": (None, (3, 27)),
    "self_evaluation": ((3, 26), (4, 7)),
    "filing": ((3, 26), (4, 7)),
    "review": ((4, 7), (4, 15)),
    "online_review": (None, (4, 15)),
    "summary_table": (None, (4, 20)),
    "evaluation": ((4, 20), (4, 30)),
}
"""As the notice has them, written down a second time."""


def test_all_seven_duties_have_the_days_of_the_notice(pack: Pack) -> None:
    found = {
        m.id: ((m.opens.month, m.opens.day) if m.opens else None, (m.closes.month, m.closes.day))
        for m in pack.milestones.values()
    }
    assert found == NOTICE
    assert {m.closes.year for m in pack.milestones.values()} == {2026}


@pytest.mark.parametrize("name", NOTICE)
def test_a_duty_is_upcoming_open_on_its_last_day_or_closed_at_each_bound(name: str, pack: Pack) -> None:
    duty, one = pack.milestones[name], timedelta(1)
    assert standing(duty, duty.closes).state is State.LAST_DAY
    assert (standing(duty, duty.closes + one).state, standing(duty, duty.closes + one).days) == (State.CLOSED, 1)
    assert (standing(duty, duty.closes - one).state, standing(duty, duty.closes - one).days) == (State.OPEN, 1)
    if duty.opens:
        assert (standing(duty, duty.opens - one).state, standing(duty, duty.opens - one).days) == (State.UPCOMING, 1)
        assert standing(duty, duty.opens).state is State.OPEN
        assert standing(duty, duty.opens).days == (duty.closes - duty.opens).days
    else:
        assert standing(duty, date(2026, 3, 1)).state is State.OPEN


def topic_of(name: str) -> Topic:
    """The topic that answers about a duty first."""
    return next(t for t in PACK.topics.values() if t.engine == "milestone" and list(t.params["milestones"])[0] == name)


def say(topic: Topic, day: date, texts: Texts, text: str = "") -> Answer:
    ask = Ask(text, day, Profile(), topic, dates=tuple(find_dates(text, day)))
    return milestone(ask, Book(PACK, texts, day))


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in NOTICE
        if any(t.engine == "milestone" and list(t.params["milestones"])[0] == n for t in PACK.topics.values())
    ],
)
def test_the_answer_says_where_today_stands_with_days_and_clause(name: str, all_texts: Texts) -> None:
    topic, duty, one = topic_of(name), PACK.milestones[name], timedelta(1)
    closes = f"{duty.closes.month}月{duty.closes.day}日"
    last = say(topic, duty.closes, all_texts)
    assert "最后一天" in last.text
    assert closes in last.text
    near = say(topic, duty.closes - one, all_texts)
    assert closes in near.text and "1天" in near.text and "最后一天**" not in near.text
    over = say(topic, duty.closes + one, all_texts)
    assert "已于" in over.text and closes in over.text and "1天" in over.text and "来得及" not in over.text
    if duty.opens:
        before = say(topic, duty.opens - one, all_texts)
        assert "还没有开始" in before.text and "1天" in before.text
    for answer in (last, near, over):
        assert f"notice:{duty.clause}" in {c.clause_id for c in answer.citations}
        assert any(c.quote == duty.quote for c in answer.citations)


def test_no_hour_of_closing_is_ever_stated(all_texts: Texts) -> None:
    for topic in (t for t in PACK.topics.values() if t.engine == "milestone"):
        for day in (PACK.milestones["filing"].closes, PACK.milestones["review"].closes):
            text = say(topic, day, all_texts).text
            assert "24点" not in text and "17:00" not in text and "24:00" not in text


def test_after_the_close_nobody_is_told_of_a_second_chance(all_texts: Texts) -> None:
    text = say(topic_of("filing"), date(2026, 4, 8), all_texts).text
    assert "未完成申报" in text and "没有补报" in text


@pytest.mark.parametrize(
    ("day", "words", "verdict"),
    [
        ("2026-04-01", "下周二交行不行", "最后一天"),
        ("2026-04-01", "下周三交行不行", "来不及"),
        ("2026-04-01", "4月6号提交来得及吗", "期限之内"),
        ("2026-04-01", "4月8号提交来得及吗", "来不及"),
        ("2026-03-23", "3月25号能填吗", "还没到开始"),
        ("2026-04-01", "月底报行吗", "来不及"),
        ("2026-04-05", "后天报还来得及吗", "最后一天"),
    ],
)
def test_a_planned_day_is_told_in_time_or_late(day: str, words: str, verdict: str, all_texts: Texts) -> None:
    text = say(topic_of("filing"), date.fromisoformat(day), all_texts, words).text
    assert verdict in text
    assert verdict != "来不及" or "还来得及" not in text


@pytest.mark.parametrize(
    ("topic", "words", "right"),
    [
        ("filing", "网上申报4月15号截止对吧", "不是4月15日，是4月7日"),
        ("filing", "申报延期到4月20日了是吧", "不是4月20日，是4月7日"),
        ("online_review", "在线审核4月20号截止对吗 对吧", "不是4月20日，是4月15日"),
        ("summary_table", "汇总表截止4月10号是吧", "不是4月10日，是4月20日"),
        ("filing", "申报是3月26日截止对吧", "不是3月26日，是4月7日"),
        ("review", "审核4月7日截止对吧", "不是4月7日，是4月15日"),
        ("roster", "名单最晚4月3号对吧", "不是4月3日，是3月27日"),
    ],
)
def test_a_wrongly_asserted_day_is_corrected_first(topic: str, words: str, right: str, all_texts: Texts) -> None:
    assert say(topic_of(topic), date(2026, 3, 24), all_texts, words).text.startswith(f"**{right}")


@pytest.mark.parametrize("words", ["网上申报4月7号截止对吧", "自评截止是4月7日吗 对吧", "申报4月7日截止 没错吧"])
def test_a_rightly_asserted_day_is_not_corrected(words: str, all_texts: Texts) -> None:
    assert "不是" not in say(topic_of("filing"), date(2026, 3, 24), all_texts, words).text


def test_review_and_summary_table_keep_their_own_days(all_texts: Texts) -> None:
    """READING.md, 1: 15 April is the review, 20 April the table, and an answer on one keeps them apart."""
    for day in (date(2026, 4, 10), date(2026, 4, 17)):
        review, table = (
            say(topic_of("online_review"), day, all_texts).text,
            say(topic_of("summary_table"), day, all_texts).text,
        )
        assert "4月15日" in review.split("。")[0] and "4月20日" not in review.split("。")[0]
        assert "4月20日" in table.split("。")[0] and "4月15日" not in table.split("。")[0]
        for text in (review, table):
            assert "在线审核是4月15日前完成，汇总表（附件2）是4月20日前报送" in text
    roster = say(topic_of("roster"), date(2026, 3, 24), all_texts).text
    assert "3月27日" in roster and "4月20日" not in roster.split("\n")[0]


def test_a_role_sees_its_own_duties_in_order_of_their_days(pack: Pack) -> None:
    officer = for_role(pack.milestones.values(), Role.OFFICER)
    applicant = for_role(pack.milestones.values(), Role.APPLICANT)
    assert [m.id for m in officer] == [
        "roster",
        "self_evaluation",
        "review",
        "online_review",
        "summary_table",
        "evaluation",
    ]
    assert [m.id for m in applicant] == ["self_evaluation", "filing", "evaluation"]
    assert len(for_role(pack.milestones.values(), None)) == 7


@pytest.mark.parametrize(
    "day",
    [date(2026, 3, 20), date(2026, 3, 26), date(2026, 4, 7), date(2026, 4, 17), date(2026, 4, 30), date(2026, 6, 1)],
)
@pytest.mark.parametrize("role", [None, *Role])
def test_the_timeline_names_every_duty_of_the_role_and_marks_what_is_over(
    day: date, role: Role | None, all_texts: Texts
) -> None:
    topic = next(
        t
        for t in PACK.topics.values()
        if t.engine == "timeline" and t.params.get("role") == (role.value if role else "all")
    )
    text = timeline(Ask("", day, Profile(role=role), topic), Book(PACK, all_texts, day)).text
    duties = for_role(PACK.milestones.values(), role)
    lines = {
        m.id: next(
            line for line in text.splitlines() if line.startswith("- ") and line.split("：", 1)[1].startswith(m.title)
        )
        for m in duties
    }
    assert len(lines) == len(duties)
    for duty in duties:
        assert ("（已过）" in lines[duty.id]) is (day > duty.closes)
        assert f"{duty.closes.month}月{duty.closes.day}日" in lines[duty.id]


def test_working_days_left_count_the_holiday_of_qingming() -> None:
    """Tomb-sweeping day of 2026 is 4 to 6 April, by the calendar of public holidays."""
    assert workdays(date(2026, 4, 1), date(2026, 4, 7)) == 3
    assert workdays(date(2026, 4, 6), date(2026, 4, 7)) == 1
