"""How what a model promises, and what was measured beside it, went over a time: every metric in one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Engine, Integer, Select, bindparam, case, func, select

from monitor.history.engine import reading
from monitor.history.results import EVALUATION, SUBJECT, VERDICT
from monitor.history.rows import HistoryRow, display_name
from monitor.history.search import stands
from monitor.history.tables import evaluations, measurements, verdicts
from monitor.history.values import among

Key = tuple[str, str, str, str]
"""Metric, column, segment and side of a promise."""

_KEY = [verdicts.c[name] for name in ("metric", "column", "segment", "side")]
_NEWEST_FIRST = (evaluations.c.window_end.desc(), evaluations.c.id.desc())
_ABOUT = len(EVALUATION) + 3
_JUDGED = [
    *(evaluations.c[name] for name in EVALUATION),
    *(evaluations.c.plan, evaluations.c.rows.label("seen"), evaluations.c.outcomes),
    *(verdicts.c[name] for name in (*SUBJECT, *VERDICT, "evaluation_id")),
]
_SAME = verdicts.c.evaluation_id == evaluations.c.id
_OF_METRIC = (verdicts.c.metric == bindparam("metric"),)
_INSIDE = (
    evaluations.c.model == bindparam("model"),
    evaluations.c.window_end >= bindparam("since"),
    evaluations.c.window_end <= bindparam("until"),
    stands(),
)
_MEASURED = [measurements.c[name] for name in ("metric", "column", "segment", "value", "rows")]

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
class Stretch:
    """How a promise went over a time: *windows* that ended from *first* to *last*, *breaches* among them, those with a
    value, and the *newest* of them, newest first."""

    windows: int
    breaches: int
    valued: int
    first: datetime
    last: datetime
    newest: Sequence[Judged]


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement in one window; *detail* is what the check told beside the number, where that was asked for."""

    at: datetime
    metric: str
    column: str
    segment: str
    value: float | None
    rows: int
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The metric as config.toml writes it."""
        return display_name(self.metric, self.column)


def judged(
    engine: Engine, model: str, since: datetime, until: datetime, metric: str | None = None
) -> dict[Key, list[Judged]]:
    """The verdicts on the windows that ended in ``[since, until]``, oldest first.

    By metric, column, segment and side; of too many the newest.
    """
    asked, given = _verdicts(by_metric=metric is not None), _given(model, since, until, metric=metric)
    with reading(engine) as connection:
        return _by_key(_judged(row) for row in reversed(connection.execute(asked, given).all()))


@cache
def _verdicts(*, by_metric: bool) -> Select[Any]:
    return _windows(select(*_JUDGED)).join(verdicts, _SAME).where(*_OF_METRIC[:by_metric])


def _judged(row: Sequence[Any]) -> Judged:
    plan, seen, outcomes = row[len(EVALUATION) : _ABOUT]
    return Judged(HistoryRow(*row[: len(EVALUATION)], *row[_ABOUT:]), plan, seen, outcomes)


def _by_key(windows: Iterable[Judged]) -> dict[Key, list[Judged]]:
    found: dict[Key, list[Judged]] = {}
    for one in windows:
        found.setdefault(_key(one.row), []).append(one)
    return found


def _key(row: Any) -> Key:
    return row.metric, row.column, row.segment, row.side or ""


def stretches(
    engine: Engine, model: str, since: datetime, until: datetime, newest: int, metric: str | None = None
) -> dict[Key, Stretch]:
    """What became of each promise in the windows that ended in ``[since, until]``.

    It is shown by those of the *newest* windows of each plan that it was judged in, or else by the last that it was.
    """
    counted, shown = _stretches(by_metric=metric is not None)
    given = _given(model, since, until, metric=metric)
    with reading(engine) as connection:
        told = connection.execute(counted, given).all()
        by_key = _by_key(_judged(row) for row in connection.execute(shown, {**given, "newest": newest}))
    found: dict[Key, Stretch] = {}
    for row in told:
        key = _key(row)
        shown_by = by_key.get(key) or judged(engine, model, row[-1], row[-1], row.metric).get(key)
        if shown_by:
            windows, breaches, valued, first, last = row[len(_KEY) :]
            found[key] = Stretch(windows, breaches, valued, first, last, shown_by)
    return found


@cache  # to put a statement together takes longer than to run it
def _stretches(*, by_metric: bool) -> tuple[Select[Any], Select[Any]]:
    """What there is of each promise, and the newest windows of each plan."""
    of_metric, ended = _OF_METRIC[:by_metric], evaluations.c.window_end
    breaches = func.count(case((verdicts.c.verdict == "breach", 1)))
    figures = (func.count(), breaches, func.count(verdicts.c.value), func.min(ended), func.max(ended))
    counted = select(*_KEY, *figures).join_from(evaluations, verdicts, _SAME).where(*_INSIDE, *of_metric)
    place = func.row_number().over(partition_by=evaluations.c.plan, order_by=_NEWEST_FIRST)
    placed = select(evaluations.c.id, place.label("place")).where(*_INSIDE).subquery()
    last = evaluations.c.id.in_(select(placed.c.id).where(placed.c.place <= bindparam("newest", type_=Integer)))
    shown = select(*_JUDGED).join_from(evaluations, verdicts, _SAME).where(last, *of_metric)
    return counted.group_by(*_KEY), shown.order_by(*_NEWEST_FIRST)


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
    asked, given = _measured(whole=segment is not None), _given(model, since, until, metrics=metrics, segment=segment)
    with reading(engine) as connection:
        return [Measured(*row) for row in reversed(connection.execute(asked, given).all())]


@cache
def _measured(*, whole: bool) -> Select[Any]:
    asked = _windows(select(evaluations.c.window_end, *_MEASURED))
    asked = asked.join(measurements, measurements.c.evaluation_id == evaluations.c.id)
    asked = asked.where(measurements.c.metric.in_(bindparam("metrics", expanding=True)))
    return asked.where(measurements.c.segment == bindparam("segment")) if whole else asked


def side_by_side(engine: Engine, model: str, metric: str, since: datetime, until: datetime) -> list[Measured]:
    """What was measured of *metric* on the whole, oldest first: of many windows those that do not overlap.

    Of a month of days that move on by the hour, a window a day: every row is in one of them, and none is read 24 times.
    """
    chosen, asked = _side_by_side(engine.dialect.name)
    with reading(engine) as connection:
        windows = connection.execute(chosen, _given(model, since, until)).all()
        apart = [row.id for row in windows] if len(windows) <= MANY else _apart(tuple(row) for row in windows)
        return [Measured(*row) for row in connection.execute(asked, {"apart": apart, "metric": metric})]


@cache
def _side_by_side(dialect: str) -> tuple[Select[Any], Select[Any]]:
    """The windows, and what was measured in those chosen of them."""
    about = (evaluations.c.id, evaluations.c.plan, evaluations.c.window_start, evaluations.c.window_end)
    asked = (
        select(evaluations.c.window_end, *_MEASURED)
        .join_from(evaluations, measurements, measurements.c.evaluation_id == evaluations.c.id)
        .where(among(dialect, evaluations.c.id, "apart"))
        .where(measurements.c.metric == bindparam("metric"), measurements.c.segment == "")
        .order_by(evaluations.c.window_end, measurements.c.id)
    )
    return _windows(select(*about)), asked


def newest_of(engine: Engine, model: str, metric: str, since: datetime, until: datetime) -> Measured | None:
    """What was measured of *metric* on the whole last, with its detail."""
    with reading(engine) as connection:
        found = connection.execute(_newest_of(), _given(model, since, until, metric=metric)).first()
    return None if found is None else Measured(*found)


@cache
def _newest_of() -> Select[Any]:
    asked = _windows(select(evaluations.c.window_end, *_MEASURED, measurements.c.detail)).limit(1)
    asked = asked.join(measurements, measurements.c.evaluation_id == evaluations.c.id)
    return asked.where(measurements.c.metric == bindparam("metric"), measurements.c.segment == "")


def _apart(newest_first: Iterable[tuple[int, str, datetime, datetime]]) -> list[int]:
    """Of the windows of each plan the newest, and then each that ends before the one after it begins."""
    begins: dict[str, datetime] = {}
    found = []
    for evaluation, plan, start, end in newest_first:
        if plan not in begins or end <= begins[plan]:
            begins[plan] = start
            found.append(evaluation)
    return found


def _windows(asked: Select[Any]) -> Select[Any]:
    return asked.select_from(evaluations).where(*_INSIDE).order_by(*_NEWEST_FIRST).limit(MOST)


def _given(model: str, since: datetime, until: datetime, **more: object) -> dict[str, object]:
    return {"model": model, "since": since, "until": until} | {n: v for n, v in more.items() if v is not None}
