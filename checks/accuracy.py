"""Accuracy and its kin: how often, or how far, the model was wrong on the rows whose outcome is in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from checks.contract import Check, Measurement, Metric, Needs, Task, Window
from checks.statistics import formulas
from checks.statistics.formula import Formula
from checks.statistics.intervals import LeftOut, clusters, left_out


class Accuracy(Check):
    """The usual metrics of the model's task, with confidence intervals, for the whole and per segment.

    *positive* is the class a binary model looks for; *confidence* the two-sided level of the intervals. A metric that
    is not defined (no rows, no positives ...) has no value and a reason. ``rows`` are the rows with outcome used.
    """

    kind: ClassVar[str] = "accuracy"
    metrics: ClassVar[tuple[Metric, ...]] = tuple(
        dict.fromkeys(one.metric for one in (*formulas.binary("1"), *formulas.MANY_CLASSES, *formulas.NUMBERS))
    )

    positive: str = "1"
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95

    def needs(self) -> Needs:
        return Needs(outcomes=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        parts = clusters(window)
        for segment in window.live.slices:
            sample = left_out(parts, segment)
            for formula in self._formulas(window.task):
                yield self._measured(formula, sample, segment, len(window.buckets))

    def _formulas(self, task: Task) -> tuple[Formula, ...]:
        if task == "binary":
            return formulas.binary(self.positive)
        if task == "multiclass":
            return formulas.MANY_CLASSES
        return formulas.NUMBERS if task == "regression" else ()

    def _measured(self, formula: Formula, sample: LeftOut, segment: str, buckets: int) -> Measurement:
        whole, name = sample.whole, formula.metric.name
        value, rows = formula.value(whole), formula.rows(whole)
        detail: dict[str, object] = {"outcome_share": whole.labelled / whole.rows if whole.rows else None}
        if value is None:
            return Measurement(name, None, rows=rows, segment=segment, detail=detail | {"reason": formula.undefined})
        low, high, method = formula.interval(value, sample, buckets, self.confidence)
        detail |= {"confidence": self.confidence, "interval": method, "clusters": len(sample.without)}
        return Measurement(name, value, low, high, rows, segment, detail=detail)
