"""Retention: what is older than the history is kept for goes, in small transactions; what is still open stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, delete, exists, select, tuple_

from monitor.history.tables import (
    artifacts,
    bucket_values,
    evaluations,
    incidents,
    interactions,
    outbox,
    profiles,
    silences,
    transitions,
)

UNDELIVERED = ("pending", "blocked")


def prune(engine: Engine, now: datetime, keep: timedelta, keep_artifacts: timedelta, batch: int) -> int:
    """Remove what ended before ``now - keep``, *batch* rows of a table at a time; return how many went."""
    before = now - keep
    old = (
        (artifacts, _old_artifacts(now - keep_artifacts)),
        (evaluations, _old_evaluations(before)),
        (profiles, _old_profiles(before)),
        (bucket_values, _old_days(before)),
        (transitions, _old_transitions(before)),
        (incidents, _old_incidents(before)),
        (silences, select(silences.c.id).where(silences.c.ends_at < before)),
        (interactions, select(interactions.c.id).where(interactions.c.received_at < before)),
        (outbox, select(outbox.c.id).where(outbox.c.incident_id.is_(None), outbox.c.sent_at < before)),
    )
    return sum(_delete_all(engine, table, rows, batch) for table, rows in old)


def _old_evaluations(before: datetime) -> Select[Any]:
    """All but the newest of each plan, which says where to go on after a long stop."""
    newer = evaluations.alias("newer")
    has_newer = exists().where(
        newer.c.model == evaluations.c.model,
        newer.c.plan == evaluations.c.plan,
        newer.c.window_end > evaluations.c.window_end,
    )
    return select(evaluations.c.id).where(evaluations.c.window_end < before, has_newer)


def _old_artifacts(before: datetime) -> Select[Any]:
    """Whatever they belong to; the report on an incident stays while the incident is open."""
    still_open = exists().where(incidents.c.id == artifacts.c.incident_id, incidents.c.resolved_at.is_(None))
    return select(artifacts.c.id).where(artifacts.c.created_at < before, ~still_open)


def _old_profiles(before: datetime) -> Select[Any]:
    return select(profiles.c.baseline_id, profiles.c.bucket_start).where(profiles.c.bucket_end < before)


def _old_days(before: datetime) -> Select[Any]:
    return select(*bucket_values.primary_key).where(bucket_values.c.bucket_start < before)


def _old_transitions(before: datetime) -> Select[Any]:
    """Those of an incident go with it; the others, of what never fired, belong to none."""
    return select(transitions.c.id).where(transitions.c.window_end < before, transitions.c.incident_id.is_(None))


def _old_incidents(before: datetime) -> Select[Any]:
    undelivered = exists().where(outbox.c.incident_id == incidents.c.id, outbox.c.state.in_(UNDELIVERED))
    return select(incidents.c.id).where(incidents.c.resolved_at < before, ~undelivered)


def _delete_all(engine: Engine, table: Table, old: Select[Any], batch: int) -> int:
    removed = 0
    while True:
        with engine.begin() as connection:  # short, so that evaluations and deliveries get their turn in between
            count = _delete(connection, table, old, batch)
        if count == 0:
            return removed
        removed += count


def _delete(connection: Connection, table: Table, old: Select[Any], batch: int) -> int:
    keys = list(table.primary_key)
    found = [tuple(row) for row in connection.execute(old.order_by(*keys).limit(batch))]
    if found:
        connection.execute(delete(table).where(_among(keys, found)))
    return len(found)


def _among(keys: list[Any], found: list[tuple[Any, ...]]) -> ColumnElement[bool]:
    if len(keys) == 1:
        return keys[0].in_([row[0] for row in found])  # type: ignore[no-any-return]  # a column of a list of keys is Any
    return tuple_(*keys).in_(found)
