"""Did anything change at all? Tests of two samples, both of them noisy, that hold their level in small windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, log, log1p

from checks.statistics.quantiles import beta, binomial_tail, chi_square_tail

Counts = Sequence[int]

EXPECTED = 5
"""Cells are merged until each is expected to hold this many rows of the smaller sample (W. G. Cochran, 1954)."""


@dataclass(frozen=True, slots=True)
class Test:
    """A statistic, its degrees of freedom, and the chance of one as large where nothing changed."""

    statistic: float
    freedom: int
    p_value: float


def g_test(before: Counts, now: Counts) -> Test:
    """The G test of two samples of counts: ``G = 2 Σ O ln(O/E)`` over both, E from the pooled shares.

    Cells too small to count on are merged, by their pooled rows alone, so that what moved does not choose. G is
    divided by Williams' factor and then as good as chi-square: its tail at 0.01 to 0.0001 is at most 1.6 times the
    nominal one with 50 rows and more. Unlike a goodness of fit it does not take the reference's counts as exact.
    Source: D. A. Williams, Improved likelihood ratio tests for complete contingency tables, Biometrika 63 (1976).
    """
    old, new = _merged(before, now)
    freedom = len(old) - 1
    if freedom < 1:
        return Test(0.0, 0, 1.0)
    m, n = sum(old), sum(new)
    rows = m + n
    terms = zip(old, new, strict=True)
    g = 2 * sum(_term(a, (a + b) * m / rows) + _term(b, (a + b) * n / rows) for a, b in terms)
    inverse = sum(rows / (a + b) for a, b in zip(old, new, strict=True)) - 1
    factor = 1 + (rows / m + rows / n - 1) * inverse / (6 * rows * freedom)
    return Test(max(g, 0.0), freedom, chi_square_tail(max(g, 0.0) / factor, freedom))


def pearson(before: Counts, now: Counts) -> float:
    """Pearson's chi-square of the table of both samples: ``Σ (O - E)² / E``, E from the pooled shares."""
    m, n = sum(before), sum(now)
    pairs = [(old, new) for old, new in zip(before, now, strict=True) if old + new]
    return sum((new * m - old * n) ** 2 / (old + new) for old, new in pairs) / (m * n)


def cell_test(before: Counts, now: Counts) -> float:
    """A bound on the chance that any cell differs as much as the one that differs most, at any size of sample.

    Given the pooled rows of a cell, its rows in either sample are hypergeometric; a tail of that is at most
    ``exp(-n KL(share in the sample, pooled share))``, and there are two tails per cell.
    Source: W. Hoeffding, Probability inequalities for sums of bounded random variables, JASA 58 (1963), sections 2, 6.
    """
    m, n = sum(before), sum(now)
    sides = [
        (m * _divergence(old / m, (old + new) / (m + n)), n * _divergence(new / n, (old + new) / (m + n)))
        for old, new in zip(before, now, strict=True)
    ]
    return min(1.0, 2 * len(before) * exp(-max(map(max, sides))))


def changed(before: Counts, now: Counts) -> float:
    """The p-value of both tests together (twice the smaller): changes spread over cells, and one that bursts."""
    return min(1.0, 2 * min(g_test(before, now).p_value, cell_test(before, now)))


def unseen(before: Counts, before_other: int, now_other: int, rows: int) -> float:
    """The chance of so many rows (*now_other*, of *rows*) with a value that is no known one, where nothing changed.

    Good and Turing: rows with new values are to rows of the window as values seen once are to rows of the reference.
    So of both together, U + N1, those in the window are a binomial of p = n / (n + m). Values come with several rows,
    so these vary more than single draws do, by ``(N1 + 2 N2) / N1``: all counts are divided by that. The reference's
    own *before_other* rows that are no known value are taken as seen once.
    Source: I. J. Good, The population frequencies of species, Biometrika 40 (1953); W. W. Esty, A normal limit law for
    a nonparametric estimator of the coverage of a random sample, Ann. Statist. 11 (1983), for the variance.
    """
    once, twice = (sum(1 for count in before if count == times) for times in (1, 2))
    spread = 1 + min(2 * twice / max(once, 1), 3.0)
    m = sum(before) + before_other
    return binomial_tail(now_other / spread, (once + before_other) / spread, rows / (rows + m))


def vanished(before: Counts, now: Counts, level: float) -> Iterator[int]:
    """The places of values that the window does not have, though chance (*level*, over all values) would not drop them.

    The last count of both is of all other values, and never vanishes. All c rows of a value are in the reference by
    chance with probability at most ``(1 - n / (n + m))^c``.
    """
    m, n = sum(before), sum(now)
    if not m or not n:
        return
    needed = log(max(sum(1 for count in before[:-1] if count), 1) / level) / -log1p(-n / (n + m))
    pairs = zip(before[:-1], now[:-1], strict=True)
    yield from (place for place, (old, new) in enumerate(pairs) if not new and old > needed)


def share_change(before: int, of: int, now: int, rows: int, level: float) -> tuple[float, float]:
    """An interval that misses the change of a share, ``now / rows - before / of``, with a chance of at most *level*.

    From the exact bounds of each share, at half the level each: it holds at any size of sample and any share.
    Source: C. J. Clopper, E. S. Pearson, The use of confidence or fiducial limits, Biometrika 26 (1934).
    """
    (low, high), (low_now, high_now) = _exact(before, of, level / 2), _exact(now, rows, level / 2)
    return low_now - high, high_now - low


def _exact(hits: int, rows: int, level: float) -> tuple[float, float]:
    low = beta(level / 2, hits, rows - hits + 1) if hits else 0.0
    high = beta(1 - level / 2, hits + 1, rows - hits) if hits < rows else 1.0
    return low, high


def _merged(before: Counts, now: Counts) -> tuple[list[int], list[int]]:
    """Cells, least pooled rows first into one another, until each expects EXPECTED rows of the smaller sample."""
    m, n = sum(before), sum(now)
    least = EXPECTED * (m + n) / max(min(m, n), 1)
    old, new, held = [], [], (0, 0)
    for a, b in sorted(zip(before, now, strict=True), key=sum):
        held = (held[0] + a, held[1] + b)
        if sum(held) >= least:
            old.append(held[0])
            new.append(held[1])
            held = (0, 0)
    if old:
        old[-1] += held[0]
        new[-1] += held[1]
    return old, new


def _term(observed: int, expected: float) -> float:
    return observed * log(observed / expected) if observed else 0.0


def _divergence(share: float, pooled: float) -> float:
    """The Kullback-Leibler divergence of two coins."""
    sides = ((share, pooled), (1 - share, 1 - pooled))
    return max(sum(a * log(a / b) for a, b in sides if a > 0 and b > 0), 0.0)
