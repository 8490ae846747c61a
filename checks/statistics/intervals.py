"""Confidence intervals: Wilson's for a share of independent rows, the jackknife over days for everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import reduce
from math import inf, sqrt

from checks.contract import Window
from checks.profile import ALL, Profile, Slice
from checks.statistics.quantiles import normal, student

Interval = tuple[float, float]
Statistic = Callable[[Slice], float | None]
"""A number of a slice, ``None`` where it is not defined."""

EVERYTHING: Interval = (-inf, inf)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A segment of a window, and the same without each of its clusters in turn."""

    whole: Slice
    without: tuple[Slice, ...]


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


def clusters(window: Window) -> tuple[Profile, ...]:
    """The independent parts of a window: its calendar days (UTC), or its buckets where it is under two days."""
    if window.end - window.start < timedelta(days=2):
        return window.buckets
    length = (window.end - window.start) / max(len(window.buckets), 1)
    days: dict[date, list[Profile]] = {}
    for place, bucket in enumerate(window.buckets):
        days.setdefault((window.start + place * length).date(), []).append(bucket)
    return tuple(Profile.merge(buckets) for buckets in days.values())


def left_out(parts: Sequence[Profile], segment: str = ALL) -> LeftOut:
    """Delete-one merges of one segment; a cluster without labelled rows is no cluster. Column counts are left out."""
    slices = [replace(part.slices[segment], columns={}) for part in parts if segment in part.slices]
    labelled = [part for part in slices if part.labelled]
    before = _running(labelled)
    after = _running(labelled[::-1])[::-1]
    without = tuple(before[place].merge(after[place + 1]) for place in range(len(labelled)))
    return LeftOut(reduce(Slice.merge, slices, Slice()), without)


def _running(slices: Sequence[Slice]) -> list[Slice]:
    """Merges of the first 0, 1, 2, ... slices."""
    merges = [Slice()]
    for part in slices:
        merges.append(merges[-1].merge(part))
    return merges


def jackknife(
    metric: Statistic, parts: Sequence[Profile], segment: str = ALL, confidence: float = 0.95
) -> tuple[float | None, float, float]:
    """The metric of all *parts* together with its delete-one-cluster interval: (value, low, high)."""
    sample = left_out(parts, segment)
    value = metric(sample.whole)
    return (value, *(EVERYTHING if value is None else clustered(metric, value, sample, confidence) or EVERYTHING))


def clustered(metric: Statistic, value: float, sample: LeftOut, confidence: float = 0.95) -> Interval | None:
    """``value ± t(G-1) sqrt((G-1)/G Σ (θ₋ᵢ - mean θ₋)²)``, or None where the G clusters cannot say.

    They cannot where there are fewer than two, or where the metric is not defined without one of them.
    Rows of one day share weather and events, so days and not rows are the independent draws. Source: B. Efron,
    The jackknife, the bootstrap and other resampling plans (1982), ch. 3; A. C. Cameron, D. L. Miller, A
    practitioner's guide to cluster-robust inference, J. Human Resources 50 (2015), for t with G-1 degrees.
    """
    estimates = [estimate for part in sample.without if (estimate := metric(part)) is not None]
    return jackknifed(value, estimates, confidence) if len(estimates) == len(sample.without) else None


def jackknifed(value: float, estimates: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """The same of the *estimates* without each cluster in turn; None where there are fewer than two."""
    groups = len(estimates)
    if groups < 2:
        return None
    mean = sum(estimates) / groups
    error = sqrt((groups - 1) / groups * sum((estimate - mean) ** 2 for estimate in estimates))
    half = student(0.5 + confidence / 2, groups - 1) * error
    return value - half, value + half
