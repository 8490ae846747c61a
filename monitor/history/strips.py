"""How what a model promises, and what was measured beside it, went over a time: its windows are read once,
and every metric by them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Engine, FromClause, Select, bindparam, func, select

from monitor.history.engine import reading
from monitor.history.results import EVALUATION, SUBJECT, VERDICT
from monitor.history.rows import HistoryRow, display_name
from monitor.history.search import stands
from monitor.history.tables import evaluations, measurements, verdicts
from monitor.history.values import among

Key = tuple[str, str, str, str]
"""Metric, column, segment and side of a promise."""

_NAMES = ("metric", "column", "segment", "side")
_KEY = [verdicts.c[name] for name in _NAMES]
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
    """How a promise went over a time: *windows* of its plan that ended from *first* to *last*, the *breaches* among
    them, and its *newest* verdicts, newest first."""

    windows: int
    breaches: int
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
    """How each promise that had a value went in *windows*, which are newest first.

    It is shown by those of the *newest* windows of its plan that it was judged in, or else by the last with a value.
    To look for promises in every window would take longer than all the rest: one that was made and given up between
    the first window and the newest, and never broken, is left out.
    """
    of_plan = _by_plan(windows)
    fresh = {each.evaluation for some in of_plan.values() for each in some[:newest]}
    given = {} if metric is None else {"metric": metric}
    everywhere = {**given, "asked": [each.evaluation for each in windows]}
    somewhere = {**given, "asked": sorted(fresh | {some[-1].evaluation for some in of_plan.values()})}
    broken, judged_in, last_of = _stretches(engine.dialect.name, by_metric=metric is not None)
    found: dict[Key, Stretch] = {}
    with reading(engine) as connection:
        breaches = {_key(row): row.breaches for row in connection.execute(broken, everywhere).all()}
        known = _by_key(_judged(row) for row in connection.execute(judged_in, somewhere).all())
        for key in dict.fromkeys((*known, *breaches)):
            shown = [each for each in known.get(key, ()) if each.row.evaluation_id in fresh]
            if all(each.row.value is None for each in shown):
                last = connection.execute(last_of, {**everywhere, **dict(zip(_NAMES, key, strict=True))}).first()
                if last is None:
                    continue
                shown = shown or [_judged(last)]
            ends = of_plan[shown[0].plan]
            found[key] = Stretch(len(ends), breaches.get(key, 0), ends[-1].end, ends[0].end, shown[:newest])
    return found


def _by_plan(windows: Iterable[Ended]) -> dict[str, list[Ended]]:
    found: dict[str, list[Ended]] = {}
    for each in windows:
        found.setdefault(each.plan, []).append(each)
    return found


@cache  # to put a statement together takes longer than to run it
def _stretches(dialect: str, *, by_metric: bool) -> tuple[Select[Any], Select[Any], Select[Any]]:
    """Of some windows: how often each promise was broken, the verdicts, and the last one with a value on a promise."""
    of_metric, asked = _OF_METRIC[:by_metric], among(dialect, verdicts.c.evaluation_id, "asked")
    broken = select(*_KEY, func.count().label("breaches")).where(verdicts.c.verdict == "breach", asked, *of_metric)
    shown = select(*_JUDGED).join_from(evaluations, verdicts, _SAME).where(asked).order_by(*_NEWEST_FIRST)
    same = [column == bindparam(name) for name, column in zip(_NAMES, _KEY, strict=True)]
    last = shown.where(*same, verdicts.c.value.is_not(None)).limit(1)
    return broken.group_by(*_KEY), shown.where(*of_metric), last


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
    """What was measured of *metric* on the whole in the newest of *windows* that has it, with its detail."""
    given = {"asked": [each.evaluation for each in windows], "metric": metric}
    with reading(engine) as connection:
        found = connection.execute(_newest_of(engine.dialect.name), given).first()
    return None if found is None else Measured(*found)


@cache
def _newest_of(dialect: str) -> Select[Any]:
    asked = select(evaluations.c.window_end, *_MEASURED, measurements.c.detail)
    asked = asked.join_from(evaluations, measurements, measurements.c.evaluation_id == evaluations.c.id)
    asked = asked.where(among(dialect, evaluations.c.id, "asked"), *_WHOLE)
    return asked.order_by(*_NEWEST_FIRST).limit(1)


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
