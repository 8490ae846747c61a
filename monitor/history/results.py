"""What evaluations measured and judged: measurements with the verdicts on them, and verdicts on what was not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Integer, Row, Select, Table, and_, bindparam, select

from monitor.history.rows import HistoryRow
from monitor.history.tables import measurements, verdicts
from monitor.history.values import among

EVALUATION = ("model", "version", "window_start", "window_end", "revision", "evaluated_at")
SUBJECT = ("check", "metric", "column", "segment", "value", "low", "high", "rows")
KEY = ("evaluation_id", "metric", "column", "segment")
VERDICT = ("verdict", "reason", "sentence", "severity", "side", "threshold", "released_value", "comparisons")
SAID = 1 + len(SUBJECT)
EQUAL = {"check", "metric", "column", "segment", "verdict"}
NO_VERDICT = (None,) * (SAID + len(VERDICT))

Judged = dict[tuple[Any, ...], list[Sequence[Any]]]
"""Verdicts by evaluation, metric, column and segment."""


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


class Results:
    """The results that match, of any evaluations."""

    def __init__(self, connection: Connection, asked: Filters) -> None:
        self._connection = connection
        self._asked = asked
        self._given = given(asked)

    def of(self, page: Sequence[Row[Any]], limit: int | None = None) -> dict[int, list[HistoryRow]]:
        """Those of each evaluation, as they were recorded; of a single one the first *limit* are enough.

        Each evaluation of *page* is its id and what HistoryRow says of it.
        """
        about = {row[0]: row[1:] for row in page}
        found: dict[int, list[HistoryRow]] = {evaluation: [] for evaluation in about}
        judged = self._verdicts(about)
        for row in self._measurements(about, limit):
            evaluation, subject = row[0], row[1:]
            for verdict in judged.pop(_key(row), self._unjudged()):
                found[evaluation].append(HistoryRow(*(*about[evaluation], *subject, *verdict[SAID:], evaluation)))
        for evaluation, *said in chain.from_iterable(judged.values()):  # what is left was not measured
            if self._asked.check in {None, said[0]}:
                found[evaluation].append(HistoryRow(*(*about[evaluation], *said, evaluation)))
        return found

    def _verdicts(self, about: Mapping[int, object]) -> Judged:
        judged: Judged = {}
        # A verdict may name no check, where nothing was measured.
        for row in self._read(verdicts, (*SUBJECT, *VERDICT), self._given.keys() - {"check"}, about):
            judged.setdefault(_key(row), []).append(row)
        return judged

    def _measurements(self, about: Mapping[int, object], limit: int | None) -> Sequence[Row[Any]]:
        first = limit if len(about) == 1 and self._asked.verdict is None else None
        return self._read(measurements, SUBJECT, self._given.keys(), about, first)

    def _read(
        self,
        table: Table,
        columns: tuple[str, ...],
        named: AbstractSet[str],
        about: Mapping[int, object],
        limit: int | None = None,
    ) -> Sequence[Row[Any]]:
        asked = _statement(
            self._connection.dialect.name, table, columns, frozenset(named & EQUAL), limited=limit is not None
        )
        return self._connection.execute(asked, {**self._given, "page": list(about), "limit": limit}).all()

    def _unjudged(self) -> list[Sequence[Any]]:
        return [NO_VERDICT] if self._asked.verdict is None else []


def given(asked: Filters) -> dict[str, object]:
    """What is asked for, by name: the parameters of a statement."""
    return {name: value for name, value in asdict(asked).items() if value is not None}


@cache  # to put a statement together takes longer than to run it
def _statement(
    dialect: str, table: Table, columns: tuple[str, ...], named: frozenset[str], *, limited: bool
) -> Select[Any]:
    matches = [table.c[name] == bindparam(name) for name in sorted(named - {"verdict"})]
    query = select(table.c.evaluation_id, *(table.c[name] for name in columns))
    if "verdict" in named:
        matches.append(verdicts.c.verdict == bindparam("verdict"))
    if "verdict" in named and table is measurements:
        query = query.join_from(verdicts, table, and_(*(verdicts.c[name] == table.c[name] for name in KEY)))
    whose = verdicts if "verdict" in named else table
    query = query.where(among(dialect, whose.c.evaluation_id, "page"), *matches).order_by(table.c.id)
    return query.limit(bindparam("limit", type_=Integer)) if limited else query


def _key(row: Sequence[Any]) -> tuple[Any, ...]:
    return (row[0], row[2], row[3], row[4])
