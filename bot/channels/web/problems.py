"""What went wrong, for people and programs: RFC 9457 problem details in Chinese, with a stable code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from bot.store import StoreError
from bot.texts import TextError, Texts

_log = structlog.get_logger("bot.web")

STATUSES: Mapping[str, int] = {
    "bad_request": 400,
    "no_identity": 401,
    "other_site": 403,
    "not_found": 404,
    "wrong_method": 405,
    "conflict": 409,
    "too_large": 413,
    "invalid": 422,
    "too_many": 429,
    "internal": 500,
    "busy": 503,
    "stopping": 503,
}
"""Every code, with its HTTP status. A closed set; each has its words in `prompts/texts/web.yaml`."""

_BY_STATUS = {400: "bad_request", 404: "not_found", 405: "wrong_method", 413: "too_large", 429: "too_many"}
_BY_STORE = {
    "not_found": "not_found",
    "bad_number": "invalid",
    "code_unknown": "invalid",
    "code_used": "conflict",
    "code_expired": "conflict",
    "stale": "conflict",
    "stale_conversation": "conflict",
    "stale_draft": "conflict",
}


class Problem(Exception):
    """A request that is answered with a problem.

    Args:
        code: One of `STATUSES`.
        detail: Words in place of the code's own.
        retry_after: Seconds, for the header.
        values: For the code's words.
    """

    def __init__(
        self, code: str, *, detail: str | None = None, retry_after: int | None = None, **values: object
    ) -> None:
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.values = values
        super().__init__(code)


class FieldProblem(BaseModel):
    """One field that cannot be taken."""

    field: str
    problem: str


class ProblemDetails(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "请求太快了",
                "status": 429,
                "code": "too_many",
                "detail": "您发得太快了，请 2 秒后再发。",
                "request_id": "6f1c2b7e9a3d4c55",
            }
        }
    )

    type: str = "about:blank"
    title: str = Field(description="问题的名称")
    status: int
    code: str = Field(description="稳定的代码，程序据此判断：" + "、".join(STATUSES))
    detail: str = Field(description="给人看的说明：哪里不对，怎样才对")
    request_id: str = Field(description="请求编号，报修时请提供")
    errors: list[FieldProblem] | None = None


def details(
    problem: Problem, texts: Texts, request: Request, errors: list[FieldProblem] | None = None
) -> ProblemDetails:
    """The problem as its body."""
    said = problem.detail or texts.render(f"web.problems.{problem.code}.detail", **problem.values)
    return ProblemDetails(
        title=texts.render(f"web.problems.{problem.code}.title"),
        status=STATUSES[problem.code],
        code=problem.code,
        detail=said,
        request_id=getattr(request.state, "request_id", ""),
        errors=errors,
    )


def from_store(error: StoreError, texts: Texts) -> Problem:
    """What the store could not do, as a problem with the person's sentence."""
    try:
        said = texts.render(f"store.{error.key}.person")
    except TextError:
        said = texts.render("web.problems.busy.detail")
    code = _BY_STORE.get(error.key, "busy")
    return Problem(code, detail=said, retry_after=5 if code == "busy" else None)


def responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an API operation: its problems by status."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {STATUSES[code]: {"description": code, "content": content} for code in codes}


def install(app: FastAPI, texts: Texts, page: Any) -> None:
    """Answer every failure with a problem; a browser that asked for a page gets `page(request, details)`."""

    def answer(request: Request, problem: Problem, errors: list[FieldProblem] | None = None) -> Response:
        said = details(problem, texts, request, errors)
        headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after else {}
        if _wants_page(request):
            response: Response = page(request, said)
            response.headers.update(headers)
            return response
        body = said.model_dump(exclude_none=True)
        return JSONResponse(body, said.status, headers, media_type="application/problem+json")

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return answer(request, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = [
            FieldProblem(field=".".join(str(p) for p in e["loc"][1:]) or str(e["loc"][0]), problem=str(e["msg"]))
            for e in error.errors()
        ]
        return answer(request, Problem("invalid"), found)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = answer(request, Problem(_BY_STATUS.get(error.status_code, "bad_request")))
        response.headers.update(error.headers or {})
        return response

    async def store(request: Request, error: Exception) -> Response:
        assert isinstance(error, StoreError)
        _log.warning("store.failed", key=error.key, request_id=getattr(request.state, "request_id", ""))
        return answer(request, from_store(error, texts))

    async def internal(request: Request, error: Exception) -> Response:
        # The type alone: a message may quote what a person typed.
        _log.error("request.failed", error=type(error).__name__, request_id=getattr(request.state, "request_id", ""))
        return answer(request, Problem("internal"))

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(StoreError, store)
    app.add_exception_handler(Exception, internal)


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")
