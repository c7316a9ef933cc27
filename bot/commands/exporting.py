"""qtic export: the collected forms in the authority's own layouts."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.errors import CommandError
from bot.texts import texts

if TYPE_CHECKING:
    from bot.forms.drafts import Submission
    from bot.settings import Settings
    from bot.store import Store


class What(StrEnum):
    """What may be exported: the table `bot.exports.EXPORTERS`, whose keys a test holds together with these."""

    SUMMARY = "summary"
    ROSTER = "roster"
    FORMS = "forms"
    FORMS_CSV = "forms-csv"
    FORMS_JSONL = "forms-jsonl"
    FORM = "form"
    REPORT = "report"
    RECEIPT = "receipt"
    MILESTONES = "milestones"


class Who(StrEnum):
    """Whose milestones."""

    APPLICANT = "applicant"
    OFFICER = "officer"


def register(app: typer.Typer) -> None:
    """Put the command on the app."""
    app.command("export")(export)


def export(
    what: Annotated[What, typer.Argument(help="导出什么")],
    out: Annotated[Path, typer.Option("--out", help="放文件的文件夹")],
    department: Annotated[str | None, typer.Option("--department", help="只要这个主管部门的，如 崂山区")] = None,
    receipt: Annotated[str | None, typer.Option("--receipt", help="只要这个回执编号的，如 R-3C7A-9F4K")] = None,
    role: Annotated[Who | None, typer.Option("--role", help="只要这个角色的日程（milestones）")] = None,
    now: Annotated[str | None, typer.Option("--now", help="当作现在的时间")] = None,
) -> None:
    """导出汇总表、名单、基本信息表、报告提纲、回执或日程。"""
    import asyncio

    from bot.commands.asking import moment
    from bot.exports import EXPORTERS
    from bot.exports.packing import pack_up
    from bot.forms.loading import load_forms
    from bot.settings import Settings
    from knowledge.loading import load_pack
    from knowledge.pack import Role

    settings = Settings.read()
    pack = load_pack(settings.pack)
    forms = load_forms(pack.folder, pack.clauses)
    at = moment(now, pack.info.time_zone)
    if out.exists() and not out.is_dir():
        raise CommandError(texts().render("cli.export_no_folder", folder=str(out)))

    async def run() -> None:
        async with await open_store(settings) as store:
            chosen = [] if what is What.MILESTONES else await _chosen(store, department, receipt)
            if not chosen and what is not What.MILESTONES:
                raise CommandError(texts().render("cli.export_nothing", department=department, receipt=receipt))
            data = pack_up(pack, forms, chosen, texts(), at, Role(role.value) if role else None)
            files = await asyncio.to_thread(EXPORTERS[what.value], data)
            out.mkdir(parents=True, exist_ok=True)
            for file in files:
                (out / file.name).write_bytes(file.content)
                typer.echo(str(out / file.name))
            # Written first: what is marked as handed out is no longer deleted with the person's data.
            if chosen:
                await store.forms.mark_exported([s.id for s in chosen], at)
                await store.staff.record("qtic", "export", "submission", what.value, {"count": len(chosen)}, now=at)

    asyncio.run(run())


async def open_store(settings: Settings, *, read_only: bool = False) -> Store:
    """The store of the settings. Raises StoreError."""
    from bot.store import Store, Vault

    key = settings.encryption_key.get_secret_value() if settings.encryption_key else None
    vault = Vault(key, settings.data_dir / "secret.key")
    return await Store.open(settings.database, vault, read_only=read_only)


async def _chosen(store: Store, department: str | None, receipt: str | None) -> list[Submission]:
    """The newest revisions wanted. Raises StoreError for a receipt that is none."""
    if receipt is not None:
        one = await store.forms.submission(receipt)
        return [one] if department in (None, one.department) else []
    return await store.forms.submissions(department=department, open_answers=True)
