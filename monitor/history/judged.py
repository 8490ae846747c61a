"""Evaluations as they were recorded, with their verdicts: what an incident was judged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Engine, select

from monitor.history.engine import reading
from monitor.history.evaluations import story
from monitor.history.rows import EvaluationStory
from monitor.history.tables import evaluations, incidents, transitions, verdicts

Condition = Literal["inactive", "pending", "firing", "recovering", "resolved", "closed"]


@dataclass(frozen=True, slots=True)
class RecordedVerdict:
    """A verdict as it was recorded; *limit* is what its value was held to."""

    metric: str
    column: str
    segment: str
    side: str
    verdict: str
    reason: str
    value: float | None
    low: float | None
    high: float | None
    limit: float | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """An evaluation with its verdicts, in the figures that decided: those of days, where it was judged by days."""

    story: EvaluationStory
    verdicts: tuple[RecordedVerdict, ...]


def judged_by(engine: Engine, incident_id: int) -> list[Recorded] | None:
    """The evaluations that changed an alert of the incident, oldest first; None where there is no such incident."""
    known = select(incidents.c.id).where(incidents.c.id == incident_id)
    mine = select(transitions.c.evaluation_id).where(transitions.c.incident_id == incident_id)
    asked = select(evaluations.c.id).where(evaluations.c.id.in_(mine))
    with reading(engine) as connection:
        if connection.execute(known).first() is None:
            return None
        ids = list(connection.scalars(asked.order_by(evaluations.c.window_end, evaluations.c.id)))
        told = {found: tuple(RecordedVerdict(*row) for row in connection.execute(_verdicts(found))) for found in ids}
    stories = ((found, story(engine, found)) for found in ids)
    return [Recorded(each, told[found]) for found, each in stories if each is not None]


@dataclass(frozen=True, slots=True)
class ConditionThen:
    """What an alert was at some time, *since* which window end, and when it last fired."""

    condition: Condition
    since: datetime
    opened_at: datetime | None


def conditions_before(engine: Engine, model: str, end: datetime) -> dict[str, ConditionThen]:
    """Each alert of the model, by its key, as the windows that ended before *end* had left it."""
    columns = [transitions.c[name] for name in ("alert_key", "window_end", "after", "reason")]
    asked = select(*columns).where(transitions.c.model == model, transitions.c.window_end < end)
    found: dict[str, ConditionThen] = {}
    with reading(engine) as connection:
        for key, at, after, reason in connection.execute(asked.order_by(transitions.c.window_end, transitions.c.id)):
            before = found[key].opened_at if key in found else None
            found[key] = ConditionThen(after, at, at if reason == "fired" else before)
    return found


def _verdicts(evaluation_id: int) -> Any:
    names = ("metric", "column", "segment", "side", "verdict", "reason", "value", "low", "high", "threshold")
    columns = [verdicts.c[name] for name in names]
    return select(*columns).where(verdicts.c.evaluation_id == evaluation_id).order_by(verdicts.c.id)
