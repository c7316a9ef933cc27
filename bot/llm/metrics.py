"""Counters of the model's calls, for `/metrics`; made at the first use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram


@dataclass(frozen=True)
class Metrics:
    """Calls by outcome, seconds of a call, sentences cut by reason, turns by what became of them, the breaker."""

    calls: Counter
    seconds: Histogram
    cuts: Counter
    turns: Counter
    breaker: Gauge


@lru_cache(maxsize=1)
def metrics() -> Metrics:
    """The counters of this process."""
    return Metrics(
        calls=Counter("qtic_llm_calls", "Calls to the chat model", ["outcome"]),
        seconds=Histogram("qtic_llm_seconds", "Seconds of a call to the chat model", buckets=(0.5, 1, 2, 4, 8, 16, 32)),
        cuts=Counter("qtic_llm_cuts", "Sentences that the lock cut", ["kind"]),
        turns=Counter("qtic_llm_results", "Turns by what became of them", ["result"]),
        breaker=Gauge("qtic_llm_breaker_open", "1 while the model is not asked because it failed"),
    )
