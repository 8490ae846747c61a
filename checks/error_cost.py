"""Error cost: what the model's mistakes cost, in money per day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from math import inf, sqrt
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from checks.contract import CannotMeasure, Check, Measurement, Metric, Needs, Window
from checks.profile import Slice
from checks.statistics.intervals import jackknifed
from checks.statistics.quantiles import normal


def _cells(given: object) -> object:
    """``{ predicted = { actual = money } }`` as (predicted, actual, money) cells."""
    if not isinstance(given, Mapping):
        return given
    if not all(isinstance(row, Mapping) for row in given.values()):
        raise ValueError('write what is predicted, what came true and its cost: { "1" = { "0" = 5.0 } }')
    return tuple((str(said), str(came), cost) for said, row in given.items() for came, cost in row.items())


class ErrorCost(Check):
    """Sum over the rows with an outcome of the cost of (predicted, actual) / days of the window.

    *costs* prices each pair of classes in money, predicted first; pairs that are not priced cost nothing, a negative
    cost is a gain. The unit is that money per day. The interval is the delete-one-day jackknife (of one bucket alone:
    ``± z sqrt(n/(n-1) (Σc² - (Σc)²/n)) / days``, rows taken as independent). Rows without outcome cost nothing yet:
    ``label_share`` in the detail says how many are priced. *confidence* is the level of the interval.
    """

    kind: ClassVar[str] = "error_cost"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("error_cost", "cost of the errors per day", "low", "per day", tasks=("binary", "multiclass")),
    )

    costs: Annotated[tuple[tuple[str, str, float], ...], BeforeValidator(_cells)] = ()
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95

    def names(self, column: str) -> bool:  # noqa: ARG002  # without a price there is nothing to measure
        return bool(self.costs)

    def needs(self) -> Needs:
        return Needs(outcomes=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        if window.task not in {"binary", "multiclass"}:
            return
        if not self.costs:
            raise CannotMeasure('Errors have no price; give costs = { "1" = { "0" = 5.0 } }, predicted before actual.')
        parts, days = window.parts, (window.end - window.start) / timedelta(days=1)
        if not days:
            raise CannotMeasure("The time these rows span is not known, and with it no cost per day.")
        for segment, whole in window.live.slices.items():
            detail: dict[str, object] = {"label_share": whole.labelled / whole.rows if whole.rows else None}
            if not whole.labelled:
                detail["reason"] = "No outcome of this window is in."
                yield Measurement("error_cost", None, segment=segment, detail=detail)
                continue
            spent = [self._cost(part.slices.get(segment, Slice())) * len(parts) / days for part in parts]
            value = self._cost(whole) / days
            left = [(sum(spent) - one) / max(len(spent) - 1, 1) for one in spent]
            half = normal(0.5 + self.confidence / 2) * sqrt(self._variance(whole)) / days
            low, high = jackknifed(value, left, self.confidence) or (value - half, value + half)
            yield Measurement("error_cost", value, low, high, whole.labelled, segment, detail=detail)

    def _cost(self, part: Slice) -> float:
        return sum(cost * part.confusion.get((said, came), 0) for said, came, cost in self.costs)

    def _variance(self, part: Slice) -> float:
        """Of the total cost, were the rows independent: rows times the variance of the cost of one."""
        rows, whole = part.labelled, self._cost(part)
        squares = sum(cost**2 * part.confusion.get((said, came), 0) for said, came, cost in self.costs)
        return max(squares - whole**2 / rows, 0.0) * rows / (rows - 1) if rows > 1 else inf
