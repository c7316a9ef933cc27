"""Made-up people, questions and answers. What staff answered becomes knowledge, and can be taken back."""

from __future__ import annotations

import io

import docx
import pytest

from bot.helpdesk.checking import unsupported
from tests.helpdesk.conftest import Desk, csrf_of, press

ASKED = "评价结果什么时候公布？"
ANSWER = "评价结果另行通知，请留意市科技局网站。"


async def answered(desk: Desk, client: object) -> str:
    """A ticket of p1 that staff answered."""
    number = (await desk.says(ASKED, "p1")).ticket
    assert number is not None
    await press(client, f"/helpdesk/tickets/{number}", "answer", text=ANSWER)  # type: ignore[arg-type]
    await desk.delivers()
    return number


async def save(client: object, number: str, **changes: object) -> object:
    """Fill in the page 采纳为知识."""
    page = await client.get(f"/helpdesk/knowledge/new?ticket={number}")  # type: ignore[attr-defined]
    data = {
        "csrftoken": csrf_of(page.text),
        "topic": f"staff.{number}",
        "version": "0",
        "ticket": number,
        "title": "结果公布",
        "wordings": f"{ASKED}\n结果哪天出来",
        "answer": ANSWER,
        "valid_until": "2026-04-30",
        **changes,
    }
    return await client.post("/helpdesk/knowledge/save", data=data)  # type: ignore[attr-defined]


async def test_a_promoted_answer_answers_the_next_person_until_it_is_withdrawn_and_they_are_told(desk: Desk) -> None:
    client = await desk.logged_in("edith", "editor")
    number = await answered(desk, client)
    response = await save(client, number)
    assert response.status_code == 303, response.text[-3000:]  # type: ignore[attr-defined]
    told = await desk.says("结果哪天出来？", "p3")
    assert ANSWER in told.text and told.ticket is None and told.citations
    summary = await client.get("/helpdesk/knowledge/summary.docx")
    assert ANSWER in "\n".join(p.text for p in docx.Document(io.BytesIO(summary.content)).paragraphs)

    page = (await client.get("/helpdesk/knowledge")).text
    await client.post(f"/helpdesk/knowledge/withdraw/staff.{number}", data={"csrftoken": csrf_of(page), "version": "1"})
    assert ANSWER not in (await desk.says("结果哪天出来？", "p4")).text
    page = (await client.get(f"/helpdesk/recall?kind=promoted&id=staff.{number}")).text
    data = {"csrftoken": csrf_of(page), "kind": "promoted", "id": f"staff.{number}", "text": "以正式通知为准。"}
    for _ in range(2):
        await client.post("/helpdesk/recall/send", data=data)
    sent = await desk.delivers()
    assert sorted(who for who, _ in sent) == ["p1", "p3"]
    assert all("3月30日" in reply.text and "更正" in reply.text for _, reply in sent)


async def test_it_stops_by_itself_when_it_expires(desk: Desk) -> None:
    client = await desk.logged_in("edith", "editor")
    await save(client, await answered(desk, client), valid_until="2026-04-01")
    assert ANSWER in (await desk.says(ASKED, "p3")).text
    desk.clock.pass_by(days=3)
    assert ANSWER not in (await desk.says(ASKED, "p4")).text


async def test_a_wording_that_the_notice_answers_already_is_refused_side_by_side(desk: Desk, knowledge: object) -> None:
    client = await desk.logged_in("edith", "editor")
    number = await answered(desk, client)
    topic = next(t for t in desk.service.pack.topics.values() if t.kind == "answer" and t.answer)
    refused = await save(client, number, wordings=topic.samples[0])
    assert refused.status_code == 409 and topic.title in refused.text  # type: ignore[attr-defined]
    kept = await save(client, number, wordings=topic.samples[0], choice="replace", against=topic.id)
    assert kept.status_code == 303, kept.text[-2000:]  # type: ignore[attr-defined]
    assert ANSWER in (await desk.says(topic.samples[0], "p5")).text


async def test_wordings_lose_personal_data(desk: Desk) -> None:
    client = await desk.logged_in("edith", "editor")
    reply = await desk.says("我是13800138000，评价结果什么时候公布？", "p1")
    if reply.ticket is None:
        pytest.skip("the encoder answered it")
    page = (await client.get(f"/helpdesk/knowledge/new?ticket={reply.ticket}")).text
    assert "13800138000" not in page
    assert "13800138000" not in (await client.get(f"/helpdesk/tickets/{reply.ticket}")).text


async def test_who_answers_back_reopens_the_ticket_and_the_assistant_keeps_silent(desk: Desk) -> None:
    client = await desk.logged_in("anna")
    number = await answered(desk, client)
    await desk.says("", "p1", choice=f"k:{number}")
    receipt = await desk.says("那大概哪个月？", "p1")
    assert number in receipt.text and "已转给工作人员" in receipt.text
    ticket = await desk.service.store.tickets.get(number)
    assert ticket.status == "open"
    assert "那大概哪个月" in (await client.get(f"/helpdesk/tickets/{number}")).text
    await press(client, f"/helpdesk/tickets/{number}", "ask", text="您是哪一批的？")
    assert len(await desk.delivers()) == 1
    assert "已转给工作人员" in (await desk.says("2022年第1批", "p1")).text
    assert len([m for m in await desk.service.store.tickets.thread(number) if m.kind == "asker"]) == 2


async def test_looking_at_personal_data_is_logged(desk: Desk) -> None:
    client = await desk.logged_in("anna")
    number = (await desk.says(ASKED, "p1")).ticket
    await press(client, f"/helpdesk/tickets/{number}", "open", conversation="p1")
    entry = (await desk.service.store.staff.audit(action="view_personal"))[0]
    assert (entry.who, entry.record_id) == ("anna", number)


async def test_tickets_are_split_and_merged_by_hand(desk: Desk) -> None:
    client = await desk.logged_in("anna")
    number = (await desk.says(ASKED, "p1")).ticket
    assert (await desk.says(ASKED, "p2")).ticket == number
    response = await press(client, f"/helpdesk/tickets/{number}", "split", conversation="p2")
    new = response.headers["location"].rsplit("/", 1)[1]
    assert new != number and (await desk.service.store.tickets.get(new)).askers == 1
    await press(client, f"/helpdesk/tickets/{new}", "merge", into=number)
    assert (await desk.service.store.tickets.get(str(number))).askers == 2


def test_what_no_clause_supports_is_named() -> None:
    clause = "申报单位须于系统申报开放时间（3月26日至4月7日）内完成。科技创新平台建设管理处 85911337，不少于2000万元。"
    assert unsupported("请在4月7日前提交，电话85911337，研发费用不少于2000万元（见附件1和四（一））。", [clause]) == []
    assert unsupported("请在4月9日前提交，电话85911338，不少于三千万元。", [clause]) == [
        "4月9日",
        "85911338",
        "三千万元",
    ]
