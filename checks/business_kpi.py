"""Business KPIs: a number the business lives by, from the rows of predictions and outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from math import isfinite
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from checks.contract import CannotMeasure, Check, Measurement, Metric, Needs, Window
from checks.statistics import sql, sums
from checks.statistics.seasons import changes


class BusinessKpi(Check):
    """A sum or mean of a column, a ratio of the sums of two, or an SQL aggregate, over the rows of the window.

    ``kpi.<name>`` (*name* is its own) is sum(*column*) or mean(*column*), as *aggregate* says, or sum(*numerator*) /
    sum(*denominator*), or the *sql* expression, in whatever unit those are; ``kpi_change.<name>`` is it / its median
    over windows of the same weekday and hour in the past *weeks*, without those that were a breach. Null, NaN and
    infinite values add nothing. Means and ratios have the delete-one-day jackknife as interval of level *confidence*
    (of one bucket alone: linearised, rows independent); sums and SQL are a census. *outcomes* says that it is made of
    outcomes, so that the window is judged once they are in.
    """

    kind: ClassVar[str] = "business_kpi"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("kpi", "the KPI itself", "high", per="name", averages=True),
        Metric("kpi_change", "the KPI / its value expected of this weekday and hour", "high", per="name"),
    )

    name: Annotated[str, Field(pattern=r"^[^.*]*$", max_length=100)] = ""
    column: str | None = None
    aggregate: Literal["sum", "mean"] = "sum"
    numerator: str | None = None
    denominator: str | None = None
    sql: str | None = None
    outcomes: bool = False
    weeks: Annotated[int, Field(ge=2, le=52)] = 8
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95

    @model_validator(mode="after")
    def _one_way(self) -> BusinessKpi:
        if (self.numerator is None) != (self.denominator is None):
            raise ValueError("a ratio needs both numerator and denominator")
        if sum(way is not None for way in (self.column, self.numerator, self.sql)) > 1:
            raise ValueError("a KPI is one of column, numerator with denominator, and sql; leave the others out")
        made = self.column or self.numerator or self.sql
        if bool(self.name) != bool(made):
            missing = "name" if made else "column, numerator with denominator, or sql"
            raise ValueError(f"a KPI has a name and says what it is made of; add {missing}")
        return self

    def names(self, column: str) -> bool:
        return bool(self.name) and column in {self.name, "*"}

    def needs(self) -> Needs:
        return Needs(outcomes=self.outcomes, past=timedelta(weeks=self.weeks))

    def measure(self, window: Window) -> Iterator[Measurement]:
        if not self.name:
            raise CannotMeasure('A KPI needs a name and what it is made of, such as column = "price".')
        adds_up = self.sql is not None or (self.column is not None and self.aggregate == "sum")
        if adds_up and window.start == window.end:
            raise CannotMeasure("The time these rows span is not known, and with it nothing that adds up over time.")
        for measured in self._asked(window) if self.sql is not None else self._added(window):
            yield measured
            yield from changes(window, "kpi_change", measured)

    def _asked(self, window: Window) -> Iterator[Measurement]:
        for segment, value, rows in sql.aggregated(window, self.sql or ""):
            known = value if value is not None and isfinite(value) else None
            detail = {} if known is not None else {"reason": "The sql gave no number on these rows."}
            yield Measurement("kpi", known, rows=rows, segment=segment, column=self.name, detail=detail)

    def _added(self, window: Window) -> Iterator[Measurement]:
        top = self.column or self.numerator or ""
        summed = self.column is not None and self.aggregate == "sum"
        for segment, parts in sums.sums(window, top, self.denominator, window.roles.segments).items():
            days = tuple(parts.values())
            whole = sums.total(days)
            value = (whole.top if whole.rows else None) if summed else whole.ratio
            ends, method = (None, "census") if summed else sums.interval(days, self.confidence)
            detail: dict[str, object] = {"interval": method, "days": len(days)}
            if value is None:
                detail["reason"] = f"No row has '{self.denominator or top}', or it adds up to zero."
            low, high = (None, None) if ends is None or value is None else ends
            yield Measurement("kpi", value, low, high, whole.rows, segment, self.name, detail)
