"""qtic doctor, and qtic knowledge sync | calibrate."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from bot.texts import texts

if TYPE_CHECKING:
    from bot.settings import Settings

family = typer.Typer(help="资料库：同步、校准", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Put the commands on the app."""
    app.command("doctor")(doctor)
    app.add_typer(family, name="knowledge")


@family.command("sync")
def sync() -> None:
    """让索引与资料包一致（重复执行不会有变化）。"""
    from bot.settings import Settings
    from knowledge.documents import complete
    from knowledge.encoder import load_encoder
    from knowledge.finding import cleaner, records_of
    from knowledge.index import sync as bring_in_step
    from knowledge.loading import load_pack

    settings = Settings.read()
    pack = complete(load_pack(settings.pack), settings.data_dir)
    report = bring_in_step(
        records_of(pack, cleaner(pack)), load_encoder(settings.embedding_model), settings.data_dir, settings.chroma_url
    )
    typer.echo(
        texts().render("cli.synced", **{n: getattr(report, n) for n in ("created", "updated", "deleted", "skipped")})
    )
    for problem in report.problems:
        typer.echo(problem, err=True)


@family.command("calibrate")
def calibrate(
    write: Annotated[bool, typer.Option(help="把结果写进资料包")] = True,
    clauses: Annotated[bool, typer.Option("--clauses", help="只重新拟合条款引用的门槛，其余不动")] = False,
) -> None:
    """用留出的问法拟合主题选择和条款引用的权重和门槛，并报告准确率。"""
    from dataclasses import replace

    import yaml

    from bot.settings import Settings
    from knowledge.calibrating import cases_of, clause_cases, fit, fit_clauses, measure, measure_clauses
    from knowledge.documents import complete
    from knowledge.encoder import load_encoder
    from knowledge.finding import CALIBRATION, clean, cleaner, open_finder, records_of
    from knowledge.loading import load_pack, read_yaml

    settings = Settings.read()
    pack = load_pack(settings.pack)
    encoder, corrector = load_encoder(settings.embedding_model), cleaner(pack)
    # With what the operator brought in, so that the index stays as the service needs it.
    finder = open_finder(
        records_of(complete(pack, settings.data_dir), corrector), encoder, settings.data_dir, settings.chroma_url
    )
    quotable = clause_cases(pack, finder.index)
    if clauses:
        data = read_yaml(pack.folder / CALIBRATION)
        fit_clauses(quotable).put(data)
    else:
        cases = cases_of(pack, finder, encoder.encode_queries, lambda text: clean(text, corrector))
        kinds = [pack.topics[t].kind for t in finder.model.topics]
        calibration = replace(fit(cases, kinds), clauses=fit_clauses(quotable))
        measured = measure(cases, finder.model.topics, kinds)
        data = {**calibration.to_data(), "encoder": encoder.fingerprint, "measured": measured.lines()}
    data["measured_clauses"] = measure_clauses(quotable)
    typer.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
    if write:
        head = "# Written by `qtic knowledge calibrate`; not by hand.\n"
        (pack.folder / CALIBRATION).write_text(
            head + yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8"
        )


def doctor() -> None:
    """检查：配置了什么、缺什么、什么过期了。"""
    from bot.settings import Settings

    settings = Settings.read()
    problems = 0
    for ok, line in _checks(settings):
        problems += 0 if ok else 1
        typer.echo(f"{'✓' if ok else '!'} {line}")
    raise typer.Exit(1 if problems else 0)


def _checks(settings: Settings) -> list[tuple[bool, str]]:
    import asyncio

    from bot.commands.errors import EXPECTED, said
    from bot.store import Store, Vault
    from knowledge.documents import complete
    from knowledge.encoder import load_encoder
    from knowledge.finding import cleaner, load_calibration, open_finder, records_of
    from knowledge.loading import load_pack, read_yaml

    found: list[tuple[bool, str]] = []
    render = texts().render
    try:
        pack = complete(load_pack(settings.pack), settings.data_dir)
        found.append(
            (True, render("doctor.pack", title=pack.info.title, topics=len(pack.topics), clauses=len(pack.clauses)))
        )
        for document in pack.info.documents:
            key = "doctor.document" if document.file else "doctor.document_missing"
            found.append((True, render(key, title=document.title, number=document.number or "")))
        encoder = load_encoder(settings.embedding_model)
        found.append((True, render("doctor.encoder", name=encoder.name, dimension=encoder.dimension)))
        load_calibration(pack)
        fitted = read_yaml(pack.folder / "calibration.yaml").get("encoder")
        if fitted not in (None, encoder.fingerprint):
            found.append((False, render("doctor.calibration_stale")))
        finder = open_finder(records_of(pack, cleaner(pack)), encoder, settings.data_dir, settings.chroma_url)
        found.append(
            (
                not finder.report.problems,
                render("doctor.index", records=len(finder.index.records), problems=list(finder.report.problems)),
            )
        )
    except EXPECTED as error:
        found.append((False, said(error)))

    async def database() -> None:
        key = settings.encryption_key.get_secret_value() if settings.encryption_key else None
        async with await Store.open(settings.database, Vault(key, settings.data_dir / "secret.key")) as store:
            counts = await store.tickets.counts()
            found.append((True, render("doctor.database", counts=counts)))

    try:
        asyncio.run(database())
    except EXPECTED as error:
        found.append((False, said(error)))
    if settings.llm_model:
        from bot.llm.doctor import doctor_lines

        found += [(True, line) for line in asyncio.run(doctor_lines(settings, texts(), date.today()))]  # noqa: DTZ011
    else:
        found.append((True, render("doctor.llm", model=None)))
    found.append((True, render("doctor.telegram", configured=settings.telegram_bot_token is not None)))
    return found
