"""The share of rows that meet a condition, from counts per cluster of a window, with its confidence interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checks.statistics.formula import BY_CLUSTERS, BY_ROWS, UNKNOWABLE
from checks.statistics.intervals import jackknifed, wilson


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
    without = [Share(whole.hits - part.hits, whole.rows - part.rows).value for part in held]
    found = jackknifed(share, without, confidence)
    if found is None:
        return 0.0, 1.0, UNKNOWABLE
    return max(0.0, min(low, found[0])), min(1.0, max(high, found[1])), BY_CLUSTERS
