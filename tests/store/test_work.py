"""Made-up questions and answers. Tickets, deliveries, reminders, promoted answers, on every database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import pytest

from bot.messages import Citation, Reply, Status
from bot.store import (
    NewDelivery,
    NewReminder,
    NewTicket,
    Promoted,
    Refused,
    Stale,
    StaleTicket,
    Store,
    StoreError,
    new_number,
    normal_number,
)
from tests.store.conftest import NOW, turn

ANSWER = Reply(text="人工答复：可以。", status=Status.ANSWERED, by_staff=True)
HOUR = timedelta(hours=1)


async def ask(
    store: Store, conversation: str, ticket: NewTicket, channel: str = "web", person: str | None = None
) -> str:
    """Ask a question that is filed; its number."""
    reply = Reply(text=f"已记录，编号 {ticket.number}", status=Status.UNANSWERED, ticket=ticket.number)
    asked = turn().model_copy(update={"reply": reply})
    loaded = await store.load(conversation, channel, NOW)
    saved = await store.save_turn(loaded, asked, ticket=ticket, person_id=person)
    assert saved.ticket_number is not None
    assert saved.reply.ticket == saved.ticket_number
    assert saved.ticket_number in saved.reply.text
    return saved.ticket_number


def question(said: str = "能延期吗？", **more: object) -> NewTicket:
    """A made-up question."""
    return NewTicket(said, said, "not_in_sources", **more)  # type: ignore[arg-type]


async def test_alike_questions_are_one_ticket_with_everybody_who_asked(store: Store) -> None:
    number = await ask(store, "c1", question())
    assert await store.tickets.same_question("能 延期吗") == number
    assert await ask(store, "c2", question("可以晚交吗", number=number, joins=True), "telegram") == number
    assert await ask(store, "c2", question("再问：可以晚交吗", number=number, joins=True), "telegram") == number
    (ticket,) = await store.tickets.queue()
    assert (ticket.number, ticket.askers, ticket.status) == (number, 2, "open")
    wordings = [(a.conversation_id, a.channel, a.wording) for a in await store.tickets.askers(number)]
    assert wordings == [("c1", "web", "能延期吗？"), ("c2", "telegram", "可以晚交吗")]


async def test_a_number_that_another_question_has_is_replaced_in_what_the_person_is_told(
    store: Store,
) -> None:
    first = await ask(store, "c1", question(number="Q-AAAAAA"))
    second = await ask(store, "c2", question("别的问题", number="Q-AAAAAA"))
    assert first == "Q-AAAAAA" != second
    assert {t.askers for t in await store.tickets.queue()} == {1}


async def test_one_answer_goes_to_every_asker_once_however_often_it_is_sent(store: Store) -> None:
    person = await store.persons.remember("telegram", "4711")
    number = await ask(store, "c1", question())
    await ask(store, "c2", question(number=number, joins=True), "telegram", person)
    version = (await store.tickets.get(number)).version
    asked = await store.tickets.answer(number, ANSWER, resolution="可以。", by="li", version=version)
    assert len(asked) == 2
    with pytest.raises(StaleTicket):  # the double click, or the colleague who was slower
        await store.tickets.answer(number, ANSWER, resolution="可以。", by="wang", version=version)
    assert (await store.tickets.get(number)).answered_by == "li"
    (web,) = await store.outbox.claim("web", "w")
    (telegram,) = await store.outbox.claim("telegram", "w")
    assert (web.reply, web.address) == (ANSWER, None)
    assert (telegram.reply, telegram.address) == (ANSWER, "4711")
    assert await store.outbox.counts() == {"claimed": 2}
    assert {d.conversation_id for d in await store.outbox.of_ticket(number)} == {"c1", "c2"}


async def test_a_corrected_answer_is_delivered_again_and_a_late_joiner_reopens_the_ticket(
    store: Store,
) -> None:
    number = await ask(store, "c1", question())
    for kind in ("answer", "correction"):
        version = (await store.tickets.get(number)).version
        await store.tickets.answer(number, ANSWER, resolution="x", by="li", version=version, kind=kind)
    assert sorted(d.kind for d in await store.outbox.of_ticket(number)) == ["answer", "correction"]
    assert await ask(store, "c9", question(number=number, joins=True)) == number
    assert (await store.tickets.get(number)).status == "open"


async def test_staff_and_asker_talk_in_one_thread_and_an_answer_of_the_asker_reopens(store: Store) -> None:
    number = await ask(store, "c1", question())
    await store.tickets.ask_back(number, ANSWER, text="哪个单位？", by="li", version=1)
    await store.tickets.asker_says(number, "c1", "某大学")
    await store.tickets.note(number, "先查一下", by="li")
    version = (await store.tickets.get(number)).version
    await store.tickets.close(number, "不在范围", by="li", version=version)
    await store.tickets.asker_says(number, "c1", "还有一个问题")
    assert (await store.tickets.get(number)).status == "open"
    thread = [(m.kind, m.text) for m in await store.tickets.thread(number)]
    assert len(thread) == 4
    assert ("asker", "某大学") in thread
    with pytest.raises(Refused):
        await store.tickets.asker_says(number, "c2", "别人的工单")


async def test_tickets_are_merged_and_split_without_losing_an_asker(store: Store) -> None:
    one, two = await ask(store, "c1", question("甲")), await ask(store, "c2", question("乙"))
    await ask(store, "c1", question("乙", number=two, joins=True))
    await store.tickets.merge(two, one, version=1)
    assert {a.conversation_id for a in await store.tickets.askers(one)} == {"c1", "c2"}
    assert await ask(store, "c3", question("乙", number=two, joins=True)) == one  # the old number leads there
    assert [t.number for t in await store.tickets.queue(status=None)] == [one]
    version = (await store.tickets.get(one)).version
    split = await store.tickets.split(one, ["c2"], question("丙"), version=version)
    assert [a.conversation_id for a in await store.tickets.askers(split)] == ["c2"]
    assert {a.conversation_id for a in await store.tickets.askers(one)} == {"c1", "c3"}


async def test_the_queue_is_filtered_and_searched(store: Store) -> None:
    await ask(store, "c1", question("延期 申请怎么办", topic="extension"))
    number = await ask(store, "c2", question("100%_给钱吗"), "telegram")
    await store.tickets.assign(number, "li", version=1)

    async def found(**by: str) -> list[str]:
        return [t.question for t in await store.tickets.queue(**by)]  # type: ignore[arg-type]

    assert await found(words="延期 怎么办") == ["延期 申请怎么办"]
    assert await found(words="%_给") == ["100%_给钱吗"]
    assert await found(topic="extension") == ["延期 申请怎么办"]
    assert await found(channel="telegram") == await found(assigned_to="li") == ["100%_给钱吗"]
    assert await found(conversation_id="c1") == ["延期 申请怎么办"]
    assert await store.tickets.counts() == {"open": 2}


async def test_two_workers_claiming_at_once_get_each_delivery_once(
    opener: Callable[[], Awaitable[Store]],
) -> None:
    store = await opener()
    await store.save_turn(await store.load("c1", "web", NOW), turn())
    for n in range(40):
        assert await store.outbox.add(NewDelivery("c1", "web", ANSWER, "answer", f"k{n}"))
    workers = [store, store]
    if store.engine.url.database is not None:
        workers = [store, await opener()]
    claimed: list[str] = []

    async def work(name: str, own: Store) -> None:
        while deliveries := await own.outbox.claim("web", name, limit=3):
            claimed.extend(d.id for d in deliveries)

    await asyncio.gather(*(work(f"w{n}", own) for n, own in enumerate(workers * 2)))
    assert len(claimed) == len(set(claimed)) == 40


async def test_a_dead_workers_delivery_is_claimed_again_and_its_late_report_is_void(store: Store) -> None:
    await store.save_turn(await store.load("c1", "web", NOW), turn())
    assert await store.outbox.add(NewDelivery("c1", "web", ANSWER, "answer", "k"))
    assert not await store.outbox.add(NewDelivery("c1", "web", ANSWER, "answer", "k"))
    (first,) = await store.outbox.claim("web", "dead")
    assert await store.outbox.claim("web", "alive") == []
    (again,) = await store.outbox.claim("web", "alive", now=NOW + HOUR)
    assert (again.id, again.attempts) == (first.id, 2)
    assert not await store.outbox.sent(first, "dead")
    assert await store.outbox.sent(again, "alive")
    await store.outbox.read(again.id)
    assert await store.outbox.counts() == {"read": 1}


async def test_a_failed_delivery_is_tried_later_then_shown_and_can_be_sent_again(store: Store) -> None:
    person = await store.persons.remember("telegram", "4711")
    await store.save_turn(await store.load("c1", "telegram", NOW), turn(), person_id=person)
    await store.outbox.add(NewDelivery("c1", "telegram", ANSWER, "answer", "k"))
    (delivery,) = await store.outbox.claim("telegram", "w")
    await store.outbox.failed(delivery, "w", "429", retry_at=NOW + HOUR)
    assert await store.outbox.claim("telegram", "w") == []
    assert await store.outbox.next_due("telegram") == NOW + HOUR
    (delivery,) = await store.outbox.claim("telegram", "w", now=NOW + HOUR)
    await store.outbox.failed(delivery, "w", "blocked", retry_at=None, unreachable=True)
    (shown,) = await store.outbox.latest(state="failed")
    assert shown.last_error == "blocked"
    await store.outbox.retry(shown.id)
    assert len(await store.outbox.claim("telegram", "w", now=NOW + 2 * HOUR)) == 1


async def test_a_reminder_is_sent_once_and_never_after_its_deadline_or_a_stop(
    opener: Callable[[], Awaitable[Store]],
) -> None:
    store = await opener()
    await store.save_turn(await store.load("c1", "web", NOW), turn())
    wanted = [
        NewReminder("filing", "1d", NOW, NOW + HOUR),
        NewReminder("review", "1d", NOW, NOW),
        NewReminder("later", "1d", NOW + 5 * HOUR, NOW + 9 * HOUR),
    ]
    assert await store.reminders.subscribe("c1", wanted) == 3
    assert await store.reminders.subscribe("c1", wanted) == 0
    both = await asyncio.gather(store.reminders.claim("w1"), store.reminders.claim("w2"))
    ((reminder,),) = [claimed for claimed in both if claimed]
    worker = "w1" if both[0] else "w2"
    assert (reminder.milestone, reminder.channel) == ("filing", "web")
    assert await store.reminders.send(reminder, ANSWER, worker)
    assert not await store.reminders.send(reminder, ANSWER, worker)
    assert await store.reminders.stop("c1") == 1
    assert await store.reminders.claim("w1", now=NOW + 6 * HOUR) == []
    assert await store.outbox.counts() == {"waiting": 1}


async def test_a_promoted_answer_is_seen_by_every_process_and_ends_by_date_or_withdrawal(
    opener: Callable[[], Awaitable[Store]],
) -> None:
    store = await opener()
    other = store if store.engine.url.database is None else await opener()
    citation = Citation(document="通知", clause="一", text="文字", clause_id="notice:一")
    new = Promoted("p1", "题", ("怎么问", "如何问"), "答。", "li", (citation,), {"role": "applicant"})
    kept = await store.knowledge.promote(new)
    assert (kept.version, kept.wordings, kept.citations) == (1, ("怎么问", "如何问"), (citation,))
    await other.load("c1", "web", NOW)
    assert other.conversations.knowledge_revision == await store.knowledge.revision() == 1
    with pytest.raises(Stale):
        await other.knowledge.promote(new)
    dated = Promoted("p2", "题", ("问",), "答。", "li", valid_until=date(2026, 4, 15))
    await store.knowledge.promote(dated)
    last = await other.knowledge.answering(date(2026, 4, 15))
    after = await other.knowledge.answering(date(2026, 4, 16))
    assert ([p.topic_id for p in last], [p.topic_id for p in after]) == (["p1", "p2"], ["p1"])
    await store.knowledge.withdraw("p1", version=1)
    assert await other.knowledge.answering(date(2026, 4, 16)) == []
    assert (await other.knowledge.get("p1")).state == "withdrawn"
    assert len(await other.knowledge.all()) == 2


@pytest.mark.parametrize("kind", ["ticket", "receipt", "code"])
def test_a_number_is_understood_however_it_is_typed(kind: str) -> None:
    for _ in range(200):
        number = new_number(kind)
        assert not set(number[2:]) & set("0O1IL2Z5S8BUVQDGMN")
        for typed in (
            number.lower(),
            number.replace("-", " "),
            number[2:],
            f" {number}。",
            number.replace("-", ""),
        ):
            assert normal_number(typed, kind) == number
    with pytest.raises(StoreError):
        normal_number("Q-0OIL", kind)
