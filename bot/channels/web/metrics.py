"""Numbers for Prometheus, in a registry of each app's own; those of the process (`bot.llm.metrics`) are added."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.llm.metrics import metrics as llm_metrics
from bot.messages import Reply, Status
from bot.store import Store

_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What is counted. No label carries anything of a person."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self._turns = Counter("qtic_turns", "Turns by status", ["channel", "status"], registry=registry)
        for status in Status:
            self._turns.labels("web", status.value)
        self._latency = Histogram("qtic_turn_seconds", "Time of a turn, kept", buckets=_SECONDS, registry=registry)
        self._steps = Histogram("qtic_step_seconds", "Time of a step", ["step"], buckets=_SECONDS, registry=registry)
        self._requests = Counter("qtic_http_requests", "Requests", ["method", "status"], registry=registry)
        self._queue = Gauge("qtic_tickets", "Questions for staff", ["status"], registry=registry)
        self._deliveries = Gauge("qtic_deliveries", "Deliveries", ["state"], registry=registry)
        self._streams = Gauge("qtic_event_streams", "Open event streams", registry=registry)

    def turn(self, reply: Reply, seconds: float) -> None:
        """Count a turn of the web."""
        self._turns.labels("web", reply.status.value).inc()
        self._latency.observe(seconds)

    def step(self, name: str, seconds: float) -> None:
        """Time a step of the assistant (`Assistant.observe`)."""
        self._steps.labels(name).observe(seconds)

    def request(self, method: str, status: int) -> None:
        """Count a request."""
        self._requests.labels(method, f"{status // 100}xx").inc()

    async def text(self, store: Store, streams: int) -> bytes:
        """Everything in Prometheus' text format. Raises StoreError."""
        llm_metrics()  # so that they are there before the first call
        for gauge, counts in (
            (self._queue, await store.tickets.counts()),
            (self._deliveries, await store.outbox.counts()),
        ):
            gauge.clear()
            for label, number in counts.items():
                gauge.labels(label).set(number)
        self._streams.set(streams)
        return generate_latest(self.registry) + generate_latest(REGISTRY)
