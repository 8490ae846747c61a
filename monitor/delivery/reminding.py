"""Telling again: what is due of the incidents that are open goes into the outbox, and so does an acknowledgement."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from sqlalchemy import Engine

from monitor.alerts.acknowledgement import Acknowledgement, acknowledged
from monitor.alerts.alert import Alert
from monitor.alerts.incident import notifications
from monitor.alerts.message import About, Message
from monitor.alerts.reminders import Reminder, Standing, Told, due, present
from monitor.alerts.words import moment
from monitor.history import incidents, silences
from monitor.history.open_incidents import open_incidents, say
from monitor.history.records import NotificationRecord, OpenIncident, OutboxRecord
from monitor.settings import AlertSettings

log = structlog.get_logger(__name__)

_RECENT = timedelta(days=30)
"""How long ago a silence may have ended that is yet to be told of: longer than a daemon is away."""
_ATTEMPTS = 10
"""Of an acknowledgement, each of which fails only where something else was said of the incident that very moment."""

_UNDELIVERED = ("pending", "blocked")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an acknowledgement, and the sentence for whoever gave it."""

    kind: Literal["acknowledged", "resolved", "unknown", "busy"]
    sentence: str


def remind(engine: Engine, settings: AlertSettings, receivers: Collection[str], now: datetime) -> int:
    """Put every reminder that is due at *now* into the outbox, for those of *receivers* who were told before.

    Any number of daemons may do so at once: each reminder is made once. Returns how many this one made.
    """
    found = open_incidents(engine)
    if not found:
        return 0
    recent = silences.kept(engine, now - _RECENT)
    made = 0
    for incident in found:
        reminder = due(standing(incident), recent, settings, now)
        if reminder is not None:
            made += _say(engine, incident, reminder, receivers, now)
    return made


def acknowledge(engine: Engine, incident_id: int, author: str, comment: str, now: datetime, lasts: timedelta) -> Answer:
    """Acknowledge an incident at its present severity; everyone who was told of it is told so in its thread.

    One that is resolved, or that nobody ever opened, stays as it is.
    """
    for _ in range(_ATTEMPTS):
        found = open_incidents(engine, incident_id)
        if not found:
            return _nothing_to_acknowledge(engine, incident_id, now)
        incident = found[0]
        message = standing(incident).message
        given = Acknowledgement(message.state, author, comment, now, now + lasts)
        rows = _rows(incident, acknowledged(message, given), _told(incident), now)
        if say(engine, incident, rows, given):
            until = moment(given.expires_at)
            return Answer(
                "acknowledged", f"Incident {incident_id} of {incident.model} is acknowledged until {until} UTC."
            )
    return Answer("busy", f"Incident {incident_id} changes all the time; acknowledge it again in a moment.")


def standing(incident: OpenIncident) -> Standing:
    """The incident as the decisions see it."""
    alerts = tuple(alert for alert in map(Alert.from_data, incident.alerts) if alert.is_open)
    by_sequence: dict[int, list[NotificationRecord]] = {}
    for each in incident.notifications:
        by_sequence.setdefault(each.sequence, []).append(each)
    told = tuple(_one(rows) for rows in by_sequence.values())
    message = present(Message.from_data(incident.message), alerts)
    return Standing(message, alerts, told, incident.acknowledgements)


def _one(rows: Sequence[NotificationRecord]) -> Told:
    """One notification, out of its rows for each receiver: told as soon as one of them was."""
    first = rows[0]
    times = [row.sent_at for row in rows if row.sent_at is not None]
    waits = any(row.state in _UNDELIVERED for row in rows)
    return Told(
        first.reason,
        first.severity,
        "told" if times else "waiting" if waits else "suppressed",
        first.created_at,
        min(times, default=first.created_at),
        tuple(About(*about) for about in first.about),
    )


def _say(engine: Engine, incident: OpenIncident, reminder: Reminder, receivers: Collection[str], now: datetime) -> bool:
    told = [name for name in _told(incident) if name in receivers and not _skipped(incident, reminder, name)]
    channel = f"slack:{reminder.channel}"
    if reminder.channel and channel in receivers and channel not in told:
        told.append(channel)
    if not say(engine, incident, _rows(incident, reminder.message, told, now)):
        return False
    log.info(
        "reminder_made",
        message=reminder.message.thread_line,
        incident=incident.id,
        model=incident.model,
        reason=reminder.message.reason,
    )
    return True


def _told(incident: OpenIncident) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.receiver for each in incident.notifications))


def _skipped(incident: OpenIncident, reminder: Reminder, receiver: str) -> bool:
    """Whether a receiver that does not answer is spared the repeats, of which it would get a pile when it is mended."""
    waits = any(each.receiver == receiver and each.state in _UNDELIVERED for each in incident.notifications)
    return waits and reminder.message.reason == "repeat"


def _rows(incident: OpenIncident, message: Message, receivers: Sequence[str], now: datetime) -> list[OutboxRecord]:
    return notifications(incident.id, incident.sequence + 1, message, receivers, now)


def _nothing_to_acknowledge(engine: Engine, incident_id: int, now: datetime) -> Answer:
    known = incidents.story(engine, incident_id, now)
    if known is None:
        return Answer(
            "unknown", f"There is no incident {incident_id}; `model-monitor incidents` lists those there are."
        )
    ended = known.incident.resolved_at
    if ended is None:
        return Answer("resolved", f"Nobody is told of incident {incident_id}, so there is nothing to acknowledge.")
    return Answer(
        "resolved",
        f"Incident {incident_id} of {known.incident.model} is over since {moment(ended)} UTC; "
        "there is nothing to acknowledge.",
    )
