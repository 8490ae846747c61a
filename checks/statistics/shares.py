"""The share of rows that meet a condition, from counts per cluster of a window, with its confidence interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from checks.statistics.formula import BY_CLUSTERS, BY_ROWS, UNKNOWABLE
from checks.statistics.intervals import wilson
from checks.statistics.quantiles import student


@dataclass(frozen=True, slots=True)
class Share:
    """*hits* of *rows*; of a day, a bucket or a window."""

    hits: int
    rows: int

    @property
    def value(self) -> float | None:
        return self.hits / self.rows if self.rows else None


def total(parts: Sequence[Share]) -> Share:
    """All parts together."""
    return Share(sum(part.hits for part in parts), sum(part.rows for part in parts))


def interval(parts: Sequence[Share], buckets: int, confidence: float) -> tuple[float, float, str]:
    """The delete-one-cluster jackknife of a share, never narrower than Wilson's for independent rows; and its name.

    Leaving cluster i out of H hits of N rows leaves ``(H - hᵢ) / (N - nᵢ)``. One bucket has no clusters to compare.
    """
    whole, held = total(parts), [part for part in parts if part.rows]
    if not whole.rows:
        return 0.0, 1.0, UNKNOWABLE
    share = whole.hits / whole.rows
    low, high = wilson(share, whole.rows, confidence)
    if buckets == 1:
        return low, high, BY_ROWS
    if len(held) < 2:
        return 0.0, 1.0, UNKNOWABLE
    without = [(whole.hits - part.hits) / (whole.rows - part.rows) for part in held]
    groups, mean = len(held), sum(without) / len(held)
    error = sqrt((groups - 1) / groups * sum((one - mean) ** 2 for one in without))
    half = student(0.5 + confidence / 2, groups - 1) * error
    return max(0.0, min(low, share - half)), min(1.0, max(high, share + half)), BY_CLUSTERS
