"""How far the mean of some days strays by chance, where the rows of one day share weather and events.

Rows of one day are not independent, so the number of rows says little about how sure a mean is; the spread from day
to day does. Sources: A. C. Cameron, D. L. Miller, A practitioner's guide to cluster-robust inference, J. Human
Resources 50 (2015), for days as the independent draws; W. K. Newey, K. D. West, A simple, positive semi-definite,
heteroskedasticity and autocorrelation consistent covariance matrix, Econometrica 55 (1987), for bad days in a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt
from operator import mul, sub, truediv

from monitor.release.days import AnyDay, Stretch

ENOUGH = 28
"""Days it takes before their spread says anything."""

LOOK_BACK = 365
"""Days that are looked back on."""

LEVEL = 29
"""Days whose mean is taken as the level of the middle one, so that a slow change is not taken for spread."""

LAGS = 6
"""Days over which a bad day is allowed to linger."""

MOST_LINGERING = 4.0


@dataclass(frozen=True, slots=True)
class Variation:
    """Two sources of chance and how long they last.

    *within* is the variance of one row within its day, *between* that of a whole day; *lingering* is by how much a long
    mean's variance is greater because neighbouring days are alike (1: they are not), learned from *days* days.
    """

    within: float
    between: float
    lingering: float
    days: int

    def error(self, of: Stretch) -> float:
        """The standard error of the mean of a stretch."""
        alone = self.between * of.squares / of.rows**2 + self.within / of.rows
        return sqrt(alone * (1 + (self.lingering - 1) * (1 - 1 / of.days)))


def variation_of(days: Sequence[AnyDay]) -> Variation | None:
    """What the newest year of these days says; None where they are too few."""
    days = days[-LOOK_BACK:]
    if len(days) < ENOUGH:
        return None
    counts = [day.rows for day in days]
    rows = sum(counts)
    within = sum([(day.rows * day.error) ** 2 for day in days]) / rows
    strayed = _strayed(counts, [day.value for day in days])
    alone = sum(map(mul, strayed, strayed))
    kept = 1 - 1 / min(LEVEL, len(days))  # a day is part of its own level, which takes this much of its distance away
    between = max(alone / rows / kept - within * len(days) / rows, 0.0)
    return Variation(within, between, _lingering(strayed, alone), len(days))


def _strayed(counts: Sequence[int], values: Sequence[float]) -> list[float]:
    """How far each day is from the mean of the days around it, times the root of its rows."""
    half = min(LEVEL, len(counts)) // 2
    totals = _around(list(map(mul, counts, values)), half)
    rows = _around(counts, half)
    levels = map(truediv, totals, rows)
    return [sqrt(count) * (value - level) for count, value, level in zip(counts, values, levels, strict=True)]


def _around(of: Sequence[float], half: int) -> Iterator[float]:
    """The sum of each and as many as *half* on either side, as far as there are any."""
    sums = [0.0, *accumulate(of)]
    ends = sums[half + 1 :] + sums[-1:] * half
    begins = [0.0] * half + sums[: len(of) - half]
    return map(sub, ends, begins)


def _lingering(strayed: Sequence[float], alone: float) -> float:
    """Newey and West's sum of autocovariances with Bartlett's weights, over the variance, whose sum is *alone*."""
    if alone <= 0:
        return 1.0
    factor = 1.0
    for lag in range(1, LAGS + 1):
        factor += 2 * (1 - lag / (LAGS + 1)) * sum(map(mul, strayed, strayed[lag:])) / alone
    return min(max(factor, 1.0), MOST_LINGERING)
