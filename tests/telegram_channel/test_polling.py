"""What a person gets in Telegram, over real HTTP, the updates polled (made-up assistant, real store)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.channels.telegram.service import running
from bot.messages import Message, Reply, Status
from bot.store import NewDelivery
from knowledge.loading import Pack
from tests.telegram_channel.stub import NOW, QUICK, World, clock, world
from tests.telegram_emulator import Emulator, Fault


async def handled(emulator: Emulator, update: int) -> None:
    """Wait until an update is acknowledged."""
    async with asyncio.timeout(8):
        while emulator.acknowledged <= update:
            await emulator.changed()


async def test_a_text_is_answered_and_then_acknowledged(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    update = person.says("自评截止到哪天？")
    assert (await person.next())["text"] == "第1条：自评截止到哪天？"
    await handled(emulator, update)
    assert not emulator.refused


async def test_commands_are_set_in_chinese_and_english_with_a_menu_button(emulator: Emulator, polled: World) -> None:
    names = [c["command"] for c in emulator.commands["all_private_chats", ""]]
    assert names == [
        "start",
        "dates",
        "eligibility",
        "register",
        "form",
        "progress",
        "remind",
        "human",
        "forget",
        "help",
    ]
    described = {
        language: emulator.commands["all_private_chats", language][1]["description"] for language in ("", "zh", "en")
    }
    assert described == {"": "时间节点和截止日期", "zh": "时间节点和截止日期", "en": "Dates and deadlines"}
    assert "form" not in [c["command"] for c in emulator.commands["all_group_chats", "zh"]]
    assert emulator.menu == {"type": "commands"}


async def test_a_deep_link_opens_a_topic(emulator: Emulator, polled: World, pack: Pack) -> None:
    person = emulator.person(7)
    topic = next(t for t in pack.topics if "." in t)
    person.starts(topic.replace(".", "-"))
    assert f"t:{topic}" in (await person.next())["text"]
    person.starts("nothing-we-know")
    assert "/start" in (await person.next())["text"]


async def test_a_resume_code_in_a_deep_link_is_said_like_one_that_is_typed(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    person.starts("C-7K3A9-F4HPR")
    assert "C-7K3A9-F4HPR" in (await person.next())["text"]


async def test_a_reply_is_escaped_and_its_sources_stand_behind_a_button(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    person.says("依据")
    message = await person.next()
    assert message["text"] == "4月7日截止，<b>不是</b>标签 & 符号"
    assert message["entities"] == [{"type": "bold", "offset": 0, "length": 4}]
    person.presses(message, "依据（1）")
    sources = await person.next()
    assert "《关于开展评价的通知》 四（一）" in sources["text"] and "<甲&乙>" in sources["text"]
    assert person.labels(message) == ["依据（1）"], "the sources can be looked at again"


async def test_a_choice_is_pressed_once(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    person.says("选")
    message = await person.next()
    seen = dict(message)
    person.presses(seen, "企业")
    person.presses(seen, "企业")
    person.presses(seen, "高校")
    assert "e:kind:company" in (await person.next())["text"]
    assert await person.quiet()
    assert person.labels(message) == ["✓ 企业"]
    assert [m.choice for m in polled.echo.asked if m.choice] == ["e:kind:company"]
    answers = [p.get("text") for name, p in emulator.calls if name == "answerCallbackQuery"]
    assert len(answers) == 3 and answers.count("这个已经选过了。") == 2


async def test_the_buttons_of_a_message_no_longer_known_are_answered_kindly(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    person.says("选")
    message = await person.next()
    for data in ("s:m4711", "n:3:m4711"):
        emulator.press(person, message, data, person.user())
    await handled(emulator, emulator.press(person, message, "x:1", person.user()))
    texts = [p.get("text") for name, p in emulator.calls if name == "answerCallbackQuery"]
    assert "这条的依据已经找不到了。请把问题再问一遍。" in texts
    assert polled.echo.asked[-1].choice == "stale", "the assistant says itself that a choice is stale"


async def test_an_edit_of_the_last_message_corrects_it_and_of_an_older_one_nothing(
    emulator: Emulator, polled: World
) -> None:
    person = emulator.person(7)
    person.says("一")
    await person.next()
    person.says("二")
    await person.next()
    first, last = (m["message_id"] for m in person.messages if not m["from"]["is_bot"])
    person.edits(first, "壹")
    person.edits(last, "贰")
    answer = (await person.next())["text"]
    assert answer == "按您改过的内容回答：\n\n第3条：贰"
    assert await person.quiet()


async def test_an_edited_answer_in_a_form_is_said_as_a_correction(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    person.says("填表")
    await person.next()
    person.edits(1, "青岛甲中心")
    await person.next()
    assert polled.echo.asked[-1].text == "写错了，是青岛甲中心"


async def test_documents_go_out_and_what_comes_in_is_answered_with_what_is_possible(
    emulator: Emulator, polled: World
) -> None:
    person = emulator.person(7)
    person.says("文件")
    assert (await person.next())["text"] == "见附件"
    document = (await person.next())["document"]
    assert document["file_name"] == "日历.ics" and emulator._files[document["file_id"]] == b"BEGIN:VCALENDAR"
    person.sends_document("申报书.docx", b"PK")
    assert "文件在这里收不了" in (await person.next())["text"]
    for kind, value, word in (
        ("photo", [{"file_id": "f", "file_unique_id": "f", "width": 1, "height": 1}], "图片"),
        ("voice", {"file_id": "f", "file_unique_id": "f", "duration": 1}, "语音"),
        ("location", {"latitude": 36.1, "longitude": 120.3}, "位置"),
    ):
        person.sends(kind, value)
        assert word in (await person.next())["text"]
    person.sends(
        "photo", [{"file_id": "f", "file_unique_id": "f", "width": 1, "height": 1}], caption="自评截止到哪天？"
    )
    answer = (await person.next())["text"]
    assert "图片我看不了" in answer and "：自评截止到哪天？" in answer


async def test_typing_is_shown_while_a_turn_lasts(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    person.says("慢")
    await person.next()
    shown = len(person.actions)
    assert shown >= 2, "kept alive"
    await asyncio.sleep(0.3)
    assert len(person.actions) == shown, "and no longer"


async def test_fifty_chats_are_answered_side_by_side_and_each_in_order(emulator: Emulator, polled: World) -> None:
    people = [emulator.person(n) for n in range(1, 51)]
    for text in ("一起", "二", "三"):  # the first is answered only when all fifty are being answered
        for person in people:
            person.says(text)
    for person in people:
        assert [(await person.next(40))["text"] for _ in range(3)] == ["第1条：一起", "第2条：二", "第3条：三"]
    assert len(polled.echo.asked) == 150 and not emulator.refused


async def test_an_update_that_comes_twice_or_late_is_handled_once(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    update = person.says("一")
    await person.next()
    content = {"message": person.messages[0]}
    emulator.update(again=update, **content)
    late = emulator.skip_id()
    await handled(emulator, person.says("二"))
    await person.next()
    emulator.update(again=update, **content)
    assert await person.quiet()
    assert len(polled.echo.asked) == 2
    assert late  # the channel does not wait for a number that never comes


async def test_updates_of_one_batch_are_handled_in_their_order(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    emulator.held.clear()
    early = emulator.skip_id()
    person.says("后")
    person.messages[-1], first = person.messages[-1], person.add(person.user(), text="先")
    emulator.update(again=early, message=first)
    emulator.held.set()
    assert [(await person.next())["text"] for _ in range(2)] == ["第1条：先", "第2条：后"]


async def test_flood_limits_failures_and_dropped_connections_are_outlasted(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    emulator.fail("sendMessage", Fault("error", 500), Fault("error", 502), Fault("drop"), Fault("error", retry_after=1))
    person.says("一")
    begun = asyncio.get_running_loop().time()
    assert (await person.next())["text"] == "第1条：一"
    assert asyncio.get_running_loop().time() - begun >= 1, "the pause that was asked for was kept"
    assert await person.quiet() and len(polled.echo.asked) == 1


async def test_fetching_goes_on_after_failures(emulator: Emulator, polled: World) -> None:
    emulator.fail(
        "getUpdates", Fault("error", 502), Fault("drop"), Fault("hang", seconds=4), Fault("error", retry_after=1)
    )
    person = emulator.person(7)
    person.says("一")
    assert (await person.next())["text"] == "第1条：一"


async def test_a_reply_that_cannot_be_sent_for_long_goes_through_the_outbox(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    emulator.fail("sendMessage", *[Fault("error", 500) for _ in range(14)])
    await handled(emulator, person.says("一"))
    assert (await person.next(15))["text"] == "第1条：一"
    assert [d.kind for d in await polled.store.outbox.latest()] == ["reply"]
    conversation = polled.echo.asked[0].conversation_id
    assert len(await polled.store.conversations.history(conversation)) == 1, "it is in the history once"


async def test_a_turn_that_breaks_is_said_and_the_next_one_is_answered(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    person.says("坏")
    assert "刚才出了点问题" in (await person.next())["text"]
    person.says("好")
    assert "好" in (await person.next())["text"]


async def test_a_staff_answer_arrives_once_and_a_block_ends_it(emulator: Emulator, polled: World) -> None:
    store = polled.store
    person = emulator.person(7)
    person.says("一")
    await person.next()
    conversation = polled.echo.asked[0].conversation_id
    answer = Reply(text="**工作人员**：可以。", status=Status.ANSWERED, by_staff=True)
    emulator.fail("sendMessage", Fault("error", 500), Fault("error", retry_after=1), Fault("hang", seconds=4))
    for _ in range(2):
        await store.outbox.add(NewDelivery(conversation, "telegram", answer, "answer", "ticket:1"), NOW)
    assert (await person.next())["text"] == "工作人员：可以。"
    assert await person.quiet()
    person.blocks()
    await store.outbox.add(NewDelivery(conversation, "telegram", answer, "answer", "ticket:2"), NOW)
    async with asyncio.timeout(5):
        while not (failed := await store.outbox.latest(state="failed")):
            await asyncio.sleep(0.05)
    assert "blocked" in (failed[0].last_error or "")
    person.refuses = None
    await store.outbox.retry(failed[0].id, NOW)
    assert (await person.next())["text"] == "工作人员：可以。", "the console can have it tried again"


async def test_a_receipt_goes_through_the_outbox(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    emulator.fail("sendDocument", *[Fault("error", 500) for _ in range(3)])
    person.says("回执")
    assert (await person.next())["text"] == "已提交"
    assert (await person.next())["document"]["file_name"] == "回执.docx"
    assert await person.quiet()


async def test_the_chat_id_is_nowhere_in_the_database_in_the_clear(
    emulator: Emulator, polled: World, tmp_path: Path
) -> None:
    person = emulator.person(770077007700)
    person.says("选")
    message = await person.next()
    person.presses(message, "企业")
    await person.next()
    await asyncio.sleep(0.2)
    for file in tmp_path.glob("qtic.db*"):
        assert b"770077007700" not in file.read_bytes(), file.name


async def test_in_a_group_only_who_calls_the_bot_is_answered(emulator: Emulator, polled: World) -> None:
    group = emulator.group()
    alice, bob = group.user(7), group.user(8)
    group.says("大家好", alice)
    group.says("@qtic_test_bot 截止到哪天？", alice)
    answer = await group.next()
    assert answer["text"] == "第1条：截止到哪天？"
    group.says("那材料呢？", bob, reply_to_message=answer)
    assert (await group.next())["text"] == "第1条：那材料呢？", "each has a thread of their own"
    group.says("/dates@qtic_test_bot", alice)
    assert (await group.next())["text"] == "第2条：/dates"
    group.says("/dates@another_bot", alice)
    assert await group.quiet()


@pytest.mark.parametrize(
    "text", ["/form@qtic_test_bot", "@qtic_test_bot 填表", "/remind@qtic_test_bot", "@qtic_test_bot 提醒我"]
)
async def test_in_a_group_personal_matters_are_sent_to_the_private_chat(
    emulator: Emulator, polled: World, text: str
) -> None:
    group = emulator.group()
    group.says(text, group.user(7))
    message = await group.next()
    assert "请到私聊里说" in message["text"] and "中心名称" not in message["text"]
    button = message["reply_markup"]["inline_keyboard"][0][0]
    assert button["url"].startswith("https://t.me/qtic_test_bot?start=")
    group.says("@qtic_test_bot 截止到哪天？", group.user(7))
    assert "截止到哪天" in (await group.next())["text"]


async def test_a_wrong_token_is_one_sentence_and_harms_nothing_else(
    emulator: Emulator, tmp_path: Path, pack: Pack
) -> None:
    async with (
        world(tmp_path, emulator.url, pack, token="123456:AAWrongTokenOfNobody") as made,
        running(made.service, now=clock, pace=QUICK) as channel,
    ):
        assert channel is not None
        await asyncio.wait_for(channel.over.wait(), 5)
        assert channel.problem and channel.problem.startswith("Telegram 不认 TELEGRAM_BOT_TOKEN")
        reply = await made.service.assistant.handle(Message(conversation_id="c", channel="web", text="还在吗", at=NOW))
        assert reply.text == "第1条：还在吗"


async def test_a_token_revoked_while_it_runs_is_one_sentence(emulator: Emulator, made: World) -> None:
    async with running(made.service, now=clock, pace=QUICK) as channel:
        assert channel is not None
        await channel.connected.wait()
        emulator.token = "123456:AAAnotherOneNow"
        await asyncio.wait_for(channel.over.wait(), 8)
        assert channel.problem


async def test_without_a_token_there_is_no_channel(made: World) -> None:
    settings = made.service.settings.model_copy(update={"telegram_bot_token": None})
    service = replace(made.service, settings=settings)
    async with running(service) as channel:
        assert channel is None


async def test_what_was_said_while_the_bot_was_away_is_answered_when_it_is_back(
    emulator: Emulator, made: World
) -> None:
    person = emulator.person(7)
    person.says("一")
    person.says("二")
    for expected in ("第1条：一", None):
        async with running(made.service, now=clock, pace=QUICK) as channel:
            assert channel is not None
            if expected:
                assert (await person.next())["text"] == expected
                assert (await person.next())["text"] == "第2条：二"
            else:
                await channel.connected.wait()
                assert await person.quiet(), "and not again by the next process"


async def test_in_a_new_group_the_bot_says_what_it_does(emulator: Emulator, polled: World) -> None:
    group = emulator.group()
    group.member("left", "member", 7)
    assert "@qtic_test_bot" in (await group.next())["text"]


async def test_a_long_reply_comes_in_parts_with_the_buttons_under_the_last(emulator: Emulator, polled: World) -> None:
    person = emulator.person(7)
    person.says("长")
    parts = [await person.next() for _ in range(3)]
    assert "".join(p["text"] for p in parts) == "条<款。" * 2500
    assert [person.labels(p) for p in parts] == [[], [], ["企业"]]
