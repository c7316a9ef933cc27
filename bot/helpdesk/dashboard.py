"""The dashboard, and the digest of a day."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from bot.conversation import Conversation
from bot.helpdesk.charts import Chart, as_csv, shade, share
from bot.helpdesk.console import Console, Page, Service
from bot.helpdesk.learning import download
from bot.messages import Reply, Status
from bot.store import NewDelivery, StoreError

DAYS = 30
DIGEST = "staff:digest"
_STATUSES = ("answered", "clarify", "unanswered", "refused", "chitchat", "form")


class DashboardPage(Page):
    """Figures of the last weeks."""

    name, path, icon = "dashboard", "/dashboard", "fa fa-chart-column"

    @route("")
    async def index(self, request: Request) -> Response:
        """The charts, each with its table."""
        console = self.console
        since = _since(console, DAYS)
        charts = await charts_of(console, since)
        heat = await console.store.figures.clauses(since)
        most = max(heat.values(), default=1)
        clauses = [(c, heat.get(c.id, 0), shade(heat.get(c.id, 0) / most)) for c in console.pack.clauses.values()]
        return self.page(request, "dashboard.html", charts=charts, clauses=clauses, days=DAYS,
                         cards=await cards(console, since), missing=console.missing_documents())  # fmt: skip

    @route("/{chart}.csv")
    async def csv(self, request: Request) -> Response:
        """The table behind a chart."""
        for chart in await charts_of(self.console, _since(self.console, DAYS)):
            if chart.key == request.path_params["chart"]:
                return download(f"{chart.title}.csv", as_csv(chart).encode(), "text/csv; charset=utf-8")
        raise HTTPException(404)


class DigestPage(Page):
    """The digest of today."""

    name, path, icon = "digest", "/digest", "fa fa-newspaper"

    @route("")
    async def index(self, request: Request) -> Response:
        """The text, as it goes to the staff's chat."""
        return self.page(request, "digest.html", text=await digest(self.console))


def _since(console: Console, days: int) -> datetime:
    return console.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)


def _hours(console: Console) -> int:
    """How far the pack's zone is ahead of UTC."""
    return int((console.now().utcoffset() or timedelta()).total_seconds() // 3600)


async def charts_of(console: Console, since: datetime) -> list[Chart]:
    """All charts."""
    figures, labels = console.store.figures, console.labels("charts")
    by_day = await figures.turns_by_day(since, _hours(console))
    days = [(since + timedelta(days=n)).date().isoformat() for n in range(DAYS)]
    statuses = console.labels("turn_statuses")
    topics, clauses = console.pack.topics, await figures.clauses(since)
    titles = {c.id: f"{console.pack.documents[c.document].short}{c.path}" for c in console.pack.clauses.values()}
    departments: dict[str, dict[str, int]] = {}
    for department, state, count in await figures.forms():
        departments.setdefault(department or console.t("charts.no_department"), {})[state] = count
    states = console.labels("form_states")
    up, down = await figures.thumbs(since)
    deliveries = await console.store.outbox.counts()
    named = console.labels("delivery")
    number, questions, people = (console.labels("charts.columns")[k] for k in ("count", "questions", "people"))

    def chart(key: str, columns: tuple[str, ...], rows: Any, upright: bool = False) -> Chart:
        return Chart(key, labels[key], labels["first"][key], columns, tuple(rows), upright)

    return [
        chart("days", tuple(statuses[s] for s in _STATUSES),
              [(d, tuple(by_day.get(d, {}).get(s, 0) for s in _STATUSES)) for d in days], True),
        chart("topics", (questions,), [(topics[t].title if t in topics else t, (n,)) for t, n in await figures.topics(since)]),  # noqa: E501
        chart("unanswered", (people,), [(q or num, (n,)) for num, q, n in await figures.unanswered()]),
        chart("clauses", (number,), [(titles.get(c, c), (n,)) for c, n in sorted(clauses.items(), key=lambda i: -i[1])[:15]]),  # noqa: E501
        chart("departments", tuple(states.values()),
              [(d, tuple(counts.get(s, 0) for s in states)) for d, counts in sorted(departments.items())]),
        chart("satisfaction", (number,), [(labels["up"], (up,)), (labels["down"], (down,))]),
        chart("deliveries", (number,), [(label, (deliveries.get(state, 0),)) for state, label in named.items()]),
    ]  # fmt: skip


async def cards(console: Console, since: datetime) -> list[tuple[str, str]]:
    """The figures in one number each: title and value."""
    figures = console.store.figures
    counts: dict[str, int] = {}
    for day in (await figures.turns_by_day(since, _hours(console))).values():
        for status, count in day.items():
            counts[status] = counts.get(status, 0) + count
    asked = {s: counts.get(s, 0) for s in ("answered", "clarify", "unanswered", "refused")}
    tickets = await figures.tickets(since)
    up, down = await figures.thumbs(since)
    labels = console.labels("cards")
    hours = "—" if tickets.hours is None else console.t("cards_hours", hours=f"{tickets.hours:.1f}")
    return [
        (labels["questions"], str(sum(counts.values()))),
        (labels["alone"], f"{share(asked['answered'], asked):.0%}"),
        (labels["later"], f"{share(tickets.from_clauses, tickets.answered):.0%}"),
        (labels["hours"], hours),
        (labels["open"], str((await console.store.tickets.counts()).get("open", 0))),
        (labels["satisfied"], f"{share(up, up + down):.0%}" if up + down else "—"),
        (labels["failed"], str((await console.store.outbox.counts()).get("failed", 0))),
    ]


async def digest(console: Console) -> str:
    """What staff should know of the last day, in a few lines."""
    since = _since(console, 1) - timedelta(days=1)
    figures, store = console.store.figures, console.store
    by_day = await figures.turns_by_day(since, _hours(console))
    yesterday = by_day.get(since.date().isoformat(), {})
    today = console.today()
    coming = [m for m in console.pack.facts.milestones if 0 <= (m.closes - today).days <= 7]
    return console.t(
        "digest.text", date=f"{today.month}月{today.day}日", questions=sum(yesterday.values()),
        unanswered=yesterday.get("unanswered", 0), open=(await store.tickets.counts()).get("open", 0),
        top=[(q, n) for _, q, n in await figures.unanswered(3)], failed=(await store.outbox.counts()).get("failed", 0),
        drafts=(await figures.totals(since))["drafts"], missing=console.missing_documents(),
        coming=[(m.title, f"{m.closes.month}月{m.closes.day}日") for m in coming],
    )  # fmt: skip


async def send_digest(service: Service) -> bool:
    """Put today's digest into the outbox for the staff's Telegram chat, once a day; False where there is no
    such chat or it went out already."""
    console, chat = Console(service), service.settings.telegram_staff_chat
    if chat is None or service.settings.telegram_bot_token is None:
        return False
    store, now = console.store, console.now()
    conversation = await store.load(DIGEST, "telegram", now)
    if conversation.version == 0:
        await store.conversations.save(Conversation(id=DIGEST, channel="telegram", created_at=now), now)
    reply = Reply(text=await digest(console), status=Status.ANSWERED)
    key = f"digest:{console.today().isoformat()}"
    return await store.outbox.add(NewDelivery(DIGEST, "telegram", reply, "digest", key, address=str(chat)), now)


async def digest_daily(service: Service, hour: int = 8) -> None:
    """Send the digest every morning at `hour`, until cancelled (`qtic serve` runs this)."""
    console, sent = Console(service), date.min
    while True:
        now = console.now()
        if now.hour >= hour and now.date() != sent:
            try:
                await send_digest(service)
                sent = now.date()
            except StoreError as error:  # busy or full just now: tried again, the service goes on
                structlog.get_logger().warning("digest.failed", problem=str(error))
        await asyncio.sleep(300)
