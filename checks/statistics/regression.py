"""Metrics of predicted numbers, each as its definition on the error sums of a slice; error is predicted - actual."""

from __future__ import annotations

from math import sqrt

from checks.profile import Slice


def compared(part: Slice) -> int:
    """Rows with a predicted number and an outcome."""
    return part.errors.rows if part.errors else 0


def compared_relatively(part: Slice) -> int:
    """Rows with a predicted number and an outcome other than 0."""
    return part.errors.relative_rows if part.errors else 0


def mae(part: Slice) -> float | None:
    """The mean of |error|."""
    return part.errors.absolute / part.errors.rows if part.errors and part.errors.rows else None


def rmse(part: Slice) -> float | None:
    """The square root of the mean of error²."""
    return sqrt(part.errors.squared / part.errors.rows) if part.errors and part.errors.rows else None


def mape(part: Slice) -> float | None:
    """The mean of |error| / |actual|, over the rows whose outcome is not 0."""
    return part.errors.relative / part.errors.relative_rows if part.errors and part.errors.relative_rows else None


def bias(part: Slice) -> float | None:
    """The mean of error."""
    return part.errors.error / part.errors.rows if part.errors and part.errors.rows else None


def r2(part: Slice) -> float | None:
    """1 - Σ error² / Σ (actual - mean actual)²."""
    if not part.errors or part.errors.rows < 2:
        return None
    spread = part.errors.outcome_squared - part.errors.outcome**2 / part.errors.rows
    return 1 - part.errors.squared / spread if spread > 0 else None


def mae_variance(part: Slice) -> float | None:
    """Variance of the mean of |error|, rows taken as independent."""
    return _variance_of_mean(part, mae(part))


def bias_variance(part: Slice) -> float | None:
    """Variance of the mean of error, rows taken as independent."""
    return _variance_of_mean(part, bias(part))


def _variance_of_mean(part: Slice, mean: float | None) -> float | None:
    """|error|² and error² are the same, so one sum of squares serves both."""
    if mean is None or not part.errors or part.errors.rows < 2:
        return None
    return max(part.errors.squared / part.errors.rows - mean**2, 0.0) / (part.errors.rows - 1)
