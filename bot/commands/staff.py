"""`qtic staff`: accounts of the console."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.commands.errors import CommandError
from bot.texts import texts

staff = typer.Typer(no_args_is_help=True, help="管理工作人员控制台的账号")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(staff, name="staff")


Login = Annotated[str, typer.Argument(help="登录名")]


@staff.command("add")
def add(
    login: Login,
    name: Annotated[str, typer.Option("--name", help="姓名；不写就用登录名")] = "",
    role: Annotated[str, typer.Option("--role", help="agent、editor 或 administrator")] = "agent",
) -> None:
    """新增账号，打印一次性密码。"""
    from bot.helpdesk.access import hashed, one_time_password
    from bot.store import Store

    if not login.isascii() or not login.isprintable() or " " in login or not 2 <= len(login) <= 40:
        raise CommandError(texts().render("helpdesk.cli.bad_login", login=login))
    password = one_time_password()

    async def run(store: Store) -> None:
        async with store.transaction():
            await store.staff.add(login, name or login, role, hashed(password))
            await store.staff.record("cli", "staff_add", "staff", login, {"role": role})

    _run(run)
    typer.echo(texts().render("helpdesk.cli.added", login=login, password=password))


@staff.command("reset")
def reset(login: Login) -> None:
    """重置密码并关闭动态码，打印一次性密码；该账号的登录全部失效。"""
    from bot.helpdesk.access import hashed, one_time_password
    from bot.store import Store

    password = one_time_password()

    async def run(store: Store) -> None:
        async with store.transaction():
            await store.staff.change(login, password_hash=hashed(password), must_change=True, disabled=False)
            await store.staff.set_totp(login, None)
            await store.staff.record("cli", "staff_reset", "staff", login)

    _run(run)
    typer.echo(texts().render("helpdesk.cli.reset", login=login, password=password))


@staff.command("disable")
def disable(login: Login) -> None:
    """停用账号。"""
    from bot.store import Store

    async def run(store: Store) -> None:
        async with store.transaction():
            await store.staff.change(login, disabled=True)
            await store.staff.record("cli", "staff_disable", "staff", login)

    _run(run)
    typer.echo(texts().render("helpdesk.cli.disabled", login=login))


@staff.command("list")
def list_all() -> None:
    """列出账号。"""
    from bot.store import Staff, Store

    found: list[Staff] = []

    async def run(store: Store) -> None:
        found.extend(await store.staff.all())

    _run(run)
    roles = texts().get("helpdesk.roles")
    for one in found:
        state = texts().render("helpdesk.cli.state", disabled=one.disabled, must_change=one.must_change)
        typer.echo(f"{one.login}\t{one.name}\t{roles[one.role]}\t{state}")


def _run(work: object) -> None:
    import asyncio
    from collections.abc import Awaitable, Callable
    from typing import cast

    from bot.settings import Settings
    from bot.store import Store, Vault

    settings = Settings.read()
    key = settings.encryption_key.get_secret_value() if settings.encryption_key else None

    async def run() -> None:
        async with await Store.open(settings.database, Vault(key, settings.data_dir / "secret.key")) as store:
            await cast("Callable[[Store], Awaitable[None]]", work)(store)

    asyncio.run(run())
