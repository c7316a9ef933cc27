"""Who was told what has changed since, and the correction sent to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from bot.helpdesk.console import Page, clip
from bot.messages import Reply, Status
from bot.store import Missing, NewDelivery
from bot.store.codec import digest


@dataclass(frozen=True)
class Changed:
    """A source that is no longer what people were told."""

    kind: str
    id: str
    title: str
    people: int


@dataclass(frozen=True)
class Told:
    """Somebody who was told it, and when first."""

    conversation_id: str
    channel: str
    at: datetime
    informed: bool = False


class RecallPage(Page):
    """Corrections."""

    name, path, icon, role = "recall", "/recall", "fa fa-bullhorn", "editor"

    @route("")
    async def index(self, request: Request) -> Response:
        """What changed; with `kind` and `id`, the people concerned."""
        kind, source = clip(request.query_params.get("kind"), 20), clip(request.query_params.get("id"), 200)
        people, version = await self._people(kind, source) if source else ([], "")
        return self.page(
            request, "recall.html", changed=await self._changed(), kind=kind, source=source, people=people,
            title=await self._title(kind, source) if source else "", version=version,
            draft=self.console.t("recall.draft"),
        )  # fmt: skip

    @route("/send", methods=["POST"])
    async def send(self, request: Request) -> Response:
        """One correction to each person concerned, once for each version of the source."""
        console, form = self.console, await request.form()
        kind, source, text = clip(form.get("kind"), 20), clip(form.get("id"), 200), clip(form.get("text"), 3000)
        if not text:
            return self.back(request, f"/recall?kind={kind}&id={source}", console.t("ticket.empty"), "error")
        people, version = await self._people(kind, source)
        sent = 0
        async with console.store.transaction():
            for person in people:
                day = person.at.astimezone(console.now().tzinfo)
                today = console.now()
                words = console.t(
                    "recall.message", told=f"{day.month}月{day.day}日", text=text, title=await self._title(kind, source),  # noqa: E501
                    office=console.offices()[0], date=f"{today.year}年{today.month}月{today.day}日",
                )  # fmt: skip
                reply = Reply(text=words, status=Status.ANSWERED, by_staff=True)
                key = f"recall:{kind}:{source}:{version}:{person.conversation_id}"
                sent += await console.store.outbox.add(
                    NewDelivery(person.conversation_id, person.channel, reply, "correction", key)
                )
            await console.log(request, "recall", kind, source, {"version": version, "people": sent})
        return self.back(request, "/recall", console.t("recall.sent", count=sent))

    async def _changed(self) -> list[Changed]:
        console = self.console
        found = []
        clauses = console.pack.clauses
        for source, version, people in await console.store.knowledge.told_versions("clause"):
            if source.startswith("staff:"):
                continue
            if source not in clauses or digest(clauses[source].text) != version:
                found.append(Changed("clause", source, await self._title("clause", source), people))
        promoted = {p.topic_id: p for p in await console.store.knowledge.all()}
        for source, version, people in await console.store.knowledge.told_versions("promoted"):
            one = promoted.get(source)
            if one is None or one.state != "active" or str(one.version) != version:
                found.append(Changed("promoted", source, one.title if one else source, people))
        return found

    async def _people(self, kind: str, source: str) -> tuple[list[Told], str]:
        """Who was told another version than the present one, each once, and the present version."""
        console = self.console
        if kind == "clause":
            clause = console.pack.clauses.get(source)
            version = digest(clause.text) if clause else "gone"
            told = await console.store.knowledge.told(kind, [source], except_version=version)
            extra: list[Told] = []
        elif kind == "promoted":
            try:
                one = await console.store.knowledge.get(source)
            except Missing:
                raise HTTPException(404) from None
            version = str(one.version)
            told = await console.store.knowledge.told(kind, [source], except_version=version)
            extra = await self._askers(one.ticket) if one.ticket and (one.version > 1 or one.state != "active") else []
        else:
            raise HTTPException(404)
        first: dict[str, Told] = {}
        for person in [*(Told(t.conversation_id, t.channel, t.at) for t in told), *extra]:
            known = first.get(person.conversation_id)
            if known is None or person.at < known.at:
                first[person.conversation_id] = person
        return list(first.values()), version

    async def _askers(self, ticket: str) -> list[Told]:
        """Those whom the ticket's own answer reached."""
        deliveries = await self.console.store.outbox.of_ticket(ticket)
        return [Told(d.conversation_id, d.channel, d.created_at) for d in deliveries if d.kind == "answer"]

    async def _title(self, kind: str, source: str) -> str:
        if kind == "promoted":
            try:
                return (await self.console.store.knowledge.get(source)).title
            except Missing:
                return source
        document, _, path = source.partition(":")
        known = self.console.pack.documents.get(document)
        return f"{known.short if known else document}{path}"
