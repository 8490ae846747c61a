"""What goes wrong with a call: as scripted, at random, or because Slack's limits were not kept."""

from __future__ import annotations

import math
import random
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.delivery.slack.record import Record

# "reset" and "hang" come before anything is stored; "lost", "truncated", "no_ts" and "500_after" after it.
FAULTS = ("500", "500_after", "reset", "truncated", "html", "no_ts", "lost", "hang", "internal_error")
ACCEPTED_FIRST = ("500_after", "truncated", "no_ts", "lost")
POST = "chat.postMessage"


@dataclass(frozen=True)
class Limited:
    """The fault of asking too often: 429 with this Retry-After."""

    retry_after: float | str


Fault = str | Limited
"""One of FAULTS, Limited, "ok", "late" (done, and answered, only after a while), or the name of a Slack error."""


@dataclass(frozen=True)
class Chaos:
    """Random faults: the share of each, drawn anew for every call; *reads* is the part of it that befalls a search."""

    shares: Mapping[str, float]
    reads: float = 1.0
    seed: int = 0
    retry_after: float = 0.02


class Faults:
    """Decides what befalls a call, and counts posts that Slack had asked not to make."""

    def __init__(self, record: Record, clock: Callable[[], float]) -> None:
        self._record = record
        self._clock = clock
        self._scripts: dict[str, deque[Fault]] = defaultdict(deque)
        self._chaos: Chaos | None = None
        self._random = random.Random(0)
        self._closed_until = -math.inf
        self._posted_at: dict[str, float] = {}
        self.pace: float | None = None
        """The least seconds between two posts to one channel; sooner ones are answered 429."""

    def script(self, method: str, *faults: Fault) -> None:
        self._scripts[method].extend(faults)

    def unleash(self, chaos: Chaos | None) -> None:
        self._chaos = chaos
        self._random = random.Random(chaos.seed if chaos else 0)

    def next(self, method: str, channel: str) -> Fault:
        """What befalls this call."""
        too_soon = self._too_soon(channel) if method == POST else None
        fault: Fault = too_soon or self._scripted(method) or self._drawn(method) or "ok"
        if isinstance(fault, Limited) and method == POST:
            self._close(fault)
        if fault != "ok":
            name = "429" if isinstance(fault, Limited) else fault
            self._record.faults[name] = self._record.faults.get(name, 0) + 1
        return fault

    def _scripted(self, method: str) -> Fault | None:
        return self._scripts[method].popleft() if self._scripts[method] else None

    def _drawn(self, method: str) -> Fault | None:
        if self._chaos is None:
            return None
        drawn = self._random.random()
        if method.startswith("conversations."):
            drawn = drawn / self._chaos.reads
        for fault, share in self._chaos.shares.items():
            drawn -= share
            if drawn < 0:
                return Limited(self._chaos.retry_after) if fault == "429" else fault
        return None

    def _too_soon(self, channel: str) -> Limited | None:
        now = self._clock()
        if now < self._closed_until:
            self._record.violations.append(f"{channel}: {self._closed_until - now:.3f} s before Retry-After had passed")
        if self.pace is None:
            return None
        passed = now - self._posted_at.get(channel, -math.inf)
        if passed < self.pace:
            self._record.violations.append(f"{channel}: {passed:.3f} s after the post before")
            return Limited(math.ceil(self.pace - passed))
        self._posted_at[channel] = now
        return None

    def _close(self, limited: Limited) -> None:
        if isinstance(limited.retry_after, int | float):
            self._closed_until = max(self._closed_until, self._clock() + limited.retry_after)
