"""Around every request: an id, a line in the log without personal data, security headers, a size limit."""

from __future__ import annotations

import json
import re
import secrets
import time
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.channels.web.identity import COOKIE
from bot.channels.web.limits import BODY_BYTES
from bot.channels.web.metrics import Metrics
from bot.texts import Texts

_log = structlog.get_logger("bot.web")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_OWN_IDS = re.compile(r"(web-)[0-9a-f]{32}|(?<=/)(R|C|Q)-[0-9A-Z-]+", re.IGNORECASE)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_ELSEWHERE = ("/helpdesk", "/telegram")
"""Parts with a policy and limits of their own."""


class Guard:
    """The outermost layer. Pure ASGI: event streams pass through it unbuffered."""

    def __init__(self, app: ASGIApp, metrics: Metrics, texts: Texts) -> None:
        self._app = app
        self._metrics = metrics
        self._texts = texts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        ours = not scope["path"].startswith(_ELSEWHERE)
        begun = time.perf_counter()
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                out["X-Request-ID"] = request_id
                if ours:
                    out.setdefault("Content-Security-Policy", POLICY)
                    for name, value in _HEADERS.items():
                        out.setdefault(name, value)
                    out.setdefault("Cache-Control", "no-cache" if scope["path"].startswith("/static/") else "no-store")
            await send(message)

        try:
            if ours and (refusal := _refusal(scope, headers)):
                await _refuse(sending, self._texts, request_id, *refusal)
            else:
                await self._app(scope, _limited(receive) if ours else receive, sending)
        except _TooLarge:
            await _refuse(sending, self._texts, request_id, 413, "too_large")
        finally:
            self._metrics.request(scope["method"], status)
            path = _OWN_IDS.sub("…", scope["path"])
            _log.info(
                "request",
                request_id=request_id,
                method=scope["method"],
                path=path[:200],
                status=status,
                ms=round((time.perf_counter() - begun) * 1000, 1),
            )


class _TooLarge(Exception):
    pass


def _limited(receive: Receive) -> Receive:
    """The body in chunks (no Content-Length) is cut off at the same limit."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > BODY_BYTES:
                raise _TooLarge
        return message

    return limited


def _refusal(scope: Scope, headers: Headers) -> tuple[int, str] | None:
    """Why a request is not let in: too large, or sent by another site with our cookie."""
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > BODY_BYTES:
        return 413, "too_large"
    if scope["method"] in ("GET", "HEAD", "OPTIONS") or COOKIE not in headers.get("cookie", ""):
        return None
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return 403, "other_site"
    origin = headers.get("origin", "")
    if origin and origin != "null" and urlsplit(origin).netloc != headers.get("host", ""):
        return 403, "other_site"
    return None


async def _refuse(send: Send, texts: Texts, request_id: str, status: int, code: str) -> None:
    body = json.dumps(
        {
            "type": "about:blank",
            "title": texts.render(f"web.problems.{code}.title"),
            "status": status,
            "code": code,
            "detail": texts.render(f"web.problems.{code}.detail"),
            "request_id": request_id,
        },
        ensure_ascii=False,
    ).encode()
    head = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
