"""How late outcomes come: the share of predictions whose outcome is in, by age."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from checks.profile import LAG_EDGES

LEAST = 14
"""How many buckets it takes to learn from."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The predictions of a bucket, and how many of their outcomes took how long (cells of LAG_EDGES); looked at *age*
    after its end."""

    rows: int
    lags: tuple[int, ...]
    age: timedelta


@dataclass(frozen=True, slots=True)
class LagCurve:
    """The share of predictions whose outcome came within each of LAG_EDGES, as far as anybody has seen."""

    shares: tuple[float, ...]

    @property
    def final(self) -> float:
        """The share whose outcome comes at all."""
        return self.shares[-1]

    def share_at(self, age: timedelta) -> float:
        """The share that is in at *age*; between two edges as if they came evenly."""
        seconds = age.total_seconds()
        cell = bisect_right(LAG_EDGES, seconds)
        if cell >= len(self.shares):
            return self.final
        left, low = (LAG_EDGES[cell - 1], self.shares[cell - 1]) if cell else (0.0, 0.0)
        return low + (self.shares[cell] - low) * (seconds - left) / (LAG_EDGES[cell] - left)

    def share_by(self, age: timedelta) -> float:
        """The share that is in at the end of the cell of *age*: outcomes that took exactly *age* are among them."""
        cell = bisect_right(LAG_EDGES, age.total_seconds())
        return self.shares[min(cell, len(self.shares) - 1)]

    def age_of(self, part: float) -> timedelta:
        """The edge by which *part* of those that come at all are in."""
        cell = next(place for place, share in enumerate(self.shares) if share >= part * self.final)
        return timedelta(seconds=LAG_EDGES[cell])


def lag_curve(buckets: Iterable[Arrivals]) -> LagCurve | None:
    """The curve of all *buckets* together; None where they are too few.

    A young bucket does not know its late outcomes. So each cell asks only buckets that are past it, how many of those
    still waiting it ended the wait of (Kaplan and Meier's estimate, the wait being for an outcome).
    """
    known = [bucket for bucket in buckets if bucket.rows]
    if len(known) < LEAST:
        return None
    past = [(bucket, bucket.age.total_seconds(), bucket.rows) for bucket in known]
    waiting, shares = 1.0, list[float]()
    for cell, edge in enumerate(LAG_EDGES):
        past = [one for one in past if one[1] >= edge]
        if not past:
            break
        came, still = sum(bucket.lags[cell] for bucket, _, _ in past), sum(rows for _, _, rows in past)
        waiting *= 1 - came / still if still else 1.0
        shares.append(1 - waiting)
        past = [(bucket, age, rows - bucket.lags[cell]) for bucket, age, rows in past]
    return LagCurve(tuple(shares)) if shares else None
