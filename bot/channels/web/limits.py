"""How much one person and one address may ask for.

Counted in this process: a limit protects its processor time, so that replicas need no common count. Attempts
at resume codes, which guard data, are counted in the database (`Store.limits`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from bot.channels.web.problems import Problem

MESSAGE_CHARACTERS = 8000
"""Longest message that is taken at all; the assistant itself answers those above its own limit in words."""
BODY_BYTES = 64 * 1024
_WIDEST = 50_000


@dataclass(frozen=True)
class Rates:
    """Messages and new conversations that are allowed.

    Args:
        person_per_minute: Messages of one person.
        address_per_minute: Messages of one address; offices share one, so it is far higher.
        starts_per_minute: Conversations that one address may start through the API.
        streams_per_person: Open event streams.
    """

    person_per_minute: int = 30
    address_per_minute: int = 600
    starts_per_minute: int = 120
    streams_per_person: int = 6


@dataclass
class _Bucket:
    tokens: float
    at: float


@dataclass
class RateLimiter:
    """Token buckets by key. A minute's worth may come at once; then it refills evenly."""

    clock: Callable[[], float] = time.monotonic
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def take(self, key: str, per_minute: int) -> None:
        """Count one. Raises Problem "too_many" with the seconds to wait where none is left."""
        now = self.clock()
        if len(self._buckets) > _WIDEST:
            self._forget_full(now)
        bucket = self._buckets.setdefault(key, _Bucket(per_minute, now))
        bucket.tokens = min(per_minute, bucket.tokens + (now - bucket.at) * per_minute / 60)
        bucket.at = now
        if bucket.tokens < 1:
            wait = max(1, ceil((1 - bucket.tokens) * 60 / per_minute))
            raise Problem("too_many", retry_after=wait, seconds=wait)
        bucket.tokens -= 1

    def _forget_full(self, now: float) -> None:
        """Buckets untouched for a minute are full again: the same as none."""
        self._buckets = {k: b for k, b in self._buckets.items() if now - b.at < 60}
