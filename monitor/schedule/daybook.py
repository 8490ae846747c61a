"""What is known of a model's days when a window is judged: from the history, and from what was just measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.alerts.alert import Alert
from monitor.history.records import DayRecord
from monitor.history.store import Store
from monitor.release.contract import Bound, Side
from monitor.release.days import Day, Days
from monitor.release.maturity import WINDOWS, usual_share
from monitor.release.paging import Daybook
from monitor.release.variation import LOOK_BACK
from monitor.release.verdict import Key
from monitor.schedule.daily import fingerprint_of, length_of_day
from monitor.schedule.due import DueWindow
from monitor.schedule.watch import Watch


def days_before(store: Store, baseline_id: int | None, watch: Watch, due: DueWindow) -> list[DayRecord]:
    """The days before the window's end that the history knows of what the plan pages by; a year of them."""
    if baseline_id is None or not watch.by_days(due.plan):
        return []
    length = length_of_day(watch.model.bucket)
    starts = [due.end - (place + 1) * length for place in range(LOOK_BACK + 1)]
    return store.days(baseline_id, [fingerprint_of(one.check) for one in due.plan.checks], starts)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the history knows when a window is judged: the *days* before its end, the model's *alerts* as they are, and
    the *usual* share of predictions with an outcome."""

    days: Sequence[DayRecord] = ()
    alerts: Sequence[Alert] = ()
    usual: float | None = None


def remembered(store: Store, baseline_id: int | None, watch: Watch, due: DueWindow) -> Memory:
    """What the history knows of days and outcomes before a window's end; the alerts are read where they are locked."""
    judged = store.first_judged(watch.name, due.plan.name, due.end, WINDOWS) if due.plan.awaits_outcomes else []
    return Memory(days_before(store, baseline_id, watch, due), usual=usual_share(judged))


def daybook_of(watch: Watch, due: DueWindow, memory: Memory, measured: Sequence[DayRecord]) -> Daybook:
    """The days up to the window's end, what was just *measured* in place of what was known."""
    newest = {_place(day): day for day in (*memory.days, *measured) if day.start < due.end}
    series: dict[Key, list[Day]] = {}
    for day in newest.values():
        series.setdefault((day.metric, day.column, day.segment), []).append(
            Day(day.start, day.value, day.rows, day.error)
        )
    here = watch.bounds(due.plan)
    elsewhere = [bound for bound in watch.contract.bounds if bound.pages_by_days and bound not in here]
    return Daybook(
        days={key: Days(days) for key, days in series.items()},
        opened=dict(_opened(memory.alerts, due.end)),
        period=watch.contract.false_pages,
        others=sum(any(_is_about(alert, bound) for bound in elsewhere) for alert in memory.alerts),
    )


def _place(day: DayRecord) -> tuple[str, str, str, datetime]:
    return day.metric, day.column, day.segment, day.start


def _opened(alerts: Iterable[Alert], end: datetime) -> Iterator[tuple[tuple[Key, Side], datetime]]:
    """Since when each alert fires that did before the window's end."""
    for newest in alerts:
        # Judged again, a window finds the alert as it was before that window.
        alert = newest.before or newest if newest.window_end == end else newest
        began = alert.since if alert.condition == "firing" else alert.opened_at
        if alert.side != "blind" and alert.is_open and began is not None and began < end:
            yield ((alert.metric, alert.column, alert.segment), alert.side), began


def _is_about(alert: Alert, bound: Bound) -> bool:
    return alert.side == bound.side and bound.applies_to(alert.metric, alert.column, alert.segment)
