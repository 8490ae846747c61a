"""Metrics of predicted numbers, each as its definition on sums of errors, for several samples at once.

The error is predicted - actual. Definitions follow scikit-learn, which the tests hold them against, and are NaN where
they are not defined. Variances take rows as independent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.statistics.samples import Samples, ratio

if TYPE_CHECKING:
    from checks.statistics.samples import Floats


def compared(of: Samples) -> Floats:
    """Rows with a predicted number and an outcome."""
    return of.errors["rows"]


def mean(of: Samples, name: str) -> Floats:
    """The mean of a sum over the rows compared."""
    return ratio(of.errors[name], compared(of))


def rmse(of: Samples) -> Floats:
    """The square root of the mean of error²."""
    root: Floats = mean(of, "squared") ** 0.5
    return root


def mape(of: Samples) -> Floats:
    """The mean of |error| / |actual|, over the rows whose outcome is not 0."""
    return ratio(of.errors["relative"], of.errors["relative_rows"])


def pinball(of: Samples, quantile: float) -> Floats:
    """The mean of quantile (actual - predicted) where that is positive, else (1 - quantile) (predicted - actual).

    Half of |error| + (1 - 2 quantile) error. Source: R. Koenker, G. Bassett, Regression quantiles, Econometrica 46
    (1978).
    """
    return (mean(of, "absolute") + (1 - 2 * quantile) * mean(of, "error")) / 2


def r2(of: Samples) -> Floats:
    """1 - Σ error² / Σ (actual - mean actual)²."""
    spread = of.errors["outcome_squared"] - ratio(of.errors["outcome"] ** 2, compared(of))
    several = (spread > 0) & (compared(of) > 1)
    return 1 - ratio(of.errors["squared"], spread * several)


def inside(of: Samples) -> Floats:
    """Outcomes in the predicted interval / rows that have both."""
    return ratio(of.errors["inside"], of.errors["interval_rows"])


def mean_variance(of: Samples, name: str) -> Floats:
    """Variance of the mean of error or of |error|, whose squares are the same."""
    return _variance(of, mean(of, "squared"), mean(of, name))


def pinball_variance(of: Samples, quantile: float) -> Floats:
    """At most this: no loss is greater than the larger of both weights times |error|. Exact at the median."""
    squares = max(quantile, 1 - quantile) ** 2 * mean(of, "squared")
    return _variance(of, squares, pinball(of, quantile))


def _variance(of: Samples, square: Floats, mean: Floats) -> Floats:
    spread: Floats = (square - mean**2).clip(min=0)
    return ratio(spread, compared(of) - 1)
