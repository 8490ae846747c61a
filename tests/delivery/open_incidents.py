"""Incidents with open alerts in a history, for the tests of reminders and of commands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, insert, update

from monitor.alerts.incident import ModelFacts, notification_key
from monitor.history.tables import alerts, episodes, incidents, outbox
from tests.alerts.scenes import FACTS, Model, drift, verdict
from tests.delivery.boxes import CHANNEL

T0 = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def open_one(
    engine: Engine,
    *,
    state: str = "sent",
    receivers: tuple[str, ...] = (CHANNEL,),
    page: bool = True,
    name: str = "",
    facts: ModelFacts = FACTS,
) -> int:
    """An incident with one open alert whose first notification, made at T0, is in *state*; returns its id."""
    model = Model(facts=facts)
    message = model.see(1, verdict("breach") if page else drift("breach")).notifications[0].message
    alert = next(iter(model.alerts.values()))
    key = f"{alert.key[:40]}{name}"
    with engine.begin() as connection:
        opened = {
            "model": facts.name,
            "version": facts.version,
            "severity": alert.severity,
            "opened_at": T0,
            "sequence": 1,
        }
        incident = connection.execute(insert(incidents).returning(incidents.c.id), opened).scalar_one()
        about = {"metric": alert.metric, "column": alert.column, "segment": alert.segment}
        stored = {"side": alert.side, "state": alert.to_data(), "condition": alert.condition, "window_end": T0}
        connection.execute(insert(alerts), {"key": key, "model": facts.name, **about, **stored})
        episode = {"incident_id": incident, "alert_key": key, "severity": alert.severity, "opened_at": T0}
        connection.execute(insert(episodes), {**about, **episode})
        for receiver in receivers:
            row = {"key": notification_key(incident, 1, receiver), "incident_id": incident, "receiver": receiver}
            told = {"state": state, "sent_at": T0 if state == "sent" else None}
            times = {"created_at": T0, "next_at": T0}
            connection.execute(
                insert(outbox), {**row, **told, **times, "reason": "opened", "message": message.to_data()}
            )
    return int(incident)


def resolve(engine: Engine, incident: int) -> None:
    with engine.begin() as connection:
        connection.execute(update(incidents).where(incidents.c.id == incident).values(resolved_at=T0 + DAY))
