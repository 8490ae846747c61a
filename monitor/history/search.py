"""Searching the history: walk back in time along an index until enough rows are found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, Table, and_, exists, or_, select

from monitor.history.engine import reading
from monitor.history.rows import HistoryRow
from monitor.history.tables import evaluations, measurements, verdicts

FIRST_PAGE, GROWTH = 1, 2
FEW = 4000
"""Up to this many verdicts of a kind are looked up one by one; of more, the newest are met soon on the way back."""

EVALUATION = ("model", "version", "window_start", "window_end", "revision", "evaluated_at")
SUBJECT = ("check", "metric", "column", "segment", "value", "low", "high", "rows")
KEY = ("evaluation_id", "metric", "column", "segment")
VERDICT = ("verdict", "reason", "sentence", "severity", "side", "threshold", "released_value", "comparisons")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; None means any."""

    model: str | None = None
    check: str | None = None
    metric: str | None = None
    column: str | None = None
    segment: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    verdict: str | None = None


def history(
    engine: Engine,
    *,
    model: str | None = None,
    check: str | None = None,
    metric: str | None = None,
    column: str | None = None,
    segment: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    verdict: str | None = None,
    limit: int = 1000,
) -> list[HistoryRow]:
    """The newest *limit* rows that match, oldest first; of each window the revision that stands.

    ``segment=""`` asks for the whole only, ``column="*"`` for any column. *since* and *until* bound the window's
    end, *until* itself excluded.
    """
    asked = Filters(model, check, metric, None if column == "*" else column, segment, since, until, verdict)
    found: list[HistoryRow] = []
    with reading(engine) as connection:
        for page in _back_in_time(connection, asked):
            found += _rows(connection, page, asked, limit)
            if len(found) >= limit:
                break
    return _oldest_first(found[:limit])


def stands() -> ColumnElement[bool]:
    """Of the revisions of a window the newest; one that failed only where no other got to an answer."""
    other = evaluations.alias("other")
    mine_failed = evaluations.c.state != "done"
    newer = other.c.revision > evaluations.c.revision
    better = and_(other.c.revision < evaluations.c.revision, other.c.state == "done", mine_failed)
    replaces = or_(and_(newer, or_(other.c.state == "done", mine_failed)), better)
    same = [other.c[name] == evaluations.c[name] for name in ("model", "plan", "window_start", "window_end")]
    return ~exists().where(*same, replaces)


def _back_in_time(connection: Connection, asked: Filters) -> Iterator[Sequence[Row[Any]]]:
    """The evaluations that stand, newest first, in pages that grow; the database never chooses where to begin."""
    columns = [evaluations.c.id, *(evaluations.c[name] for name in EVALUATION)]
    query = select(*columns).where(stands()).order_by(evaluations.c.window_end.desc(), evaluations.c.id.desc())
    few = _few_evaluations(connection, asked.verdict)
    if few is not None:
        query = query.where(evaluations.c.id.in_(few))
    if asked.model is not None:
        query = query.where(evaluations.c.model == asked.model)
    if asked.since is not None:
        query = query.where(evaluations.c.window_end >= asked.since)
    if asked.until is not None:
        query = query.where(evaluations.c.window_end < asked.until)
    size = FIRST_PAGE
    page = connection.execute(query.limit(size)).all()
    while page:
        yield page
        size = min(size * GROWTH, FEW)
        last = (page[-1].window_end, page[-1].id)
        # Said twice: alone, the comparison of two columns would keep SQLite from beginning in the middle of the index.
        after = query.where(evaluations.c.window_end <= last[0], _before(*last))
        page = connection.execute(after.limit(size)).all()


def _before(window_end: datetime, evaluation_id: int) -> ColumnElement[bool]:
    same = and_(evaluations.c.window_end == window_end, evaluations.c.id < evaluation_id)
    return or_(evaluations.c.window_end < window_end, same)


def _few_evaluations(connection: Connection, verdict: str | None) -> list[int] | None:
    """The evaluations with a rare verdict; None where it is not asked for or not rare."""
    if verdict is None:
        return None
    ids = list(
        connection.execute(
            select(verdicts.c.evaluation_id).where(verdicts.c.verdict == verdict).limit(FEW + 1)
        ).scalars()
    )
    return None if len(ids) > FEW else sorted(set(ids))


def _rows(connection: Connection, page: Sequence[Row[Any]], asked: Filters, limit: int) -> list[HistoryRow]:
    """What matches in these evaluations, newest evaluation first, in each as it was recorded."""
    about = {row.id: tuple(row)[1:] for row in page}
    matching: dict[int, list[HistoryRow]] = {evaluation: [] for evaluation in about}
    for query in (_measured(asked, list(about)), _unmeasured(asked, list(about))):
        # Of one evaluation the first rows will do; of several it takes all, to know which are of the newest.
        for evaluation, *row in connection.execute(query.limit(limit) if len(page) == 1 else query):
            matching[evaluation].append(HistoryRow(*about[evaluation], *row))
    return [row for rows in matching.values() for row in rows]


def _measured(asked: Filters, page: list[int]) -> Select[Any]:
    """Measurements, each with its verdicts, where it has any."""
    about = [verdicts.c[name] == measurements.c[name] for name in KEY]
    columns = [*(measurements.c[name] for name in SUBJECT), *(verdicts.c[name] for name in VERDICT)]
    joined = measurements.join(verdicts, and_(*about), isouter=asked.verdict is None)
    return _matching(asked, measurements, columns, page).select_from(joined)


def _unmeasured(asked: Filters, page: list[int]) -> Select[Any]:
    """Verdicts on what could not be measured."""
    measured = exists().where(*(verdicts.c[name] == measurements.c[name] for name in KEY))
    columns = [verdicts.c[name] for name in (*SUBJECT, *VERDICT)]
    return _matching(asked, verdicts, columns, page).where(~measured)


def _matching(asked: Filters, subject: Table, columns: Sequence[ColumnElement[Any]], page: list[int]) -> Select[Any]:
    equal = (
        (subject.c.check, asked.check),
        (subject.c.metric, asked.metric),
        (subject.c.column, asked.column),
        (subject.c.segment, asked.segment),
        (verdicts.c.verdict, asked.verdict),
    )
    query = select(subject.c.evaluation_id, *columns).where(subject.c.evaluation_id.in_(page))
    matches = [where == value for where, value in equal if value is not None]
    return query.where(*matches).order_by(subject.c.id, verdicts.c.id)


def _oldest_first(newest_first: list[HistoryRow]) -> list[HistoryRow]:
    """Stable, so that what was recorded together stays in its order."""
    return sorted(newest_first, key=lambda row: row.window_end)
