"""Distances between two distributions given as counts of the same cells, and what chance alone makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, log2

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


def psi_noise(before: int, now: int, cells: int, level: float) -> float:
    """What the PSI of two samples of one distribution stays below, but for a chance of *level*.

    For samples of n and m rows over k cells, ``PSI / (1/n + 1/m)`` tends to chi-square with k - 1 degrees of freedom.
    Source: B. Yurdakul, Statistical properties of population stability index, Western Michigan University (2018).
    """
    return (1 / before + 1 / now) * chi_square(1 - level, cells - 1)


def jensen_shannon_noise(before: int, now: int, cells: int, level: float) -> float:
    """The same for the Jensen-Shannon divergence in bits, which near zero is ``PSI / (8 ln 2)``.

    Both are ``Σ (now - before)² / share`` to second order, times 1 and times 1/8 (in nats); weighted by rows, the
    divergence is the G statistic over 2(n + m). Source: F. Österreicher, I. Vajda, A new class of metric divergences
    on probability spaces, Ann. Inst. Statist. Math. 55 (2003), for f-divergences near zero.
    """
    return psi_noise(before, now, cells, level) / (8 * log(2))
