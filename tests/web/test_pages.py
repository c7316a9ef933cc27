"""The page without scripts: everything works by forms and links."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from bs4 import BeautifulSoup
from fastapi import FastAPI

from bot.bootstrap import Service
from bot.channels.web.problems import STATUSES
from bot.channels.web.timeline import state_today
from bot.messages import Attachment, Progress, Reply, Status
from bot.store import NewDelivery
from bot.texts import texts
from knowledge.pack import Role
from tests.web.conftest import Clock, NewClient


async def test_the_page_opens_with_todays_state_the_picture_and_five_questions(browser_like: NewClient) -> None:
    page = BeautifulSoup((await browser_like().get("/")).text, "html.parser")
    assert "还剩3天" in page.select_one(".today").get_text()
    assert "今天是4月4日" in page.select_one("svg desc").get_text()
    assert len(page.select("form.asked button")) == 5
    assert page.select_one("svg")["role"] == "img"


async def test_the_state_follows_the_day(service: Service) -> None:
    from datetime import date

    milestones = service.pack.facts.milestones

    def said(day: str) -> str:
        return "；".join(
            line.text for line in state_today(milestones, date.fromisoformat(f"2026-{day}"), texts(), Role.APPLICANT)
        )

    assert "还有6天" in said("03-20")
    assert "今天是最后一天" in said("04-07")
    assert "单位自评、网上申报已截止（4月7日）" in said("04-08")
    assert "已截止（4月30日）" in said("06-01") and "下一项" not in said("06-01")


async def test_a_question_is_asked_and_answered_by_a_plain_form_and_survives_a_reload(browser_like: NewClient) -> None:
    client = browser_like()
    await client.get("/")
    posted = await client.post("/chat", data={"text": "自评截止到哪天？"})
    assert posted.status_code == 303 and posted.headers["location"].startswith("/#turn-")
    page = BeautifulSoup((await client.get("/")).text, "html.parser")
    turn = page.select_one("article.turn")
    assert turn.select_one(".said").get_text().endswith("自评截止到哪天？")
    assert "4月7日" in turn.select_one(".body").get_text()
    assert turn.select_one("details.sources mark")
    assert turn.select(".choices button[name=choice]")


async def test_a_first_post_without_a_cookie_still_answers(browser_like: NewClient) -> None:
    client = browser_like()
    await client.post("/chat", data={"choice": "c:dates"})
    assert "什么时候截止" in (await client.get("/")).text


async def test_what_a_person_types_is_never_markup(browser_like: NewClient) -> None:
    client = browser_like()
    await client.post("/chat", data={"text": "<img src=x onerror=alert(1)>自评截止到哪天？"})
    html = (await client.get("/")).text
    assert "<img" not in html and "&lt;img" in html


async def test_nothing_is_inline_and_no_other_host_is_named(browser_like: NewClient) -> None:
    client = browser_like()
    response = await client.get("/")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son[a-z]+=|<style", response.text)
    hosts = set(re.findall(r'(?:src|href|action)="(https?://[^/"]+)', response.text))
    assert hosts == set()
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', response.text):
        assert (await client.get(path)).status_code == 200
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie


async def test_a_file_is_downloaded_under_its_name_after_a_reload(browser_like: NewClient) -> None:
    client = browser_like()
    await client.post("/chat", data={"choice": "c:calendar"})
    page = BeautifulSoup((await client.get("/")).text, "html.parser")
    got = await client.get(page.select_one(".files a")["href"])
    assert got.content.startswith(b"BEGIN:VCALENDAR")
    assert "attachment" in got.headers["content-disposition"]


async def test_progress_receipts_and_staff_answers_are_shown(
    app: FastAPI, service: Service, browser_like: NewClient
) -> None:
    client = browser_like()
    await client.post("/chat", data={"choice": "c:dates"})
    turn = BeautifulSoup((await client.get("/")).text, "html.parser").select_one("article.turn")
    conversation = turn["data-turn"].rpartition(".")[0]
    receipt = Attachment(filename="回执.txt", media_type="text/plain", content=b"R-3C7A-9F4K")
    reply = Reply(
        text="**收到**",
        status=Status.FORM,
        attachments=(receipt,),
        by_staff=True,
        progress=Progress(form="centre", section="团队", done=3, total=20),
    )
    await service.store.outbox.add(NewDelivery(conversation, "web", reply, "answer", "d1"))
    from bot.channels.web.events import deliver_due

    assert await deliver_due(service.store, "web", "test", app.state.talk.now) == 1
    page = BeautifulSoup((await client.get("/")).text, "html.parser")
    last = page.select("article.turn")[-1]
    assert last.select_one(".badge").get_text() == "人工答复"
    assert "团队 · 第4项，共20项" in last.get_text()
    assert (await client.get(last.select_one(".files a")["href"])).text == "R-3C7A-9F4K"


async def test_feedback_with_a_word_by_form(browser_like: NewClient) -> None:
    client = browser_like()
    await client.post("/chat", data={"choice": "c:dates"})
    page = BeautifulSoup((await client.get("/")).text, "html.parser")
    action = page.select_one("form.feedback")["action"]
    await client.post(action, data={"thumbs": "-1"})
    page = BeautifulSoup((await client.get("/")).text, "html.parser")
    assert page.select_one('.feedback [value="-1"]')["aria-pressed"] == "true"
    await client.post(action, data={"thumbs": "-1", "words": "不够具体"})
    assert "谢谢，已记录" in (await client.get("/")).text


async def test_resume_and_erase_by_form(browser_like: NewClient) -> None:
    one, other = browser_like(), browser_like()
    await one.post("/chat", data={"text": "自评截止到哪天？"})
    page = BeautifulSoup((await one.post("/resume/code")).text, "html.parser")
    code = page.select_one("#code").get_text(strip=True)
    wrong = await other.post("/resume", data={"code": "C-AAAAA-AAAA2"})
    assert wrong.status_code in (409, 422) and 'role="alert"' in wrong.text
    assert (await other.post("/resume", data={"code": code.lower()})).status_code == 303
    assert "自评截止到哪天？" in (await other.get("/")).text
    export = await other.get("/export")
    assert "自评截止到哪天？" in export.text
    assert "已经删除" in (await other.post("/erase")).text
    assert "article" not in (await one.get("/")).text.split('id="log"')[1].split("</div>")[0]


async def test_a_wrong_address_is_a_page_in_chinese(browser_like: NewClient) -> None:
    response = await browser_like().get("/nothing")
    assert response.status_code == 404 and "没有找到" in response.text


async def test_a_link_of_the_picture_falls_away_outside_its_span(browser_like: NewClient, clock: Clock) -> None:
    clock.move(timedelta(days=120))
    html = (await browser_like().get("/")).text
    assert 'class="now' not in html and "已截止（4月30日）" in html


async def test_the_api_has_a_document_to_read(browser_like: NewClient) -> None:
    html = (await browser_like().get("/api/docs")).text
    assert "发一条消息" in html and "Idempotency-Key" in html


async def test_every_text_that_a_template_names_is_there() -> None:
    from bot.channels.web import pages

    folder = Path(pages.__file__).parent / "templates"
    keys = {key for file in folder.iterdir() for key in re.findall(r"\bt\('([\w.]+)'", file.read_text("utf-8"))}
    assert len(keys) > 40
    for key in keys:
        assert isinstance(texts().get(f"web.{key}"), str), key


async def test_every_problem_has_its_words() -> None:
    assert set(STATUSES) == set(texts().get("web.problems"))
    assert all({"title", "detail"} == set(words) for words in texts().get("web.problems").values())
