"""The life of an alert: inactive, pending, firing, recovering, resolved - in window time, never on a clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from monitor.alerts.alert import MOST_FIRED, Alert, AlertSide, Condition
from monitor.alerts.flapping import observed
from monitor.alerts.rule import Rule
from monitor.release.verdict import Verdict

Event = Literal["breach", "clear", "not_clear", "inconclusive", "unknown"]
"""What a window says to an alert; ``not_clear``: on the promised side, short of the bound's clear."""

StepReason = Literal[
    "stale",  # the window is older than the newest one seen: nothing changes
    "waiting",  # its outcomes are not in: what it says is open, and meanwhile an older window may be the newest that is
    "frozen",  # unknown or error: condition and timer stay
    "inconclusive",  # beyond the bound, but within its interval: condition and timer stay
    "not_clear",  # open, and the value is back but short of the bound's clear: condition and timer stay
    "holds",  # nothing was wrong and nothing is
    "pending_started",
    "pending_continues",
    "pending_cleared",
    "fired",
    "reopened",  # it breached again soon after it was resolved: the same episode goes on
    "still_firing",
    "recovering_started",
    "recovering_continues",
    "relapsed",  # it breached again before it had recovered
    "resolved",
    "inhibited",  # it would fire, and another alert tells the cause: it stays pending
]


@dataclass(frozen=True, slots=True)
class Step:
    """What one window did to an alert, and why; *revised* when it replaced an earlier verdict on the same window."""

    alert: Alert
    reason: StepReason
    revised: bool = False


def advance(
    alert: Alert, verdict: Verdict, window_end: datetime, rule: Rule, *, window_start: datetime | None = None
) -> Step:
    """Apply the verdict on the window that ends at *window_end*; *window_start* is only remembered, to be shown."""
    event = event_of(verdict)
    if event == "unknown" and verdict.awaits_outcomes and alert.window_end != window_end:
        newest = max(window_end, alert.waiting_end or window_end)
        return Step(replace(alert, waiting_end=newest), "waiting")
    step = move(alert, event, window_end, rule)
    if step.reason == "stale":
        return step
    seen = replace(step.alert, severity=verdict.bound.severity, unit=verdict.bound.unit)
    if step.reason != "frozen":
        since = verdict.since or window_start
        seen = _with_figures(replace(seen, decided_start=since, decided_end=window_end), verdict)
    if step.reason == "fired" and seen.by_days:
        seen = replace(seen, fired_at=(*seen.fired_at, window_end)[-MOST_FIRED:])
    return replace(step, alert=seen)


def event_of(verdict: Verdict) -> Event:
    """What a verdict says to the alert of its bound."""
    if verdict.state in ("unknown", "error"):
        return "unknown"
    if verdict.state == "breach":
        return "breach"
    if verdict.clears:
        return "clear"
    return "not_clear" if verdict.reason == "not_clear" else "inconclusive"


def move(alert: Alert, event: Event, window_end: datetime, rule: Rule) -> Step:
    """Apply what the window that ends at *window_end* says to an alert.

    The timer of pending and recovering counts windows, not a clock: it is zero at the window that began the condition,
    and each later window that confirms it (a breach while pending, a value that clears while recovering) adds the
    distance between its end and the end of the window seen before it. A window that says neither is seen and adds
    nothing, so its share of the time is never counted, however long it lasts. Windows that nobody judged leave no
    trace, and the distance across them counts.

    A window older than the newest one changes nothing. The newest window again is a revision: it is decided anew from
    the alert as it was before that window.
    """
    if alert.window_end is not None and window_end < alert.window_end:
        return Step(alert, "stale")
    revised = window_end == alert.window_end and alert.before is not None
    base = alert
    if revised and alert.before is not None:
        base = replace(alert.before, incident=alert.incident, ended_at=alert.ended_at)
    reason, moved = _decide(base, event, window_end, rule)
    if event != "unknown":
        moved = observed(base, moved)
    before = replace(base, before=None, incident=None, ended_at=None)  # these two are always the newest alert's
    seen = replace(moved, window_end=window_end, before=before)
    return Step(replace(seen, ended_at=_ended_at(alert, seen)), reason, revised)


def _decide(alert: Alert, event: Event, window_end: datetime, rule: Rule) -> tuple[StepReason, Alert]:
    if event == "unknown":
        return "frozen", alert
    if event == "inconclusive":
        return "inconclusive", alert
    if event == "breach":
        return _breach(alert, window_end, rule)
    if event == "not_clear" and alert.is_open:
        return "not_clear", alert
    return _clear(alert, window_end, rule)


def _breach(alert: Alert, window_end: datetime, rule: Rule) -> tuple[StepReason, Alert]:
    if alert.condition == "firing":
        return "still_firing", alert
    if alert.condition == "recovering":
        return "relapsed", _into(alert, "firing", window_end)
    if alert.condition == "resolved" and alert.since is not None and window_end - alert.since <= rule.reopen_for:
        return "reopened", _into(alert, "firing", window_end)
    pending = alert.condition == "pending"
    held = alert.held + _distance(alert, window_end) if pending else timedelta(0)
    if held >= rule.pending_for:
        return "fired", replace(_into(alert, "firing", window_end), opened_at=window_end, first=None, worst=None)
    if pending:
        return "pending_continues", replace(alert, held=held)
    return "pending_started", _into(alert, "pending", window_end)


def _clear(alert: Alert, window_end: datetime, rule: Rule) -> tuple[StepReason, Alert]:
    if alert.condition == "pending":
        return "pending_cleared", _into(alert, "inactive", window_end)
    if not alert.is_open:
        return "holds", alert
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
    seen = [end for end in (alert.window_end, alert.waiting_end) if end is not None and end < window_end]
    return window_end - max(seen, default=window_end)


def _ended_at(told: Alert, seen: Alert) -> datetime | None:
    """When its newest episode ended, as people have been told."""
    if seen.in_incident:
        return None
    return seen.window_end if told.in_incident else told.ended_at


def _with_figures(alert: Alert, verdict: Verdict) -> Alert:
    alert = replace(
        alert,
        last=verdict.value,
        low=verdict.low,
        high=verdict.high,
        threshold=verdict.threshold,
        released=verdict.released,
        rows=verdict.rows,
        by_days=verdict.since is not None,
    )
    if verdict.holds:
        alert = replace(alert, last_ok=verdict.value, last_ok_end=alert.window_end)
    if not alert.is_open:
        return alert
    first = verdict.value if alert.first is None else alert.first
    return replace(alert, first=first, worst=_worse(alert.side, alert.worst, verdict.value))


def _worse(side: AlertSide, one: float | None, other: float | None) -> float | None:
    known = [value for value in (one, other) if value is not None]
    if not known:
        return None
    return min(known) if side == "min" else max(known)
