"""From verdicts to people: alerts and incidents move on, and what is to be said goes into the outbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime

from monitor.alerts.acknowledgement import holding, remark
from monitor.alerts.advance import advance_model
from monitor.alerts.alert import Alert
from monitor.alerts.incident import (
    Changes,
    Incident,
    IncidentChange,
    ModelFacts,
    Transition,
    at_home,
    notifications,
)
from monitor.alerts.message import Message
from monitor.alerts.routing import Routing
from monitor.alerts.rule import JudgedWindow
from monitor.history.open_incidents import acknowledgements_since
from monitor.history.recording import Recording
from monitor.history.records import AlertRecord, EpisodeRecord, IncidentRecord, TransitionRecord
from monitor.release.contract import Severity
from monitor.schedule.watch import Watch


def advance(
    recording: Recording, watch: Watch, window: JudgedWindow, routing: Routing, *, evaluation_id: int, wall: datetime
) -> list[int]:
    """Move the model's alerts and incidents by these verdicts; what people are to hear goes into the outbox.

    Returns the ids of the incidents that were opened, for the first time or by a relapse.
    """
    incidents = incidents_of(recording, watch.name)
    changes = advance_model(watch.facts, alerts_of(recording, incidents), incidents, window, watch.rule)
    ids = write_changes(recording, watch.facts, changes, routing, wall, evaluation_id)
    return [found for change, found in zip(changes.incidents, ids, strict=True) if change.opens]


def incidents_of(recording: Recording, model: str) -> list[Incident]:
    """The open incidents of the model, and the newest of each group."""
    return [_incident(model, stored) for stored in recording.incidents()]


def alerts_of(recording: Recording, incidents: Iterable[Incident]) -> dict[str, Alert]:
    """The present state of each alert of the model, by its key."""
    alerts = {key: Alert.from_data(data) for key, data in recording.alerts().items()}
    only = next((incident.id for incident in incidents if incident.is_open), None)
    # Before alerts said which incident is theirs, a model had one open incident at most.
    return {
        key: replace(alert, incident=only) if alert.is_open and alert.incident is None else alert
        for key, alert in alerts.items()
    }


def write_changes(
    recording: Recording,
    facts: ModelFacts,
    changes: Changes,
    routing: Routing,
    wall: datetime,
    evaluation_id: int | None = None,
) -> tuple[int, ...]:
    """Write what changed and what is to be said of it; return the ids of the incidents that did."""
    ids = tuple(_save(recording, facts, change, routing, wall) for change in changes.incidents)
    homes = changes.homes(ids)
    recording.save_alerts(
        [_alert(at_home(alert, homes), alert.window_end) for alert in changes.alerts if alert.window_end]
    )
    transitions = [_transition(one, at_home(one.alert, homes), evaluation_id) for one in changes.transitions]
    recording.transitions(transitions, wall)
    return ids


def _save(recording: Recording, facts: ModelFacts, change: IncidentChange, routing: Routing, wall: datetime) -> int:
    incident_id = _save_incident(recording, change.incident)
    for opened in change.opened:
        recording.open_episode(incident_id, EpisodeRecord(**asdict(opened)))
    for key in change.reopened:
        recording.reopen_episode(incident_id, key)
    for resolved in change.resolved:
        recording.resolve_episode(incident_id, resolved.alert_key, resolved.resolved_at)
    message = _remarked(recording, incident_id, change.notification.message, wall)
    routed = routing.receivers(facts.name, facts.owner, change.incident.severity)
    # Whoever heard of the incident hears how it goes on, also where it is routed elsewhere by now.
    told = dict.fromkeys((*routed, *recording.told(incident_id)))
    for one in notifications(incident_id, change.notification.sequence, message, told, wall):
        recording.enqueue(one)
    return incident_id


def _remarked(recording: Recording, incident_id: int, message: Message, wall: datetime) -> Message:
    """With who has acknowledged the incident, as long as that holds."""
    if message.state == "resolved" or message.reason in ("opened", "reopened"):
        return message
    given = acknowledgements_since(recording.connection, incident_id)
    return replace(message, remark=remark(holding(given, message.state, wall)))


def _save_incident(recording: Recording, incident: Incident) -> int:
    if incident.id is None:
        return recording.open_new_incident(
            version=incident.version,
            severity=incident.severity,
            opened_at=incident.opened_at,
            sequence=incident.sequence,
            group=incident.group,
        )
    recording.update_incident(
        incident.id,
        severity=incident.severity,
        resolved_at=incident.resolved_at,
        sequence=incident.sequence,
        end_reason=incident.end_reason,
    )
    return incident.id


def _incident(model: str, stored: IncidentRecord) -> Incident:
    severity: Severity = "page" if stored.severity == "page" else "warn"
    return Incident(
        id=stored.id,
        model=model,
        version=stored.version,
        severity=severity,
        opened_at=stored.opened_at,
        resolved_at=stored.resolved_at,
        sequence=stored.sequence,
        group=stored.group,
        end_reason=stored.end_reason,
    )


def _alert(alert: Alert, window_end: datetime) -> AlertRecord:
    return AlertRecord(
        key=alert.key,
        metric=alert.metric,
        side=alert.side,
        condition=alert.condition,
        window_end=window_end,
        state=alert.to_data(),
        column=alert.column,
        segment=alert.segment,
    )


def _transition(transition: Transition, alert: Alert, evaluation_id: int | None) -> TransitionRecord:
    in_incident = alert.in_incident or transition.before in ("firing", "recovering")
    return TransitionRecord(
        alert_key=alert.key,
        metric=alert.metric,
        column=alert.column,
        segment=alert.segment,
        side=alert.side,
        window_end=transition.window_end,
        before=transition.before,
        after=alert.condition,
        reason=transition.reason,
        value=alert.last,
        incident_id=alert.incident if in_incident else None,
        evaluation_id=evaluation_id,
    )
