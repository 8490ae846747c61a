"""How often each caller may ask: a bucket of requests that fills up again with time."""

from __future__ import annotations

from collections.abc import Callable

BURST = 200.0
PER_SECOND = 50.0
"""A page loads some dozen files at once; a script that asks one after the other stays far below."""
MOST_CALLERS = 10_000


class Pace:
    """The buckets by caller. Not for several threads at once."""

    def __init__(self, now: Callable[[], float], burst: float = BURST, per_second: float = PER_SECOND) -> None:
        self._now = now
        self._burst = burst
        self._per_second = per_second
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, caller: str) -> float:
        """Take one request out of the bucket; the seconds until there is one again, 0 where there was."""
        now = self._now()
        left, since = self._buckets.pop(caller, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        granted = left >= 1
        self._buckets[caller] = (left - granted, now)  # behind all others: the first is who asked longest ago
        if len(self._buckets) > MOST_CALLERS:
            del self._buckets[next(iter(self._buckets))]
        return 0.0 if granted else (1 - left) / self._per_second
