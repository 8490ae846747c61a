"""From what alerts did in a window to what becomes of their incidents, and the one thing that is said of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.alerts.alert import Alert
from monitor.alerts.grouping import Rules, group_of
from monitor.alerts.incident import EpisodeOpened, EpisodeResolved, Incident, IncidentChange, ModelFacts, Notification
from monitor.alerts.message import NotificationReason
from monitor.alerts.movers import Seen
from monitor.alerts.story import Change, ChangeKind, Scene, tell
from monitor.release.contract import Severity


@dataclass(slots=True)
class _Case:
    """An incident and what happened to its alerts."""

    incident: Incident
    moves: list[Change] = field(default_factory=list)


def changed_incidents(
    facts: ModelFacts,
    before: Mapping[str, Alert],
    after: Mapping[str, Alert],
    rules: Rules,
    moves: Sequence[Change],
    window_end: datetime,
    seen: Seen,
) -> tuple[IncidentChange, ...]:
    """Each incident that the moves touch, as it is afterwards, with its notification."""
    cases = _cases(facts, before, rules, moves, window_end)
    opened = {move.alert.key: replace(move.alert, incident=None) for move in moves if move.begins}
    after = {**after, **opened}  # whose last incident they belong to no more
    return tuple(_changed(facts, case, before, after, window_end, seen) for case in cases)


def _cases(
    facts: ModelFacts, before: Mapping[str, Alert], rules: Rules, moves: Sequence[Change], window_end: datetime
) -> list[_Case]:
    """The moves by incident. What goes on does so where it was; what begins joins the open incident of its group, a
    relapse the one that it opens again."""
    by_id = {incident.id: _Case(incident) for incident in rules.incidents}
    open_now = {incident.group: by_id[incident.id] for incident in rules.incidents if incident.is_open}
    for move in moves:
        if not move.begins:
            case = by_id[before[move.alert.key].incident]
            case.moves.append(move)
            if move.kind == "reopened":
                open_now[case.incident.group] = case
    for move in sorted((move for move in moves if move.begins), key=lambda move: move.kind != "relapsed"):
        group = group_of(move.alert, rules.rule.group_by)
        last = rules.relapse_of(move.alert, window_end) if move.kind == "relapsed" else None
        opened = Incident(None, facts.name, facts.version, move.alert.severity, window_end, group=group)
        home = _Case(opened) if last is None else by_id[last.id]
        open_now.setdefault(group, home).moves.append(move)
    return [case for case in (*by_id.values(), *_new(open_now.values())) if case.moves]


def _new(cases: Iterable[_Case]) -> Iterator[_Case]:
    return (case for case in cases if case.incident.id is None)


def _changed(
    facts: ModelFacts,
    case: _Case,
    before: Mapping[str, Alert],
    after: Mapping[str, Alert],
    window_end: datetime,
    seen: Seen,
) -> IncidentChange:
    was, severity = _severity(_members(case, before.values())), _severity(_members(case, after.values()))
    reason = _reason(case, was, severity)
    incident = _moved_on(case, severity, window_end)
    keys = {move.alert.key for move in case.moves}
    shown = [alert for alert in after.values() if alert.key in keys or _belongs(alert, incident)]
    scene = Scene(
        model=facts.name,
        version=facts.version,
        owner=facts.owner,
        runbook=facts.runbook,
        reason=reason,
        severity=severity or incident.severity,
        opened_at=incident.opened_at,
        window_end=window_end,
        alerts=tuple(shown),
        changes=tuple(case.moves),
        seen=seen,
    )
    return IncidentChange(
        incident=incident,
        notification=Notification(reason, tell(scene), incident.sequence),
        opened=tuple(_episode(move.alert, window_end) for move in case.moves if move.begins),
        reopened=tuple(move.alert.key for move in case.moves if move.kind == "reopened"),
        resolved=tuple(EpisodeResolved(move.alert.key, window_end) for move in case.moves if move.kind in ENDS),
    )


ENDS = ("resolved", "revised", "closed")
"""The kinds of change that end an alert's episode."""


def _members(case: _Case, alerts: Iterable[Alert]) -> Iterator[Alert]:
    opened = {move.alert.key for move in case.moves if move.begins}
    return (alert for alert in alerts if alert.key in opened or _belongs(alert, case.incident))


def _belongs(alert: Alert, incident: Incident) -> bool:
    return incident.id is not None and alert.incident == incident.id


def _severity(alerts: Iterable[Alert]) -> Severity | None:
    """The highest severity that keeps an incident open."""
    severities = {alert.severity for alert in alerts if alert.in_incident}
    return "page" if "page" in severities else "warn" if severities else None


def _moved_on(case: _Case, severity: Severity | None, window_end: datetime) -> Incident:
    """The incident after the window; *severity* is what is open then."""
    incident = replace(case.incident, sequence=case.incident.sequence + 1)
    if severity is None:
        closed = next((move.because for move in case.moves if move.because is not None), None)
        return replace(incident, resolved_at=window_end, end_reason=closed or "resolved")
    highest: Severity = "page" if "page" in (incident.severity, severity) else "warn"
    return replace(incident, severity=highest, resolved_at=None, end_reason="")


def _reason(case: _Case, was: Severity | None, severity: Severity | None) -> NotificationReason:
    """Why people are told; of several reasons the one that asks most of them."""
    kinds = {move.kind for move in case.moves}
    if severity is None or "closed" in kinds:
        return "closed" if "closed" in kinds else "resolved"
    if case.incident.id is None or not case.incident.is_open:
        return "opened" if case.incident.id is None else "reopened"
    if (was, severity) == ("warn", "page"):
        return "severity_raised"
    return next(_REASONS[kind] for kind in _REASONS if kind in kinds)


_REASONS: Mapping[ChangeKind, NotificationReason] = {
    "raised": "severity_raised",
    "opened": "alert_joined",
    "relapsed": "alert_joined",
    "reopened": "alert_joined",
    "flapping": "flapping",
    "steady": "flapping",
    "resolved": "alert_resolved",
    "revised": "alert_resolved",
}


def _episode(alert: Alert, window_end: datetime) -> EpisodeOpened:
    return EpisodeOpened(
        alert_key=alert.key,
        metric=alert.metric,
        column=alert.column,
        segment=alert.segment,
        severity=alert.severity,
        opened_at=window_end,
        value=None if alert.side == "blind" else alert.last,
        threshold=None if alert.side == "blind" else alert.threshold,
    )
