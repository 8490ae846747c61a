"""How popular the items are that a ranking recommends, and how many of the catalogue it recommends at all.

Source: M. Kaminskas, D. Bridge, Diversity, serendipity, novelty, and coverage, ACM TiiS 7 (2016), for the definitions;
T. Zhou et al., Solving the apparent diversity-accuracy dilemma, PNAS 107 (2010), for self-information.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from checks.contract import CannotMeasure, Window
from checks.statistics.expressions import common_type, comparable, integer, number, row_number, shuffled, text
from checks.statistics.lists import lists, parts_in
from checks.statistics.ratios import Ratio
from checks.statistics.segments import Segments, codes_of, value_of

if TYPE_CHECKING:
    import ibis.expr.types as ir


CATALOGUE, WHOLE = -2, -1
"""Places before those of the segments, in one result."""

RISE = 1e-9
"""0.1 of 30 items is a little more than 3 in binary."""


@dataclass(frozen=True, slots=True)
class Recommended:
    """The lists of one part of the window and one combination of segment values: *outside* the catalogue, and sums."""

    at: int
    codes: tuple[int, ...]
    rows: int
    outside: int
    ratios: Mapping[str, Ratio]


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands in the first places of the lists, and the catalogue with each item once; unexecuted."""

    top: ir.Table
    items: ir.Table
    segments: Segments


def shown(window: Window, segments: Segments, k: int, popularity: str | None) -> Shown:
    """Both sides, with items of one type."""
    listed, catalogue = lists(window, segments), window.catalogue
    if popularity is not None and popularity not in catalogue.columns:
        what = f"The catalogue has no column '{popularity}'"
        raise CannotMeasure(f"{what}; correct the parameter popularity, or leave it out.")
    kind = common_type(listed["item"], catalogue["item"])
    given = {} if popularity is None else {"uses": number(catalogue[popularity])}
    items = catalogue.select(item=comparable(catalogue["item"], kind), **given)
    items = items.filter(items["item"].notnull())
    uses = {name: items[name].max() for name in given}
    top = listed.filter((listed["place"] <= k) & listed["item"].notnull())
    top = top.select("request", *parts_in(top), item=comparable(top["item"], kind))
    return Shown(top, items.group_by("item").aggregate(uses, listed=items.count()), segments)


def distinct_items(of: Shown) -> tuple[int, dict[str, int]]:
    """The items of the catalogue, and how many of them are recommended per segment. One aggregate on the engine."""
    names = [f"s{place}" for place in range(len(of.segments))]
    pairs = of.top.select("item", *names).distinct().semi_join(of.items, "item")
    arms = _arm(of.items.aggregate(items=of.items.count()), CATALOGUE, integer(0))
    arms = arms.union(_arm(pairs.aggregate(items=pairs["item"].nunique()), WHOLE, integer(0)))
    for place, name in enumerate(names):
        each = pairs.group_by(code=pairs[name].fill_null(-1)).aggregate(items=pairs["item"].nunique())
        arms = arms.union(_arm(each, place, each["code"].cast("int64")))
    found = {(row["place"], row["code"]): row["items"] for row in arms.to_pyarrow().to_pylist()}
    items, counts = found.pop((CATALOGUE, 0)), {"": found.pop((WHOLE, 0))}
    named = list(of.segments.items())
    for (place, code), count in found.items():
        name, known = named[place]
        counts[f"{name}={value_of(code, known)}"] = count
    return items, counts


def _arm(counted: ir.Table, place: int, code: ir.IntegerValue) -> ir.Table:
    return counted.select(items=counted["items"], place=integer(place), code=code)


def recommended(of: Shown, share: float) -> list[Recommended]:
    """The lists by part and segments, *share* of the catalogue being popular. One aggregate on the engine."""
    by = parts_in(of.top)
    rated = of.top.left_join(_rated(of, share), "item")
    rated = rated.select("request", *by, outside=rated["popular"].isnull().ifelse(1, 0), popular="popular", bits="bits")
    requests = rated.group_by("request").aggregate(
        **{name: rated[name].min() for name in by},
        rows=rated.count(),
        outside=rated["outside"].sum(),
        popular=rated["popular"].sum().fill_null(0).cast("float64"),
        bits=rated["bits"].mean(),
    )
    rows, popular, bits = requests["rows"].cast("float64"), requests["popular"], requests["bits"]
    sums = {"draws": requests.count(), "rows": rows.sum(), "outside": requests["outside"].sum()}
    sums |= {"popular": popular.sum(), "xx": (popular * popular).sum(), "xy": (popular * rows).sum()}
    sums |= {"yy": (rows * rows).sum(), "n": bits.count(), "bits": bits.sum(), "squares": (bits * bits).sum()}
    found = requests.aggregate(sums, by=by).to_pyarrow().to_pylist()
    return sorted((_recommended(row, of.segments) for row in found), key=lambda one: (one.at, one.codes))


def _rated(of: Shown, share: float) -> ir.Table:
    """Per item of the catalogue, whether it is ``popular``, and how many ``bits`` its being recommended says."""
    if "uses" in of.items.columns:
        items, total = of.items, of.items["uses"].sum().as_scalar()
    else:
        items = of.items.left_join(of.top.group_by("item").aggregate(uses=of.top.count()), "item")
        total = of.top["request"].nunique().as_scalar()
    items = items.select("item", uses=items["uses"].fill_null(0).cast("float64"), total=total.cast("float64"))
    rank = row_number().over(order_by=[items["uses"].desc(), shuffled(text(items["item"]))])
    ranked = items.mutate(popular=(rank + RISE <= share * items.count()).ifelse(1, 0))
    probability = (ranked["uses"] > 0).ifelse(ranked["uses"], None) / ranked["total"].nullif(0.0)
    return ranked.select("item", "popular", bits=-probability.ln() / log(2))


def _recommended(row: Mapping[str, float | None], segments: Segments) -> Recommended:
    def of(name: str) -> float:
        return float(row[name] or 0)

    popular = Ratio(int(of("draws")), of("popular"), of("rows"), of("xx"), of("xy"), of("yy"))
    novelty = Ratio.mean(int(of("n")), of("bits"), of("squares"))
    ratios = {"popularity_share": popular, "novelty": novelty}
    return Recommended(int(row.get("at") or 0), codes_of(row, segments), int(of("rows")), int(of("outside")), ratios)
