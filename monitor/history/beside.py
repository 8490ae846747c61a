"""What other plans measured in the same window: it helps to say why a metric fell."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, select

from checks.contract import Measurement
from monitor.history.results import KEY
from monitor.history.search import stands
from monitor.history.tables import evaluations, measurements, verdicts


def measured_beside(
    connection: Connection, model: str, plan: str, start: datetime, end: datetime, metric: str
) -> list[tuple[Measurement, float | None]]:
    """Each value of *metric* that plans other than *plan* measured in ``[start, end)``, with what it may be at most.

    Of revisions the one that stands.
    """
    judged = and_(*(verdicts.c[name] == measurements.c[name] for name in KEY), verdicts.c.side == "max")
    subject = [measurements.c[name] for name in ("metric", "value", "low", "high", "rows", "segment", "column")]
    asked = (
        select(*subject, verdicts.c.threshold)
        .join_from(measurements, evaluations, measurements.c.evaluation_id == evaluations.c.id)
        .join(verdicts, judged, isouter=True)
        .where(evaluations.c.model == model, evaluations.c.window_end == end, evaluations.c.window_start == start)
        .where(evaluations.c.plan != plan, stands(), measurements.c.metric == metric)
        .order_by(measurements.c.id)
    )
    return [(Measurement(*row[:-1]), row.threshold) for row in connection.execute(asked)]
