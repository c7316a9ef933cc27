"""Who may come in: passwords, one-time codes, sessions, and the first account."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import Any

import pyotp
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from starlette.middleware import Middleware
from starlette.middleware.base import RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates
from starlette_admin.auth import AdminUser, BaseAuthProvider
from starlette_admin.auth.base import AuthMiddleware

from bot.helpdesk.console import Console, base_of, clip, staff_of
from bot.store import Refused, Staff, Store

COOKIE = "helpdesk_session"
LEAST = 10
"""Characters of a password."""
LASTS = timedelta(hours=10)
_TRIES, _WINDOW = 20, timedelta(minutes=15)
_HASH = PasswordHash((Argon2Hasher(),))
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$8vQd1zY7dQJbGm0v0cYx0mN1m0o3b6c1rY5i2m9cV7k"
FIRST = "admin"


def hashed(password: str) -> str:
    """A password as kept; takes a tenth of a second on purpose: call it in a worker thread."""
    return _HASH.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether it is the password; as slow for an account that does not exist."""
    try:
        return _HASH.verify(password, kept or _NOBODY) and kept is not None
    except Exception:  # a malformed hash: never a way in
        return False


def one_time_password() -> str:
    """A password to be typed once and changed; without characters that are mistaken for others."""
    return "-".join("".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(4)) for _ in range(4))


async def ensure_first_staff(store: Store, name: str = FIRST) -> str | None:
    """Make the first administrator where there is no account at all.

    Returns:
        The one-time password of the account `admin`, to be shown once and kept nowhere; None: there are
        accounts already.
    """
    if await store.staff.all():
        return None
    password = one_time_password()
    try:
        await store.staff.add(FIRST, name, "administrator", await asyncio.to_thread(hashed, password))
    except Refused:  # another process was quicker
        return None
    await store.staff.record("system", "staff_add", "staff", FIRST, {"role": "administrator"})
    return password


def weak(password: str, login: str) -> bool:
    """Too short, all the same, or the login itself."""
    return len(password) < LEAST or len(set(password)) < 5 or login.casefold() in password.casefold()


class Gate(BaseAuthProvider):
    """Login, logout, change of password; the session is a cookie whose keyed hash is in the store."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    async def authenticate(self, request: Request) -> AdminUser | None:
        """Who the session's cookie belongs to; None: nobody, or the session has ended."""
        token = request.cookies.get(COOKIE)
        if not token:
            return None
        store = self._console.store
        session = await store.staff.session(token, now=store.now())
        if session is None:
            return None
        request.state.staff = session.staff
        return AdminUser(username=session.staff.name)

    def get_middleware(self) -> Middleware:
        """The check before every page."""
        return Middleware(GateMiddleware, provider=self)

    def get_routes(self, templates: Jinja2Templates) -> list[Route]:
        """The pages of access."""
        self._templates = templates
        return [
            Route("/login", self._login, methods=["GET", "POST"], name="login"),
            Route("/logout", self._logout, methods=["POST"], name="logout"),
            Route("/account", self._account, methods=["GET", "POST"], name="account"),
        ]

    async def _login(self, request: Request) -> Response:
        if getattr(request.state, "staff", None) is not None:
            return RedirectResponse(base_of(request) + "/", 303)
        if request.method == "GET":
            return self._show(request, "login.html")
        form = await request.form()
        login, password = clip(form.get("username"), 100), str(form.get("password") or "")[:200]
        key = await self._refused(request, login, password, clip(form.get("code"), 10))
        if key:
            return self._show(request, "login.html", 400, error=self._console.t(f"login.{key}"), username=login)
        return await self._enter(request, login)

    async def _refused(self, request: Request, login: str, password: str, code: str) -> str | None:
        """Why not; None: welcome."""
        store, at = self._console.store, self._console.store.now()
        address = request.client.host if request.client else "?"
        if not await store.limits.allow(f"login:{address}", limit=_TRIES, window=_WINDOW, now=at):
            await store.staff.record("anonymous", "login_throttled", "staff", login[:40] or "-")
            return "throttled"
        found = await store.staff.get(login)
        right = await asyncio.to_thread(matches, password, found.password if found else None)
        if found is not None and found.locked_until is not None and found.locked_until > at:
            return "locked"
        if found is None or found.disabled or not right:
            if found is not None:
                await store.staff.login_failed(login, now=at)
                await store.staff.record("anonymous", "login_failed", "staff", login)
            return "wrong"
        return await self._code_refused(found, code)

    async def _code_refused(self, found: Staff, code: str) -> str | None:
        if found.totp is None:
            return None
        store, at = self._console.store, self._console.store.now()
        fresh = pyotp.TOTP(found.totp).verify(code, for_time=at, valid_window=1) and await store.limits.allow(
            f"totp:{found.login}:{code}", limit=1, window=timedelta(minutes=5), now=at
        )
        if fresh:
            return None
        if code:
            await store.staff.login_failed(found.login, now=at)
            await store.staff.record("anonymous", "login_failed", "staff", found.login, {"factor": "totp"})
        return "code"

    async def _enter(self, request: Request, login: str) -> Response:
        store = self._console.store
        try:
            token, session = await store.staff.open_session(login, lasts=LASTS, now=store.now())
        except Refused:
            return self._show(request, "login.html", 400, error=self._console.t("login.wrong"), username=login)
        await store.staff.record(login, "login", "staff", login)
        target = "/account" if session.staff.must_change else _local(request.query_params.get("next"))
        response = RedirectResponse(base_of(request) + target, 303)
        # Lax, so that the link of the daily digest opens; every change of anything needs the CSRF token besides.
        response.set_cookie(COOKIE, token, max_age=int(LASTS.total_seconds()), httponly=True, samesite="lax",
                            secure=request.url.scheme == "https", path=base_of(request))  # fmt: skip
        return response

    async def _logout(self, request: Request) -> Response:
        store = self._console.store
        await store.staff.close_session(request.cookies.get(COOKIE, ""))
        await store.staff.record(staff_of(request).login, "logout", "staff", staff_of(request).login)
        response = RedirectResponse(base_of(request) + "/login", 303)
        response.delete_cookie(COOKIE, path=base_of(request))
        return response

    async def _account(self, request: Request) -> Response:
        me, console = staff_of(request), self._console
        if request.method == "GET":
            return self._show(request, "account.html", **self._secret(me))
        form = await request.form()
        if not await asyncio.to_thread(matches, str(form.get("password") or "")[:200], me.password):
            await console.store.staff.login_failed(me.login, now=console.store.now())
            return self._show(request, "account.html", 400, error=console.t("account.wrong"), **self._secret(me))
        if form.get("step") == "password":
            return await self._change(request, me, str(form.get("new") or "")[:200], str(form.get("again") or ""))
        secret, code = clip(form.get("secret"), 64), clip(form.get("code"), 10)
        if form.get("step") == "totp_on" and not me.must_change:
            if not pyotp.TOTP(secret).verify(code, for_time=console.store.now(), valid_window=1):
                return self._show(request, "account.html", 400, error=console.t("login.code"), **self._secret(me))
            await console.store.staff.set_totp(me.login, secret)
            await console.log(request, "totp_on", "staff", me.login)
        elif form.get("step") == "totp_off":
            await console.store.staff.set_totp(me.login, None)
            await console.log(request, "totp_off", "staff", me.login)
        return RedirectResponse(base_of(request) + "/account", 303)

    async def _change(self, request: Request, me: Staff, new: str, again: str) -> Response:
        console = self._console
        key = "differ" if new != again else "weak" if weak(new, me.login) else None
        if key is None and await asyncio.to_thread(matches, new, me.password):
            key = "same"
        if key:
            error = console.t(f"account.{key}", least=LEAST)
            return self._show(request, "account.html", 400, error=error, **self._secret(me))
        kept = await asyncio.to_thread(hashed, new)
        await console.store.staff.change(me.login, password_hash=kept, must_change=False)
        await console.log(request, "password_changed", "staff", me.login)
        return await self._enter(request, me.login)  # the change ended every session of this account

    def _secret(self, me: Staff) -> dict[str, Any]:
        secret = pyotp.random_base32()
        uri = pyotp.TOTP(secret).provisioning_uri(name=me.login, issuer_name=self._console.pack.info.short)
        return {"secret": secret, "uri": uri}

    def _show(self, request: Request, name: str, status: int = 200, **context: Any) -> Response:
        more: dict[str, Any] = {"t": self._console.t, "me": getattr(request.state, "staff", None), "base": base_of(request),  # noqa: E501
                "error": None, "username": "", "flashed_messages": []}  # fmt: skip
        return self._templates.TemplateResponse(request, f"helpdesk/{name}", {**more, **context}, status)


class GateMiddleware(AuthMiddleware):
    """Nobody comes in without a session; who has a one-time password can only change it."""

    _open_to_new = ("/login", "/logout", "/account")

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """One request."""

        async def checked(passed: Request) -> Response:
            found = getattr(passed.state, "staff", None)
            path = str(passed.scope["path"]).removeprefix(base_of(passed))
            if found is not None and found.must_change and path not in self._open_to_new and "/static/" not in path:
                return RedirectResponse(base_of(passed) + "/account", 303)
            return await call_next(passed)

        return await super().dispatch(request, checked)


def _local(target: str | None) -> str:
    """The page that was wanted before the login, if it is one of ours."""
    from urllib.parse import urlsplit

    parts = urlsplit(target or "")
    path = parts.path.removeprefix("/helpdesk")
    if not target or not parts.path.startswith("/helpdesk") or path.startswith(("/login", "//", "/\\")):
        return "/"
    return (path or "/") + (f"?{parts.query}" if parts.query else "")
