"""From verdicts to people: alerts and the incident move on, and what is to be said goes into the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from monitor.alerts.incident import Incident, advance_model, notification_key
from monitor.alerts.life import Alert
from monitor.alerts.movers import Seen
from monitor.alerts.routing import Routing
from monitor.history.recording import Recording
from monitor.history.records import AlertRecord, EpisodeRecord, IncidentRecord, OutboxRecord
from monitor.release.contract import Severity
from monitor.release.verdict import Verdict
from monitor.schedule.due import DueWindow
from monitor.schedule.watch import Watch


def advance(
    recording: Recording,
    watch: Watch,
    due: DueWindow,
    verdicts: Sequence[Verdict],
    seen: Seen,
    routing: Routing,
    wall: datetime,
) -> int | None:
    """Move the model's alerts and incident by these verdicts; what people are to hear goes into the outbox.

    Returns the id of an incident that was opened.
    """
    alerts = {key: Alert.from_data(data) for key, data in recording.alerts().items()}
    incident = _incident(watch, recording.open_incident())
    changes = advance_model(watch.facts, alerts, incident, verdicts, due.start, due.end, watch.rule, seen)
    recording.save_alerts([_alert(alert, due) for alert in changes.alerts])
    if not changes.notifications or changes.incident is None:
        return None
    incident_id = _save_incident(recording, changes.incident)
    for opened in changes.opened:
        recording.open_episode(incident_id, EpisodeRecord(**asdict(opened)))
    for resolved in changes.resolved:
        recording.resolve_episode(incident_id, resolved.alert_key, resolved.resolved_at)
    for notification in changes.notifications:
        for receiver in routing.receivers(watch.name, watch.model.owner, changes.incident.severity):
            recording.enqueue(
                OutboxRecord(
                    key=notification_key(incident_id, notification.sequence, receiver),
                    incident_id=incident_id,
                    receiver=receiver,
                    reason=notification.reason,
                    message=notification.message.to_data(),
                    created_at=wall,
                )
            )
    return incident_id if changes.incident.id is None else None


def _incident(watch: Watch, stored: IncidentRecord | None) -> Incident | None:
    if stored is None:
        return None
    severity: Severity = "page" if stored.severity == "page" else "warn"
    return Incident(
        stored.id, watch.name, stored.version, severity, stored.opened_at, stored.resolved_at, stored.sequence
    )


def _save_incident(recording: Recording, incident: Incident) -> int:
    if incident.id is None:
        return recording.open_new_incident(
            version=incident.version,
            severity=incident.severity,
            opened_at=incident.opened_at,
            sequence=incident.sequence,
        )
    recording.update_incident(
        incident.id, severity=incident.severity, resolved_at=incident.resolved_at, sequence=incident.sequence
    )
    return incident.id


def _alert(alert: Alert, due: DueWindow) -> AlertRecord:
    return AlertRecord(
        key=alert.key,
        metric=alert.metric,
        side=alert.side,
        condition=alert.condition,
        window_end=alert.window_end or due.end,
        state=alert.to_data(),
        column=alert.column,
        segment=alert.segment,
    )
