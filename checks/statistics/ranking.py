"""What the lists of a ranking are worth: per request on the engine, then as sums.

Source: K. Järvelin, J. Kekäläinen, Cumulated gain-based evaluation of IR techniques, ACM TOIS 20 (2002), for nDCG;
C. D. Manning, P. Raghavan, H. Schütze, Introduction to information retrieval (2008), ch. 8, for the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from checks.contract import CannotMeasure, Window
from checks.statistics.expressions import row_number
from checks.statistics.lists import lists, parts_in
from checks.statistics.ratios import Ratio
from checks.statistics.segments import Segments, codes_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

MEANS = ("precision_at_k", "recall_at_k", "hit_rate", "map", "mrr", "ndcg")


@dataclass(frozen=True, slots=True)
class Sums:
    """The requests of one part of the window and one combination of segment values; of each metric its sums."""

    at: int
    codes: tuple[int, ...]
    requests: int
    judged: int
    ratios: Mapping[str, Ratio]


def sums_of(window: Window, segments: Segments, k: int, *, only_with_outcome: bool) -> list[Sums]:
    """One aggregate on the engine."""
    listed = lists(window, segments)
    if "gain" not in listed.columns:
        raise CannotMeasure("A ranking is judged by what came true; add [models.outcomes] with source and value.")
    by = parts_in(listed)
    requests = judged(listed, k, only_with_outcome=only_with_outcome, by=by)
    sums = [
        Sums(row.get("at") or 0, codes_of(row, segments), row["requests"], row["hit_rate_n"], _ratios(row))
        for row in summed(requests, by).to_pyarrow().to_pylist()
    ]
    return sorted(sums, key=lambda one: (one.at, one.codes))


def _ratios(row: Mapping[str, float | None]) -> dict[str, Ratio]:
    def of(name: str) -> tuple[int, float, float]:
        return int(row[f"{name}_n"] or 0), float(row[f"{name}_x"] or 0), float(row[f"{name}_xx"] or 0)

    (draws, shown, shown_twice), (_, found, found_twice) = of("shown"), of("found")
    clicks = Ratio(draws, found, shown, found_twice, float(row["both"] or 0), shown_twice)
    return {name: Ratio.mean(*of(name)) for name in MEANS} | {"click_through": clicks}


def judged(listed: ir.Table, k: int, *, only_with_outcome: bool, by: Sequence[str]) -> ir.Table:
    """One row per request: what its list is worth at *k*, null where that is not defined or no outcome is in.

    *by* are the columns that tell the part of the window and the segments; a request has the least of its rows.
    """
    known = listed.mutate(gain=listed["gain"].fill_null(0.0), known=listed["gain"].notnull().ifelse(1, 0))
    hits = (known["gain"] > 0).ifelse(1, 0)
    order, ideal = [known["rank"]], [known["gain"].desc()]
    rows = known.mutate(
        hits=hits.sum().over(group_by=known["request"], order_by=order, rows=(None, 0)),
        ideal=row_number().over(group_by=known["request"], order_by=ideal) + 1,
        hit=hits,
        top=(known["place"] <= k).ifelse(1, 0),
    )
    found = (rows["top"] * rows["hit"]) == 1
    requests = rows.group_by("request").aggregate(
        **{name: rows[name].min() for name in by},
        rows=rows.count(),
        known=rows["known"].max(),
        shown=rows["top"].sum(),
        found=found.ifelse(1, 0).sum(),
        relevant=rows["hit"].sum(),
        first=found.ifelse(rows["place"], None).min(),
        precise=found.ifelse(rows["hits"] / rows["place"], 0.0).sum(),
        gained=found.ifelse(_discounted(rows["gain"], rows["place"]), 0.0).sum(),
        possible=(rows["ideal"] <= k).ifelse(_discounted(rows["gain"], rows["ideal"]), 0.0).sum(),
    )
    worth = _worth(requests, k)
    if only_with_outcome:
        worth = {name: (requests["known"] == 1).ifelse(value, None) for name, value in worth.items()}
    return requests.select(*by, **worth)


def _discounted(gain: ir.Column, place: ir.Column) -> ir.FloatingValue:
    """``gain / log2(place + 1)``"""
    return gain * log(2) / (place.cast("float64") + 1).ln()


def _worth(of: ir.Table, k: int) -> dict[str, ir.Value]:
    found, relevant = of["found"].cast("float64"), of["relevant"].nullif(0)
    held = (of["rows"] < k).ifelse(of["rows"], k)
    return {
        "precision_at_k": found / held,
        "recall_at_k": found / relevant,
        "hit_rate": (of["found"] > 0).ifelse(1, 0).cast("float64"),  # 1.0 would be a decimal on PostgreSQL
        "map": of["precise"] / relevant,
        "mrr": (1.0 / of["first"]).fill_null(0.0),
        "ndcg": of["gained"] / of["possible"].nullif(0.0),
        "shown": of["shown"].cast("float64"),
        "found": found,
    }


def summed(requests: ir.Table, by: Sequence[str]) -> ir.Table:
    """Per part and segments: requests, and of each metric the count, sum and sum of squares over them."""
    sums: dict[str, ir.Value] = {"requests": requests.count(), "both": (requests["shown"] * requests["found"]).sum()}
    for name in requests.columns:
        if name not in by:
            value = requests[name]
            sums |= {f"{name}_n": value.count(), f"{name}_x": value.sum(), f"{name}_xx": (value * value).sum()}
    return requests.aggregate(sums, by=list(by))
