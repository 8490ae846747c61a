"""The days of a metric: what it was in each, and any stretch of them at the cost of four subtractions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from operator import attrgetter, mul
from typing import Protocol


class AnyDay(Protocol):
    """A metric's value over one day (or one bucket, where that is longer), as the mean of its rows."""

    @property
    def start(self) -> datetime: ...
    @property
    def value(self) -> float: ...
    @property
    def rows(self) -> int: ...
    @property
    def error(self) -> float:
        """Its standard error if those rows were independent; 0 where that is not known."""


@dataclass(frozen=True, slots=True)
class Day:
    """The same, and nothing else."""

    start: datetime
    value: float
    rows: int
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some days in a row: their mean weighted by rows, and the sum of squared rows per day."""

    days: int
    mean: float
    rows: int
    squares: float


class Days:
    """Days with rows, in order of time; the order they are given in does not matter."""

    __slots__ = ("_rows", "_squares", "_totals", "days")

    def __init__(self, days: Iterable[AnyDay]) -> None:
        self.days = tuple(sorted([day for day in days if day.rows > 0], key=attrgetter("start")))
        rows = [day.rows for day in self.days]
        self._rows = [0, *accumulate(rows)]
        self._totals = [0.0, *accumulate(map(mul, rows, [day.value for day in self.days]))]
        self._squares = [0, *accumulate(map(mul, rows, rows))]

    def __len__(self) -> int:
        return len(self.days)

    def last(self, count: int, end: int) -> Stretch:
        """The *count* days before the one at place *end*."""
        first = end - count
        rows = self._rows[end] - self._rows[first]
        mean = (self._totals[end] - self._totals[first]) / rows
        return Stretch(count, mean, rows, self._squares[end] - self._squares[first])
