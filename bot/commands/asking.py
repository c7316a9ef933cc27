"""qtic ask, chat, eval: questions from the terminal."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.errors import CommandError
from bot.texts import texts

if TYPE_CHECKING:
    from bot.bootstrap import LLM, Knowledge
    from bot.messages import Reply

NowOption = Annotated[str | None, typer.Option("--now", help="当作现在的时间，如 2026-03-30T10:00:00+08:00")]


def register(app: typer.Typer) -> None:
    """Put the commands on the app."""
    app.command("ask")(ask)
    app.command("chat")(chat)
    app.command("eval")(evaluate)


def moment(given: str | None, time_zone: str) -> datetime:
    """The time a command works at, with a zone. Raises CommandError for an unreadable one."""
    from bot.settings import zone

    if given is None:
        return datetime.now(zone(time_zone))
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise CommandError(texts().render("cli.bad_now", given=given)) from None
    return at if at.tzinfo else at.replace(tzinfo=zone(time_zone))


@dataclass(frozen=True)
class Case:
    """One case of a question set."""

    id: str
    now: datetime
    turns: tuple[str, ...]
    raw: dict[str, Any]


def read_cases(path: Path, time_zone: str) -> Iterator[Case]:
    """The cases of a question set. Raises CommandError that names the line."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise CommandError(texts().render("cli.not_text", file=str(path), problem=error.reason)) from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            turns = tuple(str(t) for t in data["turns"])
            if not turns:
                raise ValueError("turns is empty")
            yield Case(str(data["id"]), moment(data.get("now"), time_zone), turns, data)
        except (ValueError, KeyError, TypeError, CommandError) as error:
            raise CommandError(
                texts().render("cli.bad_case", file=str(path), line=number, problem=str(error))
            ) from None


def reply_data(reply: Reply) -> dict[str, Any]:
    """A reply as the JSON of `--json` and `--jsonl`."""
    return {
        "reply": reply.text,
        "status": reply.status.value,
        "citations": [{"document": c.document, "clause": c.clause, "text": c.text} for c in reply.citations],
        "ticket": reply.ticket,
        "topics": list(reply.topics),
    }


async def answer_cases(cases: list[Case], knowledge: Knowledge, llm: LLM | None = None) -> Iterator[tuple[Case, Reply]]:
    """Each case in a fresh conversation, kept in memory alone."""
    from bot.bootstrap import make_assistant
    from bot.keeping import MemoryKeeper
    from bot.messages import Message

    found = []
    for case in cases:
        assistant = make_assistant(knowledge, MemoryKeeper(), texts(), llm=llm)
        for turn in case.turns:
            reply = await assistant.handle(Message(conversation_id=case.id, channel="eval", text=turn, at=case.now))
        found.append((case, reply))
    return iter(found)


def ask(
    question: Annotated[str | None, typer.Argument(help="问题，例如：自评截止到哪天？")] = None,
    now: NowOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    jsonl: Annotated[Path | None, typer.Option("--jsonl", help="回答一个问题集（JSON Lines）")] = None,
) -> None:
    """回答一个问题，或一个问题集。"""
    import asyncio

    from bot.bootstrap import load_knowledge, make_assistant, open_llm, open_service
    from bot.keeping import MemoryKeeper
    from bot.messages import Message
    from bot.settings import Settings

    settings = Settings.read()
    if jsonl is None and not question:
        raise CommandError(texts().render("cli.no_question"))
    cases = list(read_cases(jsonl, "Asia/Shanghai")) if jsonl else []
    at = moment(now, "Asia/Shanghai")
    knowledge = load_knowledge(settings)
    if jsonl is not None:
        for case, reply in asyncio.run(answer_cases(cases, knowledge)):
            typer.echo(json.dumps({"id": case.id, **reply_data(reply)}, ensure_ascii=False))
        return

    async def once() -> Reply:
        message = Message(conversation_id=f"ask-{uuid.uuid4().hex[:12]}", channel="console", text=question or "", at=at)
        assistant = make_assistant(knowledge, MemoryKeeper(), texts(), llm=open_llm(settings))
        reply = await assistant.handle(message)
        if reply.ticket is None:
            return reply
        # The person is told a number: the question is filed under it, which an answered one does not need.
        async with open_service(settings, texts(), knowledge=knowledge) as service:
            return await service.assistant.handle(message)

    reply = asyncio.run(once())
    if as_json:
        typer.echo(json.dumps(reply_data(reply), ensure_ascii=False, indent=2))
    else:
        from bot.channels.console import show

        show(reply)


def chat(now: NowOption = None) -> None:
    """在终端里对话。"""
    import asyncio

    from bot.bootstrap import open_service
    from bot.channels.console import talk
    from bot.settings import Settings

    settings = Settings.read()
    fixed = moment(now, "Asia/Shanghai") if now else None

    async def run() -> None:
        async with open_service(settings, texts()) as service:
            await talk(service.assistant, lambda: fixed or moment(None, service.pack.info.time_zone))

    asyncio.run(run())


def evaluate(
    cases: Annotated[Path, typer.Argument(help="问题集文件（JSON Lines）")],
    failures: Annotated[bool, typer.Option("--failures/--no-failures", help="列出没通过的")] = True,
    llm: Annotated[bool, typer.Option("--llm", help="用 LLM_MODEL 设置的大模型来回答，便于比较")] = False,
) -> None:
    """回答并评分一个问题集。"""
    import asyncio

    from bot.bootstrap import load_knowledge, open_llm
    from bot.evaluation import report, score
    from bot.settings import Settings

    read = list(read_cases(cases, "Asia/Shanghai"))
    settings = Settings.read()
    model = open_llm(settings) if llm else None
    if llm and model is None:
        raise CommandError(texts().render("cli.no_llm"))
    knowledge = load_knowledge(settings)
    replies = list(asyncio.run(answer_cases(read, knowledge, model)))
    typer.echo(report(score([(case.raw, reply_data(reply)) for case, reply in replies]), failures=failures))
    if model is not None:
        typer.echo(
            texts().render(
                "cli.llm_share",
                model=model.model.name,
                worded=sum(r.used_llm for _, r in replies),
                degraded=sum(r.degraded for _, r in replies),
                total=len(replies),
            )
        )
