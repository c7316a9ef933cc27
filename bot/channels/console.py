"""The terminal: a reply as rich text, and a real conversation with numbered choices and sources on demand."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding

from bot.assistant import Assistant
from bot.messages import Message, Reply
from bot.texts import texts


def show(reply: Reply, console: Console | None = None, *, numbered: bool = False) -> None:
    """Print a reply: text, where it stands, and its choices."""
    out = console or Console()
    out.print(Markdown(reply.text))
    if reply.citations:
        places = "；".join(f"《{c.document}》{c.clause}" for c in reply.citations)
        out.print(f"[dim]{texts().render('cli.sources')}：{places}[/dim]")
    if numbered and reply.choices:
        words = "  ".join(f"[bold]{n}[/bold] {c.label}" for n, c in enumerate(reply.choices, 1))
        out.print(f"[cyan]{texts().render('cli.choices')}：{words}[/cyan]")


def show_sources(reply: Reply | None, console: Console) -> None:
    """Print the full text of the clauses a reply rests on."""
    if reply is None or not reply.citations:
        console.print(texts().render("cli.no_sources"))
        return
    for cited in reply.citations:
        console.print(f"[bold]《{cited.document}》{cited.clause}[/bold]")
        console.print(Padding(cited.text, (0, 2)))


async def talk(assistant: Assistant, now: Callable[[], datetime]) -> None:
    """Converse until the end of input. A number presses a button of the last reply."""
    console = Console()
    conversation = f"console-{uuid.uuid4().hex[:12]}"
    last: Reply | None = None
    console.print(f"[dim]{texts().render('cli.quit_hint')}[/dim]")
    source_words = set(texts().get("cli.source_words"))
    while True:
        try:
            line = console.input(f"[bold green]{texts().render('cli.you')}[/bold green] ")
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        typed = line.encode("utf-8", "replace").decode("utf-8").strip()
        if typed in source_words:
            show_sources(last, console)
            continue
        choice = None
        if last and typed.isdigit() and 1 <= int(typed) <= len(last.choices):
            choice = last.choices[int(typed) - 1].value
        last = await assistant.handle(
            Message(
                conversation_id=conversation, channel="console", text="" if choice else typed, choice=choice, at=now()
            )
        )
        show(last, console, numbered=True)
        console.print()
