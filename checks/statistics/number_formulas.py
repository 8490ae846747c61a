"""The metrics of predicted numbers as formulas: name, definition, range, and what their certainty rests on."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from checks.contract import Better, Metric, Roles, Task
from checks.statistics import regression as by_number
from checks.statistics.formula import Formula
from checks.statistics.samples import ratio

if TYPE_CHECKING:
    from checks.statistics.samples import Floats, Samples

REGRESSION: tuple[Task, ...] = ("regression",)

NO_NUMBERS = "No row has a predicted number and an outcome."
NO_TOLERANCE = "Nothing says how far a prediction may be off; set predictions.tolerance."
NO_INTERVAL = "The model predicts no interval; set predictions.interval where it does."


def numbers(quantile: float, roles: Roles) -> tuple[Formula[Samples], ...]:
    """Everything measured of predicted numbers."""
    return (*_OF_ERRORS, _pinball(quantile), _within(tolerance=roles.tolerance), _interval(roles))


def _metric(name: str, summary: str, better: Better = "low", *, averages: bool = True) -> Metric:
    return Metric(name, summary, better, tasks=REGRESSION, averages=averages)


def _pinball(quantile: float) -> Formula[Samples]:
    return Formula(
        _metric("pinball_loss", "mean of the errors, those below the outcome weighted against those above"),
        lambda of: by_number.pinball(of, quantile),
        *(by_number.compared, NO_NUMBERS, 0, inf),
        variance=lambda of: by_number.pinball_variance(of, quantile),
        detail={"quantile": quantile},
    )


def _within(*, tolerance: bool) -> Formula[Samples]:
    """Without a tolerance the profile counts no row, which is not the same as a share of 0."""

    def rows(of: Samples) -> Floats:
        return by_number.compared(of) * tolerance

    return Formula(
        _metric("within_tolerance", "share of rows whose error is within the model's tolerance", "high"),
        lambda of: ratio(of.errors["within"], rows(of)),
        *(rows, NO_NUMBERS if tolerance else NO_TOLERANCE, 0, 1, rows),
        share=True,
    )


def _interval(roles: Roles) -> Formula[Samples]:
    undefined = "No row has a predicted interval and an outcome." if roles.interval else NO_INTERVAL
    return Formula(
        _metric("interval_coverage", "share of outcomes that lie in the predicted interval", "high"),
        by_number.inside,
        *(lambda of: of.errors["interval_rows"], undefined, 0, 1, lambda of: of.errors["interval_rows"]),
        share=True,
    )


_OF_ERRORS = (
    Formula(
        _metric("mae", "mean of |predicted - actual|"),
        lambda of: by_number.mean(of, "absolute"),
        *(by_number.compared, NO_NUMBERS, 0, inf),
        variance=lambda of: by_number.mean_variance(of, "absolute"),
    ),
    Formula(
        _metric("rmse", "root of the mean squared error", averages=False),
        *(by_number.rmse, by_number.compared, NO_NUMBERS, 0, inf),
    ),
    Formula(
        _metric("mape", "mean of |predicted - actual| / |actual|, outcomes of 0 left out"),
        by_number.mape,
        lambda of: of.errors["relative_rows"],
        *("No row has a predicted number and an outcome other than 0.", 0, inf),
    ),
    Formula(
        _metric("smape", "mean of |predicted - actual| over the mean of |predicted| and |actual|"),
        lambda of: by_number.mean(of, "symmetric"),
        *(by_number.compared, NO_NUMBERS, 0, 2),
    ),
    Formula(
        _metric("bias", "mean of predicted - actual"),
        lambda of: by_number.mean(of, "error"),
        *(by_number.compared, NO_NUMBERS, -inf, inf),
        variance=lambda of: by_number.mean_variance(of, "error"),
    ),
    Formula(
        _metric("r2", "share of the variance of the outcomes that is explained", "high", averages=False),
        *(by_number.r2, by_number.compared, "The outcomes of these rows do not vary.", -inf, 1),
    ),
)
