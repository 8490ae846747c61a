"""What charts of incidents are made of, which are still to be drawn, and where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, Select, exists, func, select

from monitor.history.engine import Readable, reading
from monitor.history.records import ArtifactRecord
from monitor.history.rows import HistoryRow
from monitor.history.search import history
from monitor.history.spells import Spell, spells
from monitor.history.tables import alerts, artifacts, episodes, evaluations, incidents, outbox, threads, uploads
from monitor.history.values import insert_new

CHECK = "chart"
_WINDOWS = 30


@dataclass(frozen=True, slots=True)
class Undrawn:
    """An incident that people were told of and that has no chart of how it stands: *name* is what it will be called,
    *spells* are when it was open."""

    incident_id: int
    model: str
    version: str
    name: str
    spells: Sequence[Spell] = ()


def chart_name(times: int, *, is_open: bool) -> str:
    """``chart-opened.png``, ``chart-resolved.png``, and ``chart-opened-2.png`` where it opened for the second time."""
    state = "opened" if is_open else "resolved"
    return f"chart-{state}.png" if times == 1 else f"chart-{state}-{times}.png"


def told_when(name: str) -> str:
    """``when it opened``: which moment a chart of that name shows."""
    if name.startswith("chart-resolved"):
        return "when it was resolved"
    return "when it opened" if name == chart_name(1, is_open=True) else "when it opened again"


def undrawn(engine: Engine, receivers: Sequence[str], since: datetime) -> list[Undrawn]:
    """Those of which one of *receivers* was told something after *since*: once opened and once resolved, each time."""
    told = exists().where(
        outbox.c.incident_id == incidents.c.id, outbox.c.receiver.in_(receivers), outbox.c.sent_at > since
    )
    shown = exists().where(threads.c.incident_id == incidents.c.id, threads.c.receiver.in_(receivers))
    columns = [incidents.c[name] for name in ("id", "model", "version", "opened_at", "resolved_at")]
    drawn = select(artifacts.c.incident_id, artifacts.c.name).where(artifacts.c.check == CHECK)
    with reading(engine) as connection:
        found = connection.execute(select(*columns).where(told, shown).order_by(incidents.c.id)).all()
        open_in = spells(connection, found)
        there = {
            tuple(row) for row in connection.execute(drawn.where(artifacts.c.incident_id.in_([r.id for r in found])))
        }
    asked = [_undrawn(row, open_in[row.id]) for row in found]
    return [one for one in asked if (one.incident_id, one.name) not in there]


def windows_of(engine: Engine, incident_id: int, model: str) -> list[HistoryRow]:
    """The newest windows of the gravest alert of the incident, oldest first; none where it has no value to be drawn."""
    alert = gravest_of(engine, incident_id)
    if alert is None:
        return []
    metric, column, segment, side = alert
    rows = history(engine, model=model, limit=4 * _WINDOWS, metric=metric, column=column, segment=segment)
    return [row for row in rows if row.side in {side, None}][-_WINDOWS:]


def gravest_of(engine: Readable, incident_id: int) -> tuple[str, str, str, str] | None:
    """Metric, column, segment and side of the gravest alert of the incident; None where it has no value to be drawn."""
    with reading(engine) as connection:
        found = connection.execute(_gravest(incident_id)).first()
    return None if found is None else (found.metric, found.column, found.segment, found.side)


def keep(engine: Engine, incident: Undrawn, chart: ArtifactRecord, receivers: Sequence[str], now: datetime) -> bool:
    """Keep a chart with the newest evaluation of its model and have it uploaded; False where it was there already."""
    newest = select(func.max(evaluations.c.id)).where(evaluations.c.model == incident.model)
    row = {"incident_id": incident.incident_id, "check": CHECK, "name": incident.name, "created_at": now}
    own = (artifacts.c.incident_id == incident.incident_id, artifacts.c.name == incident.name)
    with engine.begin() as connection:
        evaluation = connection.execute(newest).scalar_one()
        content = {"media_type": chart.media_type, "size": chart.size, "content": chart.content}
        insert_new(connection, artifacts, [{**row, **content, "evaluation_id": evaluation}])
        made = connection.execute(select(artifacts.c.id).where(*own)).scalar_one_or_none()
        if made is None:
            return False
        shown = (threads.c.incident_id == incident.incident_id, threads.c.receiver.in_(receivers))
        names = connection.execute(select(threads.c.receiver).where(*shown)).scalars().all()
        upload = {"incident_id": incident.incident_id, "artifact_id": made, "attempts": 0, "next_at": now}
        insert_new(connection, uploads, [{**upload, "receiver": name, "state": "pending"} for name in names])
    return True


def _undrawn(row: Row[Any], open_in: Sequence[Spell]) -> Undrawn:
    return Undrawn(row.id, row.model, row.version, chart_name(len(open_in), is_open=row.resolved_at is None), open_in)


def _gravest(incident_id: int) -> Select[Any]:
    """Open before resolved, page before warn, the whole before its segments, the oldest first: as in the message."""
    order = (
        episodes.c.resolved_at.is_not(None), episodes.c.severity != "page", episodes.c.segment != "",
        episodes.c.opened_at, episodes.c.id,
    )  # fmt: skip
    columns = (alerts.c.metric, alerts.c.column, alerts.c.segment, alerts.c.side)
    return (
        select(*columns)
        .join_from(episodes, alerts, alerts.c.key == episodes.c.alert_key)
        .where(episodes.c.incident_id == incident_id, alerts.c.side != "blind")
        .order_by(*order)
        .limit(1)
    )
