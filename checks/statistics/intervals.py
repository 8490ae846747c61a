"""Confidence intervals: Wilson's for a share of independent rows, the jackknife over days for everything else."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from checks.statistics.quantiles import normal, student

Interval = tuple[float, float]


def wilson(share: float, rows: float, confidence: float = 0.95) -> Interval:
    """The score interval of a share of independent rows; inside [0, 1], and honest at 0 and 1.

    Centre ``(p + z²/2n) / (1 + z²/n)``, half width ``z sqrt(p(1-p)/n + z²/4n²) / (1 + z²/n)``.
    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if rows <= 0:
        return 0.0, 1.0
    z = normal(0.5 + confidence / 2)
    shrink = 1 + z * z / rows
    centre = (share + z * z / (2 * rows)) / shrink
    half = z * sqrt(max(share * (1 - share), 0.0) / rows + z * z / (4 * rows * rows)) / shrink
    return max(0.0, centre - half), min(1.0, centre + half)


def clustered(estimates: Sequence[float | None], confidence: float = 0.95) -> float | None:
    """``t(G-1) sqrt((G-1)/G Σ (θ₋ᵢ - mean θ₋)²)``: half an interval, or None where the G clusters cannot say.

    *estimates* are what the metric is without each cluster in turn. They cannot say where there are fewer than two,
    or where the metric is not defined without one of them.
    Rows of one day share weather and events, so days and not rows are the independent draws. Source: B. Efron,
    The jackknife, the bootstrap and other resampling plans (1982), ch. 3; A. C. Cameron, D. L. Miller, A
    practitioner's guide to cluster-robust inference, J. Human Resources 50 (2015), for t with G-1 degrees.
    """
    groups = len(estimates)
    defined = [estimate for estimate in estimates if estimate is not None]
    if groups < 2 or len(defined) < groups:
        return None
    mean = sum(defined) / groups
    error = sqrt((groups - 1) / groups * sum((estimate - mean) ** 2 for estimate in defined))
    return student(0.5 + confidence / 2, groups - 1) * error


def jackknifed(value: float, without: Sequence[float | None], confidence: float = 0.95) -> Interval | None:
    """The interval of *value*, whose estimates *without* each cluster in turn are these; None where they cannot say."""
    half = clustered(without, confidence)
    return None if half is None else (value - half, value + half)
