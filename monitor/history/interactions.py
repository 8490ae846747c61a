"""Buttons that were pressed: kept before anything is done, so that each is done, and told apart by their id."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from monitor.history.engine import reading
from monitor.history.tables import incidents, interactions, threads
from monitor.history.values import words


def receive(engine: Engine, identity: str, payload: Mapping[str, Any], at: datetime) -> bool:
    """Keep what was pressed; False where it is there already."""
    try:
        with engine.begin() as connection:
            connection.execute(insert(interactions).values(id=identity, payload=dict(payload), received_at=at))
    except IntegrityError:
        return False
    return True


def handled(engine: Engine, identity: str, outcome: str, at: datetime) -> None:
    """Note what came of it."""
    mine = interactions.c.id == identity
    with engine.begin() as connection:
        connection.execute(update(interactions).where(mine).values(handled_at=at, outcome=words(outcome)))


def left_behind(engine: Engine, before: datetime, since: datetime) -> list[tuple[str, dict[str, Any]]]:
    """What was received in ``[since, before)`` and never handled: whoever was to do it was killed."""
    waiting = (interactions.c.handled_at.is_(None), interactions.c.received_at < before)
    asked = select(interactions.c.id, interactions.c.payload).where(*waiting, interactions.c.received_at >= since)
    with reading(engine) as connection:
        return [(row.id, row.payload) for row in connection.execute(asked.order_by(interactions.c.received_at))]


def model_under(engine: Engine, incident_id: int, channel_id: str, provider_id: str) -> str | None:
    """The model of an incident whose parent message is that one; None where it is not."""
    mine = (threads.c.incident_id == incident_id, threads.c.channel_id == channel_id)
    asked = (
        select(incidents.c.model)
        .join_from(threads, incidents, incidents.c.id == threads.c.incident_id)
        .where(*mine, threads.c.provider_id == provider_id)
    )
    with reading(engine) as connection:
        return connection.execute(asked).scalar_one_or_none()
