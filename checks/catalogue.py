"""Catalogue: how much of what could be recommended is, and how far the lists keep to what is popular anyway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from math import inf
from operator import add
from typing import Annotated, ClassVar

from pydantic import Field

from checks.contract import Check, Measurement, Metric, Needs, Task, Window
from checks.statistics.popularity import Recommended, distinct_items, recommended, shown
from checks.statistics.ratios import Ratio, by_part, interval
from checks.statistics.segments import by_segment, segments_in

RANKING: tuple[Task, ...] = ("ranking",)
HIGHEST = {"novelty": inf, "popularity_share": 1.0}
REASONS = {
    "novelty": "No item of the catalogue whose popularity is known stands in the lists of this window.",
    "popularity_share": "No list of this window has an item.",
}


class Catalogue(Check):
    """Recommended items / items of the catalogue, and the popularity of what is recommended in the first k places.

    catalogue_coverage: distinct items of the catalogue in the first k places of any list / distinct items of the
    catalogue (0 to 1; a census, so it has no interval). novelty: mean over requests of the mean of -log2(p) over their
    first k items, in bits; p is the share of requests that recommend the item. popularity_share: of all items in the
    first k places, the share that is among the most popular *popular* of the catalogue (0 to 1).

    *k* is how far down one looks. *popularity* names a column of the catalogue with how often each item is used
    (bought, played, clicked); p is then its share of all uses. An item outside the catalogue counts as not popular.
    *confidence* is the two-sided level of the intervals. ``rows`` are requests; of popularity_share items, of
    catalogue_coverage the items of the catalogue.
    Source: Kaminskas, Bridge (2016); Zhou et al. (2010). Agrees with Evidently 0.7's novelty and coverage.
    """

    kind: ClassVar[str] = "catalogue"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("catalogue_coverage", "share of the catalogue that is recommended", "high", tasks=RANKING),
        Metric("novelty", "mean self-information of what is recommended", "high", "bits", pages=False, tasks=RANKING),
        Metric(
            "popularity_share",
            "share of the recommendations that goes to the most popular items",
            "low",
            pages=False,
            tasks=RANKING,
        ),
    )

    k: Annotated[int, Field(ge=1, le=1000)] = 10
    popularity: str | None = None
    popular: Annotated[float, Field(gt=0, le=1)] = 0.1
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95

    def needs(self) -> Needs:
        return Needs(catalogue=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        if window.task != "ranking":
            return
        segments = segments_in(window, window.table)
        both = shown(window, segments, self.k, self.popularity)
        items, counts = distinct_items(both)
        for segment, parts in by_segment(recommended(both, self.popular), segments):
            yield _coverage(segment, items, counts.get(segment, 0), parts)
            for name in REASONS:
                yield self._measured(name, segment, parts, len(window.buckets))

    def _measured(self, name: str, segment: str, sums: Sequence[Recommended], buckets: int) -> Measurement:
        parts = by_part((one.at, one.ratios[name]) for one in sums)
        whole = reduce(add, parts, Ratio())
        if whole.value is None:
            return Measurement(name, None, segment=segment, detail={"k": self.k, "reason": REASONS[name]})
        low, high, method = interval(parts, buckets, self.confidence, HIGHEST[name])
        filled = sum(1 for part in parts if part.draws)
        detail = {"k": self.k, "confidence": self.confidence, "interval": method, "clusters": filled}
        return Measurement(name, whole.value, low, high, int(whole.y), segment, detail=detail)


def _coverage(segment: str, items: int, found: int, parts: Sequence[Recommended]) -> Measurement:
    outside = sum(one.outside for one in parts)
    detail: dict[str, object] = {"recommended": found, "catalogue": items, "outside": outside}
    if not items:
        detail["reason"] = "The catalogue is empty."
    value = found / items if items else None
    return Measurement("catalogue_coverage", value, rows=items, segment=segment, detail=detail)
