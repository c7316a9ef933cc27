"""The app: page, API, health, metrics. Other parts hang themselves on it (`bot.helpdesk`, the Telegram webhook)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from bot.channels.web import problems
from bot.channels.web.api import RoleQuery, api, calendar_file
from bot.channels.web.events import Hub, watch
from bot.channels.web.identity import Identities, signing_secret
from bot.channels.web.limits import RateLimiter, Rates
from bot.channels.web.metrics import Metrics
from bot.channels.web.middleware import Guard
from bot.channels.web.pages import Pages
from bot.channels.web.talk import CHANNEL, TURNS_AT_ONCE, TURNS_WITH_A_MODEL, Service, Talk
from bot.store import StoreError

_STATIC = Path(__file__).parent / "static"


def _system_clock() -> datetime:
    return datetime.now(UTC)


def create_app(
    service: Service,
    now: Callable[[], datetime] = _system_clock,
    *,
    rates: Rates | None = None,
    watch_every: float = 1.0,
) -> FastAPI:
    """The web application of an open service.

    `app.state.talk` is the way to the assistant, `app.state.hub` the open streams: call `hub.close()` before
    the server waits for its connections to end.

    Args:
        now: The clock, with time zone; any day can be simulated.
        rates: Limits; by default those of the settings.
        watch_every: Seconds between two looks for replies that arrived later.

    Raises:
        OSError: The key that signs tokens can be neither read nor written.
    """
    gate = asyncio.Semaphore(TURNS_WITH_A_MODEL if service.settings.llm_model else TURNS_AT_ONCE)
    talk = Talk(service, now, Metrics(), Hub(), RateLimiter(), rates or _rates(service), gate)
    service.assistant.observe = talk.metrics.step
    identities = Identities(signing_secret(service.settings))
    version = _version()
    pages = Pages(talk, identities, version)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(watch(service.store, talk.hub, CHANNEL, now, every=watch_every))
        try:
            yield
        finally:
            talk.stopping = True
            talk.hub.close()
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    app = FastAPI(
        title=service.texts.render("web.title"),
        version=version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.talk, app.state.hub, app.state.metrics = talk, talk.hub, talk.metrics
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.include_router(pages.router)
    app.include_router(api(talk, identities))
    _operating(app, talk, pages)
    problems.install(app, service.texts, pages.problem)
    app.add_middleware(Guard, metrics=talk.metrics, texts=service.texts)
    return app


def _operating(app: FastAPI, talk: Talk, pages: Pages) -> None:
    """Health, metrics, the calendar, and the API's documents."""

    @app.get("/milestones.ics", include_in_schema=False)
    async def milestones_ics(role: RoleQuery = None) -> Response:
        return calendar_file(talk, role)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        checks = {"database": "ok", "index": "ok", "pack": talk.service.pack.info.id}
        if talk.stopping or talk.hub.closed:
            checks["process"] = "stopping"
        try:
            await talk.service.store.ping()
        except StoreError as error:
            checks["database"] = error.key
        good = checks["database"] == "ok" and "process" not in checks
        return JSONResponse({"status": "ok" if good else "unavailable", **checks}, 200 if good else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        body = await talk.metrics.text(talk.service.store, len(talk.hub))
        return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/api/openapi.json", include_in_schema=False)
    async def document() -> Response:
        return JSONResponse(openapi(app))

    @app.get("/api/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return pages.page("docs.html", operations=list(_operations(openapi(app))))


def openapi(app: FastAPI) -> dict[str, Any]:
    """The API's OpenAPI document: with the problem's schema, and both ways to say who one is."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, routes=app.routes, openapi_version="3.1.0")
        parts = made.setdefault("components", {})
        schemas = parts.setdefault("schemas", {})
        problem = problems.ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs", {}), ProblemDetails=problem)
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        parts["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "qtic"},
        }
        for path, operations in made["paths"].items():
            for operation in operations.values():
                if "{conversation_id}" in path:
                    operation["security"] = [{"bearer": []}, {"cookie": []}]
        app.openapi_schema = made
    return app.openapi_schema


@dataclass(frozen=True)
class _Operation:
    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[dict[str, Any]]
    body: str | None
    answers: list[dict[str, Any]]


def _operations(document: dict[str, Any]) -> Iterator[_Operation]:
    """The document's operations for the page of `/api/docs`."""
    schemas = document["components"]["schemas"]

    def example(content: dict[str, Any]) -> str | None:
        for media in content.values():
            schema = media.get("schema", {})
            schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
            found = media.get("example", schema.get("example", (schema.get("examples") or [None])[0]))
            if found is not None:
                return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, indent=2)
        return None

    for path, methods in document["paths"].items():
        for method, op in methods.items():
            yield _Operation(
                op["operationId"],
                method.upper(),
                path,
                op.get("summary", ""),
                op.get("description", ""),
                [
                    {
                        "name": p["name"],
                        "where": p["in"],
                        "required": p.get("required", False),
                        "description": p.get("description", ""),
                    }
                    for p in op.get("parameters", ())
                ],
                example(op.get("requestBody", {}).get("content", {})),
                [
                    {
                        "status": status,
                        "description": answer.get("description", ""),
                        "example": example(answer.get("content", {})) if status.startswith("2") else None,
                    }
                    for status, answer in op["responses"].items()
                ],
            )


def _rates(service: Service) -> Rates:
    settings = service.settings
    return Rates(person_per_minute=settings.rate_person, address_per_minute=settings.rate_address)


def _version() -> str:
    try:
        return installed("qingdao-tic-assistant")
    except PackageNotFoundError:
        return "0"
