"""Two distributions of one column as counts of the same few cells, coarse enough to compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checks.profile import Categories, Distribution, Numbers

BIN_SHARE = 0.08
"""Neighbouring cells of a number are merged until a bin holds this share of the baseline's numbers: about ten bins."""

RARE_SHARE = 0.01
"""Cells (other than bins) with less than this share of the baseline's rows are merged into one."""

RARE = "(rare)"


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
    rest = (*_missing(before, now), *(_values(cells, before, now) if isinstance(cells, Categories) else ()))
    limit = RARE_SHARE * before.rows
    rare = [cell for cell in rest if cell.before < limit]
    kept = (*bins, *(cell for cell in rest if cell.before >= limit))
    merged = Cell(RARE, sum(cell.before for cell in rare), sum(cell.now for cell in rare))
    return tuple(cell for cell in (*kept, merged) if cell.before or cell.now)


def named(cells: Numbers | Categories, before: Distribution, now: Distribution) -> Iterator[Cell]:
    """The cells as people know them: bins, every value, and null, NaN, infinite and absent."""
    yield from _missing(before, now)
    yield from _bins(cells, before, now) if isinstance(cells, Numbers) else _values(cells, before, now)


def _missing(before: Distribution, now: Distribution) -> Iterator[Cell]:
    yield Cell("(null)", before.null, now.null)
    yield Cell("(NaN)", before.nan, now.nan)
    yield Cell("(infinite)", before.infinite, now.infinite)
    yield Cell("(absent)", before.absent, now.absent)


def _values(cells: Categories, before: Distribution, now: Distribution) -> Iterator[Cell]:
    for name, old, new in zip((*cells.values, "(other)"), before.counts, now.counts, strict=True):
        yield Cell(name, old, new)


def _bins(cells: Numbers, before: Distribution, now: Distribution) -> Iterator[Cell]:
    """Closed as soon as they are large enough; what is left over at the upper end joins the last one."""
    limit = BIN_SHARE * sum(before.counts)
    starts = [0]
    held = 0
    for place, rows in enumerate(before.counts):
        held += rows
        if held >= limit and sum(before.counts[place + 1 :]) >= limit:
            starts.append(place + 1)
            held = 0
    edges = ("-inf", *(f"{edge:.6g}" for edge in cells.edges), "inf")
    for start, end in zip(starts, (*starts[1:], cells.cells), strict=True):
        name = f"[{edges[start]}, {edges[end]})" if start else f"(-inf, {edges[end]})"
        yield Cell(name, sum(before.counts[start:end]), sum(now.counts[start:end]))
