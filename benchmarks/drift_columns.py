"""Columns drawn at random, as counts, and what the drift check says of them; for the benchmark and the tests.

A run is 30 columns: 7 normal, 7 lognormal (σ = 1.5), 6 of 20 categories (Zipf), 2 of these with 2 % nulls, 4 binary
(10 %), 4 of 1000 categories (Zipf). The cells of quantile bins are distribution-free: whatever the numbers, the shares
of the bins between the quantiles of m rows are Dirichlet distributed. So counts are drawn and not rows, except in the
two outer cells, whose rows make the means; a million rows cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from scipy.special import ndtri

from checks.contract import Measurement, Window
from checks.drift import MEASURES, Drift
from checks.profile import ALL, Categories, Distribution, Layout, Numbers, Profile, Slice

EDGES = 40
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)

Column = tuple[Numbers | Categories, Distribution, Distribution]
Draw = Callable[[np.random.Generator, int, int], Column]
Quantile = Callable[[np.ndarray], np.ndarray]


def zipf(values: int) -> np.ndarray:
    """Shares proportional to 1/rank."""
    weights = 1 / np.arange(1, values + 1)
    return np.asarray(weights / weights.sum())


def numbers(quantile: Quantile) -> Draw:
    """A numeric column: bins between the quantiles of the reference."""

    def draw(random: np.random.Generator, before: int, now: int) -> Column:
        held = np.diff(np.linspace(0, before, EDGES + 2).astype(int))
        shares = random.dirichlet(held)
        edges = quantile(np.cumsum(shares)[:-1])
        old = _filled(random, quantile, edges, shares, held)
        new = _filled(random, quantile, edges, shares, random.multinomial(now, shares))
        return Numbers(tuple(map(float, edges))), old, new

    return draw


def _filled(
    random: np.random.Generator, quantile: Quantile, edges: np.ndarray, shares: np.ndarray, counts: np.ndarray
) -> Distribution:
    """Counts with their sums: rows of the outer cells one by one, those of the others in the middle of their cell."""
    middles = (edges[1:] + edges[:-1]) / 2
    low = quantile(shares[0] * random.random(counts[0]))
    high = quantile(1 - shares[-1] * random.random(counts[-1]))
    total = float(low.sum() + high.sum() + counts[1:-1] @ middles)
    squares = float((low**2).sum() + (high**2).sum() + counts[1:-1] @ middles**2)
    ends = (float(low.min(initial=edges[0])), float(high.max(initial=edges[-1])))
    return Distribution(tuple(map(int, counts)), 0, 0, 0, 0, total, squares, *ends)


def normal(probability: np.ndarray) -> np.ndarray:
    """Quantiles of the standard normal distribution."""
    return np.asarray(ndtri(probability))


def lognormal(probability: np.ndarray) -> np.ndarray:
    """Quantiles of a lognormal distribution with a heavy tail."""
    return np.asarray(np.exp(1.5 * ndtri(probability)))


def holed(draw: Draw, share: float) -> Draw:
    """The same column with this share of nulls, before and now."""

    def drawn(random: np.random.Generator, before: int, now: int) -> Column:
        cells, old, new = draw(random, before, now)
        return cells, _with_nulls(old, random, share), _with_nulls(new, random, share)

    return drawn


def categories(shares: np.ndarray) -> Draw:
    """A categorical column: the values seen in the reference, most frequent first, and one cell for all others."""

    def draw(random: np.random.Generator, before: int, now: int) -> Column:
        return _known(random.multinomial(before, shares), random.multinomial(now, shares))

    return draw


def _known(before: np.ndarray, now: np.ndarray) -> Column:
    order = [place for place in np.argsort(-before, kind="stable") if before[place]]
    other = int(now.sum() - now[order].sum())
    cells = Categories(tuple(f"v{place}" for place in order))
    return cells, _counts([*before[order], 0]), _counts([*now[order], other])


def _counts(counts: object) -> Distribution:
    return Distribution(tuple(int(count) for count in np.asarray(counts)))


COLUMNS: tuple[Draw, ...] = (
    *[numbers(normal)] * 7,
    *[numbers(lognormal)] * 7,
    *[categories(zipf(20))] * 6,
    *[holed(categories(zipf(20)), 0.02)] * 2,
    *[categories(np.array([0.9, 0.1]))] * 4,
    *[categories(zipf(1000))] * 4,
)


def measured(columns: list[Column]) -> dict[str, list[Measurement]]:
    """What the drift check says of these columns: metric -> measurement per column that has one."""
    named = {f"c{place}": column for place, column in enumerate(columns)}
    layout = Layout({name: cells for name, (cells, _, _) in named.items()})
    before = _profile(layout, {name: old for name, (_, old, _) in named.items()})
    now = _profile(layout, {name: new for name, (_, _, new) in named.items()})
    values: dict[str, list[Measurement]] = {metric: [] for metric in (*MEASURES, "drift_impact")}
    for measurement in Drift().measure(Window(START, END, "binary", (now,), before)):
        values[measurement.metric].append(measurement)
    return values


def beyond(one: Measurement, bound: float) -> bool:
    """Whether a threshold alarms: the whole interval beyond ±bound, or a value without one beyond it."""
    low = one.value if one.low is None else one.low
    high = one.value if one.high is None else one.high
    return (low or 0.0) > bound or (high or 0.0) < -bound


def _profile(layout: Layout, columns: dict[str, Distribution]) -> Profile:
    return Profile(layout, {ALL: Slice(next(iter(columns.values())).rows, columns=columns)})


def nulled(column: Column, random: np.random.Generator, share: float) -> Column:
    """The same column with this share of the window's rows set to null."""
    cells, before, now = column
    return cells, before, _with_nulls(now, random, share)


def _with_nulls(one: Distribution, random: np.random.Generator, share: float) -> Distribution:
    lost = [int(random.binomial(count, share)) for count in one.counts]
    kept = tuple(count - gone for count, gone in zip(one.counts, lost, strict=True))
    left = sum(kept) / max(sum(one.counts), 1)
    return replace(one, counts=kept, null=sum(lost), total=one.total * left, squares=one.squares * left)


def profiled(old: pd.Series, new: pd.Series, kind: str) -> Column:
    """A column of these rows, laid out as a reference of *old* would be."""
    if kind == "cat":
        values = int(max(old.max(), new.max())) + 1
        return _known(np.bincount(old, minlength=values), np.bincount(new, minlength=values))
    edges = np.quantile(old, np.linspace(0, 1, EDGES + 2)[1:-1])
    before, now = (np.bincount(np.searchsorted(edges, side, side="right"), minlength=EDGES + 1) for side in (old, new))
    return Numbers(tuple(map(float, edges))), _summed(old, before), _summed(new, now)


def _summed(values: pd.Series, counts: np.ndarray) -> Distribution:
    sums = (float(values.sum()), float((values**2).sum()), float(values.min()), float(values.max()))
    return replace(_counts(counts), total=sums[0], squares=sums[1], low=sums[2], high=sums[3])
