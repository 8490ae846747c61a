"""Incidents as people ask for them: which there were, and everything that is known of one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, Table, func, or_, select

from monitor.history.engine import Readable, reading
from monitor.history.open_incidents import not_before_reopening
from monitor.history.records import Acknowledgement
from monitor.history.rows import AlertRow, IncidentRow, IncidentStory, NotificationRow, TransitionRow, display_name
from monitor.history.spells import spells_of
from monitor.history.tables import acknowledgements, episodes, incidents, outbox, transitions

TOLD = ("told", "waiting", "blocked", "muted", "nobody")
"""What became of it: told, to be told, as soon as a receiver is mended, kept back on purpose, or meant for nobody."""

_INCIDENT = ("id", "model", "version", "severity", "opened_at", "resolved_at", "end_reason")
_STATES = {"sent": "told", "superseded": "told", "pending": "waiting", "blocked": "blocked", "suppressed": "muted"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: behind *incident*."""

    incident: int


@dataclass(frozen=True, slots=True)
class Page:
    """Incidents, newest first; *after* is where the next page begins, None where there is nothing more."""

    rows: tuple[IncidentRow, ...]
    after: Place | None


def listed(
    engine: Readable, now: datetime, model: str | None = None, since: datetime | None = None, *, open_only: bool = False
) -> list[IncidentRow]:
    """Incidents, oldest first; with *since* those open at that window time or later. *now* is wall time."""
    asked = _asked(model, since, open_only=open_only).order_by(incidents.c.opened_at, incidents.c.id)
    with reading(engine) as connection:
        return _rows(connection, asked, now)


def page(
    engine: Engine,
    now: datetime,
    limit: int,
    after: Place | None = None,
    model: str | None = None,
    since: datetime | None = None,
    *,
    open_only: bool = False,
) -> Page:
    """The newest *limit* incidents from *after* on, the one that was opened last first."""
    asked = _asked(model, since, open_only=open_only).order_by(incidents.c.id.desc()).limit(limit + 1)
    if after is not None:
        asked = asked.where(incidents.c.id < after.incident)
    with reading(engine) as connection:
        ids = connection.scalars(asked.with_only_columns(incidents.c.id)).all()
        found = _rows(connection, select(*_columns(incidents, _INCIDENT)).where(incidents.c.id.in_(ids[:limit])), now)
    rows = tuple(sorted(found, key=lambda row: row.id, reverse=True))
    return Page(rows, Place(rows[-1].id) if len(ids) > limit else None)


def story(engine: Readable, incident_id: int, now: datetime) -> IncidentStory | None:
    """Everything about one incident; None where there is none of that id, or no more."""
    with reading(engine) as connection:
        found = _rows(connection, select(*_columns(incidents, _INCIDENT)).where(incidents.c.id == incident_id), now)
        if not found:
            return None
        return IncidentStory(
            found[0],
            connection.execute(_owner(incident_id)).scalar_one_or_none(),
            tuple(_alert(row) for row in connection.execute(_of(episodes, incident_id))),
            tuple(_transition(row) for row in connection.execute(_of(transitions, incident_id))),
            tuple(NotificationRow(*row) for row in connection.execute(_notifications(incident_id))),
            tuple(_acknowledgement(row) for row in connection.execute(_of(acknowledgements, incident_id))),
        )


def evidence(engine: Readable, incident_id: int, since: datetime) -> tuple[int, ...]:
    """The evaluations that moved its alerts by windows that ended *since* then and are still kept, oldest first."""
    mine = (
        transitions.c.incident_id == incident_id,
        transitions.c.evaluation_id.is_not(None),
        transitions.c.window_end >= since,
    )
    asked = select(transitions.c.evaluation_id, func.min(transitions.c.id)).where(*mine)
    with reading(engine) as connection:
        found = connection.execute(asked.group_by(transitions.c.evaluation_id).order_by(func.min(transitions.c.id)))
        return tuple(row.evaluation_id for row in found)


def messages(engine: Engine, incident_id: int) -> list[Mapping[str, Any]]:
    """What was said of one incident, as data and in order; once, however many were told."""
    asked = select(outbox.c.key, outbox.c.message).where(outbox.c.incident_id == incident_id).order_by(outbox.c.id)
    with reading(engine) as connection:
        # The place in the incident stands in the key, before the receiver: "7/2/slack:#alerts".
        said = {key.split("/")[1]: message for key, message in connection.execute(asked)}
    return list(said.values())


def said(engine: Engine) -> list[Mapping[str, Any]]:
    """Everything that was said of any incident, as data and in order; once, however many were told."""
    asked = select(outbox.c.key, outbox.c.message).where(outbox.c.incident_id.is_not(None)).order_by(outbox.c.id)
    with reading(engine) as connection:
        found = {tuple(key.split("/")[:2]): message for key, message in connection.execute(asked)}
    return list(found.values())


def _asked(model: str | None, since: datetime | None, *, open_only: bool) -> Select[Any]:
    asked = select(*_columns(incidents, _INCIDENT))
    if model is not None:
        asked = asked.where(incidents.c.model == model)
    if since is not None:
        asked = asked.where(or_(incidents.c.resolved_at.is_(None), incidents.c.resolved_at >= since))
    return asked.where(incidents.c.resolved_at.is_(None)) if open_only else asked


def _rows(connection: Connection, asked: Select[Any], now: datetime) -> list[IncidentRow]:
    found = connection.execute(asked).all()
    if not found:
        return []
    among = asked.with_only_columns(incidents.c.id).order_by(None)
    fell, told, seen = _episodes(connection, among), _told(connection, among), _acknowledged(connection, among, now)
    return [_incident(row, fell[row.id], told[row.id], seen.get(row.id)) for row in found]


def _incident(row: Row[Any], fell: Sequence[Row[Any]], told: str, seen: Acknowledgement | None) -> IncidentRow:
    open_in = spells_of(row.opened_at, ((each.opened_at, each.resolved_at) for each in fell))
    names = (display_name(each.metric, each.column) + (f" [{each.segment}]" if each.segment else "") for each in fell)
    about: tuple[Any, ...] = (*row, open_in[-1].began, len(open_in) - 1, tuple(dict.fromkeys(names)), told, seen)
    return IncidentRow(*about)


def _episodes(connection: Connection, among: Select[Any]) -> dict[int, list[Row[Any]]]:
    """When each incident's alerts fell below, in the order in which they did."""
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    columns = _columns(episodes, ("incident_id", "metric", "column", "segment", "opened_at", "resolved_at"))
    asked = select(*columns).where(episodes.c.incident_id.in_(among)).order_by(episodes.c.opened_at, episodes.c.id)
    for row in connection.execute(asked).all():
        found[row.incident_id].append(row)
    return found


def _told(connection: Connection, among: Select[Any]) -> dict[int, str]:
    """The best that became of any of its notifications."""
    states: dict[int, set[str]] = defaultdict(set)
    asked = select(outbox.c.incident_id, outbox.c.state).where(outbox.c.incident_id.in_(among)).distinct()
    for row in connection.execute(asked):
        states[row.incident_id].add(_STATES[row.state])
    return defaultdict(lambda: "nobody", {each: min(found, key=TOLD.index) for each, found in states.items()})


def _acknowledged(connection: Connection, among: Select[Any], now: datetime) -> dict[int, Acknowledgement]:
    """One of a warning is over once the incident pages, and any once it is opened again."""
    table = acknowledgements
    joined = table.join(incidents, incidents.c.id == table.c.incident_id)
    grave_enough = or_(table.c.severity == "page", incidents.c.severity == "warn")
    holds = (table.c.incident_id.in_(among), table.c.expires_at > now, grave_enough, not_before_reopening())
    asked = select(table).select_from(joined).where(*holds).order_by(table.c.id)
    return {row.incident_id: _acknowledgement(row) for row in connection.execute(asked)}


def _of(table: Table, incident_id: int) -> Select[Any]:
    return select(table).where(table.c.incident_id == incident_id).order_by(table.c.id)


def _owner(incident_id: int) -> Select[Any]:
    owner = outbox.c.message["owner"].as_string()
    return select(owner).where(outbox.c.incident_id == incident_id).order_by(outbox.c.id.desc()).limit(1)


def _notifications(incident_id: int) -> Select[Any]:
    names = ("reason", "receiver", "state", "created_at", "sent_at", "why", "error", "attempts", "next_at")
    columns = [*_columns(outbox, names), outbox.c.message["thread_line"].as_string().label("line")]
    return select(*columns).where(outbox.c.incident_id == incident_id).order_by(outbox.c.id)


def _alert(row: Row[Any]) -> AlertRow:
    times = (row.opened_at, row.resolved_at)
    return AlertRow(
        display_name(row.metric, row.column), row.segment, row.severity, *times, row.value, row.threshold, row.reopened
    )


def _transition(row: Row[Any]) -> TransitionRow:
    name = display_name(row.metric, row.column)
    told = (row.before, row.after, row.reason, row.value, row.recorded_at)
    return TransitionRow(row.window_end, name, row.segment, row.side, *told)


def _acknowledgement(row: Row[Any]) -> Acknowledgement:
    return Acknowledgement(row.severity, row.author, row.comment, row.created_at, row.expires_at)


def _columns(table: Table, names: Collection[str]) -> list[Any]:
    return [table.c[name] for name in names]
