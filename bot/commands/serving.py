"""qtic serve: the page, the API, the console and, with a token, Telegram, in one process."""

from __future__ import annotations

import errno
import importlib
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.commands.asking import NowOption, moment
from bot.commands.errors import CommandError
from bot.texts import texts

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bot.bootstrap import Service
    from bot.settings import Settings

GRACE = 20
"""Seconds that turns under way may take to finish when the service stops."""


def register(app: typer.Typer) -> None:
    """Put the command on the app."""
    app.command("serve")(serve)


def serve(now: NowOption = None) -> None:
    """启动服务：对话页面、接口、工作台；设置了令牌时还有 Telegram。"""
    import asyncio

    from bot.commands.logs import configure
    from bot.settings import Settings

    settings = Settings.read()
    clock = clock_from(now)
    configure(settings.log_level)
    check_folder(settings.data_dir)
    listening = listen(settings.host, settings.port)
    try:
        asyncio.run(run(settings, clock, listening, simulated=now))
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()


def clock_from(given: str | None) -> Callable[[], datetime]:
    """The system's clock, or one that runs on from a given moment (`--now`). Raises CommandError."""
    if given is None:
        return lambda: datetime.now(UTC)
    start = moment(given, "Asia/Shanghai")
    ahead = start - datetime.now(UTC)
    return lambda: datetime.now(UTC).astimezone(start.tzinfo) + ahead


def check_folder(folder: Path) -> None:
    """Raises CommandError where the data folder cannot be written."""
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise CommandError(texts().render("web.serve.unwritable", folder=str(folder), problem=problem)) from error


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything heavy is loaded. Raises CommandError where it is not to be had."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(found[0], socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(found[4])
            listening.listen(2048)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            other = port + 1 if port < 65535 else port - 1
            said = texts().render("web.serve.port_taken", host=host, port=port, other=other)
        else:
            said = texts().render("web.serve.bad_host", host=host, port=port, problem=error.strerror or str(error))
        raise CommandError(said) from error
    return listening


async def run(
    settings: Settings, clock: Callable[[], datetime], listening: socket.socket, *, simulated: str | None = None
) -> None:
    """Open the service and serve it until a signal; what is under way finishes first."""
    from bot.bootstrap import open_service
    from bot.channels.web.app import create_app

    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(open_service(settings, texts(), now=clock))
        app = create_app(service, clock)
        password = await _mount_helpdesk(app, service)
        telegram = await _start_telegram(app, service, stack, clock)
        server = _server(app, settings)
        address = listening.getsockname()
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        url = (settings.public_url or f"http://{host}:{address[1]}").rstrip("/")
        lines = ["address", "api", *(["helpdesk"] if password is not None else []), *(["telegram"] if telegram else [])]
        for line in lines:
            typer.echo(texts().render(f"web.serve.{line}", url=url))
        if password:
            typer.echo(texts().render("web.serve.first_password", password=password))
        if simulated:
            typer.echo(texts().render("web.serve.simulated", now=clock().isoformat(timespec="minutes")))
        await server.serve(sockets=[listening])


def _server(app: FastAPI, settings: Settings) -> Any:
    import uvicorn

    class Server(uvicorn.Server):
        """Tells open event streams before it waits for connections to end: they would never end by themselves."""

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.hub.close()
            await super().shutdown(sockets)

    return Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=20,
        )
    )


async def _mount_helpdesk(app: FastAPI, service: Service) -> str | None:
    """The first account's one-time password, "" where there are accounts; None: no console is installed."""
    module = _optional("bot.helpdesk.app")
    if module is None:
        return None
    module.mount(app, service)
    from bot.helpdesk.access import ensure_first_staff

    return await ensure_first_staff(service.store) or ""


async def _start_telegram(app: FastAPI, service: Service, stack: AsyncExitStack, clock: Callable[[], datetime]) -> bool:
    if service.settings.telegram_bot_token is None:
        return False
    module = _optional("bot.channels.telegram.service")
    if module is None:
        return False
    await stack.enter_async_context(module.running(service, app, now=clock))
    return True


def _optional(name: str) -> Any:
    """A module of this program that may not be installed; an import that it lacks itself is an error."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise
        return None
