"""Experiment: what one variant gains over another, and whether rows went to both as planned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from checks.contract import CannotMeasure, Check, Measurement, Metric, Needs, Window
from checks.statistics import uplifts
from checks.statistics.comparison import chosen, demand_known, groups
from checks.statistics.intervals import wilson


class Experiment(Check):
    """Metric of the challenger - metric of the champion, also as a share of the champion's; chi-square of the split.

    *variant* is a segment column, *champion* and *challenger* two of its values. Compared are *compare* (in
    their own units) and the mean of the column *kpi*. Days are the independent draws, and both variants leave the same
    day out (delete-one-day jackknife of the difference), never narrower than independent rows allow.
    *positive* is the class a binary model looks for, *confidence* the level of the intervals.
    ``sample_ratio`` is the p-value of the rows of both against *share*, the challenger's planned share: chi-square
    with one degree of freedom. Source: R. Kohavi, D. Tang, Y. Xu, Trustworthy online controlled experiments (2020),
    ch. 21. Without *variant* nothing is measured.
    """

    kind: ClassVar[str] = "experiment"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("uplift", "challenger - champion", "high", per="name", pages=False),
        Metric("relative_uplift", "(challenger - champion) / |champion|", "high", per="name", pages=False),
        Metric("sample_ratio", "p-value of the split of rows between the variants", "high", pages=False),
    )

    variant: str = ""
    champion: str = "A"
    challenger: str = "B"
    compare: Annotated[tuple[str, ...], AfterValidator(demand_known)] = ()
    kpi: str = ""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    positive: str = "1"
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95

    def needs(self) -> Needs:
        return Needs(outcomes=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        if not self.variant:
            return
        if self.variant not in window.live.layout.segments:
            raise CannotMeasure(f"'{self.variant}' is no segment column; add it to predictions.segments.")
        names = [f"{self.variant}={value}" for value in (self.challenger, self.champion)]
        challenger, champion = groups(window, names)
        yield self._split(*(sum(part.rows for part in side.of.parts) for side in (challenger, champion)))
        buckets = len(window.buckets)
        for formula in chosen(window, self.positive, self.compare):
            yield from _told(uplifts.compared(formula, challenger, champion, buckets, self.confidence))
        if self.kpi:
            yield from self._kpi(window, names)

    def _kpi(self, window: Window, names: list[str]) -> Iterator[Measurement]:
        try:
            challenger, champion = uplifts.means(window, self.kpi, self.variant, names)
        except CannotMeasure as problem:  # the rest is told by the profiles alone
            for metric in ("uplift", "relative_uplift"):
                yield Measurement(metric, None, column=self.kpi, detail={"reason": str(problem)})
            return
        formula = uplifts.mean_of(self.kpi)
        yield from _told(uplifts.compared(formula, challenger, champion, len(window.buckets), self.confidence))

    def _split(self, challenger: int, champion: int) -> Measurement:
        rows = challenger + champion
        if not rows:
            reason = f"No row of the window is of the variants '{self.champion}' and '{self.challenger}'."
            return Measurement("sample_ratio", None, detail={"reason": reason})
        low, high = wilson(challenger / rows, rows, self.confidence)
        detail: dict[str, object] = {"challenger": challenger, "champion": champion, "share": challenger / rows}
        detail |= {"share_low": low, "share_high": high, "expected_share": self.share}
        return Measurement("sample_ratio", uplifts.split_chance(challenger, rows, self.share), rows=rows, detail=detail)


def _told(found: uplifts.Uplift) -> Iterator[Measurement]:
    """The difference in the metric's own unit, and as a share of the champion's value."""
    for metric, one in (("uplift", found.absolute), ("relative_uplift", found.relative)):
        sides = {"challenger": found.challenger, "champion": found.champion, "champion_rows": found.champion_rows}
        detail: dict[str, object] = {**sides}
        if one.value is None:
            detail["reason"] = one.method
            yield Measurement(metric, None, rows=found.rows, column=found.name, detail=detail)
        else:
            detail |= {"interval": one.method, "confidence": found.confidence}
            yield Measurement(metric, one.value, one.low, one.high, found.rows, column=found.name, detail=detail)
