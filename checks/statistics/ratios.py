"""Ratios of sums over independent draws, such as the mean over requests, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from functools import reduce
from math import sqrt
from operator import add, sub

from checks.statistics.formula import BY_CLUSTERS, UNKNOWABLE
from checks.statistics.intervals import Interval, jackknifed, wilson
from checks.statistics.quantiles import normal

BY_REQUESTS = "requests taken as independent: the window is a single bucket"


@dataclass(frozen=True, slots=True)
class Ratio:
    """Sums of x, y, x², x y and y² over *draws*; the ratio is Σx / Σy. Of a mean, y is 1."""

    draws: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0

    @staticmethod
    def mean(draws: int, total: float, squares: float) -> Ratio:
        """Of values by their count, sum and sum of squares."""
        return Ratio(draws, total, draws, squares, total, draws)

    def __add__(self, other: Ratio) -> Ratio:
        return Ratio(*map(add, astuple(self), astuple(other)))

    def __sub__(self, other: Ratio) -> Ratio:
        return Ratio(*map(sub, astuple(self), astuple(other)))

    @property
    def value(self) -> float | None:
        """Σx / Σy, where there is anything."""
        return self.x / self.y if self.draws and self.y else None

    @property
    def variance(self) -> float | None:
        """Of the ratio, draws taken as independent: n/(n-1) Σ(x - r y)² / (Σy)².

        Source: W. G. Cochran, Sampling techniques (1977), section 2.11.
        """
        if self.value is None or self.draws < 2:
            return None
        spread = self.xx - 2 * self.value * self.xy + self.value**2 * self.yy
        noise = 1e-12 * max(self.xx, self.value**2 * self.yy)
        return self.draws / (self.draws - 1) * (spread if spread > noise else 0.0) / self.y**2


def by_part(sums: Iterable[tuple[int, Ratio]]) -> list[Ratio]:
    """The sums of each part of a window, from those of *sums* that belong to it."""
    parts: dict[int, Ratio] = {}
    for at, ratio in sums:
        parts[at] = parts.get(at, Ratio()) + ratio
    return [parts[at] for at in sorted(parts)]


def interval(parts: Sequence[Ratio], buckets: int, confidence: float, high: float = 1.0) -> tuple[float, float, str]:
    """The confidence interval of all *parts* together between 0 and *high*, and how it was reached.

    Of several buckets the delete-one-part jackknife, never narrower than independent draws allow.
    """
    whole = reduce(add, parts, Ratio())
    found, method = _independent(whole, confidence, high), BY_REQUESTS
    if buckets > 1:
        found, method = _clustered(whole, parts, found, confidence), BY_CLUSTERS
    if found is None:
        return 0.0, high, UNKNOWABLE
    return max(0.0, found[0]), min(high, found[1]), method


def _independent(whole: Ratio, confidence: float, high: float) -> Interval | None:
    value, variance = whole.value, whole.variance
    if value is not None and variance:
        half = normal(0.5 + confidence / 2) * sqrt(variance)
        return value - half, value + half
    if value is None or high != 1.0:
        return None
    return wilson(min(value, 1.0), whole.draws, confidence)


def _clustered(
    whole: Ratio, parts: Sequence[Ratio], independent: Interval | None, confidence: float
) -> Interval | None:
    without = [(whole - part).value for part in parts if part.draws]
    found = None if whole.value is None else jackknifed(whole.value, without, confidence)
    if found is None or independent is None:
        return found
    return min(found[0], independent[0]), max(found[1], independent[1])
