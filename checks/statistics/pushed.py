"""Sums that a profile does not hold, aggregated where the rows live: per cluster of the window, and per segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.contract import Window
from checks.statistics.days import cluster_of
from checks.statistics.sums import fetched

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True, slots=True)
class Added:
    """What was added up over the rows of one cluster of a segment."""

    segment: str
    rows: int
    sums: Mapping[str, float]


def summed(
    window: Window, terms: Mapping[str, ir.NumericValue], by: str = "", value: ir.StringValue | None = None
) -> tuple[Added, ...]:
    """One aggregate on the engine: the sum of each of *terms* (nulls left out) per cluster.

    Also per *value* of the segment *by*, where that is given.
    """
    table, time = window.table, window.roles.time
    names = {name: f"mm_{place}" for place, name in enumerate(terms)}
    keys: dict[str, ir.Value] = {} if value is None else {"mm_segment": value}
    if time is not None:
        keys["mm_cluster"] = cluster_of(window, table[time].cast("timestamp"))
    given = table.select(**keys, **{names[name]: term for name, term in terms.items()})
    wanted = {column: given[column].sum().cast("float64") for column in names.values()}
    found = fetched(given.group_by(list(keys)).aggregate(mm_rows=given.count(), **wanted))
    return tuple(
        Added(
            f"{by}={row['mm_segment']}" if by else "",
            row["mm_rows"],
            {name: row[column] or 0.0 for name, column in names.items()},
        )
        for row in found
    )
