"""The queue, and the figures that the page asks for while it is open."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette_admin.routing import route

from bot.helpdesk.answers import working_days
from bot.helpdesk.console import Page, clip, staff_of
from bot.looking import pack_vector

PAGE = 25


class QueuePage(Page):
    """Open tickets by urgency; the console's first page."""

    name, path, icon = "queue", "/", "fa fa-inbox"

    @route("")
    async def index(self, request: Request) -> Response:
        """The list, filtered by the address."""
        console, query = self.console, request.query_params
        await self._look()
        picked = {name: clip(query.get(name), 100) for name in ("status", "topic", "reason", "channel", "q")}
        status = picked["status"] or "open"
        mine = query.get("mine") == "1"
        number = max(1, int(query["page"])) if query.get("page", "").isdigit() else 1
        tickets, total = await console.store.tickets.urgent(
            console.today(),
            status=None if status == "all" else status,
            topic=picked["topic"] or None,
            reason=picked["reason"] or None,
            channel=picked["channel"] or None,
            words=picked["q"] or None,
            assigned_to=staff_of(request).login if mine else None,
            limit=PAGE,
            offset=(number - 1) * PAGE,
        )
        today = console.today()
        ages = {t.number: working_days(console.local_day(t.created_at), today) for t in tickets}
        names = {s.login: s.name for s in await console.store.staff.all()}
        return self.page(
            request, "queue.html", tickets=tickets, total=total, number=number, pages=max(1, -(-total // PAGE)),
            ages=ages, picked=picked, status=status, mine=mine, counts=await console.store.tickets.counts(),
            names=names, today=today, topics=console.pack.topics, missing=console.missing_documents(),
        )  # fmt: skip

    async def _look(self) -> None:
        """Tickets that were filed where no encoder was at hand (thumbs down) are looked up now."""
        console = self.console
        for number, question in await console.store.tickets.without_vector(10):
            found = await asyncio.to_thread(console.service.looking.look, question, console.today())
            await console.store.tickets.looked(number, pack_vector(found.vector), found.tried, found.deadline)


class LivePage(Page):
    """Counts for pages that stay open."""

    name, path, add_to_menu = "live", "/live", False

    @route("")
    async def index(self, request: Request) -> Response:
        """How many tickets are open, and how many of them are mine."""
        store = self.console.store
        counts = await store.tickets.counts()
        mine = await store.tickets.queue(assigned_to=staff_of(request).login, limit=200)
        failed = (await store.outbox.counts()).get("failed", 0)
        return JSONResponse({"open": counts.get("open", 0), "mine": len(mine), "failed": failed})
