"""Any reply becomes messages that Telegram takes, with nothing of its text lost."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram.rendering import (
    Button,
    citations_of,
    keyboard,
    messages_of,
    pressed,
)
from bot.messages import Choice, Citation
from tests.telegram_emulator.checks import TEXT, length, parse_html

_PIECES = st.sampled_from(
    [
        "**",
        "<b>",
        "</b>",
        "&amp;",
        "&",
        "<",
        ">",
        "\n",
        "\n\n",
        "- ",
        "|",
        "。",
        "😀",
        "字",
        "# ",
        "> ",
        "| 甲 | 乙 |\n|---|---|\n",
    ]
)


@settings(deadline=None)  # other work on the machine is not its fault
@given(st.lists(st.one_of(_PIECES, st.text(max_size=20)), max_size=60))
def test_whatever_a_reply_says_telegram_can_parse_it(pieces: list[str]) -> None:
    for page in messages_of("".join(pieces)):
        parse_html(page)


@settings(deadline=None)  # other work on the machine is not its fault
@given(st.lists(st.integers(1, 9000), min_size=1, max_size=6), st.booleans())
def test_no_message_is_too_long_and_no_character_is_lost(sizes: list[int], bold: bool) -> None:
    paragraphs = [("甲乙丙丁<。" * (n // 6 + 1))[:n] for n in sizes]
    text = "\n\n".join(f"**{p}**" if bold and p.strip() == p else p for p in paragraphs)
    shown = [parse_html(page)[0] for page in messages_of(text)]
    assert all(0 < length(page) <= TEXT for page in shown)
    assert re.sub(r"\s", "", "".join(shown)) == "".join(paragraphs)


def test_cuts_are_made_at_paragraph_borders() -> None:
    paragraphs = ["甲" * 1500 + "。", "乙" * 1500 + "。", "丙" * 1500 + "。"]
    pages = [parse_html(p)[0] for p in messages_of("\n\n".join(paragraphs))]
    assert pages == ["\n\n".join(paragraphs[:2]), paragraphs[2]]


def test_bold_lists_tables_and_signs_are_shown() -> None:
    page = messages_of("**结论**：A<B & C\n- 甲\n- 乙\n\n| 项目 | 要求 | 您 |\n|---|---|---|\n| 人员 | 30人 | 32人 |")[
        0
    ]
    text, entities = parse_html(page)
    assert text == "结论：A<B & C\n• 甲\n• 乙\n\n• 人员：要求：30人；您：32人"
    assert [e["type"] for e in entities] == ["bold", "bold"]


def test_sources_are_quoted_with_the_supporting_words_marked() -> None:
    cited = Citation(document="通知", clause="四（一）", text="自评<3月26日-4月7日>。", quote="3月26日-4月7日")
    text, entities = parse_html(citations_of([cited])[0])
    assert text == "《通知》 四（一）\n自评<3月26日-4月7日>。"
    assert {e["type"] for e in entities} == {"bold", "expandable_blockquote", "underline"}


def test_callback_data_is_64_bytes_at_most_and_never_empty() -> None:
    choices = [
        Choice(label="长", value="t:" + "很" * 40),
        Choice(label="短", value="c:help"),
        Choice(label="空", value=""),
    ]
    rows = keyboard(choices, "m123:1700000000", "依据（1）")
    data = [b.data for row in rows for b in row]
    assert all(d and 1 <= len(d.encode()) <= 64 for d in data)
    assert data == ["n:0:m123:1700000000", "c:help", "n:2:m123:1700000000", "s:m123:1700000000"]


def test_after_a_press_the_other_answers_are_gone_but_topics_and_sources_stay() -> None:
    rows = ((Button("企业", "e:kind:a"), Button("高校", "e:kind:b")), (Button("依据（1）", "s:m1"),))
    assert pressed(rows, "e:kind:a") == ((Button("✓ 企业", "x:1"),), (Button("依据（1）", "s:m1"),))
    rows = ((Button("截止", "t:a"), Button("材料", "t:b")),)
    assert pressed(rows, "t:a") == ((Button("✓ 截止", "x:1"), Button("材料", "t:b")),)
