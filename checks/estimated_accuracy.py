"""Estimated accuracy: what the live scores say the accuracy will be, before outcomes are in."""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot
from typing import Annotated, ClassVar

from pydantic import Field

from checks.contract import Check, Measurement, Metric, Needs, Window
from checks.statistics.calibration import Estimated, Expected, calibrated, estimated, spread
from checks.statistics.estimate_formulas import ACCURACY, ESTIMATES
from checks.statistics.formula import Formula
from checks.statistics.quantiles import normal
from checks.statistics.samples import samples, segments

LEAST = 1000
"""Rows of the reference with score and outcome from which on a segment's scores are calibrated on its own."""

UNCALIBRATED = "The reference holds no row with both a score and an outcome, so scores cannot be calibrated."
WITH_CALIBRATION = "{}; together with the sampling error of the calibration"


class EstimatedAccuracy(Check):
    """Metrics of a classifier on its expected confusion counts: each live row comes true with its calibrated score.

    Scores are calibrated by isotonic regression on the reference, by bins of 1/1000 (of a model of several classes, the
    score of the predicted class). A row with calibrated score c that is predicted positive counts as c true and 1 - c
    false positives. It holds while scores mean what they meant: a change of the rows is seen, a change of what they
    lead to (concept drift) is not. *confidence* is the level of the intervals. Source: CBPE, J. Białek et al.,
    Estimating model performance under covariate shift without labels, arXiv 2401.08348 (2024), and NannyML.
    """

    kind: ClassVar[str] = "estimated_accuracy"
    metrics: ClassVar[tuple[Metric, ...]] = tuple(formula.metric for formula in ESTIMATES)

    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95

    def needs(self) -> Needs:
        return Needs(reference=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        formulas = {"binary": ESTIMATES, "multiclass": (ACCURACY,)}.get(window.task, ())
        if window.baseline is None or not formulas:
            return
        whole = calibrated(window.baseline.whole.scores)
        for segment in segments(window):
            own = calibrated(window.baseline.slices[segment].scores) if segment in window.baseline.slices else None
            calibration = own if own and own.rows >= LEAST else whole
            rows = samples(window, segment, counted=lambda part: part.rows)
            found = None if calibration is None else estimated(rows, calibration)
            for formula in formulas:
                yield self._measured(formula, found, segment, len(window.buckets))

    def _measured(self, formula: Formula[Expected], of: Estimated | None, segment: str, buckets: int) -> Measurement:
        name = formula.metric.name
        if of is None:
            return Measurement(name, None, segment=segment, detail={"reason": UNCALIBRATED})
        rows, found = formula.rows(of.live), formula.estimate(of.live, buckets, self.confidence)
        if found is None:
            return Measurement(
                name, None, rows=rows, segment=segment, detail={**of.detail, "reason": formula.undefined}
            )
        away = normal(0.5 + self.confidence / 2) * spread(formula.values(of.moved).tolist(), found.value)
        low = max(formula.low, found.value - hypot(found.value - found.low, away))
        high = min(formula.high, found.value + hypot(found.high - found.value, away))
        detail = {**of.detail, "confidence": self.confidence, "interval": WITH_CALIBRATION.format(found.method)}
        return Measurement(name, found.value, low, high, rows, segment, detail=detail)
