"""One chat model, asked for structured output, within a time limit; every error becomes an `LLMError`.

langchain is imported when a model is opened, so a process without one never loads it. Ways of asking are tried
in order (`Mode`); the first that works is remembered for the life of the process.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.llm.breaker import CircuitBreaker
from bot.llm.budget import Turn
from bot.llm.errors import Failure, LLMError
from bot.llm.metrics import metrics
from bot.settings import Settings

T = TypeVar("T", bound=BaseModel)
_FENCED = re.compile(r"```(?:json)?\s*(.*?)```", re.S)
_THINKING = re.compile(r"<think>.*?</think>", re.S)


class Mode(StrEnum):
    """How structured output is asked for, in the order in which it is tried."""

    JSON_SCHEMA = "json_schema"
    TOOL = "function_calling"
    JSON_MODE = "json_mode"
    PLAIN = "plain"


class ChatModel:
    """A chat model behind a time limit, a breaker and a budget.

    Args:
        chat: A langchain chat model.
        name: Its name, for reports.
        timeout: Seconds one call may take where the caller sets no limit.
    """

    def __init__(
        self,
        chat: Any,
        name: str,
        timeout: float,
        breaker: CircuitBreaker | None = None,
        closing: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._closing = closing
        self._chat = chat
        self.name = name
        self.timeout = timeout
        self.breaker = breaker or CircuitBreaker()
        self.mode: Mode | None = None
        self.latency: float | None = None

    async def close(self) -> None:
        """Close the connections that are held open to the model."""
        if self._closing is not None:
            await self._closing()

    async def structured(
        self, schema: type[T], system: str, user: str, turn: Turn, *, tokens: int, limit: float | None = None
    ) -> T:
        """Ask for an object.

        Args:
            schema: What is wanted; the prompt describes it too, for models that know no schema.
            tokens: The most tokens the answer may have.
            limit: Seconds for this call, all tries together.

        Raises:
            LLMError: Nothing usable came back in time.
        """
        self.breaker.enter()
        started = time.monotonic()
        try:
            async with asyncio.timeout(min(limit or self.timeout, self.timeout)):
                found = await self._tried(schema, system, user, turn, tokens)
        except BaseException as error:
            raise self._noted(translate(error), error) from error
        self._ended(started)
        return found

    async def text(
        self, system: str, user: str, turn: Turn, *, tokens: int, limit: float | None = None
    ) -> AsyncIterator[str]:
        """The answer as it comes, piece by piece. Raises LLMError like `structured`, also in the middle."""
        turn.take(system + user, tokens)
        self.breaker.enter()
        started = time.monotonic()
        try:
            async with asyncio.timeout(min(limit or self.timeout, self.timeout)):
                reason = None
                async for chunk in self._chat.astream(_messages(system, user), max_tokens=tokens):
                    reason = chunk.response_metadata.get("finish_reason") or reason
                    if words := _content(chunk):
                        yield words
                if reason == "length":
                    raise LLMError(Failure.TRUNCATED)
        except GeneratorExit:
            self._ended(started)
            raise
        except BaseException as error:
            raise self._noted(translate(error), error) from error
        self._ended(started)

    def _ended(self, started: float) -> None:
        self.latency = time.monotonic() - started
        self.breaker.succeeded()
        metrics().breaker.set(0)
        metrics().calls.labels("ok").inc()
        metrics().seconds.observe(self.latency)

    def _noted(self, failure: LLMError, error: BaseException) -> BaseException:
        if isinstance(error, asyncio.CancelledError):
            self.breaker.failed(Failure.BUDGET)
            return error
        self.breaker.failed(failure.kind)
        metrics().calls.labels(failure.kind.value).inc()
        metrics().breaker.set(1 if self.breaker.is_open else 0)
        return failure

    async def _tried(self, schema: type[T], system: str, user: str, turn: Turn, tokens: int) -> T:
        modes = [self.mode] if self.mode else list(Mode)
        last = LLMError(Failure.OTHER)
        for mode in modes:
            turn.take(system + user, tokens)
            try:
                found = await self._asked(mode, schema, system, user, tokens)
            except Exception as error:
                last = translate(error)
                # Another way of asking helps only where this one was not understood.
                if last.kind not in (Failure.BAD_REQUEST, Failure.NOT_JSON, Failure.WRONG_SCHEMA, Failure.EMPTY):
                    raise last from error
                continue
            self.mode = mode
            return found
        raise last

    async def _asked(self, mode: Mode, schema: type[T], system: str, user: str, tokens: int) -> T:
        messages = _messages(system, user)
        if mode is Mode.PLAIN:
            message = await self._chat.ainvoke(messages, max_tokens=tokens)
            return read_object(schema, message)
        runnable = self._chat.with_structured_output(schema, method=mode.value, include_raw=True)
        answer = await runnable.ainvoke(messages, max_tokens=tokens)
        if isinstance(answer["parsed"], schema):
            return answer["parsed"]
        return read_object(schema, answer["raw"])


def _messages(system: str, user: str) -> list[tuple[str, str]]:
    return [("system", system), ("human", user)]


def _content(message: Any) -> str:
    content = message.content
    if isinstance(content, str):
        return content
    return "".join(part if isinstance(part, str) else str(part.get("text", "")) for part in content)


def read_object(schema: type[T], message: Any) -> T:
    """An object from a model's message: its content, a fenced block in it, or the arguments of its tool call.

    Raises:
        LLMError: Empty, cut short, declined, no JSON, or not the shape that was asked for.
    """
    reason = message.response_metadata.get("finish_reason")
    calls = getattr(message, "tool_calls", None) or []
    if reason == "content_filter" or message.additional_kwargs.get("refusal"):
        raise LLMError(Failure.DECLINED)
    if reason == "length":
        raise LLMError(Failure.TRUNCATED)
    if calls:
        return _shaped(schema, calls[0]["args"])
    return read_text(schema, _content(message))


def read_text(schema: type[T], text: str) -> T:
    """An object from the text of an answer. Raises LLMError like `read_object`."""
    plain = _THINKING.sub("", text).strip()
    if not plain:
        raise LLMError(Failure.EMPTY)
    fenced = _FENCED.search(plain)
    body = fenced[1] if fenced else plain
    start, end = body.find("{"), body.rfind("}")
    if start < 0 or end < start:
        raise LLMError(Failure.NOT_JSON)
    try:
        data = json.loads(body[start : end + 1])
    except ValueError as error:
        raise LLMError(Failure.NOT_JSON) from error
    return _shaped(schema, data)


def _shaped(schema: type[T], data: Any) -> T:
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        raise LLMError(Failure.WRONG_SCHEMA, f"{error.error_count()} problems") from error


def translate(error: BaseException) -> LLMError:
    """Whatever a call raised, as one of ours. Recognised by name and status, so that no provider is imported here."""
    if isinstance(error, LLMError):
        return error
    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, TimeoutError) or names & {
        "APITimeoutError",
        "TimeoutException",
        "ConnectTimeout",
        "ReadTimeout",
    }:
        return LLMError(Failure.TIMEOUT)
    status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int) and status >= 400:
        return LLMError(_of_status(status), f"HTTP {status}")
    if names & {"LengthFinishReasonError"}:
        return LLMError(Failure.TRUNCATED)
    if names & {"ContentFilterFinishReasonError", "OpenAIRefusalError"}:
        return LLMError(Failure.DECLINED)
    if names & {"APIResponseValidationError", "JSONDecodeError"}:
        return LLMError(Failure.NOT_JSON)
    if names & {"ValidationError", "OutputParserException"}:
        invalid = isinstance(error, ValidationError) and any(e["type"] == "json_invalid" for e in error.errors())
        return LLMError(Failure.NOT_JSON if invalid else Failure.WRONG_SCHEMA)
    if isinstance(error, ConnectionError) or names & {
        "APIConnectionError",
        "TransportError",
        "ConnectError",
        "RemoteProtocolError",
    }:
        return LLMError(Failure.REFUSED, type(error).__name__)
    if isinstance(error, ImportError):
        return LLMError(Failure.NO_PROVIDER, str(error)[:200])
    if isinstance(error, (TypeError, AttributeError, KeyError, IndexError, ValueError, NotImplementedError)):
        # langchain trips over a body without choices or over a way of asking that the provider lacks.
        return LLMError(Failure.NOT_JSON, type(error).__name__)
    return LLMError(Failure.OTHER, type(error).__name__)


def _of_status(status: int) -> Failure:
    if status in (401, 403):
        return Failure.UNAUTHORISED
    if status == 429:
        return Failure.RATE_LIMITED
    return Failure.SERVER if status >= 500 or status == 408 else Failure.BAD_REQUEST


def open_model(settings: Settings, breaker: CircuitBreaker | None = None) -> ChatModel:
    """The model that the settings name.

    Raises:
        LLMError: None is set, or its provider's package is not installed (kind `no_provider`).
    """
    if not settings.llm_model:
        raise LLMError(Failure.NO_PROVIDER, "LLM_MODEL is empty")
    name = (
        settings.llm_model if ":" in settings.llm_model or not settings.llm_base_url else f"openai:{settings.llm_model}"
    )
    more: dict[str, Any] = {}
    provider, _, bare = name.partition(":")
    if provider == "ollama" and bare:
        if settings.llm_base_url:
            more["base_url"] = settings.llm_base_url
    else:
        more |= {"timeout": settings.llm_timeout, "max_retries": 0}
        if settings.llm_base_url:
            more["base_url"] = settings.llm_base_url
        if settings.llm_api_key:
            more["api_key"] = settings.llm_api_key.get_secret_value()
        elif settings.llm_base_url and provider == "openai":
            more["api_key"] = "none"  # local servers ask for none, the client wants one
        if provider == "openai":
            import httpx

            more |= {"use_responses_api": False, "http_async_client": httpx.AsyncClient(timeout=settings.llm_timeout)}
    try:
        from langchain.chat_models import init_chat_model

        chat = init_chat_model(name, temperature=0, **more)
    except (ImportError, ValueError) as error:
        raise LLMError(Failure.NO_PROVIDER, str(error)[:300]) from error
    client = more.get("http_async_client")
    return ChatModel(chat, name, settings.llm_timeout, breaker, client.aclose if client else None)
