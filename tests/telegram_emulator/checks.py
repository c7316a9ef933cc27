"""The Bot API's documented limits, and the errors it answers with."""

from __future__ import annotations

import html
import json
import re
from typing import Any

TEXT, CAPTION, CALLBACK, ANSWER = 4096, 1024, 64, 200
UPLOAD, DOWNLOAD = 50_000_000, 20_000_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:\s+[a-zA-Z-]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s>]*))?)*)\s*>")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")
_NAMES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}


class ApiError(Exception):
    """An answer with `ok` false."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad(description: str) -> ApiError:
    """400."""
    return ApiError(400, f"Bad Request: {description}")


def length(text: str) -> int:
    """In UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def parse_html(source: str) -> tuple[str, list[dict[str, Any]]]:
    """Text and entities of Telegram HTML. Raises ApiError where it is not well formed."""
    out: list[str] = []
    entities: list[dict[str, Any]] = []
    open_tags: list[tuple[str, int, str]] = []
    at = 0
    while at < len(source):
        char = source[at]
        if char == "<":
            where = len(source[:at].encode())
            found = _TAG.match(source, at)
            if found is None:
                raise bad(
                    f'can\'t parse entities: Unsupported start tag "{source[at + 1 : at + 12]}" at byte offset {where}'
                )
            closing, name, attributes = found[1], found[2].lower(), found[3]
            if name not in _NAMES:
                raise bad(f'can\'t parse entities: Unsupported start tag "{name}" at byte offset {where}')
            if closing:
                if not open_tags:
                    raise bad(f"can't parse entities: Unexpected end tag at byte offset {where}")
                opened, offset, given = open_tags.pop()
                if opened != name:
                    raise bad(
                        f'can\'t parse entities: Unmatched end tag at byte offset {where}, expected "</{opened}>", found "</{name}>"'
                    )
                size = length("".join(out)) - offset
                if size:
                    kind = "expandable_blockquote" if name == "blockquote" and "expandable" in given else _NAMES[name]
                    entities.append({"type": kind, "offset": offset, "length": size})
            else:
                inside = [t for t, _, _ in open_tags]
                if name == "blockquote" and "blockquote" in inside:
                    raise bad(f"can't parse entities: Can't parse nested blockquote at byte offset {where}")
                if {"code", "pre"} & set(inside) and not (name == "code" and inside[-1] == "pre"):
                    raise bad(f"can't parse entities: Entity can't be nested at byte offset {where}")
                if name == "span" and "tg-spoiler" not in attributes:
                    raise bad(f'can\'t parse entities: Tag "span" must have class "tg-spoiler" at byte offset {where}')
                open_tags.append((name, length("".join(out)), attributes))
            at = found.end()
        elif char == "&" and (entity := _ENTITY.match(source, at)):
            out.append(html.unescape(entity[0]))
            at = entity.end()
        else:
            out.append(char)
            at += 1
    if open_tags:
        raise bad(f"can't parse entities: Can't find end tag corresponding to start tag \"{open_tags[-1][0]}\"")
    return "".join(out), entities


def formatted(params: dict[str, Any], field: str, limit: int, *, required: bool) -> tuple[str, list[dict[str, Any]]]:
    """The text of a call, its entities parsed, its length checked after that."""
    raw = params.get(field) or ""
    mode = params.get("parse_mode")
    if mode is not None and mode not in ("HTML", "Markdown", "MarkdownV2"):
        raise bad("unsupported parse_mode")
    text, entities = parse_html(str(raw)) if mode == "HTML" else (str(raw), [])
    if required and not text.strip():
        raise bad("message text is empty")
    if length(text) > limit:
        raise bad("message is too long" if field == "text" else "message caption is too long")
    return text, entities


def decoded(params: dict[str, Any], field: str) -> Any:
    """A JSON-serialised parameter."""
    value = params.get(field)
    if value is None or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise bad(f"can't parse {field} JSON object") from error


def keyboard(params: dict[str, Any]) -> dict[str, Any] | None:
    """The inline keyboard of a call, checked."""
    markup = decoded(params, "reply_markup")
    if markup is None:
        return None
    rows = markup.get("inline_keyboard")
    if not isinstance(rows, list) or not all(isinstance(r, list) for r in rows):
        raise bad("object expected as reply markup")
    if sum(len(r) for r in rows) > 100:
        raise bad("reply markup is too long")
    for button in (b for row in rows for b in row):
        if not str(button.get("text") or "").strip():
            raise bad("inline keyboard button text must be non-empty")
        actions = [
            k
            for k in ("url", "callback_data", "web_app", "login_url", "switch_inline_query", "pay", "copy_text")
            if k in button
        ]
        if len(actions) != 1:
            raise bad("text buttons are unallowed in the inline keyboard")
        if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode()) <= CALLBACK:
            raise bad("BUTTON_DATA_INVALID")
        if "url" in button and not re.match(r"^(https?|tg)://\S+$", str(button["url"])):
            raise bad("BUTTON_URL_INVALID")
    return {"inline_keyboard": rows} if any(rows) else None


def number(params: dict[str, Any], field: str, *, default: int | None = None) -> int:
    """An integer parameter."""
    value = params.get(field, default)
    try:
        return int(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise bad(f"{field} is required" if value is None else f"invalid {field} specified") from error


def commands(params: dict[str, Any]) -> list[dict[str, str]]:
    """The commands of setMyCommands, checked."""
    given = decoded(params, "commands")
    if not isinstance(given, list) or len(given) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH" if isinstance(given, list) else "can't parse commands")
    for command in given:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", ""))):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", "")).strip()) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return given
