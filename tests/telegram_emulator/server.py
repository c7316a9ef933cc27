"""The emulator's methods and its server."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import uvicorn

from tests.telegram_emulator import checks
from tests.telegram_emulator.checks import ApiError, bad
from tests.telegram_emulator.people import Chat, Group, Person

TOKEN = "123456:AAEmulatedTokenOfNobody_0123456789abc"  # made up
_SCOPES = {"default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat"}
_ACTIONS = {
    "typing",
    "upload_photo",
    "upload_document",
    "record_voice",
    "upload_voice",
    "choose_sticker",
    "find_location",
}


@dataclass
class Fault:
    """What goes wrong with one call: an error code, a connection dropped, or silence; before or after it took effect."""

    kind: Literal["error", "drop", "hang"]
    code: int = 500
    retry_after: int | None = None
    seconds: float = 30.0
    after: bool = False


class Emulator:
    """One bot's server."""

    def __init__(self, *, local: bool = True) -> None:
        self.token = TOKEN
        self.local = local
        """As a local Bot API server: webhooks may have http addresses."""
        self.me = {
            "id": 123456,
            "is_bot": True,
            "first_name": "助手",
            "username": "qtic_test_bot",
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }
        self.chats: dict[int, Chat] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refused: list[tuple[str, str]] = []
        self.commands: dict[tuple[str, str], list[dict[str, str]]] = {}
        self.menu: dict[str, Any] | None = None
        self.webhook: dict[str, Any] | None = None
        self.acknowledged = 0
        self.per_chat: tuple[int, float] | None = None
        """At most so many messages to a chat in so many seconds; None: no limit."""
        self.port = 0
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._pending: dict[int, dict[str, Any]] = {}
        self._next = 1000
        self._queries: dict[str, float] = {}
        self._files: dict[str, bytes] = {}
        self._sent: dict[int, deque[float]] = defaultdict(deque)
        self._polls = 0
        limits = httpx.Limits(max_connections=100)
        self._client = httpx.AsyncClient(timeout=30, trust_env=False, verify=False, limits=limits)
        self._event = asyncio.Event()
        self._deliveries: set[asyncio.Task[None]] = set()
        self._allowed: list[str] | None = None
        self.held = asyncio.Event()
        """Set while no update is handed out to getUpdates is allowed; clear it to hold them back."""
        self.held.set()

    # --- what tests use

    @property
    def url(self) -> str:
        """For TELEGRAM_API_BASE_URL."""
        return f"http://127.0.0.1:{self.port}"

    def person(self, chat_id: int) -> Person:
        """A person, known to the bot once they have said something."""
        found = self.chats.setdefault(chat_id, Person(self, chat_id))
        assert isinstance(found, Person)
        return found

    def group(self, chat_id: int = -100500) -> Group:
        """A group with the bot in it."""
        found = self.chats.setdefault(chat_id, Group(self, chat_id))
        assert isinstance(found, Group)
        return found

    def fail(self, method: str, *faults: Fault) -> None:
        """Let the next calls of a method go wrong."""
        self._faults[method].extend(faults)

    def count(self, method: str) -> int:
        """How often a method was called."""
        return sum(1 for name, _ in self.calls if name == method)

    def update(self, *, again: int | None = None, **content: Any) -> int:
        """Hand an update to the bot; `again`: under an id that was used before. Its id."""
        number = again if again is not None else self._next
        if again is None:
            self._next += 1
        update = {"update_id": number, **content}
        self._pending[number] = update
        if self.webhook:
            self._send(update)
        self._wake()
        return number

    def skip_id(self) -> int:
        """Take an update id that is handed out later (`update(again=…)`), i.e. out of order."""
        self._next += 1
        return self._next - 1

    def press(self, chat: Chat, message: dict[str, Any], data: str, author: dict[str, Any]) -> int:
        """A callback query."""
        query = str(9_000_000_000 + self._next)
        self._queries[query] = time.monotonic()
        return self.update(
            callback_query={"id": query, "from": author, "chat_instance": "1", "data": data, "message": dict(message)}
        )

    def keep_file(self, content: bytes) -> str:
        """A file that getFile finds."""
        name = f"file{len(self._files)}"
        self._files[name] = content
        return name

    async def changed(self) -> None:
        """Wait until something happens."""
        await self._event.wait()

    def _wake(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    # --- the server

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[Emulator]:
        """Listen on 127.0.0.1 while the block lasts."""
        server = uvicorn.Server(
            uvicorn.Config(
                self, "127.0.0.1", port, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1
            )
        )
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        task = asyncio.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0.01)
        self.port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            for delivery in list(self._deliveries):
                delivery.cancel()
            await asyncio.gather(*self._deliveries, return_exceptions=True)
            await self._client.aclose()
            self._wake()
            server.should_exit = True
            await task

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        from starlette.requests import Request

        request = Request(scope, receive)
        if found := re.fullmatch(r"/file/bot([^/]+)/(\w+)", scope["path"]):
            content = self._files.get(found[2]) if found[1] == self.token else None
            await _raw(send, 200 if content is not None else 404, content or b"", "application/octet-stream")
            return
        found = re.fullmatch(r"/bot([^/]*)/(\w+)", scope["path"])
        if found is None or not re.fullmatch(r"\d+:[\w-]{10,}", found[1]):
            await _json(send, 404, {"ok": False, "error_code": 404, "description": "Not Found"})
            return
        if found[1] != self.token:
            await _json(send, 401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
            return
        params = await _params(request)
        await self._serve_call(found[2], params, send, request)

    async def _serve_call(self, name: str, params: dict[str, Any], send: Any, request: Any) -> None:
        self.calls.append((name, params))
        fault = self._faults[name].popleft() if self._faults[name] else None
        self._wake()
        if fault is not None and not fault.after:
            await self._go_wrong(fault, send)
            return
        try:
            method = getattr(self, f"do_{re.sub('([A-Z])', lambda m: '_' + m[1].lower(), name)}", None)
            if method is None:
                raise ApiError(404, "Not Found")
            result = await method(params)
        except ApiError as error:
            self.refused.append((name, error.description))
            body: dict[str, Any] = {"ok": False, "error_code": error.code, "description": error.description}
            if error.parameters:
                body["parameters"] = error.parameters
            self._wake()
            await _json(send, error.code, body)
            return
        self._wake()
        if fault is not None:
            await self._go_wrong(fault, send)
            return
        await _json(send, 200, {"ok": True, "result": result})

    async def _go_wrong(self, fault: Fault, send: Any) -> None:
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
        if fault.kind in ("hang", "drop"):
            # Less is sent than was promised, and the connection is closed.
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            raise ConnectionResetError("dropped on purpose")
        code = 429 if fault.retry_after else fault.code
        body: dict[str, Any] = {"ok": False, "error_code": code, "description": "Internal Server Error"}
        if fault.retry_after:
            body.update(
                description=f"Too Many Requests: retry after {fault.retry_after}",
                parameters={"retry_after": fault.retry_after},
            )
        await _json(send, code, body)

    # --- the methods

    async def do_get_me(self, params: dict[str, Any]) -> Any:
        """getMe."""
        return self.me

    async def do_get_updates(self, params: dict[str, Any]) -> Any:
        """getUpdates: an offset acknowledges what is below it; a newer call ends an older one."""
        if self.webhook:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            )
        offset, limit = checks.number(params, "offset", default=0), checks.number(params, "limit", default=100)
        timeout = float(params.get("timeout") or 0)
        if not 1 <= limit <= 100:
            raise bad("limit must be between 1 and 100")
        if params.get("allowed_updates") is not None:
            self._allowed = checks.decoded(params, "allowed_updates")
        self._polls += 1
        mine = self._polls
        self._wake()
        for number in [n for n in self._pending if n < offset]:
            del self._pending[number]
        self.acknowledged = max(self.acknowledged, offset)
        end = time.monotonic() + timeout
        while True:
            if self._polls != mine:
                raise ApiError(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )
            ready = [self._pending[n] for n in sorted(self._pending) if n >= offset and self._wanted(self._pending[n])]
            if ready and self.held.is_set():
                return ready[:limit]
            left = end - time.monotonic()
            if left <= 0:
                return []
            try:
                await asyncio.wait_for(self._event.wait(), min(left, 0.2))
            except TimeoutError:
                continue

    def _wanted(self, update: dict[str, Any]) -> bool:
        return self._allowed is None or any(kind in update for kind in self._allowed)

    async def do_set_webhook(self, params: dict[str, Any]) -> Any:
        """setWebhook."""
        url = str(params.get("url") or "")
        if url and not url.startswith("https://") and not (self.local and url.startswith("http://")):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if (secret := params.get("secret_token")) is not None and not re.fullmatch(
            r"[A-Za-z0-9_-]{1,256}", str(secret)
        ):
            raise bad("secret token contains unallowed characters")
        if not 1 <= checks.number(params, "max_connections", default=40) <= 100:
            raise bad("max_connections must be between 1 and 100")
        self._allowed = checks.decoded(params, "allowed_updates") or self._allowed
        self.webhook = {"url": url, "secret": params.get("secret_token")} if url else None
        for update in list(self._pending.values()):
            self._send(update)
        return True

    async def do_delete_webhook(self, params: dict[str, Any]) -> Any:
        """deleteWebhook."""
        self.webhook = None
        return True

    def _send(self, update: dict[str, Any]) -> None:
        task = asyncio.create_task(self._deliver(update))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, update: dict[str, Any]) -> None:
        if not self._wanted(update):
            return
        pause = 0.1
        while self.webhook:
            headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook["secret"]} if self.webhook["secret"] else {}
            try:
                answer = await self._client.post(self.webhook["url"], json=update, headers=headers)
                if answer.status_code // 100 == 2:
                    self._pending.pop(update["update_id"], None)
                    self.acknowledged = max(self.acknowledged, update["update_id"] + 1)
                    self._wake()
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2)

    async def do_set_my_commands(self, params: dict[str, Any]) -> Any:
        """setMyCommands."""
        scope = (checks.decoded(params, "scope") or {"type": "default"})["type"]
        language = params.get("language_code") or ""
        if scope not in _SCOPES:
            raise bad("can't parse BotCommandScope: Unsupported type specified")
        if language and not re.fullmatch(r"[a-z]{2}", language):
            raise bad("LANGUAGE_CODE_INVALID")
        self.commands[scope, language] = checks.commands(params)
        return True

    async def do_set_chat_menu_button(self, params: dict[str, Any]) -> Any:
        """setChatMenuButton."""
        self.menu = checks.decoded(params, "menu_button")
        if (self.menu or {}).get("type") not in ("commands", "web_app", "default"):
            raise bad("can't parse menu button")
        return True

    def _chat(self, params: dict[str, Any]) -> Chat:
        chat = self.chats.get(checks.number(params, "chat_id"))
        if chat is None:
            raise bad("chat not found")
        if chat.refuses is not None:
            raise ApiError(*chat.refuses)
        if not chat.known:
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        return chat

    def _flood(self, chat: Chat) -> None:
        if self.per_chat is None:
            return
        most, seconds = self.per_chat
        sent, now = self._sent[chat.id], time.monotonic()
        while sent and now - sent[0] > seconds:
            sent.popleft()
        if len(sent) >= most:
            wait = max(1, round(seconds - (now - sent[0]) + 0.5))
            raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        sent.append(now)

    async def do_send_message(self, params: dict[str, Any]) -> Any:
        """sendMessage."""
        chat = self._chat(params)
        text, entities = checks.formatted(params, "text", checks.TEXT, required=True)
        markup = checks.keyboard(params)
        self._reply_to(params, chat)
        self._flood(chat)
        fields: dict[str, Any] = {"text": text}
        if entities:
            fields["entities"] = entities
        if markup:
            fields["reply_markup"] = markup
        return chat.add(self.me, **fields)

    def _reply_to(self, params: dict[str, Any], chat: Chat) -> None:
        reply = checks.decoded(params, "reply_parameters")
        if reply and chat.message(int(reply["message_id"])) is None and not reply.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")

    async def do_send_document(self, params: dict[str, Any]) -> Any:
        """sendDocument, as multipart."""
        chat = self._chat(params)
        file = params.get("document")
        if not isinstance(file, tuple):
            raise bad("there is no document in the request")
        name, content = file
        if not content:
            raise bad("file must be non-empty")
        if len(content) > checks.UPLOAD:
            raise ApiError(413, "Request Entity Too Large")
        checks.formatted(params, "caption", checks.CAPTION, required=False)
        self._flood(chat)
        key = self.keep_file(content)
        return chat.add(
            self.me, document={"file_id": key, "file_unique_id": key, "file_name": name, "file_size": len(content)}
        )

    async def do_get_file(self, params: dict[str, Any]) -> Any:
        """getFile."""
        key = str(params.get("file_id"))
        if key not in self._files:
            raise bad("invalid file_id")
        if len(self._files[key]) > checks.DOWNLOAD:
            raise bad("file is too big")
        return {"file_id": key, "file_unique_id": key, "file_size": len(self._files[key]), "file_path": key}

    def _edited(self, params: dict[str, Any]) -> dict[str, Any]:
        chat = self._chat(params)
        message = chat.message(checks.number(params, "message_id"))
        if message is None:
            raise bad("message to edit not found")
        if not message["from"]["is_bot"]:
            raise bad("message can't be edited")
        return message

    async def do_edit_message_text(self, params: dict[str, Any]) -> Any:
        """editMessageText."""
        message = self._edited(params)
        text, entities = checks.formatted(params, "text", checks.TEXT, required=True)
        markup = checks.keyboard(params)
        if message.get("text") == text and message.get("reply_markup") == markup:
            raise bad("message is not modified: specified new message content and reply markup are exactly the same")
        message.update(text=text, entities=entities, edit_date=int(time.time()))
        _set_markup(message, markup)
        return message

    async def do_edit_message_reply_markup(self, params: dict[str, Any]) -> Any:
        """editMessageReplyMarkup."""
        message = self._edited(params)
        markup = checks.keyboard(params)
        if message.get("reply_markup") == markup:
            raise bad("message is not modified: specified new message content and reply markup are exactly the same")
        message["edit_date"] = int(time.time())
        _set_markup(message, markup)
        return message

    async def do_answer_callback_query(self, params: dict[str, Any]) -> Any:
        """answerCallbackQuery: once, in time."""
        asked = self._queries.pop(str(params.get("callback_query_id")), None)
        if asked is None or time.monotonic() - asked > 30:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        if len(str(params.get("text") or "")) > checks.ANSWER:
            raise bad("MESSAGE_TOO_LONG")
        return True

    async def do_send_chat_action(self, params: dict[str, Any]) -> Any:
        """sendChatAction."""
        chat = self._chat(params)
        if params.get("action") not in _ACTIONS:
            raise bad("wrong parameter action in request")
        chat.actions.append(str(params["action"]))
        return True


def _set_markup(message: dict[str, Any], markup: dict[str, Any] | None) -> None:
    if markup:
        message["reply_markup"] = markup
    else:
        message.pop("reply_markup", None)


async def _params(request: Any) -> dict[str, Any]:
    if request.headers.get("content-type", "").startswith("application/json"):
        given = await request.json()
        return given if isinstance(given, dict) else {}
    params: dict[str, Any] = dict(request.query_params)
    async with request.form(max_part_size=60_000_000) as form:
        for name, value in form.multi_items():
            params[name] = value if isinstance(value, str) else (value.filename, await value.read())
    return params


async def _json(send: Any, status: int, body: dict[str, Any]) -> None:
    await _raw(send, status, json.dumps(body, ensure_ascii=False).encode(), "application/json")


async def _raw(send: Any, status: int, body: bytes, kind: str) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
