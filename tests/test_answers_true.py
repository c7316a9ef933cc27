"""Whatever the pack's answers state stands in a clause they cite, for every reader, on every kind of day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import product

import pytest

from bot.conversation import Figure, Profile
from bot.engines.base import Answer, Ask, Book
from bot.engines.guide import guide_step
from bot.engines.table import engine_for
from bot.texts import Texts
from bot.understanding.figures import Figures
from knowledge.loading import Pack, load_pack
from knowledge.pack import Role, Topic, TopicKind, UnitType
from tests.statements import computed, stated, unsupported

PACK = load_pack("qingdao-tic-2026")
DAYS = [
    date(2026, m, d)
    for m, d in ((3, 20), (3, 23), (3, 26), (3, 27), (4, 1), (4, 7), (4, 15), (4, 16), (4, 20), (4, 30), (5, 10))
]
"""Before everything, each opening and last day, days in between, after everything."""
READERS = list(product((None, *Role), (None, *UnitType)))
BARE = re.compile(r"\**(是的|可以|不用|对|不对|不是|能|不能|行|不行|需要|不需要|有|没有)\**[，。,.！!；;]")


def readings(topic: Topic, pack: Pack, texts: Texts) -> Iterator[tuple[str, Answer, date]]:
    """The topic's answer for every reader on every day."""
    for day, (role, unit) in product(DAYS, READERS):
        ask = Ask("", day, Profile(role=role, unit_type=unit), topic)
        yield f"{day} {role} {unit}", engine_for(topic.engine)(ask, Book(pack, texts, day)), day


@pytest.fixture(scope="module")
def documents(pack: Pack) -> set[str]:
    """Short names of the documents themselves, which need no clause to be named."""
    return {d.short for d in pack.info.documents if d.kind == "notice"}


@pytest.mark.parametrize("topic", PACK.topics.values(), ids=list(PACK.topics))
def test_every_topic_states_only_what_its_clauses_hold(
    topic: Topic, pack: Pack, all_texts: Texts, documents: set[str]
) -> None:
    if topic.engine == "self_check":
        pytest.skip("its own test is below: the opening sentence shows an example of figures")
    seen: set[str] = set()
    for reader, answer, day in readings(topic, pack, all_texts):
        assert answer.text, reader
        if answer.text in seen:
            continue
        seen.add(answer.text)
        cited = {c.clause_id for c in answer.citations}
        used = [m for m in pack.facts.milestones if f"notice:{m.clause}" in cited]
        allowed = computed(used, day) | documents
        if topic.engine == "guide":
            allowed |= _guide_numbers(pack)
        wrong = unsupported(answer.text, [c.text for c in answer.citations], allowed)
        assert not wrong, f"{topic.id} ({reader}) states {sorted(wrong)} that no cited clause holds:\n{answer.text}"


def _guide_numbers(pack: Pack) -> set[str]:
    """第1步, 共7步: the guide counts its own steps."""
    return {str(n) for t in pack.guide.tracks for n in range(1, len(t.steps) + 1)}


@pytest.mark.parametrize(
    "topic", [t for t in PACK.topics.values() if t.kind is not TopicKind.CHITCHAT], ids=lambda t: t.id
)
def test_no_topic_begins_with_a_bare_yes_or_no(topic: Topic, pack: Pack, all_texts: Texts) -> None:
    for reader, answer, _ in readings(topic, pack, all_texts):
        assert not BARE.match(answer.text), f"{topic.id} ({reader}) begins {answer.text[:20]!r}"


@pytest.mark.parametrize(("track", "number"), [(t.id, n) for t in PACK.guide.tracks for n in range(len(t.steps))])
def test_every_step_of_the_guide_states_only_what_its_clauses_hold(
    track: str, number: int, pack: Pack, all_texts: Texts, documents: set[str]
) -> None:
    for day, (role, unit), stuck in product(DAYS, READERS, (False, True)):
        answer = guide_step(Book(pack, all_texts, day), Profile(role=role, unit_type=unit), track, number, stuck=stuck)
        cited = {c.clause_id for c in answer.citations}
        used = [m for m in pack.facts.milestones if f"notice:{m.clause}" in cited]
        wrong = unsupported(
            answer.text, [c.text for c in answer.citations], computed(used, day) | documents | _guide_numbers(pack)
        )
        assert not wrong, f"{track} step {number} states {sorted(wrong)}:\n{answer.text}"
        assert answer.citations
        assert not BARE.match(answer.text)


@pytest.mark.parametrize("unit", [None, *UnitType])
def test_the_list_of_requirements_states_only_what_attachment_1_holds(
    unit: UnitType | None, pack: Pack, all_texts: Texts
) -> None:
    topic = next(t for t in pack.topics.values() if t.engine == "self_check")
    answer = engine_for("self_check")(Ask("", DAYS[0], Profile(unit_type=unit), topic), Book(pack, all_texts, DAYS[0]))
    example = stated(all_texts.render("self_check.give"))
    assert not unsupported(answer.text, [c.text for c in answer.citations], example)


@pytest.mark.parametrize("unit", [None, *UnitType])
def test_a_self_check_states_only_requirements_of_attachment_1_and_the_persons_own_figures(
    unit: UnitType | None, pack: Pack, all_texts: Texts
) -> None:
    given = {
        "rd_total": 19_500_000.0,
        "staff_total": 28.0,
        "staff_degree": 9.0,
        "floor_area": 860.0,
        "transfer_items": 25.0,
    }
    own = {k: Figure(indicator=k, value=v, said=str(v)) for k, v in given.items()}
    topic = next(t for t in pack.topics.values() if t.engine == "self_check")
    ask = Ask("", DAYS[0], Profile(unit_type=unit), topic, figures=Figures(own, {}))
    answer = engine_for("self_check")(ask, Book(pack, all_texts, DAYS[0]))
    figures = {"1950万元", "28人", "9人", "860平方米", "25项", "32.14%"}
    worked_out = {"50万元", "2人", "140平方米", "5项", "1人", "9.33人"}  # the gaps, and a third of 28
    assert not unsupported(answer.text, [c.text for c in answer.citations], figures | worked_out)


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("截止4月8日", "3月26日至4月7日"),
        ("不少于3人", "固定研发人员不低于30人"),
        ("不低于5%", "不低于3%"),
        ("电话8591133", "85911337"),
        ("见https://example.gov.cn/x", "http://qdstc.qingdao.gov.cn"),
        ("2025年度", "2026年度"),
        ("按《实施细则》", "按《办法》"),
        ("近五年", "近三年"),
        ("不低于四分之一", "不低于三分之一"),
        ("下周三截止", "4月7日截止"),
    ],
)
def test_the_reader_of_statements_finds_what_a_clause_does_not_hold(text: str, clause: str) -> None:
    assert unsupported(text, [clause])


def test_every_declined_or_refused_topic_has_a_reason_with_a_text_and_every_status_and_reason_has_one(
    pack: Pack, all_texts: Texts
) -> None:
    from bot.messages import Reason, Status

    assert set(all_texts.get("replies.statuses")) == {s.value for s in Status}
    assert set(all_texts.get("replies.reasons")) == {r.value for r in Reason}
    for topic in pack.topics.values():
        if topic.kind in (TopicKind.DECLINE, TopicKind.REFUSE):
            assert Reason(topic.reason or "")
