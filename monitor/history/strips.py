"""How what a model promises, and what was measured beside it, went over a time: its windows are read once,
and every metric by them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, Select, bindparam, func, select

from monitor.history.engine import Readable, reading
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

MOST = 20_000
"""Rows for one page: a year of hours with two promises, or a month of hours with two dozen."""


class Ended(NamedTuple):
    """A window that ended, and the evaluation of it that stands."""

    evaluation: int
    start: datetime
    end: datetime


Windows = Mapping[str, Sequence[Ended]]
"""By plan, newest first."""


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
    engine: Readable, model: str, since: datetime, until: datetime, metric: str | None = None
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


def ended(engine: Readable, model: str, since: datetime, until: datetime) -> Windows:
    """The windows that ended in ``[since, until]``; of too many the newest."""
    with reading(engine) as connection:
        rows = connection.execute(_ended(), _given(model, since, until)).all()
    found: dict[str, list[Ended]] = {}
    for plan, *about in rows:
        found.setdefault(plan, []).append(Ended._make(about))
    return found


@cache
def _ended() -> Select[Any]:
    return _windows(select(*(evaluations.c[name] for name in ("plan", "id", "window_start", "window_end"))))


def stretches(engine: Readable, windows: Windows, newest: int, metric: str | None = None) -> dict[Key, Stretch]:
    """How each promise that had a value went in *windows*.

    It is shown by those of the *newest* windows of its plan that it was judged in, or else by the last with a value.
    To look for promises in every window would take longer than all the rest: one that was made and given up between
    the first window and the newest, and never broken, is left out.
    """
    fresh = {each.evaluation for some in windows.values() for each in some[:newest]}
    given = {} if metric is None else {"metric": metric}
    everywhere = {**given, "asked": [each.evaluation for some in windows.values() for each in some]}
    somewhere = {**given, "asked": sorted(fresh | {some[-1].evaluation for some in windows.values()})}
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
            ends = windows[shown[0].plan]
            found[key] = Stretch(len(ends), breaches.get(key, 0), ends[-1].end, ends[0].end, shown[:newest])
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
    engine: Readable,
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


def newest_of(engine: Readable, windows: Windows, metric: str, newest: int) -> Measured | None:
    """What was measured of *metric* on the whole, with its detail, in the last of the *newest* windows of each plan
    that has it."""
    at = {each.evaluation: each.end for some in windows.values() for each in some[:newest]}
    with reading(engine) as connection:
        found = connection.execute(_newest_of(engine.dialect.name), {"asked": list(at), "metric": metric}).all()
    last = max(found, key=lambda row: (at[row.evaluation_id], row.evaluation_id), default=None)
    return None if last is None else Measured(at[last.evaluation_id], *last[1:])


@cache
def _newest_of(dialect: str) -> Select[Any]:
    asked = select(measurements.c.evaluation_id, *_MEASURED, measurements.c.detail).where(*_WHOLE)
    return asked.where(among(dialect, measurements.c.evaluation_id, "asked"))


def _windows(asked: Select[Any]) -> Select[Any]:
    return asked.select_from(evaluations).where(*_INSIDE).order_by(*_NEWEST_FIRST).limit(MOST)


def _given(model: str, since: datetime, until: datetime, **more: object) -> dict[str, object]:
    return {"model": model, "since": since, "until": until} | {n: v for n, v in more.items() if v is not None}
