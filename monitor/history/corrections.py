"""What a verdict on an older window is compared with, and the incident in whose thread a correction belongs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select, update

from monitor.history.tables import evaluations, incidents, outbox, verdicts


def verdicts_before(
    connection: Connection, model: str, plan: str, window: tuple[datetime, datetime], revision: int
) -> dict[tuple[str, str, str, str], str]:
    """The verdicts of the newest revision before *revision* that got to an answer, by metric, column, segment, side."""
    start, end = window
    newest = (
        select(evaluations.c.id)
        .where(evaluations.c.model == model, evaluations.c.plan == plan)
        .where(evaluations.c.window_start == start, evaluations.c.window_end == end)
        .where(evaluations.c.revision < revision, evaluations.c.state == "done")
        .order_by(evaluations.c.revision.desc())
        .limit(1)
        .scalar_subquery()
    )
    about = [verdicts.c[name] for name in ("metric", "column", "segment", "side", "verdict")]
    found = connection.execute(select(*about).where(verdicts.c.evaluation_id == newest))
    return {tuple(row[:4]): row.verdict for row in found}


def take_turn(connection: Connection, model: str, at: datetime) -> tuple[int, int, Mapping[str, Any]] | None:
    """The model's newest incident that was open at *at*, the place of one more notification in it, and the newest
    message; None where there was no incident, or nobody was told of it."""
    spans = (incidents.c.opened_at <= at, or_(incidents.c.resolved_at.is_(None), incidents.c.resolved_at >= at))
    asked = select(incidents.c.id, incidents.c.sequence).where(incidents.c.model == model, *spans)
    found = connection.execute(asked.order_by(incidents.c.id.desc()).limit(1).with_for_update()).first()
    if found is None:
        return None
    newest = select(outbox.c.message).where(outbox.c.incident_id == found.id).order_by(outbox.c.id.desc()).limit(1)
    message = connection.execute(newest).scalar_one_or_none()
    if message is None:
        return None
    sequence = found.sequence + 1
    connection.execute(update(incidents).where(incidents.c.id == found.id).values(sequence=sequence))
    return found.id, sequence, message
