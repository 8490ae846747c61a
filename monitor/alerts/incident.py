"""An incident: the alerts of one group of a model at one time; it opens with the first that fires and ends with the
last. What one window changes of it, as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.alerts.alert import Alert, Condition
from monitor.alerts.life import Step
from monitor.alerts.message import Message, NotificationReason
from monitor.history.records import OutboxRecord
from monitor.release.contract import Severity


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

    *severity* is the highest it ever had, *sequence* counts its notifications. *group* is the metric or segment that it
    is about, where incidents are grouped so, *end_reason* why it is over.
    """

    id: int | None
    model: str
    version: str
    severity: Severity
    opened_at: datetime
    resolved_at: datetime | None = None
    sequence: int = 0
    group: str = ""
    end_reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return self.resolved_at is None


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
class IncidentChange:
    """What one window changed of an incident, which is as it now is; *reopened* are the keys of alerts whose last
    episode goes on."""

    incident: Incident
    notification: Notification
    opened: tuple[EpisodeOpened, ...] = ()
    reopened: tuple[str, ...] = ()
    resolved: tuple[EpisodeResolved, ...] = ()

    @property
    def opens(self) -> bool:
        """Whether it opened, or opened again with another episode."""
        return self.incident.id is None or (self.notification.reason == "reopened" and bool(self.opened))


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of an alert's condition by the window up to *window_end*, told or not."""

    alert: Alert
    window_end: datetime
    before: Condition
    reason: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What one evaluated window changed: alerts, and incidents with at most one notification each."""

    alerts: tuple[Alert, ...] = ()
    incidents: tuple[IncidentChange, ...] = ()
    transitions: tuple[Transition, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def notifications(self) -> tuple[Notification, ...]:
        """Everything that people are told."""
        return tuple(change.notification for change in self.incidents)

    def homes(self, ids: tuple[int, ...]) -> dict[str, int]:
        """The incident of each alert whose episode opened, by its key; *ids* are those of :attr:`incidents`."""
        return {
            episode.alert_key: incident_id
            for change, incident_id in zip(self.incidents, ids, strict=True)
            for episode in change.opened
        }


def notification_key(incident_id: int, sequence: int, receiver: str) -> str:
    """The key of an outbox row: one notification of one incident to one receiver."""
    return f"{incident_id}/{sequence}/{receiver}"


def notifications(
    incident_id: int, sequence: int, message: Message, receivers: Iterable[str], at: datetime
) -> list[OutboxRecord]:
    """One notification of an incident, for each of those who are told of it; *at* is wall time."""
    said = message.to_data()
    return [
        OutboxRecord(notification_key(incident_id, sequence, name), incident_id, name, message.reason, said, at)
        for name in receivers
    ]


def at_home(alert: Alert, homes: dict[str, int]) -> Alert:
    """The alert with the incident in which its episode opened."""
    return replace(alert, incident=homes.get(alert.key, alert.incident))
