"""Made-up people and questions. Every question is seen, answered once, and reaches everybody who asked."""

from __future__ import annotations

from tests.helpdesk.conftest import Desk, press

ASKED = "评价结果什么时候公布？"


async def test_an_answer_reaches_everybody_who_asked_once(desk: Desk) -> None:
    first = await desk.says(ASKED, "p1", "web")
    second = await desk.says("评价结果什么时候公布", "p2", "telegram")
    assert first.ticket is not None and second.ticket == first.ticket
    client = await desk.logged_in("agent1")
    assert ASKED in (await client.get("/helpdesk/")).text
    path = f"/helpdesk/tickets/{first.ticket}"
    page = (await client.get(path)).text
    version = page.split('name="version" value="')[1].split('"')[0]
    for _ in range(2):  # a double click
        await press(client, path, "answer", text="结果会另行通知。", version=version)
    web, telegram = await desk.delivers("web"), await desk.delivers("telegram")
    assert [c for c, _ in web] == ["p1"] and [c for c, _ in telegram] == ["p2"]
    assert "人工答复" in web[0][1].text and "2026年3月30日" in web[0][1].text and web[0][1].by_staff
    assert await desk.delivers("web") == []
    assert "已送达" in (await client.get(path)).text
