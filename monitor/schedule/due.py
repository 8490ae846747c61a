"""Due windows: a pure function of now, the plan and what the history already holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from monitor.history.records import BucketState, WindowRecord
from monitor.schedule.plan import Plan, tile_start, tiles

Reason = Literal["new", "retry", "revision", "too_old"]

FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DueWindow:
    """A window to evaluate (or, when ``too_old``, to record as skipped) and why."""

    plan: Plan
    start: datetime
    end: datetime
    revision: int
    reason: Reason
    as_of: datetime


def due_windows(
    now: datetime,
    plan: Plan,
    *,
    bucket: timedelta,
    outcome_delay: timedelta,
    newest: datetime | None,
    evaluated: Sequence[WindowRecord],
    buckets: Mapping[datetime, BucketState],
    earliest: datetime,
    catch_up: timedelta,
) -> list[DueWindow]:
    """The windows of *plan* due at *now*, oldest first: new ones, failed ones and provisional ones to look at again,
    changed ones to revise.

    *earliest* bounds the very first evaluation of a plan; later ones go on from *newest*, the end of the newest window
    ever evaluated, which may be older than all of *evaluated*.
    Windows that fell due more than *catch_up* ago while nobody was watching are ``too_old``.
    """
    seen = max((state.read_at for state in buckets.values()), default=None)
    found = [*_new(now, plan, outcome_delay, newest, seen, earliest, catch_up)]
    found += _retries(now, plan, evaluated)
    found += _revisions(plan, bucket, evaluated, buckets)
    return sorted(found, key=lambda due: (due.end, due.revision))


def next_due_at(
    now: datetime,
    plan: Plan,
    *,
    outcome_delay: timedelta,
    newest: datetime | None,
    evaluated: Sequence[WindowRecord],
    earliest: datetime,
) -> datetime:
    """When *plan* has something to do next, if no bucket changes until then."""
    after = tile_start(earliest, plan.every) if newest is None else newest
    retries = (at for window in evaluated if (at := _retry_at(plan, window)) is not None)
    return min([after + plan.every + plan.delay(outcome_delay), *(max(at, now) for at in retries)])


def inputs_fingerprint(
    plan: Plan, bucket: timedelta, start: datetime, end: datetime, buckets: Mapping[datetime, BucketState]
) -> str:
    """What a window was measured on: rows (and outcomes, where the plan waits for them) of each of its buckets."""
    parts = []
    for at in tiles(start, end, bucket):
        state = buckets.get(at)
        rows, outcomes = (state.rows, state.outcomes) if state else (0, 0)
        parts.append(f"{rows}/{outcomes}" if plan.awaits_outcomes else f"{rows}")
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:32]


def _new(
    now: datetime,
    plan: Plan,
    outcome_delay: timedelta,
    newest: datetime | None,
    seen: datetime | None,
    earliest: datetime,
    catch_up: timedelta,
) -> Iterator[DueWindow]:
    delay = plan.delay(outcome_delay)
    end = (tile_start(earliest, plan.every) if newest is None else newest) + plan.every
    while end + delay <= now:
        # Where the delay became shorter, this is before what was seen already, and nothing is judged as of then.
        as_of = max(end + delay, seen) if plan.awaits_outcomes and seen is not None else end + delay
        too_old = newest is not None and as_of < now - catch_up
        yield DueWindow(plan, end - plan.window, end, 0, "too_old" if too_old else "new", as_of)
        end += plan.every


def _retry_at(plan: Plan, window: WindowRecord) -> datetime | None:
    """When the window is looked at again: soon where it failed; where it waits for outcomes, at twice its age."""
    if window.state == "failed":
        patience: timedelta = FIRST_RETRY * (1 << min(window.revision, 10))
        return window.evaluated_at + min(LAST_RETRY, patience)
    if window.provisional:
        return window.evaluated_at + max(window.evaluated_at - window.end, plan.every)
    return None


def _retries(now: datetime, plan: Plan, evaluated: Sequence[WindowRecord]) -> Iterator[DueWindow]:
    for window in evaluated:
        at = _retry_at(plan, window)
        if at is not None and at <= now:
            as_of = at if window.provisional else window.evaluated_at
            yield DueWindow(plan, window.start, window.end, window.revision + 1, "retry", as_of)


def _revisions(
    plan: Plan, bucket: timedelta, evaluated: Sequence[WindowRecord], buckets: Mapping[datetime, BucketState]
) -> Iterator[DueWindow]:
    for window in evaluated:
        inside = [buckets.get(at) for at in tiles(window.start, window.end, bucket)]
        known = [state for state in inside if state is not None]
        # A bucket read under another baseline (the features changed, say) tells nothing about this window.
        if window.state != "done" or len(known) < len(inside):
            continue
        if window.inputs == inputs_fingerprint(plan, bucket, window.start, window.end, buckets):
            continue
        read_at = max(state.read_at for state in known)
        yield DueWindow(plan, window.start, window.end, window.revision + 1, "revision", read_at)
