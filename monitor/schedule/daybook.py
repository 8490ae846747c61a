"""What is known of a model's days when a window is judged: from the history, and from what was just measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.alerts.alert import Alert
from monitor.history.records import DayRecord
from monitor.history.store import Store
from monitor.release.contract import Bound, Side
from monitor.release.days import Days
from monitor.release.lag import LagCurve
from monitor.release.maturity import WINDOWS, Usual, stands_still, usual_of
from monitor.release.paging import Daybook
from monitor.release.variation import LOOK_BACK
from monitor.release.verdict import Key
from monitor.schedule.arrivals import States, changed_at, waiting_days
from monitor.schedule.daily import fingerprint_of, length_of_day
from monitor.schedule.due import DueWindow
from monitor.schedule.watch import Watch


def days_before(
    store: Store, baseline_id: int | None, watch: Watch, due: DueWindow, upto: int | None = None
) -> list[DayRecord]:
    """The days before the window's end that the history knows of what the plan pages by; a year of them.

    *upto* an evaluation, where it is asked what was known of them then.
    """
    if baseline_id is None or not watch.by_days(due.plan):
        return []
    length = length_of_day(watch.model.bucket)
    starts = [due.end - (place + 1) * length for place in range(LOOK_BACK + 1)]
    return store.days(baseline_id, [fingerprint_of(one.check) for one in due.plan.checks], starts, upto)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the history knows when a window is judged: the *days* before its end, of which some are *waiting* for
    outcomes, the model's *alerts* as they are, the *usual* share of predictions with an outcome, and the *curve* that
    tells how late they come."""

    days: Sequence[DayRecord] = ()
    alerts: Sequence[Alert] = ()
    usual: Usual | None = None
    waiting: frozenset[datetime] = frozenset()
    curve: LagCurve | None = None

    @property
    def maturity(self) -> dict[str, Any] | None:
        """What a window took to be judged, as plain data."""
        if self.usual is None:
            return None
        told: dict[str, Any] = {"usual": self.usual.share, "enough": self.usual.part}
        if self.waiting:
            told["waiting"] = [at.isoformat() for at in sorted(self.waiting)]
        if self.curve is None:
            return told
        half, most = self.curve.age_of(0.5), self.curve.age_of(0.95)
        return told | {"half_in": half.total_seconds(), "most_in": most.total_seconds()}


def remembered(
    store: Store, baseline_id: int | None, watch: Watch, due: DueWindow, curve: LagCurve | None, known: States
) -> Memory:
    """What the history knows of days and outcomes before a window's end; the alerts are read where they are locked.

    *known* says of the buckets when they changed.
    """
    days = days_before(store, baseline_id, watch, due)
    if not due.plan.awaits_outcomes:
        return Memory(days)
    judged = store.first_judged(watch.name, due.plan.name, due.end, WINDOWS)
    changed = changed_at(known, watch.model.bucket, due.start, due.end)
    usual = usual_of(judged, curve, watch.outcome_delay, still=stands_still(due.end, changed, due.as_of))
    return Memory(days, usual=usual, waiting=waiting_days(watch, due, curve, known), curve=curve)


def daybook_of(watch: Watch, due: DueWindow, memory: Memory, measured: Sequence[DayRecord]) -> Daybook:
    """The days up to the window's end, what was just *measured* in place of what was known."""
    newest: dict[Key, dict[datetime, DayRecord]] = {}
    for day in (*memory.days, *measured):
        if day.start < due.end and day.start not in memory.waiting:
            newest.setdefault((day.metric, day.column, day.segment), {})[day.start] = day
    here = watch.bounds(due.plan)
    elsewhere = [bound for bound in watch.contract.bounds if bound.pages_by_days and bound not in here]
    period, alerts = watch.contract.false_pages, list(_before(memory.alerts, due.end))
    first = min((start for days in newest.values() for start in days), default=due.end)
    return Daybook(
        days={key: Days(days.values()) for key, days in newest.items()},
        opened=dict(_opened(alerts, due.end)),
        # What fired before the first of the days that are known was about another version.
        fired=len(_fired(alerts, max(due.end - period, first), due.end)),
        period=period,
        others=sum(_looks(alert, elsewhere) for alert in memory.alerts),
    )


def _before(alerts: Iterable[Alert], end: datetime) -> Iterator[Alert]:
    """The alerts as they were before the window that ends at *end*, which may be judged again."""
    for alert in alerts:
        yield alert.before or alert if alert.window_end == end else alert


def _fired(alerts: Iterable[Alert], since: datetime, end: datetime) -> set[datetime]:
    """When any alert fired by its days; those that fired in one window were one page."""
    return {at for alert in alerts for at in alert.fired_at if since < at < end}


def _opened(alerts: Iterable[Alert], end: datetime) -> Iterator[tuple[tuple[Key, Side], datetime]]:
    """Since when each alert fires that did before the window's end."""
    for alert in alerts:
        began = alert.since if alert.condition == "firing" else alert.opened_at
        if alert.side != "blind" and alert.is_open and began is not None and began < end:
            yield ((alert.metric, alert.column, alert.segment), alert.side), began


def _looks(alert: Alert, bounds: Iterable[Bound]) -> int:
    return max((bound.looks for bound in bounds if _is_about(alert, bound)), default=0)


def _is_about(alert: Alert, bound: Bound) -> bool:
    return alert.side == bound.side and bound.applies_to(alert.metric, alert.column, alert.segment)
