"""What a plan measured in earlier windows of the same weekday and hour: what is to be expected of the next one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Engine, exists, select

from checks.contract import Past
from monitor.history.engine import reading
from monitor.history.results import KEY
from monitor.history.search import stands
from monitor.history.tables import evaluations, measurements, verdicts

WEEK = timedelta(weeks=1)

Pasts = Mapping[tuple[str, str, str], tuple[Past, ...]]
"""By metric, column and segment, oldest first."""


def past_of(
    engine: Engine, model: str, plan: str, metrics: Collection[str], start: datetime, end: datetime, reach: timedelta
) -> Pasts:
    """Values of *metrics* in windows whole weeks before ``[start, end)``, at most *reach*; of each what stands.

    Of any version of the model: a season does not begin anew with a release.
    """
    weeks = range(1, reach // WEEK + 1)
    if not metrics or not weeks:
        return {}
    breached = exists().where(
        *(verdicts.c[name] == measurements.c[name] for name in KEY), verdicts.c.verdict == "breach"
    )
    about = (measurements.c.metric, measurements.c.column, measurements.c.segment)
    asked = (
        select(evaluations.c.window_start, evaluations.c.window_end, *about, measurements.c.value, breached)
        .join(measurements, measurements.c.evaluation_id == evaluations.c.id)
        .where(evaluations.c.model == model, evaluations.c.plan == plan, stands())
        .where(evaluations.c.window_end.in_([end - WEEK * week for week in weeks]))
        .where(measurements.c.metric.in_(sorted(metrics)), measurements.c.value.is_not(None))
        .order_by(evaluations.c.window_end)
    )
    found: dict[tuple[str, str, str], list[Past]] = {}
    with reading(engine) as connection:
        for began, ended, metric, column, segment, value, breach in connection.execute(asked).all():
            if ended - began == end - start:
                found.setdefault((metric, column, segment), []).append(Past(ended, value, bool(breach)))
    return {key: tuple(values) for key, values in found.items()}
