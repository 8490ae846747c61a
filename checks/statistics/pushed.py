"""Sums that a profile does not hold, aggregated where the rows live: per cluster of the window, and per segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import isnan
from typing import TYPE_CHECKING

from checks.contract import Window

if TYPE_CHECKING:
    import ibis.expr.types as ir

DAY = 86400


@dataclass(frozen=True, slots=True)
class Sums:
    """What was summed over the rows of one cluster and one value of the segment column."""

    cluster: int
    value: object
    rows: int
    sums: Mapping[str, float]


def summed(window: Window, terms: Mapping[str, ir.NumericValue], by: str | None = None) -> tuple[Sums, ...]:
    """One aggregate on the engine: the sum of each of *terms* (nulls left out) per cluster and value of column *by*."""
    table = window.table
    names = {name: f"mm_{place}" for place, name in enumerate(terms)}
    keys: dict[str, ir.Value] = {} if by is None else {"mm_by": table[by]}
    if window.roles.time is not None:
        keys["mm_cluster"] = _cluster(table[window.roles.time], window)
    given = table.select(**keys, **{names[name]: term for name, term in terms.items()})
    wanted = {column: given[column].sum().cast("float64") for column in names.values()}
    found = given.group_by(list(keys)).aggregate(mm_rows=given.count(), **wanted).to_pyarrow().to_pylist()
    return tuple(
        Sums(
            row.get("mm_cluster", 0),
            row.get("mm_by"),
            row["mm_rows"],
            {name: row[column] or 0.0 for name, column in names.items()},
        )
        for row in found
    )


def _cluster(time: ir.TimestampColumn, window: Window) -> ir.IntegerValue:
    """The number of the calendar day (UTC) of a row; of its bucket, in a window under two days."""
    step, origin = DAY, 0
    if window.end - window.start < timedelta(days=2):
        step = max(int((window.end - window.start).total_seconds()) // max(len(window.buckets), 1), 1)
        origin = int(window.start.timestamp())
    return ((time.truncate("s").epoch_seconds().cast("int64") - origin) / step).floor().cast("int64")


def label(value: object) -> str:
    """A value as profiles write it: null as (null), integral numbers without decimals, booleans as 1 and 0."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return "(null)"
    if isinstance(value, bool):
        return str(int(value))
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def segment_of(value: object, column: str, window: Window) -> str:
    """The name of the segment that profiles count a row under."""
    written = label(value)
    known = window.live.layout.segments.get(column, ())
    return f"{column}={written if written == '(null)' or written in known else '(other)'}"
