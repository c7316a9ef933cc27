"""The chat page. Every function works by plain forms and links; the scripts only save the reload."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.channels.web.events import Grown, event, events
from bot.channels.web.identity import Identities, Identity
from bot.channels.web.limits import MESSAGE_CHARACTERS
from bot.channels.web.markdown import to_html
from bot.channels.web.problems import STATUSES, Problem, ProblemDetails, details, from_store
from bot.channels.web.talk import Talk, ThreadTurn
from bot.channels.web.timeline import picture, state_today
from bot.channels.web.views import exported, turn_view
from bot.settings import zone
from bot.store import StoreError

_HERE = Path(__file__).parent
SHOWN = 60
"""Turns on a page; older ones are a link away."""


def environment() -> Environment:
    """The pages' templates: everything is escaped, an unknown variable is an error."""
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Pages:
    """The page's addresses on a router of their own."""

    def __init__(self, talk: Talk, identities: Identities, version: str) -> None:
        self._talk = talk
        self._identities = identities
        self._texts = talk.service.texts
        self._zone: ZoneInfo = zone(talk.service.pack.info.time_zone)
        self._env = environment()
        self._env.globals.update(
            t=lambda key, **values: self._texts.render(f"web.{key}", **values),
            pack=talk.service.pack.info,
            version=version,
            longest=MESSAGE_CHARACTERS,
        )
        # Compiling takes longer than the event loop may be held: so it is done at start.
        for name in self._env.list_templates():
            self._env.get_template(name)
        self._home([])
        self.router = APIRouter(include_in_schema=False)
        add = self.router.add_api_route
        add("/", self.chat, methods=["GET"])
        add("/chat", self.say, methods=["POST"])
        add("/turns/{turn_id}", self.turn, methods=["GET"])
        add("/turns/{turn_id}/feedback", self.feedback, methods=["POST"])
        add("/files/{turn_id}/{index}", self.file, methods=["GET"])
        add("/events", self.events, methods=["GET"])
        add("/export", self.export, methods=["GET"])
        add("/resume", self.resume_page, methods=["GET"])
        add("/resume", self.resume, methods=["POST"])
        add("/resume/code", self.resume_code, methods=["POST"])
        add("/erase", self.erase_page, methods=["GET"])
        add("/erase", self.erase, methods=["POST"])

    def page(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page from its template."""
        return HTMLResponse(self._env.get_template(name).render(**values), status)

    def problem(self, request: Request, details: ProblemDetails) -> Response:
        """A problem as a page."""
        return self.page("problem.html", details.status, details=details)

    async def chat(self, request: Request, before: datetime | None = None) -> Response:
        """The page, with the history of the person that the cookie names."""
        known = self._identities.read(request)
        identity = known or self._identities.new()
        if before is not None and before.tzinfo is None:
            raise Problem("bad_request")
        turns = await self._talk.history(identity, limit=SHOWN + 1, before=before) if known else []
        response = self._home(turns, before)
        if known is None or identity.by_cookie:
            self._identities.remember(response, identity, secure=request.url.scheme == "https")
        return response

    async def say(
        self,
        request: Request,
        text: Annotated[str, Form(max_length=MESSAGE_CHARACTERS)] = "",
        choice: Annotated[str, Form(max_length=200)] = "",
        key: Annotated[str, Form(max_length=100)] = "",
    ) -> Response:
        """A message by form: the turn alone for a script, else back to the page."""
        known = self._identities.read(request)
        identity = known or self._identities.new()
        self._talk.count_message(request, identity)
        if request.headers.get("x-fragment") == "stream" and known and self._talk.service.settings.llm_model:
            told = self._told(request, known, text, choice or None, key or None)
            return StreamingResponse(told, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        turn = await self._talk.say(identity, text, choice or None, key or None)
        if request.headers.get("x-fragment"):
            response: Response = self._fragment(turn)
        else:
            response = RedirectResponse(f"/#turn-{turn.id}", 303)
        if known is None:
            self._identities.remember(response, identity, secure=request.url.scheme == "https")
        return response

    async def _told(
        self, request: Request, identity: Identity, text: str, choice: str | None, key: str | None
    ) -> AsyncIterator[str]:
        """An answer while a model writes it: sentences, then the turn in their place."""
        try:
            async for part in self._talk.progressively(identity, text, choice, key):
                if isinstance(part, ThreadTurn):
                    yield event("turn", {"html": self._turn_html(part)})
                else:
                    yield event("sentence", {"html": str(to_html(part))})
        except (Problem, StoreError) as error:
            problem = error if isinstance(error, Problem) else from_store(error, self._texts)
            yield event("problem", {"detail": details(problem, self._texts, request).detail})

    async def turn(self, request: Request, turn_id: str) -> Response:
        """One turn as a piece of the page."""
        return self._fragment(await self._talk.turn_named(self._who(request), turn_id))

    async def feedback(
        self,
        request: Request,
        turn_id: str,
        thumbs: Annotated[int, Form()],
        words: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        """Thumbs up or down, with a word."""
        if thumbs not in (1, -1):
            raise Problem("invalid")
        turn = await self._talk.rate(self._who(request), turn_id, thumbs, words.strip() or None)
        if request.headers.get("x-fragment"):
            return self._fragment(turn)
        return RedirectResponse(f"/#turn-{turn.id}", 303)

    async def file(self, request: Request, turn_id: str, index: int) -> Response:
        """A document that went with a reply."""
        found = await self._talk.attachment(self._who(request), turn_id, index)
        return Response(found.content, media_type=found.media_type, headers=download(found.filename))

    async def events(self, request: Request) -> Response:
        """New turns as pieces of the page."""
        identity = self._who(request)
        hub = self._talk.hub
        if hub.count(identity.conversation_id) >= self._talk.rates.streams_per_person:
            raise Problem("too_many", retry_after=60, seconds=60)
        stream = hub.open(await self._talk.thread(identity))

        async def show(grown: Grown) -> str | None:
            try:
                turn = await self._talk.turn(identity, grown.conversation_id, grown.number)
            except (Problem, StoreError):
                return None
            return event("turn", {"id": turn.id, "html": self._turn_html(turn), "staff": turn.reply.by_staff})

        body: AsyncIterator[str] = events(hub, stream, show, [event("hello", {})])
        return StreamingResponse(body, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def export(self, request: Request) -> Response:
        """The dialogue as a Markdown file."""
        turns = await self._talk.history(self._who(request), limit=1000)
        body = exported(turns, self._talk.now(), self._zone, self._texts)
        return Response(
            body, media_type="text/markdown; charset=utf-8", headers=download(self._texts.render("web.export.filename"))
        )

    async def resume_page(self, request: Request) -> Response:
        """Ask for a code, or type one."""
        return self.page("resume.html", code=None, wrong=None)

    async def resume_code(self, request: Request) -> Response:
        """Show a fresh code."""
        identity = self._who(request)
        self._talk.count_message(request, identity)
        return self.page("resume.html", code=await self._talk.resume_code(identity), wrong=None)

    async def resume(self, request: Request, code: Annotated[str, Form(max_length=40)] = "") -> Response:
        """Join the thread of a code."""
        known = self._identities.read(request)
        identity = known or self._identities.new()
        try:
            await self._talk.resume(request, identity, code)
        except StoreError as error:
            problem = from_store(error, self._texts)
            return self.page("resume.html", STATUSES[problem.code], code=None, wrong=problem.detail)
        response = RedirectResponse("/", 303)
        self._identities.remember(response, identity, secure=request.url.scheme == "https")
        return response

    async def erase_page(self, request: Request) -> Response:
        """Ask whether to delete."""
        return self.page("erase.html", erased=None)

    async def erase(self, request: Request) -> Response:
        """Delete everything of the person, and forget who they were."""
        erased = await self._talk.erase(self._who(request))
        response = self.page("erase.html", erased=erased)
        self._identities.forget(response)
        return response

    def _home(self, turns: list[ThreadTurn], before: datetime | None = None) -> HTMLResponse:
        """The page with these turns, the last of a possibly longer history."""
        older = turns[1].at.isoformat() if len(turns) > SHOWN else None
        pack, day = self._talk.service.pack, self._talk.today()
        return self.page(
            "chat.html",
            turns=[turn_view(t, self._zone) for t in turns[-SHOWN:]],
            older=older,
            before=before,
            lines=state_today(pack.facts.milestones, day, self._texts),
            picture=picture(pack.facts.milestones, day, self._texts),
            asked=[c for c in self._texts.get("replies.most_asked")],
            milestones=pack.facts.milestones,
            contacts=pack.facts.contacts,
            source=next(d.short for d in pack.info.documents if d.file),
        )

    def _who(self, request: Request) -> Identity:
        identity = self._identities.read(request)
        if identity is None:
            raise Problem("not_found")
        return identity

    def _turn_html(self, turn: ThreadTurn) -> str:
        return self._env.get_template("turn.html").render(turn=turn_view(turn, self._zone))

    def _fragment(self, turn: ThreadTurn) -> HTMLResponse:
        return HTMLResponse(self._turn_html(turn))


def download(filename: str) -> dict[str, str]:
    """Headers by which a browser saves a document under its Chinese name."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(filename)}"}
