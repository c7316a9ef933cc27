"""How long things may take and how often they are looked at; tests set shorter ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """All in seconds.

    Args:
        poll: How long Telegram may hold a getUpdates open.
        read: How long an answer of the Bot API may take (beyond `poll`).
        typing_after: A turn shorter than this shows no "typing".
        typing_every: Telegram shows "typing" for five seconds.
        first_pause, longest_pause: Growing pauses between tries.
        direct: How long a turn's own reply is tried before it goes to the outbox.
        webhook: How long the webhook's request is held; then Telegram is asked to come again.
        reorder: How long a webhook's update waits for one with a smaller number that is missing.
        outbox: How often the outbox is looked at.
        bulk_gap: Between two deliveries (Telegram allows about 30 messages a second in all).
        reminders: How often due reminders are looked for.
        goodbye: How long running turns may take to end at shutdown.
    """

    poll: float = 30.0
    read: float = 15.0
    typing_after: float = 0.15
    typing_every: float = 4.0
    first_pause: float = 0.5
    longest_pause: float = 60.0
    direct: float = 20.0
    webhook: float = 25.0
    reorder: float = 0.1
    outbox: float = 1.0
    bulk_gap: float = 0.04
    reminders: float = 20.0
    goodbye: float = 5.0

    def pause(self, attempt: int) -> float:
        """The pause after the `attempt`-th failure (from 0): doubling up to the longest."""
        return float(min(self.first_pause * 2.0 ** min(attempt, 16), self.longest_pause))
