"""Plans: the checks of one model that share a window, a cadence and whether they wait for outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from checks.contract import Check
from monitor.release.contract import PlannedCheck, ReleaseContract
from monitor.release.words import duration

ANCHOR = datetime(1970, 1, 5, tzinfo=UTC)
"""A Monday; every bucket, window and cadence of every model is a tile counted from here."""
AWAITS_OUTCOMES = " with outcomes"
"""How the name of such a plan ends."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is evaluated together: over *window*, each *every*, at the window's end or once outcomes are in."""

    name: str
    window: timedelta
    every: timedelta
    awaits_outcomes: bool
    checks: tuple[PlannedCheck, ...]

    def instead(self, check: Check | None) -> Plan:
        """The plan with nothing but *check* in it, or as it is."""
        return self if check is None else replace(self, checks=(PlannedCheck(check, self.window, self.every),))

    def delay(self, outcome_delay: timedelta) -> timedelta:
        """How long after its end a window is judged."""
        return outcome_delay if self.awaits_outcomes else timedelta(0)

    @property
    def reach(self) -> timedelta:
        """How far back its checks want what they measured before."""
        return max((one.check.needs().past for one in self.checks), default=timedelta(0))

    @property
    def seasonal(self) -> frozenset[str]:
        """The metrics of the checks that want what they measured before."""
        asking = (one.check for one in self.checks if one.check.needs().past)
        return frozenset(metric.name for check in asking for metric in check.metrics)

    def check_of(self, metric: str) -> str:
        """The kind of the check that measures *metric*; "" where none of the plan does."""
        kinds = (one.check.kind for one in self.checks for known in one.check.metrics if known.name == metric)
        return next(kinds, "")


def plans_of(contract: ReleaseContract) -> tuple[Plan, ...]:
    """Group the contract's checks into plans, in a fixed order."""
    groups: dict[tuple[timedelta, timedelta, bool], list[PlannedCheck]] = {}
    for planned in contract.checks:
        key = (planned.window, planned.every, planned.check.needs().outcomes)
        groups.setdefault(key, []).append(planned)
    return tuple(
        Plan(_name(window, every, awaits), window, every, awaits, tuple(groups[window, every, awaits]))
        for window, every, awaits in sorted(groups)
    )


def _name(window: timedelta, every: timedelta, awaits_outcomes: bool) -> str:  # noqa: FBT001  # private, one caller
    suffix = AWAITS_OUTCOMES if awaits_outcomes else ""
    return f"{duration(window)} each {duration(every)}{suffix}"


def tile_start(at: datetime, step: timedelta) -> datetime:
    """The start of the tile of length *step* that holds *at*."""
    return ANCHOR + ((at - ANCHOR) // step) * step


def tiles(start: datetime, end: datetime, step: timedelta) -> Sequence[datetime]:
    """The starts of the tiles that make up ``[start, end)``."""
    return [start + step * index for index in range((end - start) // step)]
