"""Made-up conversations. What the store promises about turns, on every database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.conversation import Conversation
from bot.messages import Attachment, Citation, Reply, Status
from bot.store import Missing, NewDelivery, NewTicket, Source, StaleConversation, Store
from tests.store.conftest import NOW, turn

CITATION = Citation(document="通知", clause="四（一）", text="条款的文字。", clause_id="notice:四（一）")


async def test_a_new_conversation_is_fresh_and_leaves_no_trace_until_its_first_turn(store: Store) -> None:
    conversation = await store.load("c1", "web", NOW)
    assert (conversation.id, conversation.channel, conversation.version) == ("c1", "web", 0)
    assert conversation.created_at == NOW
    assert await store.threads.conversations("c1") == []


async def test_what_a_turn_changed_is_there_when_the_conversation_is_loaded_again(store: Store) -> None:
    conversation = await store.load("c1", "web", NOW)
    conversation.profile.said["role"] = "我是高校的"
    conversation.pending = {"kind": "clarify", "topics": ["a", "b"]}
    conversation.last_topics = ("self_evaluation",)
    said = turn(citations=(CITATION,), topics=("self_evaluation",))
    saved = await store.save_turn(conversation, said)
    assert (saved.number, saved.version, saved.duplicate) == (1, 1, False)

    again = await store.load("c1", "web", NOW)
    assert again.turns == [said]
    assert again.version == 1
    assert again.model_dump(exclude={"turns", "version"}) == conversation.model_dump(exclude={"turns", "version"})


async def test_only_the_latest_turns_are_loaded_and_all_are_in_the_history(store: Store) -> None:
    conversation = await store.load("c1", "web", NOW)
    for n in range(15):
        saved = await store.save_turn(conversation, turn(f"第{n}问"))
        conversation.version = saved.version
    again = await store.load("c1", "web", NOW, history=4)
    assert [t.text for t in again.turns] == ["第11问", "第12问", "第13问", "第14问"]
    kept = await store.conversations.history("c1")
    assert [k.number for k in kept] == list(range(1, 16))
    assert [k.number for k in await store.conversations.history("c1", after=13)] == [14, 15]


async def test_the_same_message_is_handled_once_and_gets_its_first_reply_again(store: Store) -> None:
    first = turn(replied="第一次的答复")
    first.external_id = "m1"
    saved = await store.save_turn(await store.load("c1", "telegram", NOW), first)
    for version in (0, 1):  # a writer who loaded before the first save, and one who loaded after
        conversation = Conversation(id="c1", channel="telegram", created_at=NOW, version=version)
        second = turn(replied="第二次的答复")
        second.external_id = "m1"
        again = await store.save_turn(conversation, second, ticket=NewTicket("问", "问", "not_in_sources"))
        assert again.duplicate
        assert again.reply == saved.reply
    assert len((await store.load("c1", "telegram", NOW)).turns) == 1
    assert await store.tickets.queue() == []
    earlier = await store.conversations.earlier("c1", "m1")
    assert earlier is not None and earlier.reply.text == "第一次的答复"
    assert await store.conversations.earlier("c1", "m2") is None


@pytest.mark.parametrize("version", [0, 1])
async def test_a_writer_with_an_old_version_is_told_and_writes_nothing(store: Store, version: int) -> None:
    conversation = await store.load("c1", "web", NOW)
    for _ in range(version + 1):
        conversation.version = (await store.save_turn(conversation, turn())).version
    conversation.version = version
    delivery = NewDelivery("c1", "web", turn().reply, "answer", "k")
    with pytest.raises(StaleConversation):
        await store.save_turn(
            conversation,
            turn("晚到的"),
            ticket=NewTicket("问", "问", "not_in_sources"),
            deliveries=[delivery],
        )
    assert len((await store.load("c1", "web", NOW)).turns) == version + 1
    assert await store.tickets.queue() == []
    assert await store.outbox.counts() == {}


async def test_of_many_writers_at_once_exactly_one_wins_each_version(
    opener: Callable[[], Awaitable[Store]],
) -> None:
    stores = [await opener() for _ in range(2)]
    if stores[0].engine.url.database is None:
        stores = stores[:1]  # each opening in memory is a database of its own
    won = 0
    for version in range(3):

        async def write(n: int, version: int = version) -> bool:
            conversation = Conversation(id="c1", channel="web", created_at=NOW, version=version)
            try:
                await stores[n % len(stores)].save_turn(conversation, turn(f"{n}"))
            except StaleConversation:
                return False
            return True

        won = sum(await asyncio.gather(*(write(n) for n in range(8))))
        assert won == 1
    assert len((await stores[0].load("c1", "web", NOW)).turns) == 3


async def test_an_attached_document_comes_back_byte_for_byte(store: Store) -> None:
    attachment = Attachment(filename="回执.docx", media_type="application/x", content=bytes(range(256)))
    await store.save_turn(await store.load("c1", "web", NOW), turn(attachments=(attachment,)))
    assert (await store.load("c1", "web", NOW)).turns[0].reply.attachments == (attachment,)


async def test_a_time_of_any_zone_comes_back_as_the_same_moment_in_utc(store: Store) -> None:
    said = turn()
    said.at = datetime(2026, 4, 1, 9, 30, tzinfo=timezone(timedelta(hours=8)))
    await store.save_turn(await store.load("c1", "web", NOW), said)
    at = (await store.load("c1", "web", NOW)).turns[0].at
    assert at == said.at
    assert at.tzinfo is UTC


async def test_the_store_knows_who_was_told_what_in_which_version(store: Store) -> None:
    promoted = [Source("promoted", "t1", "1")]
    await store.save_turn(await store.load("c1", "web", NOW), turn(citations=(CITATION, CITATION)), sources=promoted)
    await store.save_turn(await store.load("c2", "telegram", NOW), turn(citations=(CITATION,)))
    told = await store.knowledge.told("clause", ["notice:四（一）"])
    assert {(t.conversation_id, t.channel, t.turn) for t in told} == {("c1", "web", 1), ("c2", "telegram", 1)}
    assert [t.conversation_id for t in await store.knowledge.told("promoted", ["t1"])] == ["c1"]
    assert await store.knowledge.told("promoted", ["t1"], except_version="1") == []
    right = told[0].version
    assert await store.knowledge.told("clause", ["notice:四（一）"], except_version=right) == []


async def test_a_judgement_is_kept_and_the_latest_counts(store: Store) -> None:
    await store.save_turn(await store.load("c1", "web", NOW), turn())
    await store.conversations.rate("c1", 1, 1)
    await store.conversations.rate("c1", 1, -1, "没说清楚")
    kept = (await store.conversations.history("c1"))[0]
    assert (kept.thumbs, kept.thumbs_words) == (-1, "没说清楚")
    with pytest.raises(Missing):
        await store.conversations.rate("c1", 2, 1)


async def test_writes_inside_a_transaction_are_kept_together_or_not_at_all(store: Store) -> None:
    conversation = await store.load("c1", "web", NOW)
    draft = store.forms.new_draft("c1", "centre", "1")
    with pytest.raises(ZeroDivisionError):
        async with store.transaction():
            await store.forms.save_draft(draft)
            await store.save_turn(conversation, turn())
            raise ZeroDivisionError
    assert await store.forms.draft("c1") is None
    assert (await store.load("c1", "web", NOW)).version == 0
    async with store.transaction():
        await store.forms.save_draft(draft)
        await store.save_turn(conversation, turn())
    assert await store.forms.draft("c1") is not None
    assert (await store.load("c1", "web", NOW)).version == 1


async def test_saving_without_a_turn_counts_as_a_change(store: Store) -> None:
    conversation = await store.load("c1", "web", NOW)
    conversation.version = await store.conversations.save(conversation)
    conversation.last_question = "新的"
    assert await store.conversations.save(conversation) == 2
    with pytest.raises(StaleConversation):
        await store.conversations.save(conversation)
    assert (await store.load("c1", "web", NOW)).last_question == "新的"


async def test_an_update_is_processed_once(store: Store) -> None:
    assert not await store.conversations.processed("telegram", "7")
    await store.save_turn(await store.load("c1", "telegram", NOW), turn(), update_id="7")
    assert await store.conversations.processed("telegram", "7")
    assert not await store.conversations.mark_processed("telegram", "7")
    assert await store.conversations.mark_processed("telegram", "8")


async def test_a_delivered_reply_is_part_of_the_history_without_making_a_writer_stale(store: Store) -> None:
    conversation = await store.load("c1", "web", NOW)
    conversation.version = (await store.save_turn(conversation, turn())).version
    staff = Reply(text="人工答复", status=Status.ANSWERED, by_staff=True, citations=(CITATION,))
    assert await store.outbox.add(NewDelivery("c1", "web", staff, "answer", "k1"))
    (delivery,) = await store.outbox.claim("web", "w1")
    assert await store.outbox.sent(delivery, "w1")
    assert not await store.outbox.sent(delivery, "w1")
    saved = await store.save_turn(conversation, turn("再问一句"))
    assert saved.number == 3
    assert [t.reply.by_staff for t in (await store.load("c1", "web", NOW)).turns] == [False, True, False]
    assert [t.turn for t in await store.knowledge.told("clause", ["notice:四（一）"])] == [2]
