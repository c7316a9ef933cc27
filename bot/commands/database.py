"""qtic db: the tables' version."""

from __future__ import annotations

import typer

from bot.texts import texts


def register(app: typer.Typer) -> None:
    """Put the commands on the app."""
    family = typer.Typer(help="数据库", no_args_is_help=True)
    family.command("upgrade")(upgrade)
    family.command("status")(status)
    app.add_typer(family, name="db")


def upgrade() -> None:
    """把数据库的表结构升级到本程序的版本。"""
    import asyncio

    from bot.commands.exporting import open_store
    from bot.settings import Settings
    from bot.store.migrations import HEAD

    async def run() -> None:
        store = await open_store(Settings.read())
        await store.close()

    asyncio.run(run())
    typer.echo(texts().render("cli.db_ready", version=HEAD))


def status() -> None:
    """看数据库的版本；不改动任何内容。旧于或新于本程序时，退出码为 1。"""
    import asyncio

    from bot.commands.exporting import open_store
    from bot.settings import Settings
    from bot.store import Outdated, StoreError
    from bot.store.migrations import HEAD

    async def run() -> str:
        try:
            store = await open_store(Settings.read(), read_only=True)
        except Outdated as error:
            return f"db_{error.key}"
        except StoreError as error:
            if error.key != "no_database":
                raise
            return "db_none"
        await store.close()
        return "db_ready"

    key = asyncio.run(run())
    typer.echo(texts().render(f"cli.{key}", version=HEAD))
    if key != "db_ready":
        raise typer.Exit(1)
