"""Accounts, for administrators."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from bot.helpdesk.access import hashed, one_time_password
from bot.helpdesk.console import Page, clip
from bot.store import StoreError


class PeoplePage(Page):
    """Adding, resetting, disabling; the list itself is starlette-admin's."""

    name, path, icon, role = "people", "/people", "fa fa-users", "administrator"

    @route("")
    async def index(self, request: Request) -> Response:
        """Everybody."""
        return self.page(request, "people.html", people=await self.console.store.staff.all(), password=None, login="")

    @route("/{step}", methods=["POST"])
    async def act(self, request: Request) -> Response:
        """One change, logged with it; a one-time password is shown once, on this page alone."""
        step, form, console = request.path_params["step"], await request.form(), self.console
        login, role = clip(form.get("login"), 40), clip(form.get("role"), 20)
        if step not in ("add", "reset", "disable", "enable", "role"):
            raise HTTPException(404)
        if step == "add" and (
            not login.isascii() or not login.replace(".", "").replace("_", "").isalnum() or len(login) < 2
        ):  # noqa: E501
            return self.back(request, "/people", console.t("cli.bad_login", login=login), "error")
        password = one_time_password() if step in ("add", "reset") else None
        kept = await asyncio.to_thread(hashed, password) if password else None
        store = console.store
        try:
            async with store.transaction():
                if step == "add" and kept:
                    await store.staff.add(login, clip(form.get("name"), 60) or login, role, kept)
                elif step == "reset":
                    await store.staff.change(login, password_hash=kept, must_change=True)
                    await store.staff.set_totp(login, None)
                elif step in ("disable", "enable"):
                    await store.staff.change(login, disabled=step == "disable")
                else:
                    await store.staff.change(login, role=role)
                await console.log(request, f"staff_{step}", "staff", login, {"role": role} if role else None)
        except StoreError as error:
            return self.back(request, "/people", console.said(error), "error")
        people = await store.staff.all()
        return self.page(request, "people.html", people=people, password=password, login=login)
