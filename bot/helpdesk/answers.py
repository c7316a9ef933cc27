"""A staff answer: as it is sent, as each channel shows it, and what to look at before sending."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import lru_cache

from markupsafe import Markup, escape

from bot.engines.base import citation
from bot.helpdesk.checking import unsupported
from bot.helpdesk.console import Console
from bot.llm import lock
from bot.messages import Choice, Citation, Reply, Status
from bot.steps.staff_thread import QUESTION
from bot.understanding.privacy import mask

TELEGRAM_LIMIT = 4096
_LOCKED = (lock.Kind.DIRECTION, lock.Kind.TIME)


def cited(console: Console, ids: Iterable[str]) -> tuple[Citation, ...]:
    """The clauses of these ids, unknown ones left out."""
    known = [i for i in dict.fromkeys(ids) if i in console.pack.clauses]
    return tuple(citation(console.pack, i) for i in known)


def staff_reply(
    console: Console, number: str, text: str, office: str, citations: Sequence[Citation], kind: str = "answer"
) -> Reply:
    """What every asker gets: marked as an answer by a person, with office and date."""
    today = console.today()
    words = console.t(
        f"answer.{kind}", text=text, office=office, date=f"{today.year}年{today.month}月{today.day}日", number=number
    )
    choice = Choice(label=console.t("answer.reply_button"), value=f"k:{number}")
    return Reply(
        text=words, status=Status.ANSWERED, citations=tuple(citations), choices=(choice,), ticket=number, by_staff=True,
        topics=(QUESTION,) if kind == "question" else (),
    )  # fmt: skip


def warnings_of(console: Console, text: str, citations: Sequence[Citation]) -> list[str]:
    """What staff should look at before they send, in sentences."""
    found = []
    sources = [c.text for c in citations]
    loose = unsupported(text, sources)
    if sources:  # the lock of the model's sentences also knows "at least" from "at most", and times of day
        loose += [u.words for u in lock.unsupported(text, sources, today=console.today()) if u.kind in _LOCKED]
    if loose:
        found.append(console.t("answer.unsupported", words=list(dict.fromkeys(loose)), cited=bool(citations)))
    if not citations:
        found.append(console.t("answer.no_clause"))
    if mask(text) != text:
        found.append(console.t("answer.personal"))
    if len(text) > TELEGRAM_LIMIT - 400:
        found.append(console.t("answer.long", length=len(text)))
    return found


def previews(console: Console, reply: Reply) -> dict[str, str]:
    """The reply as the web page shows it (HTML) and as Telegram does (text)."""
    basis = "、".join(f"《{c.document}》{c.clause}" for c in reply.citations)
    tail = console.t("answer.basis", basis=basis) if basis else ""
    return {
        "web": str(markdown(reply.text) + (Markup("<p class='text-secondary small'>%s</p>") % tail if tail else "")),
        "telegram": re.sub(r"\*\*(.+?)\*\*", r"\1", reply.text) + (f"\n\n{tail}" if tail else ""),
    }


def markdown(text: str) -> Markup:
    """The small Markdown of replies as HTML: **bold**, lists, paragraphs; everything else is escaped."""
    blocks = []
    for block in re.split(r"\n{2,}", text.strip()):
        lines = block.split("\n")
        if all(line.startswith("- ") for line in lines):
            items = "".join(f"<li>{_inline(line[2:])}</li>" for line in lines)
            blocks.append(f"<ul>{items}</ul>")
        else:
            blocks.append("<p>" + "<br>".join(_inline(line) for line in lines) + "</p>")
    return Markup("".join(blocks))


def _inline(line: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(line)))


def working_days(since: date, until: date) -> int:
    """How many working days lie between two days, the first not counted, by China's adjusted calendar."""
    return sum(is_workday(since + timedelta(days=n)) for n in range(1, (until - since).days + 1))


@lru_cache(maxsize=4096)
def is_workday(day: date) -> bool:
    """Whether people work on a day; for years whose holidays are not announced yet: Monday to Friday."""
    import chinese_calendar

    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5
