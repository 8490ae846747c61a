"""The daemon's own signs of life, kept in memory: read by /healthz, /metrics and the watchdog."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from monitor.clock import monotonic


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An evaluation that this daemon is at: *check* is "" while rows are read; *done* of *checks* have been begun.

    *began* is monotonic.
    """

    model: str
    plan: str
    start: datetime
    end: datetime
    checks: int
    began: float
    check: str = ""
    done: int = 0


class Vitals:
    """Counters that only grow, values that come and go, when the daemon last ticked, and what it is at."""

    def __init__(self, *, stale_after: float) -> None:
        self.stale_after = stale_after
        self._lock = threading.Lock()
        self._ticked = monotonic()
        self._counts: dict[tuple[str, ...], float] = defaultdict(float)
        self._newest: dict[tuple[str, ...], float] = {}
        self._under_way: dict[str, UnderWay] = {}

    def tick(self) -> None:
        """The scheduler is alive now."""
        with self._lock:
            self._ticked = monotonic()
            self._counts["ticks",] += 1

    def tick_age(self) -> float:
        """Seconds since the last tick."""
        return monotonic() - self._ticked

    def stale(self) -> bool:
        """Whether the tick has stopped."""
        return self.tick_age() > self.stale_after

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        """Add *by* to a counter."""
        with self._lock:
            self._counts[name, *labels] += by

    def note(self, name: str, *labels: str, value: float) -> None:
        """Keep the newest value of what goes up and down."""
        with self._lock:
            self._newest[name, *labels] = value

    def counts(self, name: str) -> dict[tuple[str, ...], float]:
        """A counter's values by its labels."""
        with self._lock:
            return {key[1:]: value for key, value in self._counts.items() if key[0] == name}

    def noted(self, name: str) -> dict[tuple[str, ...], float]:
        """The newest values by their labels."""
        with self._lock:
            return {key[1:]: value for key, value in self._newest.items() if key[0] == name}

    def at_work(self, one: UnderWay) -> None:
        """This is being evaluated now; a model has one evaluation at a time."""
        with self._lock:
            self._under_way[one.model] = one

    def at_rest(self, model: str) -> None:
        """Nothing of the model is being evaluated any more."""
        with self._lock:
            self._under_way.pop(model, None)

    def under_way(self) -> list[UnderWay]:
        """What is being evaluated now, by model."""
        with self._lock:
            return sorted(self._under_way.values(), key=lambda one: one.model)
