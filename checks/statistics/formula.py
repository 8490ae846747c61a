"""A metric as a value: what it is called, how it is computed from a slice, where it lies and how sure it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from checks.contract import Metric
from checks.profile import Slice
from checks.statistics.intervals import Interval, LeftOut, Statistic, clustered, wilson
from checks.statistics.quantiles import normal

BY_CLUSTERS = "the spread between days (or buckets, in a window under two days)"
BY_ROWS = "rows taken as independent: the window is a single bucket"
UNKNOWABLE = "the whole range: the window has too few parts with outcomes to tell"


@dataclass(frozen=True, slots=True)
class Formula:
    """A metric of a slice.

    *rows* counts what the value rests on; *undefined* is the sentence for a value of None; *low* and *high* bound the
    metric. *trials* are the rows of the rarest kind the value rests on (of a *share*, its denominator); *variance* is
    the squared standard error with rows taken as independent, where the profile holds enough to tell.
    """

    metric: Metric
    value: Statistic
    rows: Callable[[Slice], int]
    undefined: str
    low: float
    high: float
    trials: Callable[[Slice], int] | None = None
    share: bool = False
    variance: Statistic | None = None

    def interval(self, value: float, sample: LeftOut, buckets: int, confidence: float) -> tuple[float, float, str]:
        """The confidence interval inside the metric's range, and how it was reached."""
        found = self._by_rows(value, sample.whole, confidence) if buckets == 1 else None
        method = BY_ROWS
        if buckets > 1:
            found, method = self._by_clusters(value, sample, confidence), BY_CLUSTERS
        if found is None:
            return self.low, self.high, UNKNOWABLE
        return max(self.low, found[0]), min(self.high, found[1]), method

    def _by_clusters(self, value: float, sample: LeftOut, confidence: float) -> Interval | None:
        found = clustered(self.value, value, sample, confidence)
        if found is None or self.trials is None or not (self.share or found[0] == found[1]):
            return found
        # Clusters that happen to agree say too little of their spread: never narrower than independent rows allow.
        low, high = wilson(value, self.trials(sample.whole), confidence)
        return min(low, found[0]), max(high, found[1])

    def _by_rows(self, value: float, part: Slice, confidence: float) -> Interval | None:
        squared_error = None if self.share or self.variance is None else self.variance(part)
        if squared_error is not None and squared_error > 0:
            half = normal(0.5 + confidence / 2) * sqrt(squared_error)
            return value - half, value + half
        return None if self.trials is None else wilson(value, self.trials(part), confidence)
