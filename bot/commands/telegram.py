"""qtic telegram: the Telegram channel alone."""

from __future__ import annotations

import typer

from bot.commands.errors import CommandError
from bot.texts import texts


def register(app: typer.Typer) -> None:
    """Put the command on the app."""
    app.command("telegram")(telegram)


def telegram() -> None:
    """只运行 Telegram（qtic serve 会连同网页一起运行）。"""
    import asyncio
    import logging

    from bot.settings import Settings

    settings = Settings.read()
    if settings.telegram_bot_token is None:
        raise CommandError(texts().render("telegram.cli.no_token"))
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(_run(settings))
    except KeyboardInterrupt:
        return


async def _run(settings: object) -> None:
    import asyncio
    from contextlib import AsyncExitStack

    import uvicorn
    from fastapi import FastAPI

    from bot.bootstrap import open_service
    from bot.channels.telegram.service import running
    from bot.settings import Settings

    assert isinstance(settings, Settings)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(open_service(settings, texts()))
        app = FastAPI(openapi_url=None) if settings.telegram_webhook_url else None
        channel = await stack.enter_async_context(running(service, app))
        assert channel is not None
        waits = [asyncio.create_task(channel.over.wait()), asyncio.create_task(_announce(channel))]
        if app is not None:
            server = uvicorn.Server(uvicorn.Config(app, settings.host, settings.port, log_level="warning"))
            waits.append(asyncio.create_task(server.serve()))
        try:
            # The announcement ends by itself; anything else that ends, ends the command.
            await asyncio.wait([waits[0], *waits[2:]], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        if channel.problem:
            raise CommandError(channel.problem)


async def _announce(channel: object) -> None:
    from bot.channels.telegram.service import Channel

    assert isinstance(channel, Channel)
    await channel.connected.wait()
    typer.echo(f"Telegram: @{channel.name}")
