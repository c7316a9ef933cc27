"""The running service: event streams, a loop that is never blocked, a start that says what is wrong, a graceful stop."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bot.assistant import Assistant
from bot.bootstrap import Knowledge, Service
from bot.channels.web.app import create_app
from bot.channels.web.identity import Identity
from bot.commands.serving import clock_from
from bot.conversation import Conversation
from bot.keeping import StoreKeeper
from bot.llm.streaming import listener
from bot.messages import Message, Reply, Status
from bot.store import NewDelivery
from tests.web.conftest import Clock, Person, Running, new_person, running_server

ROOT = Path(__file__).resolve().parents[2]


def _start(url: str) -> tuple[httpx.Client, str]:
    client = httpx.Client(base_url=url, timeout=20)
    started = client.post("/api/v1/conversations").json()
    client.headers["authorization"] = f"Bearer {started['token']}"
    return client, f"/api/v1/conversations/{started['id']}"


def _events(response: httpx.Response) -> list[tuple[str, dict[str, object]]]:
    """Reads until a turn or a farewell."""
    found, kind = [], ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((kind, json.loads(line.removeprefix("data: "))))
            if kind in ("turn", "bye"):
                return found
    return found


def test_a_staff_answer_reaches_an_open_stream_by_itself(running: Running) -> None:
    client, base = _start(running.url)
    client.post(f"{base}/messages", json={"choice": "c:human"})
    reply = Reply(text="人工回答", status=Status.ANSWERED, by_staff=True)
    with client.stream("GET", f"{base}/events") as response:
        delivery = NewDelivery(base.rpartition("/")[2], "web", reply, "answer", f"s:{base}")
        time.sleep(0.4)  # the watcher has seen how long the conversation is
        running.run(running.service.store.outbox.add(delivery))
        begun = time.monotonic()
        found = _events(response)
    assert [k for k, _ in found] == ["hello", "turn"]
    assert found[-1][1]["by_staff"] is True and found[-1][1]["text"] == "人工回答"
    assert time.monotonic() - begun < 5


def test_a_stream_that_was_cut_off_catches_up(running: Running) -> None:
    client, base = _start(running.url)
    for _ in range(2):
        client.post(f"{base}/messages", json={"choice": "c:dates"})
    with client.stream("GET", f"{base}/events", headers={"Last-Event-ID": "1"}) as response:
        kind, turn = _events(response)[-1]
    assert kind == "turn" and str(turn["id"]).endswith(".2")


def test_open_streams_are_told_when_the_service_stops(knowledge: Knowledge, tmp_path: Path) -> None:
    with running_server(knowledge, tmp_path) as server:
        client, base = _start(server.url)
        with client.stream("GET", f"{base}/events") as response:
            server.loop.call_soon_threadsafe(server.app.state.hub.close)
            assert _events(response)[-1][0] == "bye"


async def test_sentences_of_a_model_are_told_while_it_writes_and_the_turn_is_kept_without_a_reader(
    service: Service, clock: Clock
) -> None:
    """The steps stand in for a model: they tell two sentences as `bot.llm` does."""

    async def writing(message: Message, conversation: Conversation) -> Reply:
        hear = listener()
        assert hear is not None
        await hear("第一句。")
        await asyncio.sleep(0)
        await hear("第二句。")
        return Reply(text="第一句。第二句。", status=Status.ANSWERED)

    assistant = Assistant([writing], StoreKeeper(service.store), service.texts)
    app = create_app(dataclasses.replace(service, assistant=assistant), clock)
    talk, who = app.state.talk, Identity("web-" + "0" * 32)
    heard = [part async for part in talk.progressively(who, "问", None)]
    assert heard[:2] == ["第一句。", "第二句。"] and heard[2].reply.text == "第一句。第二句。"
    leaving = talk.progressively(who, "再问", None)
    assert await anext(leaving) == "第一句。"
    await leaving.aclose()
    await asyncio.gather(*talk.under_way)
    assert [t.text for t in await talk.history(who)] == ["问", "再问"]


async def test_the_event_loop_is_never_blocked_for_long(app: FastAPI, person: Person) -> None:
    """Each stretch of one callback, in processor time of this thread: other programs of the machine do not count."""
    await person.say("自评截止到哪天？")
    longest = 0.0
    loop = asyncio.get_running_loop()
    original = asyncio.events.Handle._run  # type: ignore[attr-defined]

    def timed(handle: object) -> None:
        nonlocal longest
        begun = time.thread_time()
        original(handle)
        took = time.thread_time() - begun
        longest = max(longest, took)

    asyncio.events.Handle._run = timed  # type: ignore[attr-defined]
    try:
        people = [await new_person(app) for _ in range(5)]
        questions = ["自评截止到哪天？", "固定研发人员32人，其中本科24人，够不够？", "没有账号怎么办？"]
        for question in questions:
            await asyncio.gather(*(p.say(question) for p in people))
        for path in ("", "api/v1/milestones", "milestones.ics", "metrics"):
            await person.client.get(f"/{path}")
    finally:
        asyncio.events.Handle._run = original  # type: ignore[attr-defined]
        for one in people:
            await one.client.aclose()
    assert loop.is_running()
    assert longest < 0.020, f"{longest * 1000:.1f} ms"


def _serve(folder: Path, port: int, **more: str) -> subprocess.Popen[str]:
    # Only what is named reaches the program: an operator's own settings must not.
    env = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "SYSTEMROOT")}
    env |= {"DATA_DIR": str(folder), "PORT": str(port), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **more}
    command = [sys.executable, "-m", "bot.cli", "serve", "--now", "2026-04-04T10:00:00+08:00"]
    return subprocess.Popen(
        command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT / "tests"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = _serve(tmp_path / "data", port)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert f"127.0.0.1:{port} 已被其他程序占用" in err and len(err.strip().splitlines()) == 1


def test_an_unwritable_folder_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    process = _serve(tmp_path / "file" / "data", _free_port())
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "无法写入" in err and len(err.strip().splitlines()) == 1


def test_a_broken_setting_and_an_unreadable_pack_are_said_in_one_sentence(tmp_path: Path) -> None:
    for more, expected in (({"PORT": "x"}, "PORT"), ({"PACK": "nothing"}, "nothing")):
        process = _serve(tmp_path / "data", _free_port(), **more)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 2
        assert expected in err and len(err.strip().splitlines()) == 1


def test_it_serves_and_a_signal_stops_it_after_the_turn_under_way(
    data_dir: Path, tmp_path: Path, knowledge: Knowledge
) -> None:
    import shutil

    shutil.copytree(data_dir / "index", tmp_path / "data" / "index")
    port = _free_port()
    process = _serve(tmp_path / "data", port, LOG_LEVEL="info")
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        client, base = _start(url)
        turn = client.post(f"{base}/messages", json={"text": "自评截止到哪天？我的手机13800138000"}).json()
        assert turn["status"]
        with client.stream("GET", f"{base}/events") as response:
            process.send_signal(signal.SIGTERM)
            assert _events(response)[-1][0] == "bye"
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode in (0, -signal.SIGTERM)
    assert f"{url}/" in out and "2026-04-04" in out
    lines = [json.loads(line) for line in err.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert requests and all(line["request_id"] for line in requests)
    assert "13800138000" not in err and base.rpartition("/")[2] not in err


def test_the_simulated_clock_runs_on() -> None:
    clock = clock_from("2026-04-04T10:00:00+08:00")
    first = clock()
    assert first.isoformat().startswith("2026-04-04T10:00:0")
    assert clock() > first
    with pytest.raises(Exception, match="--now"):
        clock_from("gestern")
