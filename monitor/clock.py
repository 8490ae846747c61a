"""The only reader of the clock. Everything else takes ``now`` as an argument."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Monitor time: what windows, alerts and incidents live in. It may be played back."""

    def now(self) -> datetime:
        """The present monitor time, aware and in UTC."""

    def finished(self) -> bool:
        """Whether a played clock has come to its end; the real one never does."""


def wall_now() -> datetime:
    """The time on the wall, for leases and delivery, which are never played back."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that only ever grow, for measuring durations."""
    return time.monotonic()


class RealClock:
    """Monitor time is the time on the wall."""

    def now(self) -> datetime:
        return wall_now()

    def finished(self) -> bool:
        return False


class PlayedClock:
    """Monitor time starts at *start* and runs *speed* per second of real time, up to *end*.

    It waits for the work: never more than *speed* ahead of what ``wait_for`` was told.
    """

    def __init__(self, start: datetime, speed: timedelta, end: datetime | None = None) -> None:
        self._at = start
        self._speed = speed
        self._end = end
        self._read = monotonic()
        self._working_at: datetime | None = None
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            read = monotonic()
            played = self._at + self._speed * (read - self._read)
            self._read = read
            limits = [limit for limit in (self._end, self._limit()) if limit is not None]
            self._at = max(self._at, min([played, *limits]))
            return self._at

    def finished(self) -> bool:
        return self._end is not None and self.now() >= self._end

    def wait_for(self, working_at: datetime | None) -> None:
        """The oldest monitor time that is still being worked on; None where everything is done."""
        with self._lock:
            self._working_at = working_at

    def _limit(self) -> datetime | None:
        return None if self._working_at is None else self._working_at + self._speed
