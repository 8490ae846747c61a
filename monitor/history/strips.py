"""How what a model promises, and what was measured beside it, went over a time: every metric in one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, select

from monitor.history.engine import reading
from monitor.history.results import EVALUATION, SUBJECT, VERDICT
from monitor.history.rows import HistoryRow, display_name
from monitor.history.search import stands
from monitor.history.tables import evaluations, measurements, verdicts
from monitor.history.values import among

_MEASURED = [measurements.c[name] for name in ("metric", "column", "segment", "value", "rows", "detail")]

MANY = 200
"""Windows of all plans up to which none is left out."""
MOST = 20_000
"""Rows for one page: a year of hours with two promises, or a month of hours with two dozen."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict in one window; *seen* are the window's rows, *outcomes* those of them whose outcome was in."""

    row: HistoryRow
    plan: str
    seen: int
    outcomes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement in one window, with what the check told beside the number."""

    at: datetime
    metric: str
    column: str
    segment: str
    value: float | None
    rows: int
    detail: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The metric as config.toml writes it."""
        return display_name(self.metric, self.column)


def judged(
    engine: Engine, model: str, since: datetime, until: datetime, metric: str | None = None
) -> dict[tuple[str, str, str, str], list[Judged]]:
    """The verdicts on the windows that ended in ``[since, until]``, oldest first.

    By metric, column, segment and side; of too many the newest.
    """
    names = [verdicts.c[name] for name in (*SUBJECT, *VERDICT, "evaluation_id")]
    about = [*(evaluations.c[name] for name in EVALUATION), evaluations.c.plan, evaluations.c.rows.label("seen")]
    about.append(evaluations.c.outcomes)
    asked = _windows(select(*about, *names), model, since, until).join(
        verdicts, verdicts.c.evaluation_id == evaluations.c.id
    )
    if metric is not None:
        asked = asked.where(verdicts.c.metric == metric)
    found: dict[tuple[str, str, str, str], list[Judged]] = {}
    with reading(engine) as connection:
        for row in reversed(connection.execute(asked).all()):
            windows, (plan, seen, outcomes), told = (
                row[: len(EVALUATION)],
                row[len(EVALUATION) : len(about)],
                row[len(about) :],
            )
            one = Judged(HistoryRow(*windows, *told), plan, seen, outcomes)
            key = (one.row.metric, one.row.column, one.row.segment, one.row.side or "")
            found.setdefault(key, []).append(one)
    return found


def measured(
    engine: Engine,
    model: str,
    metrics: Collection[str],
    since: datetime,
    until: datetime,
    segment: str | None = "",
) -> list[Measured]:
    """What was measured of *metrics* in the windows that ended in ``[since, until]``, oldest first; of too many the
    newest. ``segment=None`` asks for the whole and every segment."""
    asked = _windows(select(evaluations.c.window_end, *_MEASURED), model, since, until)
    asked = asked.join(measurements, measurements.c.evaluation_id == evaluations.c.id)
    asked = asked.where(measurements.c.metric.in_(metrics))
    if segment is not None:
        asked = asked.where(measurements.c.segment == segment)
    with reading(engine) as connection:
        return [Measured(*row) for row in reversed(connection.execute(asked).all())]


def side_by_side(engine: Engine, model: str, metric: str, since: datetime, until: datetime) -> list[Measured]:
    """What was measured of *metric* on the whole, oldest first: of many windows those that do not overlap.

    Of a month of days that move on by the hour, a window a day: every row is in one of them, and none is read 24 times.
    """
    chosen = select(evaluations.c.id, evaluations.c.plan, evaluations.c.window_start, evaluations.c.window_end)
    with reading(engine) as connection:
        windows = connection.execute(_windows(chosen, model, since, until)).all()
        apart = [row.id for row in windows] if len(windows) <= MANY else _apart(tuple(row) for row in windows)
        asked = (
            select(evaluations.c.window_end, *_MEASURED)
            .join_from(evaluations, measurements, measurements.c.evaluation_id == evaluations.c.id)
            .where(among(connection.dialect.name, evaluations.c.id, "apart"))
            .where(measurements.c.metric == metric, measurements.c.segment == "")
            .order_by(evaluations.c.window_end, measurements.c.id)
        )
        return [Measured(*row) for row in connection.execute(asked, {"apart": apart})]


def newest_of(engine: Engine, model: str, metric: str, since: datetime, until: datetime) -> Measured | None:
    """What was measured of *metric* on the whole last."""
    asked = _windows(select(evaluations.c.window_end, *_MEASURED), model, since, until).limit(1)
    asked = asked.join(measurements, measurements.c.evaluation_id == evaluations.c.id)
    asked = asked.where(measurements.c.metric == metric, measurements.c.segment == "")
    with reading(engine) as connection:
        found = connection.execute(asked).first()
    return None if found is None else Measured(*found)


def _apart(newest_first: Iterable[tuple[int, str, datetime, datetime]]) -> list[int]:
    """Of the windows of each plan the newest, and then each that ends before the one after it begins."""
    begins: dict[str, datetime] = {}
    found = []
    for evaluation, plan, start, end in newest_first:
        if plan not in begins or end <= begins[plan]:
            begins[plan] = start
            found.append(evaluation)
    return found


def _windows(asked: Select[Any], model: str, since: datetime, until: datetime) -> Select[Any]:
    table = evaluations.c
    inside = (table.model == model, table.window_end >= since, table.window_end <= until)
    newest_first = asked.select_from(evaluations).where(*inside, stands())
    return newest_first.order_by(table.window_end.desc(), table.id.desc()).limit(MOST)
