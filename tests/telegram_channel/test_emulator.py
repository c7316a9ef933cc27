"""The emulator refuses what the Bot API documents to refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, InputFile
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter
from telegram.request import HTTPXRequest

from tests.telegram_emulator import Emulator, Fault, parse_html
from tests.telegram_emulator.server import TOKEN


@pytest.fixture
async def bot(emulator: Emulator) -> AsyncIterator[Bot]:
    """The library's plain client."""
    made = Bot(TOKEN, f"{emulator.url}/bot", f"{emulator.url}/file/bot", request=HTTPXRequest(read_timeout=1))
    async with made:
        yield made


@pytest.fixture
def person(emulator: Emulator) -> int:
    """Somebody who has written to the bot."""
    emulator.person(7).says("你好")
    return 7


async def test_an_unescaped_less_than_is_refused(bot: Bot, person: int) -> None:
    with pytest.raises(BadRequest, match="(?i)can't parse entities"):
        await bot.send_message(person, "研发费用 <3% 的", parse_mode="HTML")


@pytest.mark.parametrize(
    "words",
    [
        "<b>没有结束",
        "</b>",
        "<b><i>交叉</b></i>",
        "<p>段落</p>",
        "<blockquote>外<blockquote>内</blockquote></blockquote>",
        "<span>无类</span>",
    ],
)
async def test_tags_that_are_unbalanced_or_unknown_are_refused(bot: Bot, person: int, words: str) -> None:
    with pytest.raises(BadRequest, match="(?i)can't parse entities"):
        await bot.send_message(person, words, parse_mode="HTML")


async def test_a_callback_of_65_bytes_is_refused_and_of_64_taken(bot: Bot, person: int) -> None:
    def keyboard(data: str) -> InlineKeyboardMarkup:
        return InlineKeyboardMarkup([[InlineKeyboardButton("选", callback_data=data)]])

    await bot.send_message(person, "选", reply_markup=keyboard("x" * 64))
    with pytest.raises(BadRequest, match="(?i)BUTTON_DATA_INVALID"):
        await bot.send_message(person, "选", reply_markup=keyboard("x" * 65))
    with pytest.raises(BadRequest, match="(?i)BUTTON_DATA_INVALID"):
        await bot.send_message(person, "选", reply_markup=keyboard("选" * 22))


async def test_text_above_4096_and_no_text_are_refused(bot: Bot, person: int) -> None:
    await bot.send_message(person, "<b>" + "字" * 4096 + "</b>", parse_mode="HTML")
    with pytest.raises(BadRequest, match="(?i)too long"):
        await bot.send_message(person, "字" * 4097)
    with pytest.raises(BadRequest, match="(?i)empty"):
        await bot.send_message(person, " ")


async def test_strangers_unknown_chats_and_blocks_are_refused(bot: Bot, emulator: Emulator, person: int) -> None:
    with pytest.raises(BadRequest, match="(?i)chat not found"):
        await bot.send_message(99, "在吗")
    emulator.person(8)
    with pytest.raises(Forbidden, match="(?i)initiate"):
        await bot.send_message(8, "在吗")
    emulator.person(7).blocks()
    with pytest.raises(Forbidden, match="(?i)blocked"):
        await bot.send_message(7, "在吗")


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot, person: int) -> None:
    sent = await bot.send_message(person, "原文")
    with pytest.raises(BadRequest, match="(?i)not modified"):
        await bot.edit_message_text("原文", person, sent.message_id)
    assert await bot.edit_message_text("改过", person, sent.message_id)
    with pytest.raises(BadRequest, match="(?i)not found"):
        await bot.edit_message_text("改过", person, 4711)


async def test_a_callback_is_answered_once_and_with_200_characters_at_most(
    bot: Bot, emulator: Emulator, person: int
) -> None:
    with pytest.raises(BadRequest, match="(?i)query is too old"):
        await bot.answer_callback_query("123")
    chat = emulator.person(7)
    for words, refused in (("好" * 200, False), ("好" * 201, True)):
        update = emulator.press(chat, chat.messages[0], "x:1", chat.user())
        query = emulator._pending[update]["callback_query"]["id"]
        if refused:
            with pytest.raises(BadRequest):
                await bot.answer_callback_query(query, words)
        else:
            await bot.answer_callback_query(query, words)
            with pytest.raises(BadRequest, match="(?i)query is too old"):
                await bot.answer_callback_query(query)


async def test_commands_documents_files_actions_and_webhooks_are_checked(
    bot: Bot, emulator: Emulator, person: int
) -> None:
    with pytest.raises(BadRequest, match="(?i)BOT_COMMAND_INVALID"):
        await bot.set_my_commands([BotCommand("Start", "开始")])
    with pytest.raises(BadRequest, match="(?i)action"):
        await bot.send_chat_action(person, "thinking")
    with pytest.raises(BadRequest, match="(?i)non-empty"):
        await bot.send_document(person, InputFile(b"", "空.txt", attach=False))
    sent = await bot.send_document(person, InputFile(b"abc", "甲.txt", attach=False))
    assert sent.document is not None
    file = await bot.get_file(sent.document.file_id)
    assert bytes(await file.download_as_bytearray()) == b"abc"
    with pytest.raises(BadRequest, match="(?i)file_id"):
        await bot.get_file("unknown")
    emulator.local = False
    with pytest.raises(BadRequest, match="(?i)HTTPS"):
        await bot.set_webhook("http://example.org/x")
    with pytest.raises(BadRequest, match="(?i)secret token"):
        await bot.set_webhook("https://example.org/x", secret_token="空 格")
    await bot.set_webhook("https://127.0.0.1:1/x")
    with pytest.raises(Conflict):
        await bot.get_updates()


async def test_updates_are_acknowledged_by_the_offset_alone(bot: Bot, emulator: Emulator, person: int) -> None:
    first = await bot.get_updates(timeout=0)
    again = await bot.get_updates(timeout=0)
    assert [u.update_id for u in first] == [u.update_id for u in again]
    assert await bot.get_updates(offset=first[-1].update_id + 1, timeout=0) == ()
    assert await bot.get_updates(timeout=0) == ()


async def test_faults_come_out_as_the_client_knows_them(bot: Bot, emulator: Emulator, person: int) -> None:
    emulator.fail(
        "sendMessage", Fault("error", retry_after=3), Fault("error", 502), Fault("drop"), Fault("drop", after=True)
    )
    with pytest.raises(RetryAfter):
        await bot.send_message(person, "一")
    for _ in range(3):
        with pytest.raises(NetworkError):
            await bot.send_message(person, "一")
    assert len(emulator.person(7).from_bot) == 1, "the last one took effect before the connection was dropped"
    emulator.per_chat = (2, 5.0)
    await bot.send_message(person, "一")
    await bot.send_message(person, "二")
    with pytest.raises(RetryAfter):
        await bot.send_message(person, "三")


async def test_another_token_is_not_accepted(emulator: Emulator) -> None:
    for token in ("123456:AAnotherTokenOfNobody", "nonsense"):
        requests = [HTTPXRequest(), HTTPXRequest()]
        with pytest.raises(InvalidToken):
            await Bot(token, f"{emulator.url}/bot", request=requests[0], get_updates_request=requests[1]).initialize()
        for request in requests:
            await request.shutdown()


def test_entities_are_counted_in_utf16_units() -> None:
    assert parse_html("😀<b>甲&lt;乙</b>") == ("😀甲<乙", [{"type": "bold", "offset": 2, "length": 3}])
