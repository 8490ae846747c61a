"""Which outcomes are in: the lag curve of live outcomes, learned from the buckets, and the days that wait for more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from checks.profile import LAG_EDGES
from monitor.history.records import BaselineRecord, BucketState
from monitor.history.store import Store
from monitor.release.lag import Arrivals, LagCurve, lag_curve
from monitor.release.maturity import ENOUGH, STANDING, Usual, is_provisional, stands_still, usual_when_in
from monitor.schedule.daily import length_of_day
from monitor.schedule.due import DueWindow
from monitor.schedule.plan import tiles
from monitor.schedule.watch import Watch

CELLS = len(LAG_EDGES) + 1

States = Mapping[datetime, BucketState]


def curve_of(baseline: BaselineRecord | None) -> LagCurve | None:
    """How late live outcomes came when that was last learned."""
    return LagCurve(baseline.lag_curve) if baseline is not None and baseline.lag_curve else None


def learned(store: Store, baseline_id: int | None, watch: Watch, due: DueWindow, fresh: States) -> LagCurve | None:
    """The lag curve of the buckets back to ``revise_for``, as they were seen with this window; *fresh* were just read.

    None where that teaches nothing: outcomes have no times, or buckets are too few.
    """
    if baseline_id is None or watch.model.outcomes is None or watch.model.outcomes.time is None:
        return None
    since, step = due.end - watch.model.revise_for, watch.model.bucket
    known = store.bucket_lags(baseline_id, since, due.end) | {at: one for at, one in fresh.items() if since <= at}
    timed = [(at, one) for at, one in known.items() if len(one.lags) == CELLS and at + step <= due.end]
    return lag_curve(Arrivals(one.rows, one.lags, due.as_of - at - step) for at, one in timed)


def changed_at(known: States, step: timedelta, start: datetime, end: datetime) -> datetime:
    """When the buckets of ``[start, end)`` last turned out to be others; their end, where nothing is known of them."""
    return max((known[at].read_at for at in tiles(start, end, step) if at in known), default=end)


def waiting_days(watch: Watch, due: DueWindow, curve: LagCurve | None, known: States) -> frozenset[datetime]:
    """The starts of the days before the window's end that wait for more outcomes, however many the window has."""
    return frozenset(_waiting_days(watch, due, curve, known)) if curve is not None else frozenset()


def _waiting_days(watch: Watch, due: DueWindow, curve: LagCurve, known: States) -> Iterator[datetime]:
    length, step = length_of_day(watch.model.bucket), watch.model.bucket
    share = usual_when_in(curve, watch.outcome_delay)
    for place in range(watch.model.revise_for // length):
        start, end = due.end - (place + 1) * length, due.end - place * length
        inside = [known[at] for at in tiles(start, end, step) if at in known]
        still = stands_still(end, changed_at(known, step, start, end), due.as_of)
        rows, outcomes = sum(one.rows for one in inside), sum(one.outcomes for one in inside)
        if is_provisional(rows, outcomes, Usual(share, STANDING if still else ENOUGH)):
            yield start
