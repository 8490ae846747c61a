"""Searching the history: walk back in time along an index until enough rows are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from math import ceil
from operator import eq, ge, le, lt
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
)

from monitor.history.engine import reading
from monitor.history.results import EVALUATION, Filters, Results, given
from monitor.history.rows import HistoryRow
from monitor.history.tables import evaluations, verdicts
from monitor.history.values import among

SPELL = 1000
"""Evaluations that are looked at for one page, however little in them matches."""
GROWTH = 4
"""How many times as many are read next, while too little matches."""
FEW = 4000
"""Up to this many verdicts of a kind are looked up one by one; of more, the newest are met soon on the way back."""


Compare = Callable[[Any, Any], Any]
"""``eq``, ``ge`` and the like."""

Known = Callable[[FromClause], Sequence[ColumnElement[bool]]]
"""Which evaluations are known, as conditions on the table or an alias of it; those of others are as if not there."""


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
    as_of: datetime | None = None,
    limit: int = 1000,
) -> list[HistoryRow]:
    """The newest *limit* rows that match, oldest first; of each window the revision that stands.

    ``segment=""`` asks for the whole only, ``column="*"`` for any column. *since* and *until* bound the window's
    end, *until* itself excluded; *as_of* asks for what was known at that time.
    """
    asked = Filters(model, check, metric, None if column == "*" else column, segment, since, until, verdict, as_of)
    with reading(engine) as connection:
        matching = (row for _, row in walk(connection, asked, limit) if row is not None)
        return oldest_first(islice(matching, limit))


def results_of(connection: Connection, evaluation_id: int) -> list[HistoryRow]:
    """What one evaluation measured and judged, as it was recorded, whether it stands or not."""
    columns = [evaluations.c.id, *(evaluations.c[name] for name in EVALUATION)]
    found = connection.execute(select(*columns).where(evaluations.c.id == evaluation_id)).all()
    return Results(connection, Filters()).of(found)[evaluation_id] if found else []


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
    evaluations_of, results = _BackInTime(connection, asked, upto), Results(connection, asked)
    one_each = asked.metric is not None and asked.segment is not None
    size, looked, told = min(limit, SPELL) if one_each else 1, 0, 0  # one evaluation may hold thousands of rows
    # The evaluation that a page ended in is read again, for what is left of it.
    taken = {after.evaluation: after.taken} if after is not None else {}
    page = evaluations_of.page(size, None if after is None else (after.window_end, after.evaluation))
    while page:
        found = results.of(page, limit + sum(taken.values()))
        for evaluation, rows in found.items():
            behind = taken.get(evaluation, 0)
            for count, row in enumerate(rows[behind:], behind + 1):
                yield Place(upto, row.window_end, evaluation, count), row
        last = page[-1]
        looked, told = looked + len(page), told + sum(map(len, found.values()))
        if looked % SPELL == 0:
            yield Place(upto, last.window_end, last.id, max(taken.get(last.id, 0), len(found[last.id]))), None
        size = _next_size(size, looked, told, limit)
        page = evaluations_of.page(size, (last.window_end, last.id - 1))


def _next_size(size: int, looked: int, told: int, limit: int) -> int:
    """As many evaluations as what is left to tell seems to lie in, if the next are like those before; never many more
    than the last time, nor across the end of a spell."""
    likely = ceil(max(limit - told, 1) * looked / told) if told else size * GROWTH
    return max(1, min(size * GROWTH, likely, SPELL - looked % SPELL))


class _BackInTime:
    """The evaluations asked for, newest first; the database never chooses where to begin."""

    def __init__(self, connection: Connection, asked: Filters, upto: int) -> None:
        self._connection = connection
        few = _few_evaluations(connection, asked.verdict)
        about = {**given(asked), "upto": upto, "few": few}
        self._about = {name: value for name, value in about.items() if value is not None}
        self._statements = _evaluations(connection.dialect.name, frozenset(self._about), revisions=asked.revisions)

    def page(self, size: int, place: tuple[datetime, int] | None) -> Sequence[Row[Any]]:
        """The next *size* of them, from the evaluation of that window's end and id on."""
        newest_on, from_place = self._statements
        if place is None:
            return self._connection.execute(newest_on, {**self._about, "size": size}).all()
        about = {**self._about, "size": size, "place_end": place[0], "place_id": place[1]}
        return self._connection.execute(from_place, about).all()


@cache  # to put a statement together takes longer than to run it
def _evaluations(dialect: str, named: frozenset[str], *, revisions: bool) -> tuple[Select[Any], Select[Any]]:
    """From the newest on, and from a place on."""

    def known(table: FromClause) -> list[ColumnElement[bool]]:
        # A sum, so that the database does not walk by the id instead of by time.
        conditions = [table.c.id + 0 <= bindparam("upto", type_=Integer)]
        return [*conditions, table.c.evaluated_at <= bindparam("as_of")] if "as_of" in named else conditions

    columns = [evaluations.c.id, *(evaluations.c[name] for name in EVALUATION)]
    times = (
        ("since", "window_end", ge),
        ("until", "window_end", lt),
        ("as_of", "window_end", le),  # nothing is evaluated before its window is over
    )
    query = (
        select(*columns)
        .where(*known(evaluations))
        .where(*_compared(evaluations, named, ("model", "model", eq), *times))
        .order_by(*(evaluations.c[name].desc() for name in ("window_end", "id")))
        .limit(bindparam("size", type_=Integer))
    )
    if "few" in named:
        query = query.where(among(dialect, evaluations.c.id, "few"))
    if not revisions:
        # The other revisions of a window end when it does; PostgreSQL has to be told.
        query = query.where(stands(lambda table: [*known(table), *_compared(table, named, *times)]))
    return query, query.where(*_from_place())


def _compared(
    table: FromClause, named: AbstractSet[str], *bounds: tuple[str, str, Compare]
) -> list[ColumnElement[bool]]:
    """The bounds that are named: a parameter, the column of *table* that is compared with it, and how."""
    return [compare(table.c[column], bindparam(name)) for name, column, compare in bounds if name in named]


def _from_place() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """From the evaluation of a window's end and id on.

    Said twice: alone, the comparison of two columns would keep SQLite from beginning in the middle of the index.
    """
    end = bindparam("place_end", type_=evaluations.c.window_end.type)
    same = and_(evaluations.c.window_end == end, evaluations.c.id <= bindparam("place_id", type_=evaluations.c.id.type))
    return evaluations.c.window_end <= end, or_(evaluations.c.window_end < end, same)


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


def oldest_first(newest_first: Iterable[HistoryRow]) -> list[HistoryRow]:
    """Stable, so that what was recorded together stays in its order."""
    return sorted(newest_first, key=lambda row: row.window_end)
