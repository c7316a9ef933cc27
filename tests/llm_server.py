"""A scripted OpenAI-compatible server, made up for tests: real HTTP on a port of its own, streaming too.

    with ScriptedServer() as server:
        server.script = honest            # a function of the request; or lying("…"), stalling(), garbage(), …
        Settings(llm_model="openai:test", llm_base_url=server.url)

A script returns an `Act`: what the server does with one request. `server.requests` keeps every body it got.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_BLOCK = re.compile(r"〖([^/ ]+) ([0-9a-f]+)〗\n(.*?)\n〖/\1 \2〗", re.S)
_SENTENCE = re.compile(r"[^。\n]+[。]?(?:\*\*)?\n?")


@dataclass(frozen=True)
class Act:
    """What the server does: an answer's text, or a fault.

    Args:
        text: The assistant's words.
        status: HTTP status; 200 answers.
        stall: Seconds before the first byte.
        finish: The finish reason.
        raw: A body sent instead of the usual one.
        cut_off: Close the connection in the middle of the body.
        refusal: The model's refusal.
        tool: Answer by a call of the tool that was offered.
    """

    text: str = ""
    status: int = 200
    stall: float = 0.0
    finish: str = "stop"
    raw: str | None = None
    cut_off: bool = False
    refusal: str | None = None
    tool: bool = False


Script = Callable[[dict[str, Any]], Act]


@dataclass(frozen=True)
class Asked:
    """A request, taken apart: which prompt, its fenced blocks, and the whole of the user's part."""

    purpose: str
    blocks: dict[str, str]
    user: str


def asked(body: dict[str, Any]) -> Asked:
    """What a request asks for."""
    system, user = body["messages"][0]["content"], body["messages"][-1]["content"]
    names = {
        "“理解”": "understanding",
        "“措辞”": "composing",
        "填到表格": "splitting",
        "起草": "samples",
        "连通": "ping",
    }
    purpose = next(name for mark, name in names.items() if mark in system)
    return Asked(purpose, {m[1]: m[3] for m in _BLOCK.finditer(user)}, user)


def sentences(text: str) -> list[str]:
    """The sentences of a source, as they stand."""
    return [s for s in _SENTENCE.findall(text) if re.search(r"\w", s)]


def read_as(topics: list[str], kind: str = "question", standalone: str = "") -> str:
    """A reading."""
    return json.dumps({"kind": kind, "standalone": standalone, "topics": topics, "slots": []}, ensure_ascii=False)


def composed(items: list[tuple[str, list[str]]], complete: str = "complete") -> str:
    """A worded answer."""
    return json.dumps(
        {"complete": complete, "sentences": [{"text": t, "ids": i} for t, i in items]}, ensure_ascii=False
    )


def reading(request: Asked) -> Act:
    """An honest reading: the topic of the list whose title shares most with the message."""
    listed = re.findall(r"^- (\S+) (.+)$", request.user, re.M)
    message = request.blocks["消息"]
    rated = [(len(set(title) & set(message)), -place, topic) for place, (topic, title) in enumerate(listed)]
    best = max(rated, default=(0, 0, ""))
    return Act(read_as([best[2]] if best[0] >= 2 else [], standalone=message))


def honest(body: dict[str, Any]) -> Act:
    """Understands plainly and composes only from the sources handed in."""
    request = asked(body)
    if request.purpose == "understanding":
        return reading(request)
    if request.purpose == "composing":
        return Act(composed([(s, ["E1"]) for s in sentences(request.blocks["E1"])]))
    if request.purpose == "ping":
        return Act('{"ok": "yes"}')
    return Act("{}")


def saying(text: str, source: str = "C1", *, beside: bool = True) -> Script:
    """Composes the honest answer with one more sentence, citing `source` (beside=False: that sentence alone)."""

    def script(body: dict[str, Any]) -> Act:
        request = asked(body)
        if request.purpose != "composing":
            return honest(body)
        true = [(s, ["E1"]) for s in sentences(request.blocks["E1"])] if beside else []
        return Act(composed([*true, (text, [source])]))

    return script


def doing(act: Act, purpose: str | None = None) -> Script:
    """Does one thing for every request, or for those of one purpose alone."""
    return lambda body: act if purpose in (None, asked(body).purpose) else honest(body)


def capable_of(modes: set[str], inner: Script = honest) -> Script:
    """A model that refuses, with 400, every way of asking for structure but these."""

    def script(body: dict[str, Any]) -> Act:
        way = {"json_schema": "json_schema", "json_object": "json_mode"}.get(
            (body.get("response_format") or {}).get("type", ""), "plain"
        )
        way = "function_calling" if body.get("tools") else way
        if way not in modes:
            return Act(status=400)
        act = inner(body)
        return Act(act.text, tool=True) if way == "function_calling" else act

    return script


@dataclass
class ScriptedServer:
    """The server; a context manager."""

    script: Script = honest
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> ScriptedServer:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: object) -> None:
                """Quiet."""

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.requests.append(body)
                try:
                    owner._act(self, owner.script(body), body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _act(self, handler: BaseHTTPRequestHandler, act: Act, body: dict[str, Any]) -> None:
        time.sleep(act.stall)
        if act.status != 200:
            return _send(handler, act.status, json.dumps({"error": {"message": "scripted", "type": "scripted"}}))
        if act.raw is not None:
            return _send(handler, 200, act.raw)
        if body.get("stream"):
            return _stream(handler, act)
        message: dict[str, Any] = {"role": "assistant", "content": act.text, "refusal": act.refusal}
        if act.tool and body.get("tools"):
            name = body["tools"][0]["function"]["name"]
            message |= {
                "content": None,
                "tool_calls": [{"id": "t1", "type": "function", "function": {"name": name, "arguments": act.text}}],
            }
        answer = {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "test",
            "choices": [{"index": 0, "message": message, "finish_reason": act.finish}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
        _send(handler, 200, json.dumps(answer), cut_off=act.cut_off)
        return None


def _send(handler: BaseHTTPRequestHandler, status: int, text: str, *, cut_off: bool = False) -> None:
    data = text.encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.send_header("Connection", "close")
    handler.close_connection = True
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2] if cut_off else data)


def _stream(handler: BaseHTTPRequestHandler, act: Act) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    pieces = [act.text[i : i + 24] for i in range(0, len(act.text), 24)]
    if act.cut_off:
        pieces = pieces[: len(pieces) // 2]
    for piece in pieces:
        _event(handler, {"delta": {"role": "assistant", "content": piece}, "finish_reason": None})
    if not act.cut_off:
        _event(handler, {"delta": {}, "finish_reason": act.finish})
        handler.wfile.write(b"data: [DONE]\n\n")


def _event(handler: BaseHTTPRequestHandler, choice: dict[str, Any]) -> None:
    data = {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "test",
        "choices": [{"index": 0, **choice}],
    }
    handler.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
    handler.wfile.flush()
