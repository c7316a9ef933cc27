"""Content security policy: only our own scripts run. starlette-admin's inline ones get a nonce, at their source."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

from jinja2 import BaseLoader, Environment, PackageLoader
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_REMOTE_FONT = re.compile(r"@import url\('https://[^']*'\);")
_OPENING = re.compile(r"<(script|style)(?=[\s>])(?![^>]*\bsrc=)")

_INLINE = {
    'onclick="applyColumnVisibility()"': "data-apply-columns",
    'onchange="window.location = this.value"': "data-go-to",
}
"""Inline event handlers, which the policy blocks; `static/lists.js` does their work."""


class NonceLoader(BaseLoader):
    """starlette-admin's templates with a nonce on each inline script and style, and without the font from afar.

    The change is made to the template, not to the page: what somebody typed never gets a nonce.
    """

    def __init__(self) -> None:
        self._inner = PackageLoader("starlette_admin", "templates")

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        """The changed source. Raises TemplateNotFound."""
        source, name, fresh = self._inner.get_source(environment, template)
        source = _REMOTE_FONT.sub("", source).replace("'Inter Var', ", "")
        for inline, marked in _INLINE.items():
            source = source.replace(inline, marked)
        return _OPENING.sub(r'<\1 nonce="{{ request.state.nonce }}"', source), name, fresh


class Headers:
    """Sets the policy and its nonce, and lets nothing of the console be cached or framed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        Request(scope).state.nonce = nonce
        policy = (
            f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
            "style-src-attr 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
            "form-action 'self'; object-src 'none'"
        )
        static = "/static/" in str(scope["path"])

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = {
                    "content-security-policy": policy, "x-content-type-options": "nosniff",
                    "referrer-policy": "same-origin", "x-frame-options": "DENY",
                }  # fmt: skip
                if not static:
                    more["cache-control"] = "no-store"
                kept = [(k, v) for k, v in message["headers"] if k.decode().lower() not in more]
                message["headers"] = kept + [(k.encode(), v.encode()) for k, v in more.items()]
            await send(message)

        await self._app(scope, receive, sending)
