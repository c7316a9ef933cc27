"""Made-up people. The way of a question through the console, in headless Chromium."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from tests.helpdesk.conftest import PASSWORD, Desk

playwright = pytest.importorskip("playwright.async_api")
expect = playwright.expect
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PICTURES = os.environ.get("QTIC_PICTURES", "")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium here"),
    pytest.mark.filterwarnings(
        "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]
ASKED = "评价结果什么时候公布？"
ANSWER = "评价结果以市科技局另行发布的通知为准，请留意门户网站。"


@pytest.fixture
async def address(desk: Desk) -> AsyncIterator[str]:
    """The console on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(desk.app, port=port, log_level="warning", lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    yield f"http://127.0.0.1:{port}/helpdesk"
    server.should_exit = True
    await task


async def shoot(page: Any, name: str) -> None:
    """A picture for the manual, where one is wanted."""
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/{name}.jpg", type="jpeg", quality=60)


@pytest.mark.timeout(180)
async def test_a_question_is_answered_once_promoted_withdrawn_and_everybody_is_told(desk: Desk, address: str) -> None:
    await desk.staff("edith", "editor")
    number = (await desk.says(ASKED, "p1", "web")).ticket
    assert (await desk.says("评价结果什么时候公布呀", "p2", "telegram")).ticket == number
    async with playwright.async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1100, "height": 760}, locale="zh-CN")
        errors: list[str] = []
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: errors.append(str(e)))
        await page.goto(address + "/")
        await shoot(page, "登录")
        await page.fill("#username", "edith")
        await page.fill("#password", PASSWORD)
        await page.click("button[type=submit]")
        await page.wait_for_selector("#queue")
        assert "2" in await page.inner_text("#queue tbody tr:first-child .badge")
        await expect(page.locator("[data-live=open]")).to_have_text("1")
        await shoot(page, "待答问题")

        await page.click("#queue tbody a")
        await page.fill("textarea[name=text]", "结果5月9日公布，电话12345678。")
        await page.wait_for_selector("#warnings:not(.d-none)")
        assert "5月9日" in await page.inner_text("#warnings") and "12345678" in await page.inner_text("#warnings")
        await shoot(page, "答复前的提醒")
        await page.fill("textarea[name=text]", ANSWER)
        await page.fill("#clause", "notice:三")
        await page.click("#cite")
        await expect(page.locator("#preview-telegram")).to_contain_text("人工答复")
        await shoot(page, "答复")
        await page.click("#answer button[data-once] >> nth=0")
        await page.wait_for_selector("#deliveries [data-delivery]")
        assert [c for c, _ in await desk.delivers("web")] == ["p1"]
        assert [c for c, _ in await desk.delivers("telegram")] == ["p2"]
        await expect(page.locator("[data-delivery]")).to_have_text(["已送达", "已送达"], timeout=15_000)
        await shoot(page, "送达情况")

        await page.click("a[href*='/knowledge/new']")
        await page.fill("#wordings", f"{ASKED}\n啥时候能知道评价结果")
        await shoot(page, "采纳为知识")
        await page.click("form[action$='/knowledge/save'] button[data-once]")
        await page.wait_for_selector("text=使用中")
        assert ANSWER in (await desk.says("什么时候能知道评价结果", "p3")).text
        await page.click("form[action*='/knowledge/withdraw/'] button")
        await page.wait_for_selector("form[action$='/recall/send']")
        await shoot(page, "更正与召回")
        await page.fill("textarea[name=text]", "以正式通知为准。")
        await page.click("form[action$='/recall/send'] button")
        await page.wait_for_selector("text=更正已交付发送")
        told = {c for c, _ in await desk.delivers("web")} | {c for c, _ in await desk.delivers("telegram")}
        assert told == {"p1", "p2", "p3"}

        for path, name in (("/dashboard", "统计"), ("/submissions/list", "信息表"), ("/exports", "导出")):
            await page.goto(address + path)
            await shoot(page, name)
        await page.goto(address + "/exports")
        await page.select_option("#kind", "summary")
        await page.click("form[action$='/exports/begin'] button")
        async with page.expect_download() as download:
            await page.click("#file")
        content = Path(await (await download.value).path()).read_bytes()
        assert content[:2] == b"PK"
        assert not errors, errors
        stranger = await (await browser.new_context()).new_page()
        for path in ("/", f"/tickets/{number}", "/submissions/list", "/people"):
            await stranger.goto(address + path)
            assert await stranger.query_selector("#password")
        await browser.close()
