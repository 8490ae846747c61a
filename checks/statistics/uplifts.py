"""What one variant gains over another, absolute and relative, with intervals; the chance of a split; daily means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, inf, isfinite, sqrt

from checks.contract import Metric, Window
from checks.profile import Errors, Slice
from checks.statistics import regression
from checks.statistics.comparison import EVERYTHING, Group, by_rows, difference, paired, value_of, wider
from checks.statistics.formula import BY_CLUSTERS, BY_ROWS, UNKNOWABLE, Formula
from checks.statistics.intervals import Interval
from checks.statistics.samples import Samples, beside
from checks.statistics.sums import Sums, sums


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval and how that was reached; of no value, *method* is the reason."""

    value: float | None
    low: float
    high: float
    method: str


@dataclass(frozen=True, slots=True)
class Uplift:
    """One metric of two variants compared; *rows* are the challenger's."""

    name: str
    challenger: float | None
    champion: float | None
    absolute: Estimate
    relative: Estimate
    rows: int
    champion_rows: int
    confidence: float


def compared(of: Formula[Samples], challenger: Group, champion: Group, buckets: int, confidence: float) -> Uplift:
    """The uplift of one metric."""
    values = value_of(of, challenger), value_of(of, champion)
    rows = of.rows(challenger.of), of.rows(champion.of)
    lacking = next((side for side, value in zip((challenger, champion), values, strict=True) if value is None), None)
    if values[0] is None or values[1] is None:
        absolute = relative = Estimate(None, *EVERYTHING, f"{lacking.name if lacking else ''}: {of.undefined}")
    else:
        interval = difference(of, challenger, champion, buckets, confidence)
        absolute = Estimate(values[0] - values[1], *interval)
        relative = _relative(of, challenger, champion, (values[0], values[1]), buckets, confidence)
    return Uplift(of.metric.name, *values, absolute, relative, *rows, confidence)


def _relative(
    of: Formula[Samples], challenger: Group, champion: Group, values: Interval, buckets: int, confidence: float
) -> Estimate:
    gained = _gain(*values)
    if gained is None:
        return Estimate(None, *EVERYTHING, f"{of.metric.name} of the champion is 0, and nothing is a share of that.")
    rows = _ratio(by_rows(of, challenger, confidence), by_rows(of, champion, confidence), values)
    if buckets == 1:
        return Estimate(gained, *(rows or EVERYTHING), BY_ROWS if rows else UNKNOWABLE)
    found = paired(_gain, of, challenger, champion, confidence)
    if found is None:
        return Estimate(gained, *EVERYTHING, UNKNOWABLE)
    return Estimate(gained, *(wider(found, rows) if rows else found), BY_CLUSTERS)


def _gain(challenger: float, champion: float) -> float | None:
    return (challenger - champion) / abs(champion) if champion else None


def _ratio(one: Interval | None, other: Interval | None, values: Interval) -> Interval | None:
    """The interval of θ₁/θ₂ - 1 from those of both, rows independent; None where the champion's reaches 0.

    ``(θ₁θ₂ ∓ √((θ₁θ₂)² - e(2θ₁ - e) f(2θ₂ - f))) / (f (2θ₂ - f))`` with (e, f) = (l₁, u₂) and (u₁, l₂). Source:
    A. Donner, G. Y. Zou, Closed-form confidence intervals for functions of the normal mean and standard deviation,
    Statistical Methods in Medical Research 21 (2012).
    """
    if one is None or other is None or min(*values, other[0]) <= 0 or other[1] >= 2 * values[1]:
        return None
    low = _end(values, one[0], other[1], -1)
    high = _end(values, one[1], other[0], 1)
    return (low - 1, high - 1) if isfinite(low) and isfinite(high) else None


def _end(values: Interval, mine: float, others: float, sign: int) -> float:
    product, below = values[0] * values[1], others * (2 * values[1] - others)
    inner = product**2 - mine * (2 * values[0] - mine) * below
    return (product + sign * sqrt(max(inner, 0.0))) / below


def split_chance(challenger: int, rows: int, share: float) -> float:
    """The p-value of Pearson's chi-square with one degree of freedom, ``erfc(√(χ²/2))``.

    ``χ² = (n - N s)² / (N s (1 - s))``: the two cells of a split of N rows, n to the challenger, planned as s.
    """
    statistic = (challenger - rows * share) ** 2 / (rows * share * (1 - share))
    return erfc(sqrt(statistic / 2))


def mean_of(column: str) -> Formula[Samples]:
    """The mean of a column as a formula, of samples that ``means`` makes."""
    return Formula(
        Metric(column, f"mean of {column}", "high"),
        lambda of: regression.mean(of, "error"),
        *(regression.compared, f"no row has a number in '{column}'.", -inf, inf),
        variance=lambda of: regression.mean_variance(of, "error"),
    )


def means(window: Window, column: str, by: str, segments: Sequence[str]) -> tuple[Group, ...]:
    """Sums of *column* per cluster and segment, aggregated where the rows live. Raises CannotMeasure.

    They are kept as the errors of predicting 0, whose mean is the mean of the column.
    """
    found = sums(window, column, None, (by,))
    held = [found.get(name, {}) for name in segments]
    days = sorted({day for own in held for day in own}) or [0]
    slices = [[_slice(own.get(day, Sums())) for day in days] for own in held]
    return tuple(map(Group, segments, beside(slices, lambda part: part.labelled)))


def _slice(of: Sums) -> Slice:
    return Slice(of.rows, of.rows, errors=Errors(rows=of.rows, error=of.top, squared=of.squares))
