"""What the API promises to programs."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from bot.bootstrap import Service
from bot.channels.web.app import create_app
from bot.channels.web.limits import Rates
from bot.messages import Reply, Status
from bot.store import NewDelivery, StoreError
from tests.web.conftest import Clock, Person, new_person


async def test_an_answer_carries_its_clauses_with_the_supporting_words(person: Person) -> None:
    turn = (await person.say("自评截止到哪天？")).json()
    assert turn["status"] == "answered"
    assert "4月7日" in turn["text"] and "<strong>" in turn["html"]
    cited = turn["citations"][0]
    assert cited["quote"] in cited["text"]


async def test_a_button_is_pressed_by_its_value_and_the_history_shows_its_label(person: Person) -> None:
    turn = (await person.say(choice="c:dates")).json()
    assert turn["status"] == "answered"
    history = (await person.client.get(person.at("/turns"))).json()["turns"]
    assert [t["said"] for t in history] == ["什么时候截止"]
    choices = (await person.client.get(person.at("/choices"))).json()["choices"]
    assert choices == turn["choices"]


async def test_the_history_survives_with_its_citations(person: Person) -> None:
    turn = (await person.say("自评截止到哪天？")).json()
    again = (await person.client.get(person.at("/turns"))).json()["turns"][0]
    assert again == turn


async def test_the_same_key_twice_is_answered_once(person: Person) -> None:
    first = (await person.say("自评截止到哪天？", key="k1")).json()
    second = (await person.say("自评截止到哪天？", key="k1")).json()
    assert first == second
    assert len((await person.client.get(person.at("/turns"))).json()["turns"]) == 1


async def test_two_messages_at_once_are_both_answered_in_order(person: Person) -> None:
    replies = await asyncio.gather(person.say("自评截止到哪天？"), person.say(choice="c:dates"))
    assert [r.status_code for r in replies] == [200, 200]
    assert {r.json()["id"].rpartition(".")[2] for r in replies} == {"1", "2"}


async def test_an_attachment_can_be_downloaded_later(person: Person) -> None:
    turn = (await person.say(choice="c:calendar")).json()
    file = turn["attachments"][0]
    got = await person.client.get(file["href"])
    assert got.headers["content-type"].startswith("text/calendar")
    assert got.content.startswith(b"BEGIN:VCALENDAR") and len(got.content) == file["bytes"]


async def test_a_message_can_be_told_as_events(person: Person) -> None:
    response = await person.client.post(
        person.at("/messages"), json={"text": "自评截止到哪天？"}, headers={"accept": "text/event-stream"}
    )
    kinds = [line.removeprefix("event: ") for line in response.text.splitlines() if line.startswith("event: ")]
    assert kinds[0] == "progress" and kinds[-1] == "done"
    assert "sentence" in kinds and "citation" in kinds
    done = json.loads(response.text.strip().splitlines()[-1].removeprefix("data: "))
    assert done["status"] == "answered"


async def test_thumbs_and_a_word_are_kept(person: Person) -> None:
    turn = (await person.say("自评截止到哪天？")).json()
    rated = await person.client.put(
        person.at(f"/turns/{turn['id']}/feedback"), json={"thumbs": -1, "words": "想问附件2"}
    )
    assert rated.json()["thumbs"] == -1
    assert (await person.client.put(person.at(f"/turns/{turn['id']}/feedback"), json={"thumbs": 5})).status_code == 422


async def test_a_later_reply_is_found_in_the_history_marked_as_from_staff(
    app: FastAPI, service: Service, person: Person
) -> None:
    await person.say(choice="c:human")
    reply = Reply(text="请参照附件1。", status=Status.ANSWERED, by_staff=True)
    await service.store.outbox.add(NewDelivery(person.id, "web", reply, "answer", "t1"))
    async with app.router.lifespan_context(app):
        for _ in range(50):
            turns = (await person.client.get(person.at("/turns"))).json()["turns"]
            if len(turns) == 2:
                break
            await asyncio.sleep(0.05)
    assert turns[-1]["by_staff"] and turns[-1]["said"] == ""
    assert (await service.store.outbox.counts()) == {"read": 1}


async def test_a_code_joins_another_device_to_the_thread_and_works_once(
    app: FastAPI, person: Person, stranger: Person
) -> None:
    await person.say("自评截止到哪天？")
    code = (await person.client.post(person.at("/resume-codes"))).json()["code"]
    joined = await stranger.client.post(stranger.at("/resume"), json={"code": code})
    assert [t["said"] for t in joined.json()["turns"]] == ["自评截止到哪天？"]
    third = await new_person(app)
    again = await third.client.post(third.at("/resume"), json={"code": code})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


async def test_guessing_codes_is_stopped(person: Person) -> None:
    statuses = [
        (await person.client.post(person.at("/resume"), json={"code": "C-AAAAA-AAAA2"})).status_code for _ in range(12)
    ]
    assert statuses[0] == 422 and statuses[-1] == 429


async def test_deleting_leaves_nothing_to_read(person: Person) -> None:
    await person.say("自评截止到哪天？")
    erased = (await person.client.delete(person.at())).json()
    assert erased["turns"] == 1
    assert (await person.client.get(person.at("/turns"))).json() == {"turns": []}


async def test_the_export_holds_questions_answers_and_sources(person: Person) -> None:
    await person.say("自评截止到哪天？")
    text = (await person.client.get(person.at("/export"))).text
    assert "自评截止到哪天？" in text and "4月7日" in text and "四（一）" in text


async def test_no_form_and_no_submission_are_said_so(person: Person) -> None:
    assert (await person.client.get(person.at("/form"))).json()["form"] is None
    assert (await person.client.get(person.at("/submissions"))).json() == {"submissions": []}


async def test_milestones_know_today_and_come_as_a_calendar_too(person: Person, clock: Clock) -> None:
    found = (await person.client.get("/api/v1/milestones", params={"role": "applicant"})).json()
    assert found["today"] == "2026-04-04"
    filing = next(m for m in found["milestones"] if m["id"] == "filing")
    assert (filing["state"], filing["days"]) == ("open", 3)
    clock.move(timedelta(days=10))
    later = (await person.client.get("/api/v1/milestones")).json()
    assert next(m for m in later["milestones"] if m["id"] == "filing")["state"] == "closed"
    for path in ("/milestones.ics", "/api/v1/milestones.ics"):
        assert "BEGIN:VEVENT" in (await person.client.get(path)).text


async def test_clauses_are_read_by_id(person: Person) -> None:
    clause = (await person.client.get("/api/v1/clauses/notice:四（一）")).json()
    assert clause["text"].startswith("（一）单位自评")
    assert (await person.client.get("/api/v1/clauses/notice:九")).json()["code"] == "not_found"


async def test_too_many_messages_are_answered_with_429_and_when_to_come_back(service: Service, clock: Clock) -> None:
    app = create_app(service, clock, rates=Rates(person_per_minute=2))
    person = await new_person(app)
    last = [await person.say(choice="c:dates") for _ in range(3)][-1]
    assert last.status_code == 429 and int(last.headers["retry-after"]) >= 1
    assert last.headers["content-type"] == "application/problem+json"
    assert last.json()["code"] == "too_many" and "秒后" in last.json()["detail"]


async def test_an_address_is_limited_too(service: Service, clock: Clock) -> None:
    app = create_app(service, clock, rates=Rates(starts_per_minute=2))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
    assert [(await client.post("/api/v1/conversations")).status_code for _ in range(3)] == [201, 201, 429]


async def test_a_body_that_is_too_large_is_refused(person: Person) -> None:
    response = await person.client.post(person.at("/messages"), content=b"x" * 70_000)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


async def test_a_long_question_is_answered_in_words(person: Person) -> None:
    turn = (await person.say("问" * 5000)).json()
    assert turn["reason"] == "bad_input" and "5000" in turn["text"]


async def test_a_store_that_fails_is_a_problem_and_not_a_crash(
    person: Person, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*args: object, **named: object) -> None:
        raise StoreError("disk_full")

    monkeypatch.setattr(service.store, "save_turn", broken)
    response = await person.say("自评截止到哪天？")
    assert (response.status_code, response.json()["code"]) == (503, "busy")
    assert "retry-after" in response.headers


async def test_health_tells_what_is_ready(person: Person, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await person.client.get("/healthz")).json() == {"status": "ok"}
    assert (await person.client.get("/readyz")).json()["database"] == "ok"

    async def down() -> None:
        raise StoreError("unreachable")

    monkeypatch.setattr(service.store, "ping", down)
    assert (await person.client.get("/readyz")).status_code == 503


async def test_metrics_count_turns_steps_and_the_queue(person: Person) -> None:
    await person.say("自评截止到哪天？")
    await person.say(choice="c:human")
    text = (await person.client.get("/metrics")).text
    assert 'qtic_turns_total{channel="web",status="answered"} 1.0' in text
    assert 'qtic_step_seconds_count{step="commanding"} 2.0' in text
    assert 'qtic_tickets{status="open"} 1.0' in text
    assert person.id not in text


async def test_a_stopping_service_takes_no_new_message(app: FastAPI, person: Person) -> None:
    app.state.talk.stopping = True
    response = await person.say("自评截止到哪天？")
    assert (response.status_code, response.json()["code"]) == (503, "stopping")
