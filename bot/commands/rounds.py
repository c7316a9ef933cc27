"""qtic pack new | review | confirm: the next round as a copy of this one, confirmed entry by entry."""

from __future__ import annotations

import getpass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.errors import CommandError
from bot.texts import texts

if TYPE_CHECKING:
    from knowledge.rounds import Item

family = typer.Typer(help="资料包：开始新一轮、逐项确认", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Put the family on the app."""
    app.add_typer(family, name="pack")


def _folder(pack: str) -> Path:
    from bot.settings import Settings
    from knowledge.loading import PACKS

    for folder in (Path(pack), Settings.read().data_dir / "packs" / pack, PACKS / pack):
        if (folder / "pack.yaml").is_file():
            return folder
    raise CommandError(texts().render("documents.errors.no_pack", given=pack))


@family.command("new")
def new(
    year: Annotated[int, typer.Argument(help="新一轮的年度，如 2027")],
    origin: Annotated[str, typer.Option("--from", help="以哪个资料包为底本")],
    notice: Annotated[Path, typer.Option("--notice", help="新一轮的通知文件")],
    into: Annotated[Path | None, typer.Option("--into", help="新资料包的目录；不写则在 DATA_DIR/packs/ 下")] = None,
    questions: Annotated[list[Path] | None, typer.Option("--questions", help="一并核对的问题集；可写多次")] = None,
) -> None:
    """复制资料包、换上新通知，并标出每一项需要确认的内容；全部确认前不能上线。"""
    from bot.settings import Settings
    from knowledge.rounds import new_round

    source = _folder(origin)
    name = source.name.rsplit("-", 1)[0] if source.name.rsplit("-", 1)[-1].isdigit() else source.name
    target = into or Settings.read().data_dir / "packs" / f"{name}-{year}"
    target.parent.mkdir(parents=True, exist_ok=True)
    sets = questions if questions is not None else sorted(Path("tests/questions").glob("*.jsonl"))
    review = new_round(year, source, notice, target, sets)
    typer.echo(texts().render("rounds.made", folder=str(target), count=len(review.open)))
    _listed(review.open, full=False)


@family.command("review")
def review(
    pack: Annotated[str, typer.Argument(help="资料包名称或目录")],
    full: Annotated[bool, typer.Option("--full", help="连同条款新旧文字")] = False,
) -> None:
    """列出还没有确认的内容。"""
    from knowledge.rounds import Review

    found = Review.read(_folder(pack))
    typer.echo(texts().render("rounds.standing", open=len(found.open), count=len(found.items)))
    _listed(found.open, full=full)


@family.command("confirm")
def confirm(
    pack: Annotated[str, typer.Argument(help="资料包名称或目录")],
    items: Annotated[list[str], typer.Argument(help="要确认的编号，如 fact:filing；fact:* 表示这一类全部")],
    by: Annotated[str | None, typer.Option("--by", help="确认人")] = None,
) -> None:
    """确认内容已按新通知核对或改好。"""
    from knowledge.rounds import confirm as confirm_items

    found = confirm_items(_folder(pack), items, by or getpass.getuser(), datetime.now().astimezone())
    typer.echo(texts().render("rounds.standing", open=len(found.open), count=len(found.items)))


def _listed(items: list[Item], *, full: bool) -> None:
    for item in items:
        why = texts().get(f"rounds.why.{item.why}")
        typer.echo(texts().render("rounds.item", id=item.id, file=item.file, why=why, clauses=item.clauses))
        if full:
            typer.echo(texts().render("rounds.words", was=item.was, now=item.now))
