"""The queue of documents to be shown in threads: claimed one at a time, settled or put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Engine, Join, Select, and_, or_, select, update

from monitor.history.charts import Undrawn
from monitor.history.engine import reading
from monitor.history.tables import artifacts, incidents, receivers, threads, uploads
from monitor.history.values import unpacked, words

State = Literal["pending", "sent", "given_up"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A document on its way into the thread of an incident; *attempts* counts this one."""

    id: int
    receiver: str
    attempts: int
    channel_id: str
    provider_id: str
    incident: Undrawn
    content: bytes


def claim(engine: Engine, names: Sequence[str], now: datetime, lease: timedelta) -> Upload | None:
    """The oldest that is due at one of *names* and whose parent message is there; it is ours for *lease*.

    Nothing is due at a receiver that is paused.
    """
    with reading(engine) as connection:
        row = connection.execute(_due(names, now)).first()
    if row is None:
        return None
    mine = (uploads.c.id == row.id, uploads.c.attempts == row.attempts, uploads.c.state == "pending")
    with engine.begin() as connection:
        taken = connection.execute(update(uploads).where(*mine).values(attempts=row.attempts + 1, next_at=now + lease))
        if taken.rowcount != 1:
            return None  # another daemon took it
    incident = Undrawn(row.incident_id, row.model, row.version, row.name)
    where = (row.channel_id, row.provider_id)
    return Upload(row.id, row.receiver, row.attempts + 1, *where, incident, unpacked(row.content))


def untried(engine: Engine, names: Sequence[str], now: datetime) -> bool:
    """Whether one waits of which no attempt has ended yet; what failed once, or waits for a pause, does not count."""
    asked = select(uploads.c.id).select_from(_placed()).where(*_waiting(names, now), uploads.c.error.is_(None)).limit(1)
    with reading(engine) as connection:
        return connection.execute(asked).first() is not None


def settle(
    engine: Engine, upload: Upload, state: State, now: datetime, *, next_at: datetime | None = None, error: str = ""
) -> None:
    """Note how an attempt ended, if it is still ours."""
    values = {"state": state, "error": words(error) or None, "next_at": next_at or now}
    if state == "sent":
        values["sent_at"] = now
    mine = (uploads.c.id == upload.id, uploads.c.attempts == upload.attempts)
    with engine.begin() as connection:
        connection.execute(update(uploads).where(*mine).values(values))


def _due(names: Sequence[str], now: datetime) -> Select[Any]:
    joined = (
        _placed()
        .join(incidents, incidents.c.id == uploads.c.incident_id)
        .join(artifacts, artifacts.c.id == uploads.c.artifact_id)
    )
    facts = [incidents.c[name] for name in ("model", "version")]
    columns: list[Any] = [
        uploads,
        threads.c.channel_id,
        threads.c.provider_id,
        artifacts.c.name,
        artifacts.c.content,
        *facts,
    ]
    return (
        select(*columns)
        .select_from(joined)
        .where(*_waiting(names, now), uploads.c.next_at <= now)
        .order_by(uploads.c.id)
        .limit(1)
    )


def _placed() -> Join:
    """Uploads whose parent message is there."""
    thread = and_(threads.c.incident_id == uploads.c.incident_id, threads.c.receiver == uploads.c.receiver)
    return uploads.join(threads, thread).outerjoin(receivers, receivers.c.name == uploads.c.receiver)


def _waiting(names: Sequence[str], now: datetime) -> tuple[ColumnElement[bool], ...]:
    unpaused = or_(receivers.c.blocked_until.is_(None), receivers.c.blocked_until <= now)
    return uploads.c.state == "pending", uploads.c.receiver.in_(names), unpaused
