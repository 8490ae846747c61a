"""Ranking: how much of what the people wanted stands at the top of the lists they were given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from checks.contract import Check, Measurement, Metric, Needs, Task, Window
from checks.statistics.ranking import Sums, sums_of
from checks.statistics.ratios import Ratio, by_part, interval
from checks.statistics.segments import by_segment, segments_in

RANKING: tuple[Task, ...] = ("ranking",)
NOBODY = "No request of this window has an outcome yet."
NOTHING = "No request of this window has a relevant item."
NONE_SHOWN = "No request with an outcome has an item in its top {k}."


def _mean(name: str, summary: str) -> Metric:
    return Metric(name, f"mean over requests of {summary}", "high", tasks=RANKING, averages=True)


class Ranking(Check):
    """What the first k items of each list are worth, on average over the requests whose outcomes are in.

    r relevant items stand in a list (outcome above 0), f of them in its first k places. Per request:
    precision_at_k = f / min(k, rows of the list); recall_at_k = f / r; hit_rate = 1 if f > 0 else 0;
    mrr = 1 / place of the first relevant item in the first k (0 without); map = Σ (relevant up to the place) / place
    over the f, / r; ndcg = Σ grade / log2(place + 1) over the first k, / the same of the best order. click_through is
    Σ f / Σ items in the first k, over all rows. recall_at_k, map and ndcg leave out requests with r = 0.

    *k* is how far down one looks. *requests* says which count: "judged", with an outcome of at least one row (its
    other rows are not relevant), or "all", where only clicks are logged and no outcome means no. *confidence* is the
    two-sided level of the intervals. ``rows`` are requests (of click_through, items). Shares between 0 and 1.
    Source: Manning, Raghavan, Schütze (2008); Järvelin, Kekäläinen (2002). Agrees with Evidently 0.7's recsys metrics.
    """

    kind: ClassVar[str] = "ranking"
    metrics: ClassVar[tuple[Metric, ...]] = (
        _mean("precision_at_k", "the share of the first k items that is relevant"),
        _mean("recall_at_k", "the share of the relevant items that is among the first k"),
        Metric(
            "hit_rate",
            "share of requests with a relevant item among the first k",
            "high",
            tasks=RANKING,
            averages=True,
        ),
        _mean("map", "the precision at each relevant item among the first k"),
        _mean("mrr", "1 / the place of the first relevant item"),
        _mean("ndcg", "the discounted gain of the first k, as a share of the best possible"),
        Metric("click_through", "share of the items shown among the first k that is relevant", "high", tasks=RANKING),
    )

    k: Annotated[int, Field(ge=1, le=1000)] = 10
    requests: Literal["judged", "all"] = "judged"
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95

    def needs(self) -> Needs:
        return Needs(outcomes=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        if window.task != "ranking":
            return
        segments = segments_in(window, window.table)
        sums = sums_of(window, segments, self.k, only_with_outcome=self.requests == "judged")
        for segment, parts in by_segment(sums, segments):
            for metric in self.metrics:
                yield self._measured(metric.name, segment, parts, len(window.buckets))

    def _measured(self, name: str, segment: str, sums: Sequence[Sums], buckets: int) -> Measurement:
        parts = by_part((one.at, one.ratios[name]) for one in sums)
        whole = reduce(add, parts, Ratio())
        requests, known = sum(one.requests for one in sums), sum(one.judged for one in sums)
        detail: dict[str, object] = {"k": self.k, "requests": requests, "judged": known}
        if whole.value is None:
            reason = NOBODY if not known else NONE_SHOWN.format(k=self.k) if name == "click_through" else NOTHING
            return Measurement(name, None, segment=segment, detail={**detail, "reason": reason})
        low, high, method = interval(parts, buckets, self.confidence)
        filled = sum(1 for part in parts if part.draws)
        detail |= {"confidence": self.confidence, "interval": method, "clusters": filled}
        return Measurement(name, whole.value, low, high, int(whole.y), segment, detail=detail)
