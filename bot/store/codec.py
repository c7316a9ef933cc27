"""Values to text and back, as the tables keep them."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from bot.messages import Reply


def aware(at: datetime) -> datetime:
    """`at` in UTC.

    Raises:
        ValueError: `at` has no time zone: whose clock it is cannot be guessed.
    """
    if at.tzinfo is None:
        raise ValueError("a time without time zone")
    return at.astimezone(UTC)


def dump(value: object) -> str:
    """Compact JSON, Chinese left as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def dump_reply(reply: Reply) -> str:
    """A reply as JSON; attached documents in base64, since JSON has no bytes."""
    if not reply.attachments:
        return reply.model_dump_json(exclude_defaults=True)
    data = reply.model_dump(mode="json", exclude_defaults=True, exclude={"attachments"})
    data["attachments"] = [
        {
            "filename": a.filename,
            "media_type": a.media_type,
            "content": base64.b64encode(a.content).decode("ascii"),
        }
        for a in reply.attachments
    ]
    return dump(data)


def load_reply(kept: str) -> Reply:
    """The reply that `dump_reply` wrote."""
    if '"attachments"' not in kept:
        return Reply.model_validate_json(kept)
    data: dict[str, Any] = json.loads(kept)
    for attachment in data.get("attachments", ()):
        attachment["content"] = base64.b64decode(attachment["content"])
    return Reply.model_validate(data)


def digest(text: str) -> str:
    """Short fingerprint of a text, e.g. of a clause: its version for `told`."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def dump_body(text: str, reply: Reply) -> str:
    """A turn's text and reply as one JSON array."""
    return f"[{dump(text)},{dump_reply(reply)}]"


def load_body(kept: str) -> tuple[str, Reply]:
    """What `dump_body` wrote."""
    text, data = json.loads(kept)
    for attachment in data.get("attachments", ()):
        attachment["content"] = base64.b64decode(attachment["content"])
    return text, Reply.model_validate(data, strict=False)
