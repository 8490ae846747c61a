"""Distances between two distributions given as counts of the same cells, and what chance alone makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, log2, pi, sqrt

from checks.statistics.quantiles import chi_square

Counts = Sequence[int]


def shares(before: Counts, now: Counts) -> tuple[list[float], list[float]]:
    """Both counts as positive shares.

    *before* gets half a row per cell (the Jeffreys prior). *now* gets as many rows in all, spread as *before* is: what
    was not seen in a small window is taken to be as it was, so that emptiness alone moves nothing far.
    """
    prior = len(before) / 2
    base = [(count + 0.5) / (sum(before) + prior) for count in before]
    rows = sum(now) + prior
    return base, [(count + prior * share) / rows for count, share in zip(now, base, strict=True)]


def psi(before: Sequence[float], now: Sequence[float]) -> float:
    """The population stability index ``Σ (now - before) ln(now / before)`` of two lists of positive shares.

    Source: N. Siddiqi, Credit risk scorecards (2006); it is Jeffreys' divergence (H. Jeffreys, 1946).
    """
    return sum((new - old) * log(new / old) for old, new in zip(before, now, strict=True))


def jensen_shannon(before: Sequence[float], now: Sequence[float]) -> float:
    """The Jensen-Shannon divergence of two lists of shares, in bits, in [0, 1]; the distance is its square root.

    ``½ Σ before log2(before / m) + ½ Σ now log2(now / m)`` with ``m`` the mean of both.
    Source: J. Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37 (1991).
    """
    total = 0.0
    for old, new in zip(before, now, strict=True):
        middle = (old + new) / 2
        total += sum(share * log2(share / middle) for share in (old, new) if share > 0)
    return min(max(total / 2, 0.0), 1.0)


def hellinger(before: Sequence[float], now: Sequence[float]) -> float:
    """The squared Hellinger distance ``1 - Σ √(before now)`` of two lists of shares, in [0, 1].

    Source: E. Hellinger, Neue Begründung der Theorie quadratischer Formen, J. reine angew. Math. 136 (1909).
    """
    return min(max(1 - sum(sqrt(old * new) for old, new in zip(before, now, strict=True)), 0.0), 1.0)


def cramer(before: Sequence[float], now: Sequence[float]) -> float:
    """Cramér's V squared, ``½ Σ (now - before)² / (now + before)``, of two lists of shares, in [0, 1].

    It is Pearson's chi-square over the rows, of a table in which both sides have equally many rows: an effect that
    does not grow with either sample. Source: H. Cramér, Mathematical methods of statistics (1946), ch. 21.
    """
    pairs = zip(before, now, strict=True)
    return min(sum((new - old) ** 2 / (new + old) for old, new in pairs if new + old > 0) / 2, 1.0)


def total_variation(before: Sequence[float], now: Sequence[float]) -> float:
    """``½ Σ |now - before|`` of two lists of shares: the share of rows that lie elsewhere now, in [0, 1]."""
    return sum(abs(new - old) for old, new in zip(before, now, strict=True)) / 2


def total_variation_noise(before: Counts, now: Counts, level: float) -> tuple[float, float]:
    """How far total variation is above, and below, that of the distributions behind two samples, but for *level*.

    Above: its mean under no change, ``½ Σ √(2/π h(1-h)(1/n + 1/m))`` with h the pooled shares, and the deviation
    ``√(½ ln(1/level)(1/n + 1/m))``; below: the deviation alone, for the mean is never less than the truth.
    Source: C. McDiarmid, On the method of bounded differences, Surveys in Combinatorics (1989).
    """
    m, n = sum(before), sum(now)
    scale = 1 / m + 1 / n
    pooled = [(old + new) / (m + n) for old, new in zip(before, now, strict=True)]
    mean = sum(sqrt(share * (1 - share)) for share in pooled) * sqrt(2 / pi * scale) / 2
    deviation = sqrt(log(1 / level) * scale / 2)
    return mean + deviation, deviation


def psi_noise(before: int, now: int, cells: int, level: float) -> float:
    """What the PSI of two samples of one distribution stays below, but for a chance of *level*.

    For samples of n and m rows over k cells, ``PSI / (1/n + 1/m)`` tends to chi-square with k - 1 degrees of freedom.
    Source: B. Yurdakul, Statistical properties of population stability index, Western Michigan University (2018).
    """
    return (1 / before + 1 / now) * chi_square(1 - level, cells - 1)


JENSEN_SHANNON, HELLINGER, CRAMER = 1 / (8 * log(2)), 1 / 8, 1 / 4
"""What the Jensen-Shannon divergence in bits and the squares of the other two are of the PSI, near zero.

All are ``Σ (now - before)² / share`` to second order, times a factor (1 for the PSI; the Jensen-Shannon divergence has
1/8 in nats): so their noise is the PSI's times that factor. Source: F. Österreicher, I. Vajda, A new class of metric
divergences on probability spaces, Ann. Inst. Statist. Math. 55 (2003).
"""
