"""The page in headless Chromium, against the real service: as an applicant uses it, on a phone and on a desktop."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.messages import Reply, Status
from bot.store import NewDelivery
from tests.web.conftest import Running

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]
sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
AXE = (Path(__file__).resolve().parents[1] / "vendor" / "axe-core" / "axe.min.js").read_text("utf-8")
IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visitor:
    """One person's browser."""

    def __init__(self, chromium: Any, url: str, **options: Any) -> None:
        self.url = url
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        options = {"viewport": {"width": 390, "height": 844}, "locale": "zh-CN", "reduced_motion": "reduce"} | options
        self.context = chromium.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("request", lambda r: self.hosts.add(r.url.split("/")[2]))
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.goto(url)

    def turns(self) -> Any:
        return self.page.locator("article.turn:not(.waiting)")

    def ask(self, text: str) -> Any:
        """Type, press Enter, wait for the reply."""
        number = self.turns().count()
        self.page.fill("#question", text)
        self.page.press("#question", "Enter")
        self.turns().nth(number).wait_for()
        return self.turns().nth(number)

    def press(self, label: str, within: Any = None) -> Any:
        number = self.turns().count()
        (within or self.page).get_by_role("button", name=label, exact=True).last.click()
        self.turns().nth(number).wait_for()
        return self.turns().nth(number)


@pytest.fixture
def visitor(chromium: Any, running: Running) -> Iterator[Visitor]:
    made = Visitor(chromium, running.url)
    yield made
    assert made.hosts == {running.url.split("/")[2]}, "a third-party host was contacted"
    assert made.errors == []
    made.context.close()


def test_ask_open_a_citation_and_reload(visitor: Visitor) -> None:
    turn = visitor.ask("自评截止到哪天？")
    assert "4月7日" in turn.locator(".body").inner_text()
    turn.locator("details.sources summary").click()
    assert turn.locator("mark").first.is_visible()
    assert visitor.page.url.rstrip("/") == visitor.url, "no page was loaded anew"
    visitor.page.reload()
    again = visitor.turns().last
    assert "4月7日" in again.locator(".body").inner_text()
    assert again.locator("details.sources mark").count() > 0


def test_walk_eligibility_by_buttons(visitor: Visitor) -> None:
    turn = visitor.press("我们要不要参加")
    for _ in range(5):
        buttons = turn.locator(".choices button")
        if buttons.count() == 0 or "年" not in (buttons.first.inner_text() + turn.inner_text()):
            break
        number = visitor.turns().count()
        buttons.first.click()
        visitor.turns().nth(number).wait_for()
        turn = visitor.turns().nth(number)
    assert visitor.turns().count() >= 2
    assert turn.locator("details.sources").count() == 1


def test_the_keyboard_alone_reaches_everything(visitor: Visitor) -> None:
    page = visitor.page
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "跳到输入框"
    page.keyboard.press("Enter")
    page.keyboard.type("自评截止到哪天？")
    page.keyboard.press("Enter")
    visitor.turns().first.wait_for()
    summary = visitor.turns().first.locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert visitor.turns().first.locator("blockquote").first.is_visible()
    choice = visitor.turns().first.locator(".choices button").first
    choice.focus()
    page.keyboard.press("Enter")
    visitor.turns().nth(1).wait_for()
    page.wait_for_timeout(100)
    assert page.locator(":focus").get_attribute("data-turn"), "the focus goes to the reply of a pressed button"


def test_feedback_with_a_word(visitor: Visitor) -> None:
    turn = visitor.ask("自评截止到哪天？")
    turn.get_by_role("button", name="没用").click()
    words = visitor.turns().last.get_by_placeholder("哪里不对？")
    words.wait_for()
    words.fill("想问附件2")
    words.press("Enter")
    visitor.page.get_by_text("谢谢，已记录").wait_for()


def test_a_staff_answer_arrives_while_the_page_is_open(visitor: Visitor, running: Running) -> None:
    turn = visitor.press("转人工", visitor.page.locator("header"))
    conversation = turn.get_attribute("data-turn").rpartition(".")[0]
    reply = Reply(text="**可以。**请看附件1。", status=Status.ANSWERED, by_staff=True)
    running.run(
        running.service.store.outbox.add(NewDelivery(conversation, "web", reply, "answer", f"b:{conversation}"))
    )
    visitor.page.locator(".badge", has_text="人工答复").wait_for()
    assert visitor.page.locator("#announce").inner_text() == "收到新的答复"
    visitor.page.reload()
    assert visitor.page.locator(".badge", has_text="人工答复").count() == 1


def test_resume_in_a_second_browser_export_and_erase(visitor: Visitor, chromium: Any, running: Running) -> None:
    visitor.ask("自评截止到哪天？")
    visitor.page.locator("details.menu summary").click()
    visitor.page.get_by_role("link", name="换设备继续").click()
    visitor.page.get_by_role("button", name="要一个续填码").click()
    code = visitor.page.locator("#code").inner_text()
    second = Visitor(chromium, running.url)
    second.page.goto(f"{running.url}/resume")
    second.page.get_by_label("续填码").fill(code)
    second.page.get_by_role("button", name="接着来").click()
    assert "4月7日" in second.turns().first.inner_text()
    with second.page.expect_download() as download:
        second.page.locator("details.menu summary").click()
        second.page.get_by_role("link", name="导出对话").click()
    assert "4月7日" in Path(download.value.path()).read_text("utf-8")
    second.page.goto(f"{running.url}/erase")
    second.page.get_by_role("button", name="全部删除").click()
    second.page.get_by_text("已经删除").wait_for()
    visitor.page.goto(running.url)
    assert visitor.turns().count() == 0
    second.context.close()


def test_fill_a_form_with_a_mistake_an_edit_and_a_reload_in_the_middle(visitor: Visitor) -> None:
    visitor.ask("我要填表")
    visitor.press("同意，开始填")
    turn = visitor.ask("青岛市测试样例技术创新中心")
    assert turn.locator("progress").get_attribute("value") == "1"
    visitor.ask("青岛测试样例有限公司")
    turn = visitor.ask("12345")
    assert "例如" in turn.inner_text() and turn.locator("progress").get_attribute("value") == "2", (
        "a mistake is not taken"
    )
    visitor.page.reload()
    assert "统一社会信用代码" in visitor.turns().last.inner_text()
    turn = visitor.press("上一步", visitor.turns().last)
    turn = visitor.ask("青岛改名样例有限公司")
    shown = visitor.ask("看看填了什么").inner_text()
    assert "青岛改名样例有限公司" in shown and "青岛测试样例有限公司" not in shown


def test_a_calendar_is_downloaded(visitor: Visitor) -> None:
    turn = visitor.ask("/start")
    assert turn.locator(".choices button").count() >= 5
    visitor.page.locator("details.when summary").click()
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="下载日历").click()
    assert Path(download.value.path()).read_text("utf-8").startswith("BEGIN:VCALENDAR")


def test_a_lost_message_can_be_sent_again(chromium: Any, running: Running) -> None:
    visitor = Visitor(chromium, running.url)
    visitor.page.route("**/chat", lambda route: route.abort())
    visitor.page.fill("#question", "自评截止到哪天？")
    visitor.page.press("#question", "Enter")
    again = visitor.page.get_by_role("button", name="重新发送")
    again.wait_for()
    visitor.page.unroute("**/chat")
    again.click()
    visitor.turns().first.wait_for()
    assert visitor.turns().count() == 1 and visitor.page.locator(".waiting").count() == 0
    visitor.context.close()


def test_without_javascript_it_still_answers(chromium: Any, running: Running) -> None:
    visitor = Visitor(chromium, running.url, java_script_enabled=False)
    visitor.page.fill("#question", "自评截止到哪天？")
    visitor.page.get_by_role("button", name="发送").click()
    visitor.turns().first.wait_for()
    assert "4月7日" in visitor.turns().first.inner_text()
    visitor.turns().first.locator(".choices button").first.click()
    visitor.turns().nth(1).wait_for()
    visitor.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious_and_nothing_overflows(
    chromium: Any, running: Running, scheme: Any, width: int
) -> None:
    visitor = Visitor(
        chromium, running.url, viewport={"width": width, "height": 850}, color_scheme=scheme, bypass_csp=True
    )
    turn = visitor.ask("自评截止到哪天？")
    turn.locator("details.sources summary").click()
    visitor.press("转人工", visitor.page.locator("header"))
    visitor.page.wait_for_timeout(400)
    for path in ("", "resume", "erase", "api/docs", "nothing"):
        if path:
            visitor.page.goto(f"{running.url}/{path}")
        visitor.page.evaluate(AXE)
        found = visitor.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        bad = [
            (v["id"], [n["html"][:120] for n in v["nodes"]][:3])
            for v in found["violations"]
            if v["impact"] in ("serious", "critical")
        ]
        assert bad == [], (path, json.dumps(bad, ensure_ascii=False, indent=1))
        wide = visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path}: {wide} px too wide"
    visitor.context.close()


def test_text_at_200_percent_stays_within_a_phone(chromium: Any, running: Running) -> None:
    visitor = Visitor(chromium, running.url, bypass_csp=True)
    visitor.ask("自评截止到哪天？")
    visitor.page.add_style_tag(content="html { font-size: 200%; }")
    visitor.page.wait_for_timeout(200)
    wide = visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    assert visitor.page.get_by_role("button", name="发送").is_visible()
    visitor.context.close()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("web-phone", {"viewport": {"width": 390, "height": 844}}),
        ("web-phone-dark", {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}),
        ("web-desktop", {"viewport": {"width": 1280, "height": 860}}),
    ],
)
def test_pictures_for_the_docs(
    chromium: Any, running: Running, tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    """Written to docs/images with QTIC_PICTURES=1, else thrown away."""
    folder = IMAGES if os.environ.get("QTIC_PICTURES") else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    visitor = Visitor(chromium, running.url, **options)
    for number in (1, 2):
        path = folder / f"{name}-{number}.png"
        visitor.page.screenshot(path=path)
        assert path.stat().st_size < 300_000
        if number == 1:
            turn = visitor.ask("自评截止到哪天？")
            turn.locator("details.sources summary").click()
            turn.scroll_into_view_if_needed()
            visitor.page.wait_for_timeout(300)
    visitor.context.close()
