"""Made-up people. Strangers and the wrong role see nothing; every page opens for who may see it."""

from __future__ import annotations

import pytest
from starlette.routing import Mount, Route

from tests.helpdesk.conftest import PASSWORD, Desk, csrf_of, log_in

PAGES = {
    "agent": [
        "/",
        "/live",
        "/knowledge",
        "/knowledge/summary.docx",
        "/exports",
        "/dashboard",
        "/dashboard/days.csv",
        "/digest",
        "/submissions/list",
        "/drafts/list",
        "/promoted/list",
        "/account",
    ],
    "editor": ["/knowledge/new", "/recall"],
    "administrator": ["/people", "/staff/list", "/audit/list"],
}
RANK = ["agent", "editor", "administrator"]


@pytest.mark.parametrize("role", RANK)
async def test_each_role_sees_its_own_pages_and_none_of_a_higher_role(desk: Desk, role: str) -> None:
    client = await desk.logged_in(role, role)
    for needed, paths in PAGES.items():
        for path in paths:
            response = await client.get(f"/helpdesk{path}")
            allowed = RANK.index(role) >= RANK.index(needed)
            assert response.status_code == (200 if allowed else 403), (
                f"{path}: {response.status_code} {response.text[:300]}"
            )


async def test_a_stranger_is_sent_to_the_login_from_every_route_and_method(desk: Desk) -> None:
    mounted = next(r for r in desk.app.routes if isinstance(r, Mount) and r.path == "/helpdesk")
    stranger, seen = desk.client(), 0
    token = csrf_of((await stranger.get("/helpdesk/login")).text)
    for route in mounted.app.routes:  # type: ignore[attr-defined]
        if not isinstance(route, Route) or route.path in ("/login",):
            continue
        path = "/helpdesk" + route.path
        for name in route.param_convertors:
            path = path.replace("{" + name + "}", "submissions" if name == "key" else "Q-AAAAAA")
        for method in sorted(route.methods or ()):
            response = await stranger.request(method, path, headers={"X-CSRFToken": token})
            assert response.status_code == 303 and "/login" in response.headers["location"], (
                method,
                path,
                response.status_code,
            )
            seen += 1
    assert seen > 40


async def test_no_change_is_made_without_the_token_of_the_page(desk: Desk) -> None:
    client = await desk.logged_in("boss", "administrator")
    response = await client.post("/helpdesk/people/add", data={"login": "intruder", "role": "administrator"})
    assert response.status_code == 403
    assert await desk.service.store.staff.get("intruder") is None


async def test_a_one_time_password_opens_nothing_but_the_change_of_it(desk: Desk) -> None:
    await desk.staff("fresh", "administrator", must_change=True)
    client = desk.client()
    assert (await log_in(client, "fresh")).headers["location"] == "/helpdesk/account"
    for path in ("/", "/people", "/audit/list"):
        response = await client.get(f"/helpdesk{path}")
        assert response.status_code == 303 and response.headers["location"] == "/helpdesk/account"
    token = csrf_of((await client.get("/helpdesk/account")).text)
    data = {
        "step": "password",
        "password": PASSWORD,
        "new": "a longer pass-phrase",
        "again": "a longer pass-phrase",
        "csrftoken": token,
    }
    assert (await client.post("/helpdesk/account", data=data)).status_code == 303
    assert (await client.get("/helpdesk/people")).status_code == 200


async def test_repeated_failures_lock_the_account_and_time_opens_it(desk: Desk) -> None:
    await desk.staff("anna")
    client = desk.client()
    for _ in range(5):
        assert "登录名或密码不对" in (await log_in(client, "anna", "wrong")).text
    assert "已锁定" in (await log_in(client, "anna")).text
    desk.clock.pass_by(minutes=16)
    entered = await log_in(client, "anna")
    assert entered.status_code == 303, entered.text.split("alert-danger")[1][:200]


async def test_a_session_ends_by_itself_and_by_logging_out(desk: Desk) -> None:
    client = await desk.logged_in("anna")
    desk.clock.pass_by(minutes=61)
    assert (await client.get("/helpdesk/")).status_code == 303
    await log_in(client, "anna")
    token = csrf_of((await client.get("/helpdesk/")).text)
    await client.post("/helpdesk/logout", data={"csrftoken": token})
    assert (await client.get("/helpdesk/")).status_code == 303


async def test_pages_run_no_foreign_script(desk: Desk) -> None:
    client = await desk.logged_in("anna")
    for path in ("/", "/dashboard", "/submissions/list"):
        response = await client.get(f"/helpdesk{path}")
        policy = response.headers["content-security-policy"]
        assert "script-src 'self' 'nonce-" in policy and "unsafe-eval" not in policy
        assert "<script>" not in response.text and "https://rsms" not in response.text
    cookies = [h for h in (await log_in(desk.client(), "anna")).headers.get_list("set-cookie") if "session" in h]
    assert "HttpOnly" in cookies[0] and "samesite=lax" in cookies[0].lower()
