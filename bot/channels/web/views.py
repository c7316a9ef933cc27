"""Turns as the page shows them: texts made into safe HTML, clauses with the supporting words marked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from bot.channels.web.markdown import marked, to_html
from bot.channels.web.talk import ThreadTurn
from bot.messages import Choice, Progress
from bot.texts import Texts


@dataclass(frozen=True)
class CitationView:
    """A citation to be unfolded."""

    document: str
    clause: str
    text: Markup


@dataclass(frozen=True)
class FileView:
    """A document to be downloaded."""

    filename: str
    address: str


@dataclass(frozen=True)
class TurnView:
    """A turn of the page's chat."""

    id: str
    said: str
    body: Markup
    status: str
    by_staff: bool
    clock: str
    moment: str
    citations: tuple[CitationView, ...]
    choices: tuple[Choice, ...]
    files: tuple[FileView, ...]
    progress: Progress | None
    ticket: str | None
    thumbs: int | None
    thumbs_words: str


def turn_view(turn: ThreadTurn, zone: ZoneInfo) -> TurnView:
    """A turn, ready for its template."""
    reply = turn.reply
    local = turn.at.astimezone(zone)
    return TurnView(
        id=turn.id,
        said=turn.text,
        body=to_html(reply.text),
        status=reply.status.value,
        by_staff=reply.by_staff,
        clock=f"{local.month}月{local.day}日 {local:%H:%M}",
        moment=local.isoformat(timespec="seconds"),
        citations=tuple(CitationView(c.document, c.clause, marked(c.text, c.quote)) for c in reply.citations),
        choices=reply.choices,
        files=tuple(FileView(a.filename, f"/files/{turn.id}/{n}") for n, a in enumerate(reply.attachments)),
        progress=reply.progress,
        ticket=reply.ticket,
        thumbs=turn.thumbs,
        thumbs_words=turn.thumbs_words or "",
    )


def exported(turns: list[ThreadTurn], now: datetime, zone: ZoneInfo, texts: Texts) -> str:
    """The dialogue as Markdown, with its sources."""
    lines = [texts.render("web.export.title", at=f"{now.astimezone(zone):%Y-%m-%d %H:%M}"), ""]
    for turn in turns:
        at = f"{turn.at.astimezone(zone):%Y-%m-%d %H:%M}"
        if turn.text:
            lines += [texts.render("web.export.person", at=at), "", turn.text, ""]
        who = "staff" if turn.reply.by_staff else "assistant"
        lines += [texts.render(f"web.export.{who}", at=at), "", turn.reply.text, ""]
        for cited in turn.reply.citations:
            quoted = cited.text.replace("\n", "\n> ")
            lines += [
                f"> {texts.render('web.export.source', document=cited.document, clause=cited.clause)}",
                ">",
                f"> {quoted}",
                "",
            ]
    return "\n".join(lines)
