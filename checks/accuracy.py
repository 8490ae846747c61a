"""Accuracy and its kin: how often, or how far, the model was wrong on the rows whose outcome is in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from checks.contract import Check, Measurement, Metric, Needs, Roles, Window
from checks.statistics.binary_formulas import binary
from checks.statistics.formula import Formula
from checks.statistics.multiclass_formulas import most_frequent, multiclass
from checks.statistics.number_formulas import numbers
from checks.statistics.samples import Samples, samples, segments

EVERY_FORMULA = (*binary("1", 2.0, 10, 0.5, 0.1), *multiclass(("",)), *numbers(0.5, Roles()))


class Accuracy(Check):
    """The usual metrics of the model's task, with confidence intervals, for the whole and per segment.

    *positive* is the class a binary model looks for. Recall weighs *beta*² as much as precision in ``f_beta``; *at* is
    the score that ``precision_at`` and ``recall_at`` are about, *top* the share of rows that ``precision_at_top``,
    ``recall_at_top`` and ``lift_at_top`` are about, *calibration_bins* the bins of ``calibration_error``, *quantile*
    that of ``pinball_loss``, and *confidence* the two-sided level of the intervals. A metric that is not defined (no
    rows, no positives ...) has no value and a reason. ``rows`` are the rows with outcome used. Definitions are
    scikit-learn's, formulas and units stand in docs/checks/accuracy.md.
    """

    kind: ClassVar[str] = "accuracy"
    metrics: ClassVar[tuple[Metric, ...]] = tuple(dict.fromkeys(formula.metric for formula in EVERY_FORMULA))

    positive: str = "1"
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    beta: Annotated[float, Field(gt=0, lt=1000)] = 2.0
    at: Annotated[float, Field(ge=0, le=1)] = 0.5
    top: Annotated[float, Field(gt=0, le=1)] = 0.1
    calibration_bins: Annotated[int, Field(ge=1, le=1000)] = 10
    quantile: Annotated[float, Field(gt=0, lt=1)] = 0.5

    def needs(self) -> Needs:
        return Needs(outcomes=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        formulas = self._formulas(window)
        for segment in segments(window):
            rows = samples(window, segment, counted=lambda part: part.labelled)
            for formula in formulas:
                yield self._measured(formula, rows, segment, len(window.buckets))

    def _formulas(self, window: Window) -> tuple[Formula[Samples], ...]:
        match window.task:
            case "binary":
                return binary(self.positive, self.beta, self.calibration_bins, self.at, self.top)
            case "multiclass":
                return multiclass(most_frequent(samples(window, counted=lambda part: part.labelled)))
            case "regression":
                return numbers(self.quantile, window.roles)
        return ()

    def _measured(self, formula: Formula[Samples], of: Samples, segment: str, buckets: int) -> Measurement:
        name, column, rows = formula.metric.name, formula.column, formula.rows(of)
        detail: dict[str, object] = {"outcome_share": of.labelled_share, **formula.detail}
        found = formula.estimate(of, buckets, self.confidence)
        if found is None:
            detail |= {"reason": formula.undefined}
            return Measurement(name, None, rows=rows, segment=segment, column=column, detail=detail)
        detail |= {"confidence": self.confidence, "interval": found.method, "clusters": of.clusters}
        return Measurement(name, found.value, found.low, found.high, rows, segment, column, detail)
