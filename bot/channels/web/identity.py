"""Who is asking: a random conversation id inside a signed token, carried by a cookie or as a bearer.

The token is the only key to a conversation. Its id is random (128 bits) and says nothing of the person.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from bot.settings import Settings

COOKIE = "qtic"
_YEAR = 365 * 24 * 3600
_PREFIX = "web-"


@dataclass(frozen=True)
class Identity:
    """A person on the web.

    Args:
        conversation_id: Their conversation.
        by_cookie: They came with a cookie (a browser), so that requests from other sites must be refused.
        fresh: Made just now: nothing can be kept under it yet.
    """

    conversation_id: str
    by_cookie: bool = True
    fresh: bool = False


class Identities:
    """Makes and reads tokens."""

    def __init__(self, secret: str) -> None:
        self._signer = URLSafeSerializer(secret, salt="web-conversation")

    def new(self) -> Identity:
        """Somebody we have not seen before."""
        return Identity(_PREFIX + secrets.token_hex(16), fresh=True)

    def token(self, identity: Identity) -> str:
        """The token of an identity."""
        return str(self._signer.dumps(identity.conversation_id))

    def read(self, connection: HTTPConnection) -> Identity | None:
        """Who a request comes from; None where it carries no token that we signed."""
        kind, _, bearer = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._opened(bearer.strip(), by_cookie=False)
        return self._opened(connection.cookies.get(COOKIE, ""), by_cookie=True)

    def remember(self, response: Response, identity: Identity, *, secure: bool) -> None:
        """Put the token into a cookie that no script can read."""
        response.set_cookie(COOKIE, self.token(identity), max_age=_YEAR, httponly=True, samesite="lax", secure=secure)

    def forget(self, response: Response) -> None:
        """Take the cookie back."""
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")

    def _opened(self, token: str, *, by_cookie: bool) -> Identity | None:
        try:
            found = self._signer.loads(token)
        except BadSignature:
            return None
        if not isinstance(found, str) or not found.startswith(_PREFIX):
            return None
        return Identity(found, by_cookie=by_cookie)


def signing_secret(settings: Settings) -> str:
    """The key that signs tokens: from the settings, else a file in the data folder, made the first time.

    Raises:
        OSError: The file can be neither read nor written.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = settings.data_dir / "web.key"
    if not path.exists():
        _generate(path)
    return path.read_text("ascii").strip()


def _generate(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # another process that was first keeps its key
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)
