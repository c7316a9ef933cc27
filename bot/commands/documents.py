"""qtic knowledge add | list | show | diff | remove | question | answerable: documents that an operator brings in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.knowledge import family
from bot.texts import texts

if TYPE_CHECKING:
    from bot.importing import Importing, Progress

PackOption = Annotated[str | None, typer.Option("--pack", help="资料包名称或目录；不写则用 PACK 设置")]


class As(StrEnum):
    """What a document is to the pack."""

    MEASURES = "measures"
    NOTICE = "notice"
    AMENDMENT = "amendment"
    ANSWERS = "answers"


def register(app: typer.Typer) -> None:
    """Put the commands on the family `knowledge`, and the family `pack` on the app."""
    from bot.commands import rounds

    for name, command in (
        ("add", add),
        ("list", list_documents),
        ("show", show),
        ("diff", diff),
        ("remove", remove),
        ("question", question),
        ("answerable", answerable),
    ):
        if name not in {c.name for c in family.registered_commands}:
            family.command(name)(command)
    rounds.register(app)


def _importing(pack: str | None) -> Importing:
    from bot.importing import Importing
    from bot.settings import Settings
    from knowledge.loading import load_pack

    settings = Settings.read()
    return Importing(settings, texts(), pack=load_pack(pack or settings.pack))


def add(
    file: Annotated[Path, typer.Argument(help="文件：.docx .doc .pdf .html .md .txt")],
    pack: PackOption = None,
    kind: Annotated[
        As, typer.Option("--as", help="是什么文件：measures 办法，notice 通知，amendment 修改文件，answers 答复")
    ] = As.MEASURES,
    title: Annotated[str | None, typer.Option("--title", help="标题；不写则用文件里的")] = None,
    number: Annotated[str | None, typer.Option("--number", help="文号，如 青科字〔2024〕24号")] = None,
    effective: Annotated[str | None, typer.Option("--effective", help="施行日期，如 2026-05-01")] = None,
    supersedes: Annotated[
        list[str] | None,
        typer.Option("--supersedes", help="替代的文件或条款，如 measures 或 measures:第九条；可写多次"),
    ] = None,
    document_id: Annotated[str | None, typer.Option("--id", help="编号；不写则自动取")] = None,
    dry: Annotated[bool, typer.Option("--preview", help="只预览条款，不导入")] = False,
) -> None:
    """导入一份文件，按条款入库，立即生效；中断或出错时原有文件不受影响。"""
    from bot.importing import politely

    importing = _importing(pack)
    if dry:
        clauses, report = importing.preview(file)
        for clause in clauses:
            typer.echo(f"{clause.path}\t{clause.text[:60]}".replace("\n", " "))
    else:
        politely()
        with _bar() as progress:
            _, report = importing.add(
                file,
                kind=kind.value,
                now=datetime.now().astimezone(),
                document_id=document_id,
                title=title,
                number=number,
                effective=_day(effective),
                supersedes=supersedes or (),
                progress=progress,
            )
    typer.echo(report.head)
    for remark in report.remarks:
        typer.echo(f"- {remark}")
    if not dry:
        typer.echo(texts().render("documents.live"))


@contextmanager
def _bar() -> Iterator[Progress]:
    """A progress bar on the terminal, for imports that take longer than a moment."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(texts().render("documents.stages.encoding"), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _day(given: str | None) -> date | None:
    from knowledge.documents import LibraryError

    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise LibraryError("bad_date", given=given) from None


def list_documents(pack: PackOption = None) -> None:
    """列出资料包自带的、声明而未导入的和已导入的文件。"""
    importing = _importing(pack)
    stored = importing.library.documents()
    render = texts().render
    for spec in importing.pack.info.documents:
        if spec.file is not None:
            count = sum(c.document == spec.id for c in importing.pack.clauses.values())
            typer.echo(render("documents.own", id=spec.id, title=spec.title, clauses=count))
        elif spec.id not in {d.id for d in stored}:
            typer.echo(render("documents.missing", id=spec.id, title=spec.title, number=spec.number))
    for d in stored:
        kind = texts().get(f"documents.kinds.{d.kind}")
        typer.echo(
            render(
                "documents.row",
                id=d.id,
                kind=kind,
                clauses=d.clauses,
                title=d.title,
                number=d.number,
                effective=d.effective,
                supersedes=d.supersedes,
            )
        )


def show(
    document: Annotated[str, typer.Argument(help="文件编号，如 measures")],
    clause: Annotated[str | None, typer.Argument(help="只看一条，如 第十二条")] = None,
    pack: PackOption = None,
) -> None:
    """显示文件的条款、其中引用的条款和问法。"""
    from knowledge.documents import LibraryError
    from knowledge.references import find_references, links

    importing = _importing(pack)
    clauses = importing.clauses_of(document)
    wanted = clauses
    if clause is not None:
        places = find_references(clause)
        wanted = tuple(c for c in clauses if c.path == clause or any(p.matches(c) for p in places))
        if not wanted:
            raise LibraryError("unknown_clause", id=document, clause=clause)
    asked = {d.id: d.questions for d in importing.library.documents()}.get(document, {})
    for one in wanted:
        typer.echo(f"[{one.path}] {one.text}")
        for link in links(one, clauses):
            typer.echo(
                texts().render("documents.link", label=link.reference.label, targets=[c.path for c in link.clauses[:6]])
            )
        for question_ in asked.get(one.path, ()):
            typer.echo(texts().render("documents.question", question=question_))


def diff(
    old: Annotated[str, typer.Argument(help="旧文件：编号或路径")],
    new: Annotated[str, typer.Argument(help="新文件：编号或路径")],
    pack: PackOption = None,
) -> None:
    """逐条比较两份文件。"""
    from knowledge.differences import differences

    importing = _importing(pack)
    changes = differences(importing.clauses_of(old), importing.clauses_of(new))
    if not changes:
        typer.echo(texts().render("documents.same"))
    for change in changes:
        place = (change.new or change.old).path if change.new or change.old else ""  # type: ignore[union-attr]
        moved = f"{change.old.path} → " if change.old and change.new and change.old.path != change.new.path else ""
        typer.echo(f"{texts().get(f'documents.diff.{change.kind}')} {moved}{place}")
        if change.old is not None and change.kind != "moved":
            typer.echo(f"  - {change.old.text}")
        if change.new is not None and change.kind != "moved":
            typer.echo(f"  + {change.new.text}")


def remove(document: Annotated[str, typer.Argument(help="文件编号")], pack: PackOption = None) -> None:
    """移除一份导入的文件。"""
    typer.echo(texts().render("documents.removed", title=_importing(pack).remove(document)))


def question(
    document: Annotated[str, typer.Argument(help="文件编号，如 measures")],
    clause: Annotated[str, typer.Argument(help="条款，如 第十二条第二款")],
    questions: Annotated[list[str] | None, typer.Argument(help="问法；不写则清空")] = None,
    pack: PackOption = None,
) -> None:
    """给一条条款配上问法，让它更容易被问到。"""
    count = _importing(pack).ask(document, clause, questions or [])
    typer.echo(texts().render("documents.asked", clause=clause, count=count))


def answerable() -> None:
    """列出导入文件后可以回答的待办问题，附拟答。"""
    import asyncio

    from bot.answerable import proposals
    from bot.bootstrap import load_knowledge, open_service
    from bot.settings import Settings

    settings = Settings.read()
    knowledge = load_knowledge(settings)

    async def run() -> None:
        async with open_service(settings, texts(), knowledge=knowledge) as service:
            found = await proposals(service.store, knowledge.quotes, texts(), datetime.now().astimezone())
        for proposal in found:
            typer.echo(
                texts().render(
                    "documents.answerable",
                    number=proposal.ticket,
                    question=proposal.question,
                    answer=proposal.reply.text,
                )
            )
        if not found:
            typer.echo(texts().render("documents.answerable_none"))

    asyncio.run(run())
