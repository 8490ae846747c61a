"""The only reader of the clock. Everything else takes ``now`` as an argument."""

from __future__ import annotations

import time
from dataclasses import dataclass
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


@dataclass
class PlayedClock:
    """Monitor time starts at *start* and runs *speed* per second of real time, up to *end*."""

    start: datetime
    speed: timedelta
    end: datetime | None = None

    def __post_init__(self) -> None:
        self._began = monotonic()

    def now(self) -> datetime:
        played = self.start + self.speed * (monotonic() - self._began)
        return played if self.end is None else min(played, self.end)

    def finished(self) -> bool:
        return self.end is not None and self.now() >= self.end


@dataclass
class SteppedClock:
    """Monitor time stands still until it is moved; replay moves it from one due time to the next."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def finished(self) -> bool:
        return False
