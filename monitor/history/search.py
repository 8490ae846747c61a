"""Searching the history: walk back in time along an index until enough rows are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import eq, ge, le, lt
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Row,
    Select,
    Table,
    and_,
    exists,
    func,
    or_,
    select,
)

from monitor.history.engine import reading
from monitor.history.rows import HistoryRow
from monitor.history.tables import evaluations, measurements, verdicts
from monitor.history.values import among

NARROW, GROWTH = 200, 4
"""Evaluations in the first page where each holds a row at most; else it is one, for one may hold thousands."""
SPELL = 5000
"""Evaluations that are looked at for one page, however little in them matches."""
FEW = 4000
"""Up to this many verdicts of a kind are looked up one by one; of more, the newest are met soon on the way back."""

EVALUATION = ("model", "version", "window_start", "window_end", "revision", "evaluated_at")
SUBJECT = ("check", "metric", "column", "segment", "value", "low", "high", "rows")
KEY = ("evaluation_id", "metric", "column", "segment")
VERDICT = ("verdict", "reason", "sentence", "severity", "side", "threshold", "released_value", "comparisons")

Compare = Callable[[Any, Any], Any]
"""``eq``, ``ge`` and the like."""

Known = Callable[[FromClause], Sequence[ColumnElement[bool]]]
"""Which evaluations are known, as conditions on the table or an alias of it; those of others are as if not there."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; None means any. *since* and *until* bound the window's end, *until* itself excluded.

    *as_of* asks for what was known at that time; *revisions* for each revision of a window, not only what stands.
    """

    model: str | None = None
    check: str | None = None
    metric: str | None = None
    column: str | None = None
    segment: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    verdict: str | None = None
    as_of: datetime | None = None
    revisions: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: behind *taken* rows of *evaluation*, whose window ends at *window_end*.

    What is recorded after *upto*, the newest evaluation when the first page was read, is on no further page.
    """

    upto: int
    window_end: datetime
    evaluation: int
    taken: int


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
    with reading(engine) as connection:
        matching = (row for _, row in walk(connection, asked, limit) if row is not None)
        return oldest_first(islice(matching, limit))


def results_of(connection: Connection, evaluation_id: int) -> list[HistoryRow]:
    """What one evaluation measured and judged, as it was recorded, whether it stands or not."""
    columns = [evaluations.c.id, *(evaluations.c[name] for name in EVALUATION)]
    found = connection.execute(select(*columns).where(evaluations.c.id == evaluation_id)).all()
    return _rows(connection, found, Filters(), None)[evaluation_id] if found else []


def within(bounds: Iterable[tuple[Any, ColumnElement[Any], Compare]]) -> list[ColumnElement[bool]]:
    """Each column compared with its value, where there is one."""
    return [compare(column, value) for value, column, compare in bounds if value is not None]


def newest(connection: Connection) -> int:
    """The id of the evaluation that was recorded last; 0 where there is none."""
    return connection.execute(select(func.max(evaluations.c.id))).scalar_one() or 0


def stands(known: Known = lambda _: ()) -> ColumnElement[bool]:
    """Of the known revisions of a window the newest; one that failed only where no other got to an answer."""
    other = evaluations.alias("other")
    mine_failed = evaluations.c.state != "done"
    newer = other.c.revision > evaluations.c.revision
    better = and_(other.c.revision < evaluations.c.revision, other.c.state == "done", mine_failed)
    replaces = or_(and_(newer, or_(other.c.state == "done", mine_failed)), better)
    same = [other.c[name] == evaluations.c[name] for name in ("model", "plan", "window_start", "window_end")]
    return ~exists().where(*same, *known(other), replaces)


def walk(
    connection: Connection, asked: Filters, limit: int, after: Place | None = None
) -> Iterator[tuple[Place, HistoryRow | None]]:
    """Each row that matches, newest window first, with the place behind it, from *after* on.

    A place without a row says how far it has come after each SPELL evaluations. *limit* is how many rows the caller
    will take.
    """
    upto = newest(connection) if after is None else after.upto
    looked = 0
    one_each = asked.metric is not None and asked.segment is not None
    first = min(limit, NARROW) if one_each else 1
    for page in _back_in_time(connection, asked, upto, after, first):
        taken = {after.evaluation: after.taken} if after is not None else {}
        matching = _rows(connection, page, asked, limit + sum(taken.values()))
        for evaluation in page:
            behind = taken.get(evaluation.id, 0)
            place = Place(upto, evaluation.window_end, evaluation.id, behind)
            for count, row in enumerate(matching[evaluation.id][behind:], behind + 1):
                place = Place(upto, evaluation.window_end, evaluation.id, count)
                yield place, row
        looked += len(page)
        if looked >= SPELL:
            looked = 0
            yield place, None


def _back_in_time(
    connection: Connection, asked: Filters, upto: int, after: Place | None, size: int
) -> Iterator[Sequence[Row[Any]]]:
    """The evaluations asked for, newest first, in pages that grow; the database never chooses where to begin."""
    query = _evaluations(connection, asked, upto)
    # The evaluation that a page ended in is read again, for what is left of it.
    page = connection.execute(
        (query if after is None else _from(query, after.window_end, after.evaluation)).limit(size)
    ).all()
    while page:
        yield page
        size = min(size * GROWTH, FEW)
        page = connection.execute(_from(query, page[-1].window_end, page[-1].id - 1).limit(size)).all()


def _evaluations(connection: Connection, asked: Filters, upto: int) -> Select[Any]:
    def known(table: FromClause) -> list[ColumnElement[bool]]:
        # A sum, so that the database does not walk by the id instead of by time.
        conditions = [table.c.id + 0 <= upto]
        return conditions if asked.as_of is None else [*conditions, table.c.evaluated_at <= asked.as_of]

    columns = [evaluations.c.id, *(evaluations.c[name] for name in EVALUATION)]
    query = (
        select(*columns)
        .where(*known(evaluations))
        .order_by(*(evaluations.c[name].desc() for name in ("window_end", "id")))
    )
    bounds = (
        (asked.model, evaluations.c.model, eq),
        (asked.since, evaluations.c.window_end, ge),
        (asked.until, evaluations.c.window_end, lt),
        (asked.as_of, evaluations.c.window_end, le),  # nothing is evaluated before its window is over
    )
    query = query.where(*within(bounds))
    few = _few_evaluations(connection, asked.verdict)
    if few is not None:
        query = query.where(among(connection, evaluations.c.id, few))
    return query if asked.revisions else query.where(stands(known))


def _from(query: Select[Any], window_end: datetime, evaluation_id: int) -> Select[Any]:
    """From the evaluation of that window's end and id on.

    Said twice: alone, the comparison of two columns would keep SQLite from beginning in the middle of the index.
    """
    same = and_(evaluations.c.window_end == window_end, evaluations.c.id <= evaluation_id)
    return query.where(evaluations.c.window_end <= window_end, or_(evaluations.c.window_end < window_end, same))


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


def _rows(
    connection: Connection, page: Sequence[Row[Any]], asked: Filters, limit: int | None
) -> dict[int, list[HistoryRow]]:
    """What matches in each of these evaluations, as it was recorded."""
    about = {row.id: tuple(row)[1:] for row in page}
    matching: dict[int, list[HistoryRow]] = {evaluation: [] for evaluation in about}
    for matches, subject in ((_measured(asked), measurements), (_unmeasured(asked), verdicts)):
        query = matches.where(among(connection, subject.c.evaluation_id, list(about)))
        # Of one evaluation the first rows will do; of several it takes all, to know which are of the newest.
        for evaluation, *row in connection.execute(query.limit(limit) if len(page) == 1 else query).all():
            matching[evaluation].append(HistoryRow(*(*about[evaluation], *row, evaluation)))
    return matching


def _measured(asked: Filters) -> Select[Any]:
    """Measurements, each with its verdicts, where it has any."""
    about = [verdicts.c[name] == measurements.c[name] for name in KEY]
    columns = [*(measurements.c[name] for name in SUBJECT), *(verdicts.c[name] for name in VERDICT)]
    joined = measurements.join(verdicts, and_(*about), isouter=asked.verdict is None)
    return _matching(asked, measurements, columns).select_from(joined)


def _unmeasured(asked: Filters) -> Select[Any]:
    """Verdicts on what could not be measured."""
    measured = exists().where(*(verdicts.c[name] == measurements.c[name] for name in KEY))
    columns = [verdicts.c[name] for name in (*SUBJECT, *VERDICT)]
    return _matching(asked, verdicts, columns).where(~measured)


def _matching(asked: Filters, subject: Table, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    equal = (
        (subject.c.check, asked.check),
        (subject.c.metric, asked.metric),
        (subject.c.column, asked.column),
        (subject.c.segment, asked.segment),
        (verdicts.c.verdict, asked.verdict),
    )
    query = select(subject.c.evaluation_id, *columns)
    matches = [where == value for where, value in equal if value is not None]
    return query.where(*matches).order_by(subject.c.id, verdicts.c.id)


def oldest_first(newest_first: Iterable[HistoryRow]) -> list[HistoryRow]:
    """Stable, so that what was recorded together stays in its order."""
    return sorted(newest_first, key=lambda row: row.window_end)
