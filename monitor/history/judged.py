"""Evaluations as they were recorded, with their verdicts: what an incident was judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from monitor.history.engine import reading
from monitor.history.tables import evaluations, incidents, transitions, verdicts


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
class RecordedEvaluation:
    """One evaluation of a window; *newest_revision* is that of the window by now."""

    id: int
    model: str
    version: str
    plan: str
    start: datetime
    end: datetime
    revision: int
    contract_hash: str
    evaluated_at: datetime
    rows: int
    outcomes: int
    detail: Mapping[str, Any]
    verdicts: tuple[RecordedVerdict, ...]
    newest_revision: int


def judged_by(engine: Engine, incident_id: int) -> list[RecordedEvaluation] | None:
    """The evaluations that changed an alert of the incident, oldest first; None where there is no such incident."""
    names = ("id", "model", "version", "plan", "window_start", "window_end", "revision", "contract_hash")
    columns = [evaluations.c[name] for name in (*names, "evaluated_at", "rows", "outcomes", "detail")]
    mine = select(transitions.c.evaluation_id).where(transitions.c.incident_id == incident_id)
    with reading(engine) as connection:
        if connection.execute(select(incidents.c.id).where(incidents.c.id == incident_id)).first() is None:
            return None
        asked = select(*columns).where(evaluations.c.id.in_(mine)).order_by(evaluations.c.window_end, evaluations.c.id)
        found = []
        for row in connection.execute(asked).all():
            given = connection.execute(_verdicts(row.id))
            same = [evaluations.c[name] == getattr(row, name) for name in names[1:2] + names[3:6]]
            revisions = connection.execute(select(evaluations.c.revision).where(*same)).scalars()
            told = tuple(RecordedVerdict(*one) for one in given)
            found.append(RecordedEvaluation(*(*row, told, max(revisions))))
        return found


def _verdicts(evaluation_id: int) -> Any:
    names = ("metric", "column", "segment", "side", "verdict", "reason", "value", "low", "high", "threshold")
    columns = [verdicts.c[name] for name in names]
    return select(*columns).where(verdicts.c.evaluation_id == evaluation_id).order_by(verdicts.c.id)
