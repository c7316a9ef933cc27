"""The API under `/api/v1`. A conversation's address is of use only with its own token; all else is 404."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from bot.channels.web import models
from bot.channels.web.events import Grown, event, events
from bot.channels.web.identity import Identities, Identity
from bot.channels.web.models import turn_body
from bot.channels.web.pages import download
from bot.channels.web.problems import Problem, details, from_store, responses
from bot.channels.web.talk import Talk, ThreadTurn, address
from bot.channels.web.views import exported
from bot.exports.calendar import calendar
from bot.settings import zone
from bot.store import StoreError
from knowledge.milestones import standing
from knowledge.pack import Milestone, PackError, Role

PREFIX = "/api/v1"
_STREAM = "text/event-stream"
_ALWAYS = ("invalid", "too_many", "internal", "busy")
_OWN = ("no_identity", "other_site", "not_found", *_ALWAYS)

ConversationId = Annotated[str, Path(description="POST /api/v1/conversations 返回的 id", max_length=64)]
TurnId = Annotated[str, Path(description="回合的 id", max_length=100)]
RoleQuery = Annotated[Role | None, Query(description="applicant 申报单位，officer 主管部门；不填为全部")]


def api(talk: Talk, identities: Identities) -> APIRouter:
    """The API on a router of its own."""
    router = APIRouter(prefix=PREFIX)
    service = talk.service
    time_zone = zone(service.pack.info.time_zone)

    def own(request: Request, conversation_id: ConversationId) -> Identity:
        identity = identities.read(request)
        if identity is None:
            raise Problem("no_identity")
        if identity.conversation_id != conversation_id:
            raise Problem("not_found")
        return identity

    Own = Annotated[Identity, Depends(own)]

    @router.post("/conversations", status_code=201, tags=["对话"], summary="开始对话", responses=responses(*_ALWAYS))
    async def start(request: Request) -> models.Started:
        talk.limiter.take(f"start:{address(request)}", talk.rates.starts_per_minute)
        identity = identities.new()
        return models.Started(id=identity.conversation_id, token=identities.token(identity))

    @router.post(
        "/conversations/{conversation_id}/messages",
        tags=["对话"],
        summary="发一条消息",
        response_model=models.Turn,
        description="Accept: text/event-stream 时逐步返回事件 progress、sentence、citation、done（或 problem）。"
        "带 Idempotency-Key 时，重复发送同一条只回答一次。",
        responses=responses(*_OWN, "conflict", "too_large")
        | {
            200: {
                "description": "回答",
                "content": {
                    _STREAM: {
                        "schema": {"type": "string"},
                        "example": 'event: sentence\ndata: {"text": "…"}\n\nevent: done\ndata: {…}\n\n',
                    }
                },
            }
        },
    )
    async def post(
        request: Request,
        identity: Own,
        message: models.NewMessage,
        key: Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=100)] = None,
    ) -> Any:
        talk.count_message(request, identity)
        if _STREAM in request.headers.get("accept", ""):
            body = told(request, identity, message, key)
            return StreamingResponse(body, media_type=_STREAM, headers={"X-Accel-Buffering": "no"})
        turn = await talk.say(identity, message.text, message.choice, key)
        return turn_body(turn, identity.conversation_id)

    async def told(
        request: Request, identity: Identity, message: models.NewMessage, key: str | None
    ) -> AsyncIterator[str]:
        yield event("progress", {"state": "working"})
        sentences = 0
        turn: ThreadTurn | None = None
        try:
            async for part in talk.progressively(identity, message.text, message.choice, key):
                if isinstance(part, ThreadTurn):
                    turn = part
                else:
                    sentences += 1
                    yield event("sentence", {"text": part})
        except (Problem, StoreError) as error:
            problem = error if isinstance(error, Problem) else from_store(error, service.texts)
            yield event("problem", details(problem, service.texts, request).model_dump(exclude_none=True))
            return
        assert turn is not None
        for line in turn.reply.text.split("\n") if sentences == 0 else ():
            if line.strip():
                yield event("sentence", {"text": line})
        for cited in turn.reply.citations:
            yield event("citation", cited.model_dump())
        body = turn_body(turn, identity.conversation_id)
        yield event("done", body.model_dump(mode="json"), str(turn.number))

    @router.get("/conversations/{conversation_id}/turns", tags=["对话"], summary="读历史", responses=responses(*_OWN))
    async def history(
        identity: Own,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Annotated[datetime | None, Query(description="只要此前的回合，带时区的 ISO 8601 时间")] = None,
    ) -> models.History:
        if before is not None and before.tzinfo is None:
            before = before.replace(tzinfo=time_zone)
        turns = await talk.history(identity, limit=limit, before=before)
        return models.History(turns=[turn_body(t, identity.conversation_id) for t in turns])

    @router.get(
        "/conversations/{conversation_id}/turns/{turn_id}",
        tags=["对话"],
        summary="读一个回合",
        responses=responses(*_OWN),
    )
    async def turn(identity: Own, turn_id: TurnId) -> models.Turn:
        return turn_body(await talk.turn_named(identity, turn_id), identity.conversation_id)

    @router.get(
        "/conversations/{conversation_id}/events",
        tags=["对话"],
        summary="事件流：人工答复、别的设备上的回合",
        description="事件 turn 的 id 是回合的序号；断线后带 Last-Event-ID 重连，会先补上错过的。服务停止前发 bye。",
        response_class=Response,
        responses=responses(*_OWN)
        | {200: {"description": "事件流", "content": {_STREAM: {"schema": {"type": "string"}}}}},
    )
    async def stream(
        identity: Own,
        last: Annotated[str | None, Header(alias="Last-Event-ID", max_length=20)] = None,
    ) -> Response:
        hub = talk.hub
        if hub.count(identity.conversation_id) >= talk.rates.streams_per_person:
            raise Problem("too_many", retry_after=60, seconds=60)
        opened = hub.open(await talk.thread(identity))

        def wire(turn: ThreadTurn) -> str:
            number = str(turn.number) if turn.conversation_id == identity.conversation_id else None
            return event("turn", turn_body(turn, identity.conversation_id).model_dump(mode="json"), number)

        async def show(grown: Grown) -> str | None:
            try:
                return wire(await talk.turn(identity, grown.conversation_id, grown.number))
            except (Problem, StoreError):
                return None

        first = [event("hello", {})]
        if last is not None and last.isascii() and last.isdigit():
            missed = await talk.history(identity, limit=500)
            first += [wire(t) for t in missed if t.conversation_id == identity.conversation_id and t.number > int(last)]
        return StreamingResponse(
            events(hub, opened, show, first), media_type=_STREAM, headers={"X-Accel-Buffering": "no"}
        )

    @router.get(
        "/conversations/{conversation_id}/choices",
        tags=["对话"],
        summary="最近一次回答的按钮",
        responses=responses(*_OWN),
    )
    async def choices(identity: Own) -> models.Choices:
        turns = await talk.history(identity, limit=1)
        return models.Choices(choices=turns[-1].reply.choices if turns else ())

    @router.put(
        "/conversations/{conversation_id}/turns/{turn_id}/feedback",
        tags=["对话"],
        summary="评价一个回答",
        responses=responses(*_OWN),
    )
    async def feedback(identity: Own, turn_id: TurnId, judged: models.NewFeedback) -> models.Turn:
        rated = await talk.rate(identity, turn_id, judged.thumbs, judged.words)
        return turn_body(rated, identity.conversation_id)

    @router.get(
        "/conversations/{conversation_id}/turns/{turn_id}/attachments/{index}",
        tags=["对话"],
        summary="下载附件",
        response_class=Response,
        responses=responses(*_OWN) | _file("application/octet-stream"),
    )
    async def attachment(identity: Own, turn_id: TurnId, index: Annotated[int, Path(ge=0, le=99)]) -> Response:
        found = await talk.attachment(identity, turn_id, index)
        return Response(found.content, media_type=found.media_type, headers=download(found.filename))

    @router.get("/conversations/{conversation_id}/form", tags=["填表"], summary="表单进度", responses=responses(*_OWN))
    async def form(identity: Own) -> models.FormState:
        draft = await service.store.forms.draft(identity.conversation_id)
        if draft is None:
            return models.FormState(form=None)
        return models.FormState(
            form=draft.form, done=draft.done, total=draft.total, updated_at=draft.updated_at, answers=draft.answers
        )

    @router.get(
        "/conversations/{conversation_id}/submissions", tags=["填表"], summary="我的提交", responses=responses(*_OWN)
    )
    async def submissions(identity: Own) -> models.Submissions:
        found = await service.store.forms.submissions(conversation_id=identity.conversation_id)
        return models.Submissions(
            submissions=[models.SubmissionBody.model_validate(s, from_attributes=True) for s in found]
        )

    @router.post(
        "/conversations/{conversation_id}/resume-codes",
        status_code=201,
        tags=["我的信息"],
        summary="要一个续填码",
        responses=responses(*_OWN),
    )
    async def resume_code(request: Request, identity: Own) -> models.ResumeCodeBody:
        talk.count_message(request, identity)
        return models.ResumeCodeBody(code=await talk.resume_code(identity))

    @router.post(
        "/conversations/{conversation_id}/resume",
        tags=["我的信息"],
        summary="用续填码接上另一台设备的对话",
        responses=responses(*_OWN, "conflict"),
    )
    async def resume(request: Request, identity: Own, said: models.Redeem) -> models.History:
        await talk.resume(request, identity, said.code)
        turns = await talk.history(identity)
        return models.History(turns=[turn_body(t, identity.conversation_id) for t in turns])

    @router.get(
        "/conversations/{conversation_id}/export",
        tags=["我的信息"],
        summary="导出对话（Markdown）",
        response_class=PlainTextResponse,
        responses=responses(*_OWN) | _file("text/markdown"),
    )
    async def export(identity: Own) -> Response:
        body = exported(await talk.history(identity, limit=1000), talk.now(), time_zone, service.texts)
        name = service.texts.render("web.export.filename")
        return Response(body, media_type="text/markdown; charset=utf-8", headers=download(name))

    @router.delete(
        "/conversations/{conversation_id}", tags=["我的信息"], summary="删除我的信息", responses=responses(*_OWN)
    )
    async def erase(identity: Own) -> models.ErasedBody:
        return models.ErasedBody.model_validate(await talk.erase(identity), from_attributes=True)

    @router.get("/milestones", tags=["通知"], summary="时间节点", responses=responses(*_ALWAYS[:1], "internal"))
    async def milestones(role: RoleQuery = None) -> models.Milestones:
        day = talk.today()
        found = [m for m in service.pack.facts.milestones if role is None or role in m.who]
        bodies = []
        for m in found:
            now = standing(m, day)
            bodies.append(
                models.MilestoneBody(
                    **m.model_dump(include={"id", "title", "duty", "opens", "closes", "where", "clause", "quote"}),
                    who=[w.value for w in m.who],
                    state=now.state.value,
                    days=now.days,
                )
            )
        return models.Milestones(today=day, milestones=bodies)

    @router.get(
        "/milestones.ics",
        tags=["通知"],
        summary="时间节点日历",
        response_class=Response,
        responses=responses(*_ALWAYS[:1], "internal") | _file("text/calendar"),
    )
    async def milestones_ics(role: RoleQuery = None) -> Response:
        return calendar_file(talk, role)

    @router.get("/clauses", tags=["通知"], summary="全部条款", responses=responses("internal"))
    async def clauses() -> models.Clauses:
        return models.Clauses(clauses=[_clause(c) for c in service.pack.clauses.values()])

    @router.get(
        "/clauses/{clause_id}",
        tags=["通知"],
        summary="一条条款",
        responses=responses("not_found", "invalid", "internal"),
    )
    async def clause(
        clause_id: Annotated[str, Path(max_length=200, examples=["notice:四（一）"], description="如 notice:四（一）")],
    ) -> models.ClauseBody:
        try:
            return _clause(service.pack.clause(clause_id))
        except PackError:
            raise Problem("not_found") from None

    return router


def calendar_file(talk: Talk, role: Role | None) -> Response:
    """The milestones as a calendar."""
    pack = talk.service.pack
    chosen: tuple[Milestone, ...] = pack.facts.milestones
    body = calendar(chosen, role, talk.now(), talk.service.texts, pack.info.id)
    return Response(body, media_type="text/calendar; charset=utf-8", headers=download(f"{pack.info.id}.ics"))


def _clause(clause: Any) -> models.ClauseBody:
    document, _, path = clause.id.partition(":")
    return models.ClauseBody(id=clause.id, document=document, path=path, text=clause.text)


def _file(media_type: str) -> dict[int | str, dict[str, Any]]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"description": "文件", "content": content}}
