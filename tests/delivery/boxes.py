"""A history with notifications in its outbox, for the tests of delivery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert, select

from monitor.alerts.incident import Notification, notification_key
from monitor.delivery.outbox import SqlOutbox
from monitor.delivery.relay import Gate, Relay, tell_everybody
from monitor.delivery.retry import RelayRules
from monitor.history.tables import incidents, outbox
from tests.alerts.scenes import Model, drift, verdict

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
CHANNEL = "slack:#alerts"
SECOND = timedelta(seconds=1)


def story() -> list[Notification]:
    """An incident from its opening to its end: opened, joined, raised, alert resolved, resolved."""
    model = Model()
    told = [
        *model.see(1, drift("breach")).notifications,
        *model.see(2, drift("breach", "wind")).notifications,
        *model.see(3, verdict("breach")).notifications,
        *model.see(4, drift("holds")).notifications,
        *model.see(5, verdict("holds"), drift("holds", "wind")).notifications,
    ]
    assert [one.reason for one in told] == ["opened", "alert_joined", "severity_raised", "alert_resolved", "resolved"]
    return told


def put(
    engine: Engine,
    told: Sequence[Notification],
    *,
    receiver: str = CHANNEL,
    at: datetime = NOW,
    incident: int | None = None,
) -> int:
    """Write notifications of a new incident, or of one that is there; returns the incident's id."""
    with engine.begin() as connection:
        if incident is None:
            opened = {"model": "flight-delay", "version": "2013-04", "severity": "page", "opened_at": at}
            key = connection.execute(insert(incidents).values(**opened)).inserted_primary_key
            assert key is not None
            incident = int(key[0])
        for notification in told:
            connection.execute(
                insert(outbox).values(
                    key=notification_key(incident, notification.sequence, receiver),
                    incident_id=incident,
                    receiver=receiver,
                    reason=notification.reason,
                    message=notification.message.to_data(),
                    state="pending",
                    created_at=at,
                    next_at=at,
                    attempts=0,
                )
            )
        return incident


def put_one_by_one(
    engine: Engine, told: Sequence[Notification], relay: Relay, *, receiver: str = CHANNEL, start: datetime = NOW
) -> datetime:
    """Let each notification be delivered before the next one is due; returns where the clock stands."""
    incident, now = None, start
    for notification in told:
        incident = put(engine, [notification], receiver=receiver, at=now, incident=incident)
        now = drain(relay, now, seconds=2)
    return now


def rows(engine: Engine) -> list[Any]:
    """The outbox, in order."""
    with engine.begin() as connection:
        return list(connection.execute(select(outbox).order_by(outbox.c.id)))


def states(engine: Engine) -> list[str]:
    """The state of each notification, in order."""
    return [row.state for row in rows(engine)]


def drain(relay: Relay, start: datetime = NOW, *, seconds: int = 3600, step: timedelta = SECOND) -> datetime:
    """Let the relay work for that long on a clock of our own; returns where the clock stands."""
    now = start
    while now < start + timedelta(seconds=seconds):
        relay.do_one(now)
        now += step
    return now


def relay_on(engine: Engine, *receivers: Any, rules: RelayRules | None = None, gate: Gate = tell_everybody) -> Relay:
    """A relay over *engine*."""
    return Relay(SqlOutbox(engine), receivers, rules or RelayRules(timeout=SECOND), gate)
