"""One ticket: what was asked and tried, and everything that staff can do with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette_admin.routing import route

from bot.helpdesk.answers import cited, markdown, previews, staff_reply, warnings_of, working_days
from bot.helpdesk.console import Console, Page, clip, staff_of
from bot.looking import nearest_ticket, pack_vector
from bot.messages import Status
from bot.store import KeptTurn, Missing, NewTicket, StaleTicket, StoreError, Ticket
from bot.understanding.privacy import mask

_LONGEST = 3000
_PRESENT = timedelta(seconds=40)


@dataclass(frozen=True)
class Alike:
    """A ticket near to another one."""

    ticket: Ticket
    similarity: float
    same: bool


class TicketPage(Page):
    """The page of a ticket and its steps."""

    name, path, add_to_menu = "ticket", "/tickets", False

    @route("/{number}")
    async def show(self, request: Request) -> Response:
        """The ticket. Wordings and conversations are masked."""
        console, number = self.console, request.path_params["number"]
        ticket = await self._ticket(number)
        if ticket.merged_into:
            return self.back(request, f"/tickets/{ticket.merged_into}")
        self._enter(request, number)
        store = console.store
        askers = await store.tickets.askers(number)
        alike, answered = await self._alike(ticket)
        clauses = await asyncio.to_thread(console.service.looking.nearest_clauses, ticket.question)
        names = {s.login: s.name for s in await store.staff.all()}
        wordings = list(dict.fromkeys(mask(a.wording) for a in askers))
        return self.page(
            request, "ticket.html", ticket=ticket, askers=askers, wordings=wordings, mask=mask,
            around=[await self._around(a.conversation_id, a.turn, masked=True) for a in askers[:5]],
            thread=await store.tickets.thread(number), deliveries=await store.outbox.of_ticket(number),
            alike=alike, answered=answered, suggestion=suggestion(console, answered, clauses),
            age=working_days(console.local_day(ticket.created_at), console.today()), names=names,
            present=self._present(request, number), offices=console.offices(), clauses=console.pack.clauses,
            documents=console.pack.documents, topics=console.pack.topics, markdown=markdown,
        )  # fmt: skip

    @route("/{number}/state")
    async def state(self, request: Request) -> Response:
        """What may have changed since the page was opened."""
        number = request.path_params["number"]
        ticket = await self._ticket(number)
        self._enter(request, number)
        deliveries = await self.console.store.outbox.of_ticket(number)
        states = self.console.labels("delivery")
        return JSONResponse({
            "version": ticket.version, "status": ticket.status, "askers": ticket.askers,
            "present": self._present(request, number), "deliveries": {d.id: states[d.state] for d in deliveries},
        })  # fmt: skip

    @route("/{number}/{step}", methods=["POST"])
    async def act(self, request: Request) -> Response:
        """One step of staff on a ticket; a step on a changed ticket is refused and said."""
        step = self._steps().get(request.path_params["step"])
        if step is None:
            raise HTTPException(404)
        number = request.path_params["number"]
        ticket = await self._ticket(number)
        form = await request.form()
        try:
            return await step(request, ticket, form)
        except StaleTicket:
            now = await self._ticket(number)
            who = now.answered_by or now.assigned_to or ""
            message = self.console.t("ticket.stale", status=self.console.labels("statuses")[now.status], who=who)
            return self.back(request, f"/tickets/{number}", message, "warning")
        except StoreError as error:
            return self.back(request, f"/tickets/{number}", self.console.said(error), "error")

    def _steps(self) -> dict[str, Callable[[Request, Ticket, FormData], Awaitable[Response]]]:
        return {
            "take": self._take, "release": self._take, "open": self._open, "preview": self._preview,
            "answer": self._answer, "correct": self._answer, "ask": self._ask, "close": self._close,
            "note": self._note, "merge": self._merge, "split": self._split, "retry": self._retry,
        }  # fmt: skip

    async def _ticket(self, number: str) -> Ticket:
        try:
            return await self.console.store.tickets.get(number)
        except Missing:
            raise HTTPException(404) from None

    async def _take(self, request: Request, ticket: Ticket, form: FormData) -> Response:
        me = staff_of(request).login if request.path_params["step"] == "take" else None
        async with self.console.store.transaction():
            await self.console.store.tickets.assign(ticket.number, me, version=_version(form))
            await self.console.log(request, request.path_params["step"], "ticket", ticket.number)
        return self.back(request, f"/tickets/{ticket.number}")

    async def _open(self, request: Request, ticket: Ticket, form: FormData) -> Response:
        """Personal data in the open: only with an entry in the log."""
        conversation = clip(form.get("conversation"), 128)
        asker = next(
            (a for a in await self.console.store.tickets.askers(ticket.number) if a.conversation_id == conversation),
            None,  # noqa: E501
        )
        if asker is None:
            raise HTTPException(404)
        await self.console.log(request, "view_personal", "ticket", ticket.number, {"conversation": conversation})
        turns = await self._around(conversation, asker.turn, masked=False)
        return JSONResponse({"turns": turns, "wording": asker.wording})

    async def _around(self, conversation: str, turn: int, *, masked: bool) -> list[dict[str, Any]]:
        history = await self.console.store.conversations.history(
            conversation, after=max(0, turn - 4), before=turn + 4, limit=8
        )
        return [self._turn(kept, turn, masked) for kept in history]

    def _turn(self, kept: KeptTurn, asked: int, masked: bool) -> dict[str, Any]:
        text, reply = kept.turn.text, kept.turn.reply
        hidden = masked and reply.status is Status.FORM
        return {
            "at": self.console.local(kept.turn.at), "asked": kept.number == asked, "by_staff": reply.by_staff,
            "text": self.console.t("ticket.form_hidden") if hidden else mask(text) if masked else text,
            "reply": "" if hidden else (mask(reply.text) if masked else reply.text).replace("**", ""),
            "status": self.console.texts.get("replies.statuses")[reply.status.value],
            "citations": [c.clause for c in reply.citations],
        }  # fmt: skip

    async def _preview(self, request: Request, ticket: Ticket, form: FormData) -> Response:
        text, citations, office = self._written(form)
        kind = "question" if form.get("kind") == "question" else "answer"
        reply = staff_reply(self.console, ticket.number, text, office, citations, kind)
        warnings = [] if kind == "question" else warnings_of(self.console, text, citations)
        return JSONResponse({**previews(self.console, reply), "warnings": warnings})

    def _written(self, form: FormData) -> tuple[str, Any, str]:
        offices = self.console.offices()
        office = clip(form.get("office"), 60)
        citations = cited(self.console, [clip(c, 200) for c in form.getlist("clause")])
        return clip(form.get("text"), _LONGEST), citations, office if office in offices else offices[0]

    async def _answer(self, request: Request, ticket: Ticket, form: FormData) -> Response:
        console, path = self.console, f"/tickets/{ticket.number}"
        text, citations, office = self._written(form)
        if not text:
            return self.back(request, path, console.t("ticket.empty"), "error")
        kind = "correction" if request.path_params["step"] == "correct" and ticket.answer_version else "answer"
        reply = staff_reply(console, ticket.number, text, office, citations, kind)
        async with console.store.transaction():
            told = await console.store.tickets.answer(
                ticket.number, reply, resolution=text, by=staff_of(request).login, kind=kind,
                version=_version(form),
            )  # fmt: skip
            warned = len(warnings_of(console, text, citations))
            detail = {"askers": len(told), "clauses": [c.clause_id for c in citations], "warnings": warned}
            await console.log(request, kind, "ticket", ticket.number, detail)
        return self.back(request, path, console.t("ticket.answered", count=len(told)))

    async def _ask(self, request: Request, ticket: Ticket, form: FormData) -> Response:
        console, path = self.console, f"/tickets/{ticket.number}"
        text, _, office = self._written(form)
        if not text:
            return self.back(request, path, console.t("ticket.empty"), "error")
        reply = staff_reply(console, ticket.number, text, office, (), "question")
        only = clip(form.get("conversation"), 128) or None
        async with console.store.transaction():
            asked = await console.store.tickets.ask_back(
                ticket.number, reply, text=text, by=staff_of(request).login, version=_version(form),
                conversation_id=only,
            )  # fmt: skip
            await console.log(request, "ask_back", "ticket", ticket.number, {"askers": len(asked)})
        return self.back(request, path, console.t("ticket.asked", count=len(asked)))

    async def _close(self, request: Request, ticket: Ticket, form: FormData) -> Response:
        reason = clip(form.get("reason"), 300)
        if not reason:
            return self.back(request, f"/tickets/{ticket.number}", self.console.t("ticket.reason"), "error")
        async with self.console.store.transaction():
            await self.console.store.tickets.close(
                ticket.number, reason, by=staff_of(request).login, version=_version(form)
            )
            await self.console.log(request, "close", "ticket", ticket.number, {"reason": mask(reason)})
        return self.back(request, "/", self.console.t("ticket.closed", number=ticket.number))

    async def _note(self, request: Request, ticket: Ticket, form: FormData) -> Response:
        text = clip(form.get("text"), _LONGEST)
        if text:
            await self.console.store.tickets.note(ticket.number, text, by=staff_of(request).login)
        return self.back(request, f"/tickets/{ticket.number}")

    async def _merge(self, request: Request, ticket: Ticket, form: FormData) -> Response:
        into = clip(form.get("into"), 20).upper()
        async with self.console.store.transaction():
            await self.console.store.tickets.merge(ticket.number, into, version=_version(form))
            await self.console.log(request, "merge", "ticket", ticket.number, {"into": into})
        return self.back(request, f"/tickets/{into}", self.console.t("ticket.merged", number=ticket.number))

    async def _split(self, request: Request, ticket: Ticket, form: FormData) -> Response:
        console = self.console
        wanted = {clip(c, 128) for c in form.getlist("conversation")}
        askers = await console.store.tickets.askers(ticket.number)
        chosen = [a for a in askers if a.conversation_id in wanted]
        if not chosen or len(chosen) == len(askers):
            return self.back(request, f"/tickets/{ticket.number}", console.t("ticket.split_which"), "error")
        question = mask(chosen[0].wording)
        looked = await asyncio.to_thread(console.service.looking.look, question, console.today())
        new = NewTicket(question, chosen[0].wording, ticket.reason, ticket.topic, tried=looked.tried,
                        deadline=looked.deadline, vector=pack_vector(looked.vector))  # fmt: skip
        async with console.store.transaction():
            number = await console.store.tickets.split(
                ticket.number, [a.conversation_id for a in chosen], new, version=_version(form)
            )
            await console.log(request, "split", "ticket", ticket.number, {"into": number})
        return self.back(request, f"/tickets/{number}", console.t("ticket.split", number=number))

    async def _retry(self, request: Request, ticket: Ticket, form: FormData) -> Response:
        delivery = clip(form.get("delivery"), 64)
        if delivery in {d.id for d in await self.console.store.outbox.of_ticket(ticket.number)}:
            await self.console.store.outbox.retry(delivery)
            await self.console.log(request, "retry", "delivery", delivery)
        return self.back(request, f"/tickets/{ticket.number}")

    async def _alike(self, ticket: Ticket) -> tuple[list[Alike], list[Alike]]:
        """Open tickets near to this one, and answered ones."""
        console = self.console
        vectors = await console.store.tickets.vectors(status=None)
        vector = (await asyncio.to_thread(console.service.looking.encode, [ticket.question]))[0]
        near = [(n, s) for n, s in nearest_ticket(vector, vectors, 40) if n != ticket.number and s > 0.4]
        bar = await asyncio.to_thread(lambda: console.service.looking.bar)
        found = [Alike(await console.store.tickets.get(n), s, s >= bar) for n, s in near[:16]]
        waiting = [a for a in found if a.ticket.status == "open" and not a.ticket.merged_into]
        answered = [a for a in found if a.ticket.status == "answered" and a.ticket.resolution]
        return waiting[:5], answered[:4]

    def _enter(self, request: Request, number: str) -> None:
        self.console.present.setdefault(number, {})[staff_of(request).login] = self.console.store.now()

    def _present(self, request: Request, number: str) -> list[str]:
        """Who else has this ticket open."""
        since, me = self.console.store.now() - _PRESENT, staff_of(request).login
        return [w for w, at in self.console.present.get(number, {}).items() if w != me and at > since]


def suggestion(console: Console, answered: list[Alike], clauses: list[tuple[str, float]]) -> dict[str, Any]:
    """A draft from the nearest earlier answer, else from the nearest clause; never sent by itself."""
    for one in answered:
        if one.same and one.ticket.resolution:
            ids = [c.clause_id for c in one.ticket.citations]
            return {"text": one.ticket.resolution, "clauses": ids, "from": one.ticket.number}
    if not clauses:
        return {"text": "", "clauses": [], "from": ""}
    clause = console.pack.clauses[clauses[0][0]]
    document = console.pack.documents[clause.document].short
    text = console.t("answer.suggested", document=document, path=clause.path, text=clause.text)
    return {"text": text, "clauses": [clause.id], "from": f"{document}{clause.path}"}


def _version(form: FormData) -> int:
    """The version that the page showed; a page without one (nobody sends that) counts as stale."""
    given = str(form.get("version") or "")
    return int(given) if given.isdigit() else -1
