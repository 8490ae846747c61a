"""Fairness: how far apart a metric is between the values of a segment column."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from checks.contract import CannotMeasure, Check, Measurement, Metric, Needs, Window
from checks.statistics.comparison import Group, chosen, demand_known, difference, groups, value_of
from checks.statistics.formula import Formula
from checks.statistics.samples import Samples


class Fairness(Check):
    """The greatest gap of a metric between two values of a segment column: max - min.

    Measured by name: ``accuracy.origin`` is the gap of accuracy between the values of origin; its unit is the metric's.
    *compare* names the metrics (else the task's usual ones), *segments* the columns (else all), *positive* the class a
    binary model looks for, *confidence* the level of the interval, over all pairs of a column together.
    The largest of many noisy differences is too large, so the interval holds for all pairs at once (Bonferroni over
    the m (m - 1) / 2 pairs): it is ``[max low, max high]`` of the pairs' intervals, and its low end is 0 as long as
    chance may have made the gap. Values with under *min_rows* rows, ``(other)`` and ``(null)`` are left out.
    Source: demographic parity (selection_rate), equal opportunity (recall) and equalized odds (recall and
    false_positive_rate) are those of M. Hardt, E. Price, N. Srebro, Equality of opportunity in supervised learning,
    NIPS 2016.
    """

    kind: ClassVar[str] = "fairness"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("fairness_gap", "greatest gap of a metric between two segments", "low", per="name", pages=False),
    )

    compare: Annotated[tuple[str, ...], AfterValidator(demand_known)] = ()
    segments: tuple[str, ...] = ()
    min_rows: Annotated[int, Field(ge=2)] = 100
    positive: str = "1"
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95

    def needs(self) -> Needs:
        return Needs(outcomes=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        known = window.live.layout.segments
        for column in self.segments:
            if column not in known:
                there = ", ".join(known) or "none"
                raise CannotMeasure(f"segments names '{column}', which is no segment column; there are: {there}.")
        formulas = chosen(window, self.positive, self.compare)
        for column in self.segments or known:
            sides = groups(window, [f"{column}={value}" for value in known[column]])
            for formula in formulas:
                yield self._measured(formula, column, sides, len(window.buckets))

    def _measured(self, formula: Formula[Samples], column: str, sides: tuple[Group, ...], buckets: int) -> Measurement:
        name = f"{formula.metric.name}.{column}"
        values = {
            side: value
            for side in sides
            if formula.rows(side.of) >= self.min_rows and (value := value_of(formula, side)) is not None
        }
        rows = sum(formula.rows(side.of) for side in values)
        if len(values) < 2:
            reason = f"Fewer than two values of '{column}' have {self.min_rows} rows with {formula.metric.name}."
            return Measurement("fairness_gap", None, rows=rows, column=name, detail={"reason": reason})
        ordered = sorted(values, key=values.__getitem__, reverse=True)
        pairs = list(combinations(ordered, 2))
        level = 1 - (1 - self.confidence) / len(pairs)
        found = [difference(formula, one, other, buckets, level) for one, other in pairs]
        best, worst = ordered[0], ordered[-1]
        widest = formula.high - formula.low
        low, high = max(0.0, *(one[0] for one in found)), min(widest, max(one[1] for one in found))
        detail = {
            "highest": {best.name: values[best]},
            "lowest": {worst.name: values[worst]},
            "pairs": len(pairs),
            "left_out": len(sides) - len(values),
            "confidence": self.confidence,
            "interval": f"{found[0][2]}; over all pairs at once",
        }
        return Measurement("fairness_gap", values[best] - values[worst], low, high, rows, column=name, detail=detail)
