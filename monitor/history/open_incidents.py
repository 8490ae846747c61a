"""Incidents that are not resolved: how they stand, what was said of them, and one notification more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, case, func, insert, select, update

from monitor.history.engine import reading
from monitor.history.recording import enqueue
from monitor.history.records import Acknowledgement, NotificationRecord, OpenIncident, OutboxRecord
from monitor.history.tables import acknowledgements, alerts, episodes, incidents, outbox
from monitor.history.values import words

_AUTHOR = 200
_ACKNOWLEDGEMENT = ("severity", "author", "comment", "created_at", "expires_at")


def open_incidents(engine: Engine, incident_id: int | None = None) -> list[OpenIncident]:
    """Those of which somebody was, or is, to be told; all of them or the one of that id."""
    asked = select(incidents.c.id, incidents.c.model, incidents.c.sequence).where(incidents.c.resolved_at.is_(None))
    if incident_id is not None:
        asked = asked.where(incidents.c.id == incident_id)
    with reading(engine) as connection:
        found = connection.execute(asked.order_by(incidents.c.id)).all()
        if not found:
            return []
        ids = [row.id for row in found]
        messages, states = _messages(connection, ids), _alerts(connection, ids)
        notifications, seen = _notifications(connection, ids), _acknowledgements(connection, ids)
    return [
        OpenIncident(*row, messages[row.id], tuple(states[row.id]), tuple(notifications[row.id]), tuple(seen[row.id]))
        for row in found
        if row.id in messages
    ]


def say(
    engine: Engine,
    incident: OpenIncident,
    notifications: Sequence[OutboxRecord],
    acknowledgement: Acknowledgement | None = None,
) -> bool:
    """Put the next notification of an incident into the outbox, with the acknowledgement that it tells of.

    False, and nothing is written, where the incident is resolved or anything was said of it since it was read: of
    several who decide at once, one speaks.
    """
    unchanged = (incidents.c.id == incident.id, incidents.c.sequence == incident.sequence)
    with engine.begin() as connection:
        taken = connection.execute(
            update(incidents)
            .where(*unchanged, incidents.c.resolved_at.is_(None))
            .values(sequence=incident.sequence + 1)
        )
        if taken.rowcount != 1:
            return False
        if acknowledgement is not None:
            _acknowledge(connection, incident.id, acknowledgement)
        for notification in notifications:
            enqueue(connection, notification)
        return True


def acknowledgements_since(connection: Connection, incident_id: int) -> list[Acknowledgement]:
    """Those of one incident since it was opened, or was last opened again; oldest first."""
    mine = (acknowledgements.c.incident_id == incident_id, not_before_reopening())
    columns = [acknowledgements.c[name] for name in _ACKNOWLEDGEMENT]
    found = connection.execute(select(*columns).where(*mine).order_by(acknowledgements.c.id))
    return [Acknowledgement(*row) for row in found]


def not_before_reopening() -> ColumnElement[bool]:
    """Of acknowledgements: what was seen before the incident was opened again does not count."""
    again = (outbox.c.incident_id == acknowledgements.c.incident_id, outbox.c.reason == "reopened")
    reopened_at = select(func.max(outbox.c.created_at)).where(*again).correlate(acknowledgements).scalar_subquery()
    return acknowledgements.c.created_at >= func.coalesce(reopened_at, acknowledgements.c.created_at)


def _acknowledge(connection: Connection, incident_id: int, given: Acknowledgement) -> None:
    row = {name: getattr(given, name) for name in _ACKNOWLEDGEMENT}
    clean = {"author": words(given.author, _AUTHOR), "comment": words(given.comment)}
    connection.execute(insert(acknowledgements), {**row, **clean, "incident_id": incident_id})


def _messages(connection: Connection, ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """The newest of each incident."""
    newest = select(func.max(outbox.c.id)).where(outbox.c.incident_id.in_(ids)).group_by(outbox.c.incident_id)
    asked = select(outbox.c.incident_id, outbox.c.message).where(outbox.c.id.in_(newest.scalar_subquery()))
    return {row.incident_id: row.message for row in connection.execute(asked)}


def _alerts(connection: Connection, ids: Sequence[int]) -> dict[int, list[Mapping[str, Any]]]:
    still_open = (episodes.c.incident_id.in_(ids), episodes.c.resolved_at.is_(None))
    joined = episodes.join(alerts, alerts.c.key == episodes.c.alert_key)
    asked = select(episodes.c.incident_id, alerts.c.state).select_from(joined).where(*still_open)
    found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in connection.execute(asked.order_by(episodes.c.opened_at, episodes.c.id)):
        found[row.incident_id].append(row.state)
    return found


def _notifications(connection: Connection, ids: Sequence[int]) -> dict[int, list[NotificationRecord]]:
    """Without their messages, which are long, and there may be hundreds."""
    names = ("incident_id", "key", "receiver", "reason", "state", "created_at", "sent_at")
    columns: list[Any] = [outbox.c[name] for name in names]
    columns.append(outbox.c.message["state"].as_string().label("severity"))
    columns.append(case((outbox.c.state == "suppressed", outbox.c.message["about"])).label("about"))
    asked = select(*columns).where(outbox.c.incident_id.in_(ids)).order_by(outbox.c.id)
    found: dict[int, list[NotificationRecord]] = defaultdict(list)
    for row in connection.execute(asked):
        found[row.incident_id].append(_notification(row))
    return found


def _notification(row: Row[Any]) -> NotificationRecord:
    return NotificationRecord(
        sequence=int(row.key.split("/")[1]),
        receiver=row.receiver,
        reason=row.reason,
        severity=row.severity,
        state=row.state,
        created_at=row.created_at,
        sent_at=row.sent_at,
        about=tuple((metric, segment, severity) for metric, segment, severity in row.about or ()),
    )


def _acknowledgements(connection: Connection, ids: Sequence[int]) -> dict[int, list[Acknowledgement]]:
    columns = [acknowledgements.c[name] for name in _ACKNOWLEDGEMENT]
    asked = select(acknowledgements.c.incident_id, *columns).where(acknowledgements.c.incident_id.in_(ids))
    found: dict[int, list[Acknowledgement]] = defaultdict(list)
    for row in connection.execute(asked.order_by(acknowledgements.c.id)):
        found[row.incident_id].append(Acknowledgement(*row[1:]))
    return found
