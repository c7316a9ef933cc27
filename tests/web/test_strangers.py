"""A stranger's ids answer 404, whatever is asked of them; a forged token is none."""

from __future__ import annotations

import re

import httpx
from fastapi import FastAPI

from bot.channels.web.app import openapi
from tests.web.conftest import NewClient, Person

BODIES = {"messages": {"text": "自评截止到哪天？"}, "resume": {"code": "C-AAAAA-AAAA2"}, "feedback": {"thumbs": 1}}


async def test_every_address_of_somebody_elses_conversation_is_404(
    app: FastAPI, person: Person, stranger: Person
) -> None:
    turn = (await person.say(choice="c:calendar")).json()
    tried = 0
    for path, operations in openapi(app)["paths"].items():
        if "{conversation_id}" not in path:
            continue
        for method in operations:
            for conversation, expected in ((person.id, 404), (stranger.id, None)):
                address = path.format(conversation_id=conversation, turn_id=turn["id"], index=0)
                body = BODIES.get(path.rsplit("/", 1)[-1])
                if "events" in path and expected is None:
                    continue
                response = await stranger.client.request(method, address, json=body)
                if expected == 404 or "turn_id" in path:
                    assert response.status_code == 404, (method, path)
                    assert response.json()["code"] == "not_found"
                tried += 1
    assert tried > 20
    kept = (await person.client.get(person.at("/turns"))).json()["turns"]
    assert len(kept) == 1 and kept[0]["thumbs"] is None


async def test_no_token_and_a_forged_one_are_401(app: FastAPI, person: Person) -> None:
    bare = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
    assert (await bare.get(person.at("/turns"))).status_code == 401
    token = person.client.headers["authorization"].removeprefix("Bearer ")
    for forged in (token[:-2] + "xx", token + "x", "", person.id, token.split(".")[0]):
        bare.headers["authorization"] = f"Bearer {forged}"
        assert (await bare.get(person.at("/turns"))).status_code == 401


async def test_a_page_of_one_browser_is_not_another_ones(browser_like: NewClient) -> None:
    one, other = browser_like(), browser_like()
    await one.get("/")
    await other.get("/")
    html = (await one.post("/chat", data={"choice": "c:calendar"}, headers={"x-fragment": "1"})).text
    turn = re.search(r'data-turn="([^"]+)"', html)
    assert turn
    for address in (f"/turns/{turn[1]}", f"/files/{turn[1]}/0"):
        assert (await one.get(address)).status_code == 200
        assert (await other.get(address)).status_code == 404
    assert (await other.post(f"/turns/{turn[1]}/feedback", data={"thumbs": "1"})).status_code == 404


async def test_another_site_cannot_use_our_cookie(browser_like: NewClient) -> None:
    client = browser_like()
    await client.get("/")
    for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
        response = await client.post("/erase", headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "other_site")
    assert (
        await client.post("/chat", data={"choice": "c:dates"}, headers={"origin": "http://test"})
    ).status_code == 303
