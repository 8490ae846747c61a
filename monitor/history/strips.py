"""How what a model promises, and what was measured beside it, went over a time: every metric in one statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Engine, FromClause, Row, Select, bindparam, case, func, select

from monitor.history.engine import reading
from monitor.history.results import EVALUATION, SUBJECT, VERDICT
from monitor.history.rows import HistoryRow, display_name
from monitor.history.search import stands
from monitor.history.tables import evaluations, measurements, verdicts
from monitor.history.values import among, listed

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


def _between(table: FromClause) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.window_end >= bindparam("since"), table.c.window_end <= bindparam("until")


_INSIDE = (evaluations.c.model == bindparam("model"), *_between(evaluations), stands(_between))
_WHOLE = (measurements.c.metric == bindparam("metric"), measurements.c.segment == "")
_MEASURED = [measurements.c[name] for name in ("metric", "column", "segment", "value", "rows")]

MANY = 200
"""Windows of all plans up to which none is left out."""
MOST = 20_000
"""Rows for one page: a year of hours with two promises, or a month of hours with two dozen."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A window that ended: the evaluation of it that stands, and whose plan it was."""

    evaluation: int
    plan: str
    start: datetime
    end: datetime


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


def ended(engine: Engine, model: str, since: datetime, until: datetime) -> list[Ended]:
    """The windows that ended in ``[since, until]``, newest first; of too many the newest."""
    with reading(engine) as connection:
        return [Ended(*row) for row in connection.execute(_ended(), _given(model, since, until)).all()]


@cache
def _ended() -> Select[Any]:
    return _windows(select(*(evaluations.c[name] for name in ("id", "plan", "window_start", "window_end"))))


def stretches(engine: Engine, windows: Sequence[Ended], newest: int, metric: str | None = None) -> dict[Key, Stretch]:
    """What became of each promise in *windows*, which are newest first.

    It is shown by those of the *newest* windows of each plan that it was judged in, or else by the last that it was.
    """
    counted, shown = _stretches(engine.dialect.name, by_metric=metric is not None)
    given = {} if metric is None else {"metric": metric}
    with reading(engine) as connection:
        told = connection.execute(counted, {**given, "asked": [each.evaluation for each in windows]}).all()
        wanted = {each.evaluation for each in _newest_of_each_plan(windows, newest)}
        wanted |= {windows[row.newest].evaluation for row in told}
        by_key = _by_key(_judged(row) for row in connection.execute(shown, {**given, "asked": sorted(wanted)}).all())
    return {key: _stretch(row, windows, by_key[key][:newest]) for row in told for key in [_key(row)]}


def _stretch(row: Row[Any], windows: Sequence[Ended], shown: Sequence[Judged]) -> Stretch:
    return Stretch(row.judged, row.breaches, row.valued, windows[row.oldest].end, windows[row.newest].end, shown)


def _newest_of_each_plan(windows: Iterable[Ended], newest: int) -> Iterator[Ended]:
    seen: Counter[str] = Counter()
    for each in windows:
        seen[each.plan] += 1
        if seen[each.plan] <= newest:
            yield each


@cache  # to put a statement together takes longer than to run it
def _stretches(dialect: str, *, by_metric: bool) -> tuple[Select[Any], Select[Any]]:
    """What there is of each promise, with the places of its windows, and the verdicts on some windows, newest first."""
    asked, of_metric = listed(dialect, "asked"), _OF_METRIC[:by_metric]
    figures = (
        func.count().label("judged"),
        func.count(case((verdicts.c.verdict == "breach", 1))).label("breaches"),
        func.count(verdicts.c.value).label("valued"),
        func.min(asked.c.place).label("newest"),
        func.max(asked.c.place).label("oldest"),
    )
    counted = select(*_KEY, *figures).join_from(asked, verdicts, verdicts.c.evaluation_id == asked.c.value)
    shown = select(*_JUDGED).join_from(evaluations, verdicts, _SAME).where(among(dialect, evaluations.c.id, "asked"))
    return counted.where(*of_metric).group_by(*_KEY), shown.where(*of_metric).order_by(*_NEWEST_FIRST)


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


def side_by_side(engine: Engine, windows: Sequence[Ended], metric: str) -> list[Measured]:
    """What was measured of *metric* on the whole, oldest first: of many windows those that do not overlap.

    Of a month of days that move on by the hour, a window a day: every row is in one of them, and none is read 24 times.
    """
    apart = windows if len(windows) <= MANY else list(_apart(windows))
    at = {each.evaluation: each.end for each in apart}
    given = {"asked": list(at), "metric": metric}
    with reading(engine) as connection:
        found = connection.execute(_of_windows(engine.dialect.name), given).all()
    return sorted((Measured(at[row[0]], *row[1:]) for row in found), key=lambda one: one.at)


@cache
def _of_windows(dialect: str) -> Select[Any]:
    asked = select(measurements.c.evaluation_id, *_MEASURED).where(*_WHOLE)
    return asked.where(among(dialect, measurements.c.evaluation_id, "asked")).order_by(measurements.c.id)


def newest_of(engine: Engine, windows: Sequence[Ended], metric: str) -> Measured | None:
    """What was measured of *metric* on the whole in the first of *windows* that it was measured in, with its detail."""
    given = {"asked": [each.evaluation for each in windows], "metric": metric}
    with reading(engine) as connection:
        found = connection.execute(_newest_of(engine.dialect.name), given).first()
    return None if found is None else Measured(windows[found[0]].end, *found[1:])


@cache
def _newest_of(dialect: str) -> Select[Any]:
    asked = listed(dialect, "asked")
    found = select(asked.c.place, *_MEASURED, measurements.c.detail)
    found = found.join_from(asked, measurements, measurements.c.evaluation_id == asked.c.value)
    return found.where(*_WHOLE).order_by(asked.c.place).limit(1)


def _apart(newest_first: Iterable[Ended]) -> Iterator[Ended]:
    """Of the windows of each plan the newest, and then each that ends before the one after it begins."""
    begins: dict[str, datetime] = {}
    for each in newest_first:
        if each.plan not in begins or each.end <= begins[each.plan]:
            begins[each.plan] = each.start
            yield each


def _windows(asked: Select[Any]) -> Select[Any]:
    return asked.select_from(evaluations).where(*_INSIDE).order_by(*_NEWEST_FIRST).limit(MOST)


def _given(model: str, since: datetime, until: datetime, **more: object) -> dict[str, object]:
    return {"model": model, "since": since, "until": until} | {n: v for n, v in more.items() if v is not None}
