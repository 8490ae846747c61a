"""Numeric columns counted in NumPy from the batches that DuckDB hands over: three times faster than its own aggregates.

DuckDB reads, filters and joins; what is counted here needs no search. The first 16 bits of a double (sign, exponent
and four bits of the fraction) tell its cell but for the few edges among the doubles that share them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from checks.profile import Numbers
from monitor.data.columns import HUGE

if TYPE_CHECKING:
    import pyarrow

Doubles = NDArray[np.float64]
Places = NDArray[np.intp]

SEARCHED = 16
"""With more edges than this among the doubles that share 16 bits, as the years 2000 to 2024 are, a search is faster."""

Group = tuple[int, int | None, str]
"""A bucket and, of a segment, its place in the layout and a value of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Ruler:
    """Where the cells of a column begin: place 0 is below every cell, the last one above, and that of NaN."""

    starts: Doubles
    first: Places
    """By their first 16 bits, the place of the least of the doubles that share them."""
    steps: int
    """How many places doubles that share them are apart at most."""

    @property
    def places(self) -> int:
        return len(self.starts) + 1

    def measure(self, values: Doubles) -> Places:
        """The place of each value."""
        if self.steps > SEARCHED:
            return np.searchsorted(self.starts, values, side="right")
        found: Places = self.first[values.view(np.int64) >> 48]
        ends = np.append(self.starts, np.nan)
        for _ in range(self.steps):
            found += values >= ends.take(found)
        return found


@lru_cache(maxsize=1024)
def ruler(cells: Numbers) -> Ruler:
    """The ruler of a column; numbers of HUGE and beyond, which are counted as infinite, lie outside."""
    starts = np.array([np.nextafter(-HUGE, 0.0), *cells.edges, HUGE])
    least, greatest = _sharing()
    first = np.searchsorted(starts, least, side="right")
    last = np.searchsorted(starts, greatest, side="right")
    return Ruler(starts, first, int((last - first).max()))


@lru_cache(maxsize=1)
def _sharing() -> tuple[Doubles, Doubles]:
    """The least and the greatest of the doubles that share each 16 bits, a negative number counted from the end."""
    bits = np.arange(2**16, dtype=np.uint64) << np.uint64(48)
    near, far = bits.view(np.float64), (bits | np.uint64(2**48 - 1)).view(np.float64)
    ends = np.where(np.isnan(far), near, far)  # infinity shares its bits with NaN
    negative = np.arange(2**16) >= 2**15
    return np.where(negative, ends, near), np.where(negative, near, ends)


@dataclass(slots=True)
class Counts:
    """What is counted of the rows of a group: per column its cells (in one row), and by column the other sums."""

    rows: int
    cells: NDArray[np.int64]
    sums: Doubles
    """Null, NaN, and the sum of distances to the centre and of their squares."""
    lows: Doubles
    highs: Doubles

    def add(self, other: Counts) -> None:
        self.rows += other.rows
        self.cells += other.cells
        self.sums += other.sums
        self.lows = np.minimum(self.lows, other.lows)
        self.highs = np.maximum(self.highs, other.highs)


@dataclass(frozen=True, slots=True)
class Groups:
    """The rows of a batch brought into groups: *codes* say which, in this *order*, where each *starts*."""

    keys: Sequence[Group]
    order: Places | None
    codes: Places
    starts: Places


def count(
    batches: Iterable[pyarrow.RecordBatch], columns: Sequence[Numbers], segments: Sequence[int]
) -> dict[Group, Counts]:
    """Count *columns* (the last ones of each batch) by bucket, and by bucket and value of each of *segments*."""
    found: dict[Group, Counts] = {}
    for batch in batches:
        bucket, *others = batch.columns
        for place, segment in ((None, None), *zip(segments, others, strict=False)):
            groups = _groups(bucket, place, segment)
            for key, counts in zip(groups.keys, _counted(groups, others[len(segments) :], columns), strict=True):
                if key in found:
                    found[key].add(counts)
                else:
                    found[key] = counts
    return found


def _groups(bucket: pyarrow.Array, place: int | None, segment: pyarrow.Array | None) -> Groups:
    keys, codes = _coded(bucket)
    if segment is None:
        named: list[Group] = [(key, None, "") for key in keys]
    else:
        values, mine = _coded(segment)
        pairs, codes = np.unique(codes * len(values) + mine, return_inverse=True)
        named = [(keys[pair // len(values)], place, values[pair % len(values)]) for pair in pairs.tolist()]
    order = None
    if len(named) > 1:
        order = np.argsort(codes, kind="stable")
        codes = codes[order]
    return Groups(named, order, codes, np.searchsorted(codes, np.arange(len(named))))


def _coded(column: pyarrow.Array) -> tuple[list[Any], Places]:
    encoded = column.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.intp)


def _counted(groups: Groups, given: Sequence[pyarrow.Array], columns: Sequence[Numbers]) -> list[Counts]:
    """The counts of each group."""
    each = [_column(groups, column, cells) for column, cells in zip(given, columns, strict=True)]
    cells = np.concatenate([one[0] for one in each], axis=1)
    sums = np.stack([one[1] for one in each], axis=2)
    rows = np.diff([*groups.starts, len(groups.codes)])
    return [Counts(int(rows[at]), cells[at], sums[:4, at], sums[4, at], sums[5, at]) for at in range(len(groups.keys))]


def _column(groups: Groups, column: pyarrow.Array, cells: Numbers) -> tuple[NDArray[np.int64], Doubles]:
    """Per group the counts of the cells; and null, NaN, sum, squares, least and greatest, each per group."""
    starts, given = groups.starts, column.to_numpy(zero_copy_only=False)  # nulls become NaN
    values = given if groups.order is None else given[groups.order]
    rule = ruler(cells)
    measured = rule.measure(values) + groups.codes * rule.places
    counts = np.bincount(measured, minlength=len(starts) * rule.places).reshape(-1, rule.places)[:, 1:-1]
    null = nan = np.zeros(len(starts))
    least = greatest = values
    away = values - cells.centre
    if counts.sum() < len(values):
        usable = np.abs(values) < HUGE
        away = np.where(usable, away, 0.0)
        least, greatest = np.where(usable, values, np.inf), np.where(usable, values, -np.inf)
        null = _per_group(groups, column.is_null())
        nan = np.add.reduceat(np.isnan(values), starts, dtype=np.float64) - null
    total, squares = np.add.reduceat(away, starts), np.add.reduceat(away * away, starts)
    ends = np.minimum.reduceat(least, starts), np.maximum.reduceat(greatest, starts)
    return counts, np.stack([null, nan, total, squares, *ends])


def _per_group(groups: Groups, flags: pyarrow.Array) -> Doubles:
    given = flags.to_numpy(zero_copy_only=False)
    return np.add.reduceat(given if groups.order is None else given[groups.order], groups.starts, dtype=np.float64)
