"""The channel in a process of its own, to be killed: `python -m tests.telegram_channel.child FOLDER API` (made-up assistant)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.channels.telegram.service import running
from tests.telegram_channel.stub import QUICK, clock, world


async def main(folder: str, api: str) -> None:
    """Run until killed."""
    async with world(Path(folder), api) as made, running(made.service, now=clock, pace=QUICK):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
