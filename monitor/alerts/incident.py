"""An incident: all alerts of one model at one time; it opens with the first that fires and ends with the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.alerts.life import Alert, Rule, Step, advance, alert_key, new_alert
from monitor.alerts.message import Message, NotificationReason
from monitor.alerts.movers import NOTHING_SEEN, Seen
from monitor.alerts.story import Change, Scene, tell
from monitor.release.contract import Bound, Severity
from monitor.release.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What messages say of a model."""

    name: str
    version: str
    owner: str | None = None
    runbook: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident in window time; *id* is None until history gave it one.

    *severity* is the highest it ever had, *sequence* counts its notifications.
    """

    id: int | None
    model: str
    version: str
    severity: Severity
    opened_at: datetime
    resolved_at: datetime | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class EpisodeOpened:
    """An alert began to fire within an incident."""

    alert_key: str
    metric: str
    column: str
    segment: str
    severity: Severity
    opened_at: datetime
    value: float | None
    threshold: float | None


@dataclass(frozen=True, slots=True)
class EpisodeResolved:
    """The alert's open episode ended."""

    alert_key: str
    resolved_at: datetime


@dataclass(frozen=True, slots=True)
class Notification:
    """One message due to every receiver; *sequence* is its place in the incident."""

    reason: NotificationReason
    message: Message
    sequence: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What one evaluated window changed; *incident* is the incident as it now is, None where there is none."""

    alerts: tuple[Alert, ...] = ()
    incident: Incident | None = None
    opened: tuple[EpisodeOpened, ...] = ()
    resolved: tuple[EpisodeResolved, ...] = ()
    notifications: tuple[Notification, ...] = ()
    steps: tuple[Step, ...] = ()


def notification_key(incident_id: int, sequence: int, receiver: str) -> str:
    """The key of an outbox row: one notification of one incident to one receiver."""
    return f"{incident_id}/{sequence}/{receiver}"


def advance_model(
    facts: ModelFacts,
    alerts: Mapping[str, Alert],
    incident: Incident | None,
    verdicts: Sequence[Verdict],
    window_start: datetime,
    window_end: datetime,
    rule: Rule,
    seen: Seen = NOTHING_SEEN,
) -> Changes:
    """Apply the verdicts on one window of a model to its alerts and to its open incident, if there is one.

    A bound with a pending time of its own overrides that of *rule*. However much changes in the window, at most one
    notification follows. Raises ValueError where two verdicts are about one and the same alert.
    """
    steps: dict[str, Step] = {}
    for verdict in verdicts:
        fresh = new_alert(facts.name, verdict)
        if fresh.key in steps:
            raise ValueError(_twice(facts.name, verdict))
        known = alerts.get(fresh.key, fresh)
        steps[fresh.key] = advance(known, verdict, window_end, _rule(verdict.bound, rule), window_start=window_start)
    changed = tuple(step.alert for key, step in steps.items() if step.alert != alerts.get(key))
    after = {**alerts, **{alert.key: alert for alert in changed}}
    moves = tuple(_moves(alerts, steps))
    applied = Changes(alerts=changed, incident=incident, steps=tuple(steps.values()))
    if not moves:
        return applied
    was = _severity_of(alerts)
    return _with_incident(applied, facts, incident, after, moves, window_end, was, seen)


def _severity_of(alerts: Mapping[str, Alert]) -> Severity | None:
    """The highest severity that is open."""
    severities = {alert.severity for alert in alerts.values() if alert.is_open}
    return "page" if "page" in severities else "warn" if severities else None


def _rule(bound: Bound, rule: Rule) -> Rule:
    return replace(rule, pending_for=bound.pending_for) if bound.pending_for else rule


def _twice(model: str, verdict: Verdict) -> str:
    about = (verdict.bound.metric, verdict.column, verdict.segment, verdict.bound.side)
    key = alert_key(model, *about)[:12]
    return (
        f"Two verdicts of model '{model}' are about the same alert {about} ({key}). "
        "One window holds one verdict per metric, column, segment and side."
    )


def _moves(before: Mapping[str, Alert], steps: Mapping[str, Step]) -> list[Change]:
    """The steps that matter to an incident: an alert that opened, was raised or ended."""
    moves = []
    for key, step in steps.items():
        old = before.get(key)
        was_open = old is not None and old.is_open
        if step.alert.is_open and not was_open:
            moves.append(Change("opened", step.alert))
        elif was_open and not step.alert.is_open:
            moves.append(Change("resolved" if step.reason == "resolved" else "revised", step.alert))
        elif was_open and old is not None and (old.severity, step.alert.severity) == ("warn", "page"):
            moves.append(Change("raised", step.alert))
    return moves


def _with_incident(
    applied: Changes,
    facts: ModelFacts,
    incident: Incident | None,
    after: Mapping[str, Alert],
    moves: tuple[Change, ...],
    window_end: datetime,
    was: Severity | None,
    seen: Seen,
) -> Changes:
    severity = _severity_of(after)
    if incident is None:
        if severity is None:
            return applied
        current = Incident(None, facts.name, facts.version, severity, window_end)
        reason: NotificationReason = "opened"
    else:
        reason = _reason(was, severity, moves)
        highest: Severity = "page" if "page" in (incident.severity, severity) else "warn"
        current = replace(incident, severity=highest, resolved_at=window_end if reason == "resolved" else None)
    current = replace(current, sequence=current.sequence + 1)
    shown = severity or current.severity
    message = tell(_scene(facts, current, reason, after, moves, window_end, shown, seen))
    return replace(
        applied,
        incident=current,
        opened=tuple(_episode(move.alert, window_end) for move in moves if move.kind == "opened"),
        resolved=tuple(
            EpisodeResolved(move.alert.key, window_end) for move in moves if move.kind in ("resolved", "revised")
        ),
        notifications=(Notification(reason, message, current.sequence),),
    )


def _reason(was: Severity | None, severity: Severity | None, moves: Sequence[Change]) -> NotificationReason:
    if severity is None:
        return "resolved"
    if (was, severity) == ("warn", "page"):
        return "severity_raised"
    return "alert_joined" if any(move.kind == "opened" for move in moves) else "alert_resolved"


def _scene(
    facts: ModelFacts,
    incident: Incident,
    reason: NotificationReason,
    after: Mapping[str, Alert],
    moves: tuple[Change, ...],
    window_end: datetime,
    severity: Severity,
    seen: Seen,
) -> Scene:
    just_moved = {move.alert.key for move in moves}
    return Scene(
        model=facts.name,
        version=facts.version,
        owner=facts.owner,
        runbook=facts.runbook,
        reason=reason,
        severity=severity,
        opened_at=incident.opened_at,
        window_end=window_end,
        alerts=tuple(alert for alert in after.values() if alert.key in just_moved or _belongs(alert, incident)),
        changes=moves,
        seen=seen,
    )


def _belongs(alert: Alert, incident: Incident) -> bool:
    if alert.is_open:
        return True
    return alert.condition == "resolved" and alert.opened_at is not None and alert.opened_at >= incident.opened_at


def _episode(alert: Alert, window_end: datetime) -> EpisodeOpened:
    return EpisodeOpened(
        alert_key=alert.key,
        metric=alert.metric,
        column=alert.column,
        segment=alert.segment,
        severity=alert.severity,
        opened_at=window_end,
        value=alert.last,
        threshold=alert.threshold,
    )
