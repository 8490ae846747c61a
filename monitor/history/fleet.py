"""How the fleet stands now, for the digest; and the digest into the outbox, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from monitor.history.engine import reading
from monitor.history.queries import latest_verdicts, models
from monitor.history.recording import enqueue
from monitor.history.records import OutboxRecord
from monitor.history.rows import HistoryRow, ModelRow
from monitor.history.spells import spells
from monitor.history.tables import acknowledgements, alerts, incidents, outbox


@dataclass(frozen=True, slots=True)
class FleetNow:
    """*incidents* are those that are open; by their id, *since* when without a break, and *seen*: who has acknowledged
    them. *blind* are the open alerts that something cannot be judged."""

    models: Sequence[ModelRow]
    verdicts: Sequence[HistoryRow]
    incidents: Sequence[Row[Any]]
    since: dict[int, datetime]
    seen: dict[int, str]
    blind: Sequence[Row[Any]]


def fleet_now(engine: Engine, now: datetime) -> FleetNow:
    """Everything at once; *now* is wall time."""
    columns = [incidents.c[name] for name in ("id", "model", "severity", "opened_at")]
    open_now = select(*columns).where(incidents.c.resolved_at.is_(None)).order_by(incidents.c.id)
    acknowledged = select(acknowledgements).where(acknowledgements.c.expires_at > now).order_by(acknowledgements.c.id)
    with reading(engine) as connection:
        opened = connection.execute(open_now).all()
        return FleetNow(
            models(connection),
            latest_verdicts(connection),
            opened,
            {identity: found[-1].began for identity, found in spells(connection, opened).items()},
            {row.incident_id: row.author for row in connection.execute(acknowledged)},
            blind_alerts(connection),
        )


def blind_alerts(connection: Connection) -> Sequence[Row[Any]]:
    """The open alerts that something cannot be judged: model, metric, column and segment."""
    about = [alerts.c[name] for name in ("model", "metric", "column", "segment")]
    asked = select(*about).where(alerts.c.side == "blind", alerts.c.condition.in_(("firing", "recovering")))
    return connection.execute(asked.order_by(*about)).all()


def said(engine: Engine, keys: Sequence[str]) -> set[str]:
    """Which of these keys are in the outbox already."""
    with reading(engine) as connection:
        return set(connection.execute(select(outbox.c.key).where(outbox.c.key.in_(keys))).scalars())


def say(engine: Engine, notifications: Sequence[OutboxRecord]) -> None:
    """Put notifications into the outbox; one whose key is there already stays as it is."""
    with engine.begin() as connection:
        for notification in notifications:
            enqueue(connection, notification)
