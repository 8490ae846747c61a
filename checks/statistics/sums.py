"""Sums of columns per day and segment, added up on the engine, and what a ratio of two sums is uncertain by."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from difflib import get_close_matches
from functools import reduce
from math import sqrt
from operator import add
from typing import TYPE_CHECKING, Any

from checks.contract import CannotMeasure, Window
from checks.statistics.days import cluster_of
from checks.statistics.intervals import Interval, jackknifed
from checks.statistics.quantiles import normal
from checks.statistics.segments import segmented

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True, slots=True)
class Sums:
    """Over *rows* rows: the sums of a top and a bottom, of their squares and of their products."""

    rows: int = 0
    top: float = 0.0
    bottom: float = 0.0
    squares: float = 0.0
    products: float = 0.0
    bottom_squares: float = 0.0

    def __add__(self, other: Sums) -> Sums:
        return Sums(*map(add, astuple(self), astuple(other)))

    @property
    def ratio(self) -> float | None:
        """Top / bottom, where the bottom is not zero."""
        return self.top / self.bottom if self.bottom else None


def total(parts: Sequence[Sums]) -> Sums:
    """All parts together."""
    return reduce(add, parts, Sums())


def interval(parts: Sequence[Sums], confidence: float) -> tuple[Interval | None, str]:
    """The interval of the ratio of all *parts* together, and how it was got.

    The delete-one-day jackknife where there are two days or more (rows of one day share weather and events). For one
    alone, of independent rows: ``r ± z sqrt(n/(n-1) Σ(t - r b)²) / Σb``. Source: W. G. Cochran, Sampling Techniques
    (1977), ch. 6.
    """
    whole = total(parts)
    if whole.ratio is None:
        return None, ""
    filled = [part for part in parts if part.rows]
    left = [total([*filled[:place], *filled[place + 1 :]]).ratio for place in range(len(filled))]
    estimates = [one for one in left if one is not None]
    if len(filled) > 1:
        found = jackknifed(whole.ratio, estimates, confidence) if len(estimates) == len(filled) else None
        return found, "delete-one-day jackknife"
    if whole.rows < 2:
        return None, ""
    rest = whole.squares - 2 * whole.ratio * whole.products + whole.ratio**2 * whole.bottom_squares
    half = normal(0.5 + confidence / 2) * sqrt(max(rest, 0.0) * whole.rows / (whole.rows - 1)) / abs(whole.bottom)
    return (whole.ratio - half, whole.ratio + half), "linearised, rows taken as independent"


def sums(window: Window, top: str, bottom: str | None, segments: Container[str]) -> Mapping[str, Mapping[int, Sums]]:
    """Of the whole and each value of *segments*: for each day with rows (or bucket, see ``cluster_of``) its sums.

    Without *bottom* it is 1 for each row with a top. What is null, NaN or infinite adds nothing.
    """
    table = window.table
    above, known = _number(table, top)
    below, known = (known, known) if bottom is None else _number(table, bottom)
    whole = known.isnull().ifelse("", "")  # known of every row
    rows = table.mutate(mm_top=above, mm_bottom=below, mm_known=known, mm_day=_day(window, known), mm_whole=whole)
    cells = [("", rows.group_by("mm_day", mm_segment=rows["mm_whole"]))]
    cells += [
        (name, rows.group_by("mm_day", mm_segment=value)) for name, value in segmented(window) if name in segments
    ]
    found: dict[str, dict[int, Sums]] = {"": {}}
    for name, grouped in cells:
        for row in fetched(_added(rows, grouped)):
            segment = f"{name}={row['mm_segment']}" if name else ""
            parts = (row["top"], row["bottom"], row["squares"], row["products"], row["bottom_squares"])
            found.setdefault(segment, {})[row["mm_day"]] = Sums(int(row["rows"]), *map(float, parts))
    return dict(sorted(found.items()))


def fetched(few: ir.Table) -> Iterator[Mapping[str, Any]]:
    """The rows of an aggregate. As Arrow, DuckDB would set aside room for a million of them."""
    engine = few.get_backend()
    if engine.name != "duckdb" or few.op().find(lambda node: type(node).__name__ == "InMemoryTable"):
        yield from few.to_pyarrow().to_pylist()
        return
    for row in engine.con.execute(engine.compile(few)).fetchall():
        yield dict(zip(few.columns, row, strict=True))


def _added(rows: ir.Table, grouped: ir.GroupedTable) -> ir.Table:
    top, bottom = rows["mm_top"], rows["mm_bottom"]
    return grouped.aggregate(
        rows=rows["mm_known"].sum(),
        top=top.sum(),
        bottom=bottom.sum(),
        squares=(top * top).sum(),
        products=(top * bottom).sum(),
        bottom_squares=(bottom * bottom).sum(),
    ).order_by("mm_day", "mm_segment")


def _number(table: ir.Table, name: str) -> tuple[ir.FloatingValue, ir.FloatingValue]:
    """The column as numbers, 0 where it holds none; and 1 where it holds one, else 0."""
    column = column_of(table, name)
    kind = column.type()
    if not kind.is_numeric() and not kind.is_boolean():
        raise CannotMeasure(f"The column '{name}' holds {kind}; name one with numbers, or true and false.")
    value = (column.cast("int32") if kind.is_boolean() else column).cast("float64")
    usable = value.abs() < 1e100  # neither null, NaN nor infinite: NaN is greater than everything
    squarable = usable & (value.abs() > 1e-100)  # PostgreSQL refuses a product too small for a double
    return squarable.ifelse(value, 0).cast("float64"), usable.ifelse(1, 0).cast("float64")


def column_of(table: ir.Table, name: str) -> ir.Column:
    """A column that must be there."""
    if name not in table.columns:
        near = get_close_matches(name, table.columns, n=1, cutoff=0.7)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(table.columns)}."
        raise CannotMeasure(f"The column '{name}' is not among predictions and outcomes; {hint}")
    return table[name]


def _day(window: Window, known: ir.Value) -> ir.IntegerValue:
    """The number of the day a row is of, or of its bucket where the window is under two days; 0 without times."""
    name = window.roles.time
    if name is None or name not in window.table.columns:
        return known.isnull().ifelse(0, 0)
    return cluster_of(window, window.table[name].cast("timestamp"))
