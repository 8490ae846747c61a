"""A lane for each receiver: one that hangs holds up nobody else's messages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from monitor.clock import monotonic
from monitor.delivery.outbox import SqlOutbox
from monitor.delivery.receiver import Receiver
from monitor.delivery.relay import Count, Gate, Relay, tell_everybody
from monitor.delivery.retry import RelayRules


class Lane:
    """The relay of one receiver, working off what is due at it."""

    def __init__(
        self, outbox: SqlOutbox, receiver: Receiver, rules: RelayRules, count: Count, gate: Gate = tell_everybody
    ) -> None:
        self.name = receiver.name
        self._relay = Relay(outbox, [receiver], rules, gate, count)
        self._busy = threading.Lock()

    def deliver(self, stop: threading.Event, wall_now: Callable[[], datetime]) -> None:
        """Deliver until nothing is due or *stop* is set. Raises HistoryUnavailable."""
        with self._busy:
            while not stop.is_set() and self._relay.do_one(wall_now()):
                pass

    def finish(self, seconds: float) -> None:
        """Wait that long at most for the delivery under way, and begin no other."""
        self._busy.acquire(timeout=max(seconds, 0))


def finish_all(lanes: Sequence[Lane], seconds: float) -> None:
    """Wait for the deliveries under way, *seconds* for all of them together."""
    until = monotonic() + seconds
    for lane in lanes:
        lane.finish(until - monotonic())
