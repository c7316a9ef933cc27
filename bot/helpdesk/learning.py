"""Staff answers that become knowledge: written, checked against what is known already, withdrawn, handed out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from bot.conversation import Profile
from bot.engines.base import Ask, Book
from bot.engines.table import engine_for
from bot.helpdesk.answers import cited, warnings_of
from bot.helpdesk.console import Console, Page, clip, need, staff_of
from bot.helpdesk.summary import summary_docx
from bot.messages import Citation
from bot.steps.promoted import said_scope
from bot.store import Missing, Promoted, Stale, new_number
from bot.understanding.privacy import mask
from knowledge.pack import PackError, TopicKind

_MOST = 30


@dataclass(frozen=True)
class Clash:
    """A wording that something else answers already.

    `kind`: "same" (as near as the same question), "nearer" (nearer to the other than to its own wordings).
    """

    wording: str
    other: str
    title: str
    answer: str
    similarity: float
    kind: Literal["same", "nearer"]


async def clashes(console: Console, draft: Promoted) -> list[Clash]:
    """What a promoted answer's wordings collide with: topics that answer, and other promoted answers.

    A declined topic is no collision: what the notice does not say is what staff answers are for.
    """
    looking = console.service.looking
    wordings = [w for w in draft.wordings if w]
    if not wordings:
        return []
    vectors = await asyncio.to_thread(looking.encode, wordings)
    bar = await asyncio.to_thread(lambda: looking.bar)
    others = [p for p in await console.store.knowledge.answering(console.today()) if p.topic_id != draft.topic_id]
    more = {p.topic_id: await asyncio.to_thread(looking.encode, list(p.wordings)) for p in others if p.wordings}
    answers = {p.topic_id: p for p in others}
    excused = {draft.replaces, (draft.scope or {}).get("extends")}
    found = []
    for place, wording in enumerate(wordings):
        near = {
            t: s for t, s in looking.nearest_topics(vectors[place]).items()
            if t in console.pack.topics and console.pack.topics[t].kind is not TopicKind.DECLINE
        }  # fmt: skip
        near |= {t: float((m @ vectors[place]).max()) for t, m in more.items()}
        near = {t: s for t, s in near.items() if t not in excused}
        if not near:
            continue
        other, similarity = max(near.items(), key=lambda pair: pair[1])
        own = max((float(vectors[i] @ vectors[place]) for i in range(len(wordings)) if i != place), default=0.0)
        kind: Literal["same", "nearer"] | None = None
        if len(wordings) > 1 and similarity > own and similarity >= bar - 0.1:
            kind = "nearer"
        elif similarity >= bar:
            kind = "same"
        if kind:
            title, words = _says(console, other, answers.get(other))
            found.append(Clash(wording, other, title, words, similarity, kind))
    return found


def _says(console: Console, topic_id: str, promoted: Promoted | None) -> tuple[str, str]:
    """Title and present answer of what is collided with."""
    if promoted is not None:
        return promoted.title, promoted.answer
    topic = console.pack.topics[topic_id]
    book = Book(console.pack, console.texts, console.today())
    try:
        answer = engine_for(topic.engine)(Ask("", console.today(), Profile(), topic), book)
    except (PackError, LookupError):
        return topic.title, ""
    return topic.title, answer.text


async def failing(console: Console) -> dict[str, list[str]]:
    """The regression cases: wordings of promoted answers in use that do not get their own answer, by answer."""
    day, found = console.today(), {}
    for one in await console.store.knowledge.answering(day):
        if (one.scope or {}).get("extends"):
            continue
        vectors = await asyncio.to_thread(console.service.looking.encode, list(one.wordings))
        lost = [w for w, v in zip(one.wordings, vectors, strict=True)
                if await console.service.promoted.find(v, day) != one.topic_id]  # fmt: skip
        if lost:
            found[one.topic_id] = lost
    return found


class KnowledgePage(Page):
    """Promoted answers."""

    name, path, icon = "knowledge", "/knowledge", "fa fa-book"

    @route("")
    async def index(self, request: Request) -> Response:
        """All of them, those in use first."""
        console, today = self.console, self.console.today()
        found = await console.store.knowledge.all()
        rows = [(p, state_of(p, today), said_scope(p.scope, console.texts)) for p in reversed(found)]
        rows.sort(key=lambda row: row[1] != "active")
        lost = await failing(console) if request.query_params.get("check") else None
        return self.page(request, "knowledge.html", rows=rows, lost=lost)

    @route("/new")
    async def new(self, request: Request) -> Response:
        """A new one, from a ticket or from nothing."""
        need(request, "editor")
        return await self._form(request, await self._draft(clip(request.query_params.get("ticket"), 20)))

    @route("/edit/{topic}")
    async def edit(self, request: Request) -> Response:
        """One as it is now."""
        need(request, "editor")
        return await self._form(request, await self._get(request.path_params["topic"]))

    @route("/save", methods=["POST"])
    async def save(self, request: Request) -> Response:
        """Keep it, unless it collides; then show both side by side."""
        need(request, "editor")
        console, form = self.console, await request.form()
        try:
            draft = self._read(form, staff_of(request).login)
        except ValueError as error:
            return self.back(request, "/knowledge", str(error), "error")
        choice, against = clip(form.get("choice"), 10), clip(form.get("against"), 100)
        if choice == "replace" and against:
            draft = replace(draft, replaces=against)
        elif choice == "extend" and against:
            draft = replace(draft, scope={**(draft.scope or {}), "extends": against}, replaces=None)
        found = await clashes(console, draft)
        blocking = found if choice != "keep" else [c for c in found if c.kind == "nearer"]
        if not draft.wordings or not draft.answer:
            return await self._form(request, draft, error=console.t("knowledge.incomplete"), code=400)
        if blocking:
            return await self._form(request, draft, clashes=blocking, code=409)
        try:
            async with console.store.transaction():
                kept = await console.store.knowledge.promote(draft)
                detail = {"version": kept.version, "choice": choice or None, "against": against or None}
                await console.log(request, "promote", "knowledge", kept.topic_id, detail)
        except Stale as error:
            return self.back(request, "/knowledge", console.said(error), "error")
        message = console.t("knowledge.saved", title=kept.title)
        if kept.version > 1:
            return self.back(request, f"/recall?kind=promoted&id={kept.topic_id}", message)
        return self.back(request, "/knowledge", message)

    @route("/withdraw/{topic}", methods=["POST"])
    async def withdraw(self, request: Request) -> Response:
        """It answers no more, from the next message on; those who were told are listed."""
        need(request, "editor")
        console, form = self.console, await request.form()
        one = await self._get(request.path_params["topic"])
        given = str(form.get("version") or "")
        try:
            async with console.store.transaction():
                await console.store.knowledge.withdraw(one.topic_id, version=int(given) if given.isdigit() else -1)
                await console.log(request, "withdraw", "knowledge", one.topic_id)
        except Stale as error:
            return self.back(request, "/knowledge", console.said(error), "error")
        return self.back(request, f"/recall?kind=promoted&id={one.topic_id}", console.t("knowledge.withdrawn"))

    @route("/summary.docx")
    async def summary(self, request: Request) -> Response:
        """答疑汇总."""
        console, today = self.console, self.console.today()
        found = await console.store.knowledge.answering(today)
        await console.log(request, "export", "knowledge", "summary", {"count": len(found)})
        content = await asyncio.to_thread(summary_docx, console, found)
        name = console.t("knowledge.summary_file", date=today.isoformat())
        return download(name, content, "application/vnd.openxmlformats-officedocument.wordprocessingml.document")

    async def _get(self, topic: str) -> Promoted:
        try:
            return await self.console.store.knowledge.get(topic)
        except Missing:
            raise HTTPException(404) from None

    async def _draft(self, number: str) -> Promoted:
        console = self.console
        ends = max((m.closes for m in console.pack.facts.milestones), default=None)
        if not number:
            return Promoted(f"staff.{new_number('ticket')}", "", (), "", "", valid_until=ends)
        try:
            ticket = await console.store.tickets.get(number)
        except Missing:
            raise HTTPException(404) from None
        said = [ticket.question, *(a.wording for a in await console.store.tickets.askers(number))]
        wordings = tuple(dict.fromkeys(cleaned(w) for w in said if cleaned(w)))[:_MOST]
        return Promoted(f"staff.{number}", ticket.question[:40], wordings, ticket.resolution or "", "", ticket.citations,  # noqa: E501
                        valid_until=ends, ticket=number)  # fmt: skip

    def _read(self, form: FormData, author: str) -> Promoted:
        console = self.console
        text, until = clip(form.get("answer"), 3000), clip(form.get("valid_until"), 10)
        topic, version = clip(form.get("topic"), 100), str(form.get("version") or "0")
        if not topic.startswith("staff.") or not version.isdigit():
            raise ValueError(console.t("knowledge.incomplete"))
        try:
            valid = date.fromisoformat(until) if until else None
        except ValueError:
            raise ValueError(console.t("knowledge.bad_date")) from None
        lines = str(form.get("wordings") or "")[:6000].split("\n")
        wordings = tuple(dict.fromkeys(cleaned(w) for w in lines if cleaned(w)))[:_MOST]
        scope: dict[str, Any] = {}
        labels = console.labels("scope")
        if form.get("role") in labels["role"]:
            scope["role"] = str(form.get("role"))
        if units := [str(u) for u in form.getlist("unit_type") if u in labels["unit_type"]]:
            scope["unit_type"] = units
        citations = cited(console, [clip(c, 200) for c in form.getlist("clause") if c]) or self._by_office(topic, text)
        return Promoted(
            topic, clip(form.get("title"), 100) or (wordings[0][:40] if wordings else ""), wordings, text, author,
            citations, scope, valid, clip(form.get("ticket"), 20) or None, clip(form.get("replaces"), 100) or None,
            version=int(version),
        )  # fmt: skip

    def _by_office(self, topic: str, text: str) -> tuple[Citation, ...]:
        """The basis of an answer that no clause gives: the department's own word, with its date."""
        today = self.console.today()
        day = f"{today.year}年{today.month}月{today.day}日"
        return (
            Citation(document=self.console.t("knowledge.by_office"), clause=day, text=text, clause_id=f"staff:{topic}"),
        )  # noqa: E501

    async def _form(
        self, request: Request, draft: Promoted, clashes: list[Clash] | None = None, error: str = "", code: int = 200
    ) -> Response:
        console = self.console
        return self.page(
            request, "promote.html", code, draft=draft, clashes=clashes or [], error=error, clauses=console.pack.clauses,  # noqa: E501
            documents=console.pack.documents, mine=[c.clause_id for c in draft.citations],
            warnings=warnings_of(console, draft.answer, draft.citations) if draft.answer else [],
        )  # fmt: skip


def cleaned(wording: str) -> str:
    """A wording without personal data."""
    import re

    return re.sub(r"\s+", " ", re.sub(r"〔[^〕]*〕", "", mask(wording))).strip()[:200]


def state_of(one: Promoted, today: date) -> str:
    """ "active", "withdrawn", or "expired"."""
    if one.state != "active":
        return "withdrawn"
    return "expired" if one.valid_until is not None and one.valid_until < today else "active"


def download(name: str, content: bytes, media_type: str) -> Response:
    """A file, under its Chinese name."""
    from urllib.parse import quote

    return Response(
        content, media_type=media_type, headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    )  # noqa: E501
