"""A circuit breaker: a model that is dead is not asked again for a while, so that nobody waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.llm.errors import Failure, LLMError

_DEAD = frozenset({Failure.TIMEOUT, Failure.REFUSED, Failure.SERVER, Failure.RATE_LIMITED, Failure.OTHER})
_HOPELESS = frozenset({Failure.UNAUTHORISED, Failure.NO_PROVIDER})


class CircuitBreaker:
    """Opens after several failures in a row, or at once where the key is refused; after a pause one call may try.

    Args:
        failures: How many in a row open it.
        pause: Seconds it stays open; doubled each time the trial fails, up to ten times.
        clock: Seconds, rising.
    """

    def __init__(self, failures: int = 3, pause: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._failed = 0
        self._factor = 1
        self._until: float | None = None
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Whether calls are refused now."""
        return self._until is not None and (self._clock() < self._until or self._trying)

    def enter(self) -> None:
        """Ask to make a call. Raises LLMError (paused) while the breaker is open."""
        if self.is_open:
            raise LLMError(Failure.PAUSED, "the model failed before; it is tried again later")
        self._trying = self._until is not None

    def succeeded(self) -> None:
        """A call came to something: the breaker closes."""
        self._failed, self._factor, self._until, self._trying = 0, 1, None, False

    def failed(self, kind: Failure) -> None:
        """A call failed. What the model wrote badly does not count: it is alive."""
        trial, self._trying = self._trying, False
        if kind not in _DEAD and kind not in _HOPELESS:
            if trial:
                self.succeeded()
            return
        self._failed += 1
        if trial:
            self._factor = min(self._factor * 2, 10)
        if trial or kind in _HOPELESS or self._failed >= self._limit:
            self._until = self._clock() + self._pause * self._factor
