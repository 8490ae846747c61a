"""The life of an alert: inactive, pending, firing, recovering, resolved - in window time, never on a clock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from monitor.release.contract import Severity, Side
from monitor.release.verdict import Verdict

Condition = Literal["inactive", "pending", "firing", "recovering", "resolved"]
StepReason = Literal[
    "stale",  # the window is older than the newest one seen: nothing changes
    "frozen",  # unknown or error: condition and timer stay
    "inconclusive",  # beyond the bound, but within its interval: condition and timer stay
    "holds",  # nothing was wrong and nothing is
    "pending_started",
    "pending_continues",
    "pending_cleared",
    "fired",
    "still_firing",
    "recovering_started",
    "recovering_continues",
    "relapsed",  # it breached again before it had recovered
    "resolved",
]


_TIMES = ("since", "opened_at", "window_end", "decided_start", "decided_end", "last_ok_end")


@dataclass(frozen=True, slots=True)
class Rule:
    """How long a breach must last before the alert fires, and how long it must hold before it is resolved."""

    pending_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Alert:
    """One bound of one metric of one segment, and where it stands after the newest window.

    *since* is the end of the window that began the condition, *opened_at* of the one in which it last fired. *held* is
    the timer of pending and recovering. *first*, *worst* and *last* are values since it fired; *last*, *low*, *high*,
    *threshold*, *released* and *rows* come from the newest window that was decided (ok or breach), which is
    ``[decided_start, decided_end)``. *last_ok* is the value of the window that last held, up to *last_ok_end*. *before*
    is the alert as it was before the newest window, so that a revision of that window can replace its effect.
    """

    key: str
    model: str
    metric: str
    column: str
    segment: str
    side: Side
    severity: Severity
    condition: Condition = "inactive"
    since: datetime | None = None
    held: timedelta = timedelta(0)
    opened_at: datetime | None = None
    window_end: datetime | None = None
    first: float | None = None
    worst: float | None = None
    last: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    released: float | None = None
    rows: int = 0
    decided_start: datetime | None = None
    decided_end: datetime | None = None
    last_ok: float | None = None
    last_ok_end: datetime | None = None
    before: Alert | None = None
    unit: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it belongs to an open incident: it fires, or has not recovered yet."""
        return self.condition in ("firing", "recovering")

    def to_data(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Alert:
        """The alert that :meth:`to_data` wrote."""
        values = dict(data)
        for name in _TIMES:
            values[name] = None if values[name] is None else datetime.fromisoformat(values[name])
        values["held"] = timedelta(seconds=values["held"])
        values["before"] = None if values["before"] is None else cls.from_data(values["before"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Step:
    """What one verdict did to an alert, and why; *revised* when it replaced an earlier verdict on the same window."""

    alert: Alert
    reason: StepReason
    revised: bool = False


def alert_key(model: str, metric: str, column: str, segment: str, side: Side) -> str:
    """The identity of an alert: a hash of what it is about, never of a value, a threshold or a model version."""
    return hashlib.sha256(json.dumps([model, metric, column, segment, side]).encode()).hexdigest()


def new_alert(model: str, verdict: Verdict) -> Alert:
    """The alert of a bound that no window has touched yet."""
    bound = verdict.bound
    key = alert_key(model, bound.metric, verdict.column, verdict.segment, bound.side)
    return Alert(key, model, bound.metric, verdict.column, verdict.segment, bound.side, bound.severity)


def advance(
    alert: Alert, verdict: Verdict, window_end: datetime, rule: Rule, *, window_start: datetime | None = None
) -> Step:
    """Apply the verdict on the window that ends at *window_end*; *window_start* is only remembered, to be shown.

    The timer of pending and recovering counts windows, not a clock: it is zero at the window that began the condition,
    and each later window that confirms it (a breach while pending, a value that holds while recovering) adds the
    distance between its end and the end of the window seen before it. A window that is unknown, error or inconclusive
    is seen and adds nothing, so its share of the time is never counted, however long it lasts. Windows that nobody
    judged leave no trace, and the distance across them counts.

    A window older than the newest one changes nothing. The newest window again is a revision: it is decided anew from
    the alert as it was before that window.
    """
    if alert.window_end is not None and window_end < alert.window_end:
        return Step(alert, "stale")
    revised = window_end == alert.window_end and alert.before is not None
    base = alert.before if revised and alert.before is not None else alert
    reason, moved = _decide(base, verdict, window_end, rule)
    bound = verdict.bound
    known = replace(moved, severity=bound.severity, unit=bound.unit)
    seen = replace(known, window_end=window_end, before=replace(base, before=None))
    if reason != "frozen":
        seen = _with_figures(replace(seen, decided_start=window_start, decided_end=window_end), verdict)
    return Step(seen, reason, revised)


def _decide(alert: Alert, verdict: Verdict, window_end: datetime, rule: Rule) -> tuple[StepReason, Alert]:
    if verdict.state in ("unknown", "error"):
        return "frozen", alert
    if verdict.state == "breach":
        return _breach(alert, window_end, rule)
    if not verdict.clears:
        return "inconclusive", alert
    return _clear(alert, window_end, rule)


def _breach(alert: Alert, window_end: datetime, rule: Rule) -> tuple[StepReason, Alert]:
    if alert.condition == "firing":
        return "still_firing", alert
    if alert.condition == "recovering":
        return "relapsed", _into(alert, "firing", window_end)
    pending = alert.condition == "pending"
    held = alert.held + _distance(alert, window_end) if pending else timedelta(0)
    if held >= rule.pending_for:
        return "fired", replace(_into(alert, "firing", window_end), opened_at=window_end, first=None, worst=None)
    if pending:
        return "pending_continues", replace(alert, held=held)
    return "pending_started", _into(alert, "pending", window_end)


def _clear(alert: Alert, window_end: datetime, rule: Rule) -> tuple[StepReason, Alert]:
    if alert.condition in ("inactive", "resolved"):
        return "holds", alert
    if alert.condition == "pending":
        return "pending_cleared", _into(alert, "inactive", window_end)
    recovering = alert.condition == "recovering"
    held = alert.held + _distance(alert, window_end) if recovering else timedelta(0)
    if held >= rule.keep_firing_for:
        return "resolved", _into(alert, "resolved", window_end)
    if recovering:
        return "recovering_continues", replace(alert, held=held)
    return "recovering_started", _into(alert, "recovering", window_end)


def _into(alert: Alert, condition: Condition, window_end: datetime) -> Alert:
    return replace(alert, condition=condition, since=window_end, held=timedelta(0))


def _distance(alert: Alert, window_end: datetime) -> timedelta:
    return timedelta(0) if alert.window_end is None else window_end - alert.window_end


def _with_figures(alert: Alert, verdict: Verdict) -> Alert:
    alert = replace(
        alert,
        last=verdict.value,
        low=verdict.low,
        high=verdict.high,
        threshold=verdict.threshold,
        released=verdict.released,
        rows=verdict.rows,
    )
    if verdict.clears:
        alert = replace(alert, last_ok=verdict.value, last_ok_end=alert.window_end)
    if not alert.is_open:
        return alert
    first = verdict.value if alert.first is None else alert.first
    return replace(alert, first=first, worst=_worse(alert.side, alert.worst, verdict.value))


def _worse(side: Side, one: float | None, other: float | None) -> float | None:
    known = [value for value in (one, other) if value is not None]
    if not known:
        return None
    return min(known) if side == "min" else max(known)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.to_data() if isinstance(value, Alert) else value
