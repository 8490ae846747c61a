"""A metric as a value: what it is called, how it is computed from samples, where it lies and how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Generic, TypeVar

from checks.contract import Metric
from checks.statistics.intervals import Interval, clustered, wilson
from checks.statistics.quantiles import normal
from checks.statistics.samples import Samples, known

if TYPE_CHECKING:
    from checks.statistics.samples import Floats

T = TypeVar("T")

Statistic = Callable[[Samples], "Floats"]

BY_CLUSTERS = "the spread between days (or buckets, in a window under two days)"
BY_ROWS = "rows taken as independent: the window is a single bucket"
UNKNOWABLE = "the whole range: too few days (or buckets) of the window have rows to tell"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its confidence interval inside the metric's range, and how that was reached."""

    value: float
    low: float
    high: float
    method: str


@dataclass(frozen=True, slots=True)
class Formula(Generic[T]):
    """A metric of samples: statistics give an array, a number of each sample, NaN where it is not defined.

    *counted* are the rows the value rests on; *undefined* is the sentence for no value; *low* and *high* bound the
    metric. *trials* are the rows of the rarest kind the value rests on (of a *share*, its denominator); *variance* is
    the squared standard error with rows taken as independent, where the profile holds enough to tell. *column* is what
    the metric is measured per, *detail* what else there is to say.
    """

    metric: Metric
    statistic: Callable[[T], Floats]
    counted: Callable[[T], Floats]
    undefined: str
    low: float
    high: float
    trials: Callable[[T], Floats] | None = None
    share: bool = False
    variance: Callable[[T], Floats] | None = None
    column: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)

    def rows(self, of: T) -> int:
        """How many rows the value of the whole rests on."""
        return round(float(self.counted(of)[0]))

    def estimate(self, of: T, buckets: int, confidence: float) -> Estimate | None:
        """The metric of the whole, as sure as the samples without each cluster say; None where it is not defined."""
        value, *without = known(self.values(of))
        if value is None:
            return None
        found, method = self._by_rows(value, of, confidence) if buckets == 1 else None, BY_ROWS
        if buckets > 1:
            found, method = self._by_clusters(value, without, of, confidence), BY_CLUSTERS
        if found is None:
            return Estimate(value, self.low, self.high, UNKNOWABLE)
        return Estimate(value, max(self.low, found[0]), min(self.high, found[1]), method)

    def values(self, of: T) -> Floats:
        """The metric of each sample."""
        import numpy as np

        with np.errstate(over="ignore", invalid="ignore"):  # sums of numbers beyond all measure
            return self.statistic(of)

    def _by_clusters(self, value: float, without: list[float | None], of: T, confidence: float) -> Interval | None:
        half = clustered(without, confidence)
        if half is None:
            return None
        if self.trials is None or not (self.share or half == 0):
            return value - half, value + half
        # Clusters that happen to agree say too little of their spread: never narrower than independent rows allow.
        low, high = wilson(value, self.trials(of)[0], confidence)
        return min(low, value - half), max(high, value + half)

    def _by_rows(self, value: float, of: T, confidence: float) -> Interval | None:
        squared_error = None if self.share or self.variance is None else next(known(self.variance(of)))
        if squared_error is not None and squared_error > 0:
            half = normal(0.5 + confidence / 2) * sqrt(squared_error)
            return value - half, value + half
        return None if self.trials is None else wilson(value, self.trials(of)[0], confidence)
