"""How far apart two samples of numbers are, from counts between the same edges: Kolmogorov-Smirnov and Wasserstein.

Shares below an edge are exact, and nothing is known between two edges. So a Kolmogorov-Smirnov distance is at most the
largest share of one cell too small; a layout's cells hold about 1/41 of the reference, or one value each.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import log, pi, sqrt

from checks.profile import Distribution, Numbers

Counts = Sequence[int]


def below(counts: Counts) -> list[float]:
    """The share of rows below each edge."""
    rows = sum(counts)
    return [held / rows for held in accumulate(counts[:-1])]


def kolmogorov_smirnov(before: Counts, now: Counts) -> float:
    """``max |F - G|`` over the edges. Source: N. W. Smirnov (1939)."""
    return max((abs(new - old) for old, new in zip(below(before), below(now), strict=True)), default=0.0)


def kolmogorov_smirnov_noise(before: int, now: int, level: float) -> float:
    """What it stays below under no change, but for a chance of *level*; ties and cells only make it smaller.

    ``√(½ ln(2/level)(1/n + 1/m))``. Source: P. Massart, The tight constant in the Dvoretzky-Kiefer-Wolfowitz
    inequality, Ann. Probab. 18 (1990); for two samples F. Wei, R. M. Dudley, Statist. Probab. Lett. 82 (2012).
    """
    return sqrt(log(2 / level) * (1 / before + 1 / now) / 2)


def deviation(one: Distribution) -> float:
    """The standard deviation of a column's finite numbers."""
    rows = sum(one.counts)
    return sqrt(max(one.squares / rows - (one.total / rows) ** 2, 0.0))


def wasserstein(cells: Numbers, before: Distribution, now: Distribution) -> float:
    """``∫ |F - G| dx``: how far the average row has moved, in the column's own unit.

    In a cell both step from one edge's share to the next at the same place: where the mean of the reference says that
    its rows lie in their cells on average. The ends are the reference's least and greatest number. Without the bars the
    integral is the difference of the means, which is known: what the cells miss of it belongs into the two outer ones.
    Source: L. V. Kantorovich (1942), S. S. Vallender (1974) for the form in one dimension.
    """
    ends, place = _ends(cells, before), _place(cells, before)
    apart = [0.0, *(new - old for old, new in zip(below(before.counts), below(now.counts), strict=True)), 0.0]
    between = [
        (right - left, one, other) for (left, right), (one, other) in zip(pairwise(ends), pairwise(apart), strict=True)
    ]
    signed = [width * (place * one + (1 - place) * other) for width, one, other in between]
    inside = sum(width * (place * abs(one) + (1 - place) * abs(other)) for width, one, other in between[1:-1])
    missed = before.total / sum(before.counts) - now.total / sum(now.counts) - sum(signed)
    outer = signed[0], signed[-1]
    scale = abs(outer[0]) + abs(outer[1])
    if not scale:
        return inside + abs(missed)
    return inside + sum(abs(area + missed * abs(area) / scale) for area in outer)


def wasserstein_noise(cells: Numbers, before: Distribution, now: Distribution, level: float) -> tuple[float, float]:
    """How far it is above, and below, the distance of the distributions behind two samples, but for *level*.

    Above: ``√(2/π (1/n + 1/m)) ∫ √(H(1-H)) dx``, the mean under no change with H pooled, and the deviation
    ``√(2 ln(1/level) (s²/n + t²/m))`` with s and t the standard deviations; below: the deviation alone.
    Source: C. Borell (1975), B. Tsirelson, I. Ibragimov, V. Sudakov (1976), for the Brownian bridge that
    F - G tends to: its area varies at most like the difference of the means.
    """
    m, n = sum(before.counts), sum(now.counts)
    pooled = below([old + new for old, new in zip(before.counts, now.counts, strict=True)])
    width = [0.0, *(sqrt(share * (1 - share)) for share in pooled), 0.0]
    between = zip(pairwise(_ends(cells, before)), pairwise(width), strict=True)
    mean = sum((right - left) * (one + other) / 2 for (left, right), (one, other) in between)
    away = sqrt(2 * log(1 / level) * (deviation(before) ** 2 / m + deviation(now) ** 2 / n))
    return sqrt(2 / pi * (1 / m + 1 / n)) * mean + away, away


def _ends(cells: Numbers, before: Distribution) -> list[float]:
    low = cells.edges[0] if before.low is None else min(before.low, cells.edges[0])
    high = cells.edges[-1] if before.high is None else max(before.high, cells.edges[-1])
    return [low, *cells.edges, high]


def _place(cells: Numbers, before: Distribution) -> float:
    """Where in its cell the reference's average row lies: 0 at the lower edge (a value per cell), 1 at the upper."""
    ends, rows = _ends(cells, before), sum(before.counts)
    left = sum(count * end for count, end in zip(before.counts, ends, strict=False)) / rows
    width = sum(count * (end - start) for count, (start, end) in zip(before.counts, pairwise(ends), strict=True)) / rows
    return min(max((cells.centre + before.total / rows - left) / width, 0.0), 1.0) if width > 0 else 0.5
