"""How a metric of each column went over a time, in as many cells as there is room for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from math import ceil
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select

from monitor.history.engine import Readable, reading
from monitor.history.strips import Ended, Windows
from monitor.history.tables import measurements
from monitor.history.values import among, numbered

MANY = 200
"""Windows of all plans up to which none is left out."""
_WHOLE = (measurements.c.metric == bindparam("metric"), measurements.c.segment == "")


@dataclass(frozen=True, slots=True)
class Heat:
    """How a metric of each column went: *cells* of windows next to each other by their ends, oldest first, the *most*
    that each column was in each cell, and what it is *now*, in the newest window."""

    cells: Sequence[Sequence[datetime]]
    most: Mapping[str, Sequence[float | None]]
    now: Mapping[str, float | None]


def heat(engine: Readable, windows: Windows, metric: str, most: int) -> Heat:
    """How *metric* of each column went on the whole, in *most* cells at most, of many windows by some.

    Of a month of days that move on by the hour a window a day: every row is in one of them, and none is read 24 times.
    """
    shown = _shown(windows)
    if not shown:
        return Heat((), {}, {})
    each = ceil(len(shown) / most)
    cells = [tuple(one.end for one in shown[first : first + each]) for first in range(0, len(shown), each)]
    at_most, now = _heat(engine.dialect.name)
    given = {"metric": metric, "asked": [one.evaluation for one in shown], "each": each}
    values: dict[str, list[float | None]] = defaultdict(lambda: [None] * len(cells))
    with reading(engine) as connection:
        for column, place, value in connection.execute(at_most, given).all():
            values[column][place] = value
        newest = [one.evaluation for one in shown if one.end == shown[-1].end]
        last = connection.execute(now, {"metric": metric, "asked": newest}).all()
    return Heat(cells, dict(values), {column: value for column, value in last})  # noqa: C416  # rows are no pairs to dict


@cache  # to put a statement together takes longer than to run it
def _heat(dialect: str) -> tuple[Select[Any], Select[Any]]:
    """The largest value of each column in each cell, and the values in some windows."""
    asked = numbered(dialect, "asked")
    name, place = measurements.c.column, (asked.c.place // bindparam("each", type_=Integer)).label("cell")
    at_most = select(name, place, func.max(measurements.c.value)).group_by(name, place).where(*_WHOLE)
    now = select(name, measurements.c.value).where(*_WHOLE, among(dialect, measurements.c.evaluation_id, "asked"))
    return at_most.join_from(asked, measurements, measurements.c.evaluation_id == asked.c.id), now


def _shown(windows: Windows) -> list[Ended]:
    """Oldest first."""
    few = sum(map(len, windows.values())) <= MANY
    shown = (each for some in windows.values() for each in (some if few else _apart(some)))
    return sorted(shown, key=lambda each: each.end)


def _apart(newest_first: Iterable[Ended]) -> Iterator[Ended]:
    """The newest, and then each that ends before the one after it begins."""
    begins = None
    for each in newest_first:
        if begins is None or each.end <= begins:
            begins = each.start
            yield each
