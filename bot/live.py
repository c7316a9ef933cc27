"""What is answered from, replaced as a whole while the process runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)
_PATIENCE = 1.5
"""Seconds that the turn which notices a change waits for it. An import has encoded everything by then, so
loading takes a fraction of it; on a machine that has to encode itself the old knowledge answers meanwhile."""


class LiveKnowledge(Generic[T]):
    """Holds the knowledge in use and loads it anew when its source has changed.

    Args:
        loaded: What is answered from now.
        revision: Cheap; changes when the source does. None: it never changes.
        reload: Makes the new from the old, in a worker thread.
        held: The revision that a knowledge was made of.
    """

    def __init__(
        self,
        loaded: T,
        revision: Callable[[], object] | None = None,
        reload: Callable[[T], T] | None = None,
        held: Callable[[T], object] | None = None,
    ) -> None:
        self.current = loaded
        self._revision = revision
        self._reload = reload
        self._held = held(loaded) if held else None
        self._holds = held
        self._task: asyncio.Task[None] | None = None
        self._failed: object = None

    async def follow(self) -> None:
        """Look whether the source has changed; where it has, have it loaded and swapped in."""
        if self._revision is None or self._reload is None:
            return
        now = self._revision()
        if now == self._held or now == self._failed or (self._task is not None and not self._task.done()):
            return
        self._task = asyncio.create_task(self._load(now))
        await asyncio.wait({self._task}, timeout=_PATIENCE)

    async def _load(self, revision: object) -> None:
        assert self._reload is not None and self._holds is not None
        try:
            fresh = await asyncio.to_thread(self._reload, self.current)
        except Exception:
            # The old knowledge goes on answering; a damaged library is said by `qtic doctor`, and tried
            # again at its next change.
            self._failed = revision
            _log.exception("the changed documents cannot be loaded; what was loaded before stays in use")
            return
        self.current, self._held = fresh, self._holds(fresh)

    async def close(self) -> None:
        """Wait for a loading under way."""
        if self._task is not None:
            await asyncio.wait({self._task})
