"""Two distributions of one column as counts of the same few cells, coarse enough to compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest

from checks.profile import Categories, Distribution, Numbers

BIN_SHARE = 0.08
"""Neighbouring cells of a number are merged until a bin holds this share of the baseline's numbers: about ten bins."""

RARE_SHARE = 0.01
"""Cells (other than bins) with less than this share of the baseline's rows are merged into one."""

RARE = "(rare)"

Named = tuple[str, int, int]
"""A cell's name, its rows in the baseline and its rows in the window."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Rows of one cell in the baseline and in the window."""

    name: str
    before: int
    now: int


def compared(cells: Numbers | Categories, before: Distribution, now: Distribution) -> tuple[Cell, ...]:
    """The cells to compare: bins or values, and null, NaN, infinite and absent as cells of their own.

    Bins are merges of neighbours of at least BIN_SHARE. What is rarer than RARE_SHARE in the baseline is one cell, so
    a null where there was none counts as rare. The choice looks at the baseline alone, so windows stay comparable;
    a cell empty in both is left out.
    """
    bins = tuple(_bins(cells, before, now)) if isinstance(cells, Numbers) else ()
    values = tuple(_values(cells, before, now)) if isinstance(cells, Categories) else ()
    limit = RARE_SHARE * before.rows
    common = [Cell(*cell) for cell in (*_missing(before, now), *values) if cell[1] >= limit]
    kept = (*bins, *common)
    rare = Cell(RARE, before.rows - sum(cell.before for cell in kept), now.rows - sum(cell.now for cell in kept))
    return tuple(cell for cell in (*kept, rare) if cell.before or cell.now)


def most_moved(cells: Numbers | Categories, before: Distribution, now: Distribution) -> list[dict[str, object]]:
    """The three cells whose share changed most, by the names people know: bins, values, and what is missing."""
    bins = (
        [(cell.name, cell.before, cell.now) for cell in _bins(cells, before, now)] if isinstance(cells, Numbers) else []
    )
    rest = (*_missing(before, now), *bins, *(_values(cells, before, now) if isinstance(cells, Categories) else ()))
    rows, old = now.rows, before.rows
    apart = [abs(holds / rows - held / old) for _, held, holds in rest]
    largest = (rest[place] for place in nlargest(3, range(len(rest)), key=apart.__getitem__) if apart[place])
    return [{"cell": name, "before": held / old, "now": holds / rows} for name, held, holds in largest]


def _missing(before: Distribution, now: Distribution) -> Iterator[Named]:
    yield "(null)", before.null, now.null
    yield "(NaN)", before.nan, now.nan
    yield "(infinite)", before.infinite, now.infinite
    yield "(absent)", before.absent, now.absent


def _values(cells: Categories, before: Distribution, now: Distribution) -> Iterator[Named]:
    return zip((*cells.values, "(other)"), before.counts, now.counts, strict=True)


def _bins(cells: Numbers, before: Distribution, now: Distribution) -> Iterator[Cell]:
    """Closed as soon as they are large enough; what is left over at the upper end joins the last one."""
    left = sum(before.counts)
    limit = BIN_SHARE * left
    starts = [0]
    held = 0
    for place, rows in enumerate(before.counts):
        held += rows
        left -= rows
        if held >= limit and left >= limit:
            starts.append(place + 1)
            held = 0
    edges = ("-inf", *(f"{edge:.6g}" for edge in cells.edges), "inf")
    for start, end in zip(starts, (*starts[1:], cells.cells), strict=True):
        name = f"[{edges[start]}, {edges[end]})" if start else f"(-inf, {edges[end]})"
        yield Cell(name, sum(before.counts[start:end]), sum(now.counts[start:end]))
