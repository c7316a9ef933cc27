"""A form among all steps, with the real pack, encoder and index. Persons and units are made up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.assistant import Assistant
from bot.messages import Status
from tests.conftest import say
from tests.filling_people import asked_title


async def test_buttons_commands_and_questions_in_mid_form(assistant: Assistant, at: Callable[[str], datetime]) -> None:
    now = at("03-30")
    reply = await say(assistant, "填表", now)
    assert reply.status is Status.FORM
    await say(assistant, "", now, choice="f:agree")
    reply = await say(assistant, "", now, choice="c:dates")
    assert "4月7日" in reply.text and reply.citations and asked_title(reply) == "中心名称"
    reply = await say(assistant, "基本信息表要盖章吗", now)
    assert asked_title(reply) == "中心名称" and reply.status is not Status.FORM
    reply = await say(assistant, "", now, choice="c:eligibility")
    assert asked_title(reply) == "中心名称"
    reply = await say(assistant, "青岛市甲技术创新中心", now)
    assert asked_title(reply) == "牵头建设单位"
    reply = await say(assistant, "重新开始", now)
    assert asked_title(reply) == ""
    reply = await say(assistant, "继续填表", now)
    assert asked_title(reply) == "牵头建设单位"


async def test_the_form_is_opened_by_its_buttons(assistant: Assistant, at: Callable[[str], datetime]) -> None:
    for choice in ("c:form", "c:form_roster", "c:form_centre"):
        reply = await say(assistant, "", at("03-30"), conversation=choice, choice=choice)
        assert reply.status is Status.FORM and "同意" in reply.text
    reply = await say(assistant, "", at("03-30"), conversation="p", choice="c:progress")
    assert "没有正在填的表" in reply.text
