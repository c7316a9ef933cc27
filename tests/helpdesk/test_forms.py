"""Made-up people and forms. Forms are read, sent back and handed out, and each look is logged."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace

import openpyxl

from bot.helpdesk.dashboard import DIGEST, send_digest
from bot.store import Submission
from tests.helpdesk.conftest import NOW, Desk, csrf_of


async def handed_in(desk: Desk) -> Submission:
    """A form of p1."""
    store = desk.service.store
    await desk.says("自评截止到哪天？", "p1", "telegram")
    draft = store.forms.new_draft("p1", "centre", "2026.1", NOW)
    answers = {"centre_name": "海洋传感技术创新中心", "lead_unit": "海测科技公司", "contact_mobile": "13800138000"}
    draft = await store.forms.save_draft(replace(draft, answers=answers, department="崂山区"), NOW)
    return await store.forms.submit(draft, centre="海洋传感技术创新中心", now=NOW)


async def test_a_form_is_read_with_a_log_and_sent_back_once_with_the_field_marked(desk: Desk) -> None:
    one, client = await handed_in(desk), await desk.logged_in("anna")
    listed = await client.get("/helpdesk/submissions/list")
    assert one.receipt in listed.text and "13800138000" not in listed.text
    page = await client.get(f"/helpdesk/forms/{one.receipt}")
    assert "海测科技公司" in page.text
    assert (await desk.service.store.staff.audit(action="view_personal"))[0].record_id == one.receipt
    data = {"csrftoken": csrf_of(page.text), "field": "lead_unit", "note": "请写全称。"}
    for _ in range(2):
        assert (await client.post(f"/helpdesk/forms/{one.receipt}/correct", data=data)).status_code == 303
    sent = await desk.delivers("telegram")
    assert [who for who, _ in sent] == ["p1"] and "请写全称" in sent[0][1].text
    reopened = await desk.service.store.forms.draft("p1", "centre")
    assert reopened is not None and reopened.state == "open"


async def test_an_export_is_logged_belongs_to_who_asked_and_opens_in_excel(desk: Desk) -> None:
    one, client = await handed_in(desk), await desk.logged_in("anna")
    token = csrf_of((await client.get("/helpdesk/exports")).text)
    begun = await client.post(
        "/helpdesk/exports/begin", data={"csrftoken": token, "kind": "summary", "department": "崂山区"}
    )
    where = begun.headers["location"]
    while not (await client.get(f"{where}/state")).json()["done"]:
        await asyncio.sleep(0.05)
    file = await client.get(f"{where}/file")
    cells = [str(c.value) for row in openpyxl.load_workbook(io.BytesIO(file.content)).active for c in row]  # type: ignore[union-attr]
    assert "海洋传感技术创新中心" in cells
    entry = (await desk.service.store.staff.audit(action="export"))[0]
    assert entry.who == "anna" and entry.detail["count"] == 1
    assert (await desk.service.store.forms.submission(one.receipt)).exported_at is not None
    other = await desk.logged_in("berta")
    assert (await other.get(f"{where}/file")).status_code == 404


async def test_the_digest_goes_to_the_staff_chat_once_a_day(desk: Desk) -> None:
    assert not await send_digest(desk.service)
    settings = desk.service.settings.model_copy(update={"telegram_staff_chat": -100, "telegram_bot_token": "made-up"})
    service = replace(desk.service, settings=settings)
    assert await send_digest(service) and not await send_digest(service)
    (delivery,) = await desk.service.store.outbox.claim("telegram", "w", now=NOW)
    assert delivery.address == "-100" and delivery.conversation_id == DIGEST and "简报" in delivery.reply.text


async def test_thumbs_down_and_being_asked_back_in_vain_are_seen_by_staff(desk: Desk) -> None:
    await desk.says("自评截止到哪天？", "p1")
    for _ in range(2):
        await desk.service.store.conversations.rate("p1", 1, -1, "没说清楚")
    client = await desk.logged_in("anna")
    page = (await client.get("/helpdesk/?reason=thumbs_down")).text
    assert page.count("自评截止到哪天？") == 1
    assert not await desk.service.store.tickets.without_vector()
