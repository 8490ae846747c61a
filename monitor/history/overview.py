"""The fleet at a glance: who was evaluated, what cannot be judged, and the course of one promise of each model; in a
constant number of statements, however many models there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Engine, Select, and_, bindparam, func, select

from monitor.history.engine import Readable, reading
from monitor.history.fleet import blind_alerts
from monitor.history.rows import display_name
from monitor.history.search import stands
from monitor.history.tables import evaluations, verdicts
from monitor.history.values import texts

Subject = tuple[str, str, str, str, str]
"""Model, metric, column, segment and side: one promise."""
_SUBJECT = ("model", "metric", "column", "segment", "side")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """That a model was evaluated."""

    id: int
    model: str
    evaluated_at: datetime


@dataclass(frozen=True, slots=True)
class Passed:
    """One window of a promise."""

    at: datetime
    value: float | None
    verdict: str


def evaluated_since(engine: Engine, floor: int, most: int) -> list[Evaluated] | None:
    """The evaluations with a greater id, in their order; None where they are more than *most*."""
    columns = (evaluations.c.id, evaluations.c.model, evaluations.c.evaluated_at)
    asked = select(*columns).where(evaluations.c.id > floor).order_by(evaluations.c.id).limit(most + 1)
    with reading(engine) as connection:
        found = [Evaluated(*row) for row in connection.execute(asked).all()]
    return None if len(found) > most else found


def newest_id(engine: Engine) -> int:
    """The id of the evaluation that was recorded last; 0 where there is none."""
    with reading(engine) as connection:
        return connection.execute(select(func.max(evaluations.c.id))).scalar_one() or 0


def unjudged(engine: Readable) -> dict[str, list[str]]:
    """By model, what cannot be judged and has an open alert that says so."""
    found: dict[str, list[str]] = defaultdict(list)
    with reading(engine) as connection:
        for alert in blind_alerts(connection):
            name = display_name(alert.metric, alert.column)
            found[alert.model].append(f"{name} [{alert.segment}]" if alert.segment else name)
    return found


def courses(engine: Engine, subjects: Iterable[Subject], until: datetime, days: int) -> dict[Subject, list[Passed]]:
    """How each promise went, oldest first: of every day before *until* the window that ended as it began.

    One window a day, so that a model judged every minute costs no more than one judged daily.
    """
    asked = list(dict.fromkeys(subjects))
    if not asked:
        return {}
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    ends = [midnight - timedelta(days=ago) for ago in range(days + 1)]
    found: dict[Subject, list[Passed]] = defaultdict(list)
    with reading(engine) as connection:
        given = {"subjects": asked, "ends": ends}
        for model, metric, name, segment, side, *passed in connection.execute(
            _courses(engine.dialect.name), given
        ).all():
            found[model, metric, name, segment, side].append(Passed(*passed))
    return found


@cache  # to put a statement together takes longer than to run it
def _courses(dialect: str) -> Select[Any]:
    wanted = texts(dialect, "subjects", _SUBJECT)
    same = [verdicts.c[name] == wanted.c[name] for name in _SUBJECT[1:]]
    then = evaluations.c.window_end.in_(bindparam("ends", expanding=True))
    return (
        select(*(wanted.c[name] for name in _SUBJECT), evaluations.c.window_end, verdicts.c.value, verdicts.c.verdict)
        .select_from(wanted)
        .join(evaluations, and_(evaluations.c.model == wanted.c.model, then, stands()))
        .join(verdicts, and_(verdicts.c.evaluation_id == evaluations.c.id, *same))
        .order_by(evaluations.c.window_end)
    )
