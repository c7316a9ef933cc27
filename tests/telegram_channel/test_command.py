"""`qtic telegram` and `qtic serve` as processes."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.telegram_channel.stub import TOKEN
from tests.telegram_emulator import Emulator


async def qtic(command: str, data: Path, **settings: str) -> asyncio.subprocess.Process:
    """The command in a process of its own, with an environment of its own."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "NO_PROXY", "no_proxy")}
    environment = {**kept, "PYTHONPATH": str(ROOT), "DATA_DIR": str(data), **settings}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from bot.cli import main; main()",
        command,
        env=environment,
        cwd=data,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_without_a_token_the_command_says_what_to_do(tmp_path: Path) -> None:
    process = await qtic("telegram", tmp_path)
    _, said = await process.communicate()
    assert process.returncode == 2
    assert "TELEGRAM_BOT_TOKEN" in said.decode() and "Traceback" not in said.decode()


async def test_a_wrong_token_ends_the_command_with_one_sentence(
    emulator: Emulator, tmp_path: Path, data_dir: Path, knowledge: object
) -> None:
    process = await qtic(
        "telegram", data_dir, TELEGRAM_BOT_TOKEN="123456:AAWrongTokenOfNobody",
        TELEGRAM_API_BASE_URL=emulator.url, DATABASE_URL=f"sqlite:///{tmp_path}/qtic.db",
    )  # fmt: skip
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert "Telegram 不认 TELEGRAM_BOT_TOKEN" in said.decode() and "Traceback" not in said.decode()
    assert "AAWrongTokenOfNobody" not in said.decode()


async def test_the_command_answers_until_it_is_told_to_stop(
    emulator: Emulator, tmp_path: Path, data_dir: Path, knowledge: object
) -> None:
    process = await qtic(
        "telegram", data_dir, TELEGRAM_BOT_TOKEN=TOKEN, TELEGRAM_API_BASE_URL=emulator.url,
        DATABASE_URL=f"sqlite:///{tmp_path}/qtic.db",
    )  # fmt: skip
    person = emulator.person(7)
    person.says("/dates")
    assert "4月7日" in (await person.next(60))["text"]
    process.terminate()
    await asyncio.wait_for(process.communicate(), 20)


async def test_serve_runs_it_beside_the_web_and_a_wrong_token_leaves_the_web_running(
    emulator: Emulator, tmp_path: Path, data_dir: Path, knowledge: object
) -> None:
    import socket

    import httpx

    for token, works in ((TOKEN, True), ("123456:AAWrongTokenOfNobody", False)):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        process = await qtic(
            "serve", data_dir, TELEGRAM_BOT_TOKEN=token, TELEGRAM_API_BASE_URL=emulator.url, PORT=str(port),
            TELEGRAM_WEBHOOK_URL=url, DATABASE_URL=f"sqlite:///{tmp_path}/{works}.db",
        )  # fmt: skip
        try:
            async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
                while True:
                    try:
                        if (await client.get(f"{url}/healthz")).status_code == 200:
                            break
                    except httpx.HTTPError:
                        await asyncio.sleep(0.2)
                if works:
                    person = emulator.person(7)
                    person.says("/dates")
                    assert "4月7日" in (await person.next(30))["text"], "by webhook, on the same port"
                else:
                    assert process.stderr is not None
                    while "不认" not in (await process.stderr.readline()).decode():
                        pass
                    assert (await client.get(f"{url}/")).status_code == 200
        finally:
            process.terminate()
            await asyncio.wait_for(process.communicate(), 30)
